//! Endpoints: the list, making one, and the pages of one.
//!
//! - `list`, `create`. Of one: `settings`, `enable`, `disable`, `rotate`, `delete`.
//! - [`tabs`]: what the pages of one have in common. `fields` and `typed`: its settings as a form. `saved`: a secret, shown once.

mod create;
mod delete;
mod disable;
mod enable;
mod fields;
mod list;
mod rotate;
mod saved;
mod settings;
pub mod tabs;
mod typed;

use actix_web::web::ServiceConfig;

use crate::domain::scope::Scope;
use crate::service::endpoints::EndpointDetail;
use crate::web::problem::Problem;
use crate::web::state::AppState;

use super::visit::Visit;

/// The navigation's link that these pages belong to.
pub(super) const PATH: &str = "/endpoints";

/// Registers the pages. `/endpoints/new` comes before what stands for an endpoint.
pub fn routes(config: &mut ServiceConfig) {
    list::routes(config);
    create::routes(config);
    settings::routes(config);
    enable::routes(config);
    disable::routes(config);
    rotate::routes(config);
    delete::routes(config);
}

/// The endpoint that a page is about; `scope`: what the page is for.
async fn find(state: &AppState, visit: &Visit, id: &str, scope: Scope) -> Result<EndpointDetail, Problem> {
    let (scope, id) = (visit.caller.tenant_scope(scope)?, id.to_owned());
    state.read(move |service| service.endpoint(&scope, &id, None)).await
}
