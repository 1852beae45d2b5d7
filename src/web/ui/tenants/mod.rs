//! Tenants: the customers, what they have, and their end.

mod delete;
mod list;
mod one;

use actix_web::web::ServiceConfig;

const PATH: &str = "/tenants";

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    list::routes(config);
    one::routes(config);
    delete::routes(config);
}

/// What a form says about a tenant.
fn draft(form: &mut super::form::Form) -> crate::service::tenants::TenantDraft {
    let endpoint_limit = match form.number("endpoint_limit") {
        crate::service::Patch::Set(limit) => Some(limit),
        _ => None,
    };
    let name = form.filled("name").map(str::to_owned);
    crate::service::tenants::TenantDraft { name, endpoint_limit }
}
