//! The JSON API below `/api/v1`: a file for each resource, whose `routes` registers its calls.

mod deliveries;
mod events;
pub mod shapes;

use actix_web::web::{self, ServiceConfig};

/// Registers the routes of all resources.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::scope("/api/v1").configure(events::routes).configure(deliveries::routes));
}
