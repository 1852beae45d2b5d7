//! The JSON API below `/api/v1`: a file for each resource, whose `routes` registers its calls.

mod cleanups;
mod endpoint_fields;
mod endpoints;
mod keys;
mod settings;
mod tenants;

use actix_web::web::{self, ServiceConfig};

/// Registers the routes of all resources.
pub fn routes(config: &mut ServiceConfig) {
    config.service(
        web::scope("/api/v1")
            .configure(cleanups::routes)
            .configure(endpoints::routes)
            .configure(keys::routes)
            .configure(settings::routes)
            .configure(tenants::routes),
    );
}
