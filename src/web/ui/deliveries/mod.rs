//! Deliveries: found, read attempt by attempt, sent again, given up.

mod act;
mod advice;
mod attempts;
mod gather;
mod list;
pub(super) mod rows;
mod show;
mod story;

use actix_web::web::ServiceConfig;

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    list::routes(config);
    show::routes(config);
    act::routes(config);
}
