//! Formats: how a delivery looks on the wire, edited with the exact request in view.

mod change;
mod list;
mod show;

use actix_web::web::ServiceConfig;

/// Where the list is, and where all forms about formats go.
const PATH: &str = "/formats";

/// Registers the pages. The form for a new format comes before the page of any other.
pub fn routes(config: &mut ServiceConfig) {
    list::routes(config);
    show::routes(config);
}

/// Where a format's page is. Its signs need no escaping. `new` is the path of the form for another, so that a format of
/// this name is asked for in another way.
fn address(name: &str) -> String {
    if name == "new" { format!("{PATH}/new?format=new") } else { format!("{PATH}/{name}") }
}
