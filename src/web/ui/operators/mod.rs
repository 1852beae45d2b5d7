//! Operators: who signs in here. `list` shows them, `invite` makes links, `change` says what each may do.

mod change;
mod invite;
mod list;

use actix_web::web::ServiceConfig;

const PATH: &str = "/operators";

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    list::routes(config);
    invite::routes(config);
    change::routes(config);
}
