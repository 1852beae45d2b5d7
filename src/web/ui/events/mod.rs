//! Events: found, sent by hand, read, sent again, emptied.

mod act;
mod draft;
mod file;
mod gather;
mod held;
mod links;
mod list;
pub(in crate::web::ui) mod once;
mod send;
mod show;

use actix_web::web::ServiceConfig;

pub(super) use links::path;

/// Registers the pages. `/events/new` comes before `/events/{id}`.
pub fn routes(config: &mut ServiceConfig) {
    list::routes(config);
    send::routes(config);
    show::routes(config);
    act::routes(config);
    file::routes(config);
}
