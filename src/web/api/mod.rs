//! The JSON API below `/api/v1`: a file for each resource, whose `routes` registers its calls.

mod alerts;
mod audit;
mod backups;
mod cleanups;
mod deliveries;
mod endpoint_fields;
mod endpoints;
mod event_batch;
pub(in crate::web) mod event_types;
mod events;
pub(in crate::web) mod formats;
mod keys;
mod mail_server;
mod operators;
mod overview;
mod replays;
mod rotation;
mod settings;
pub mod shapes;
mod stats;
mod tenants;
mod verify_code;

use actix_web::web::{self, ServiceConfig};

/// Registers the routes of all resources.
pub fn routes(config: &mut ServiceConfig) {
    config.service(
        web::scope("/api/v1")
            .configure(alerts::routes)
            .configure(audit::routes)
            .configure(backups::routes)
            .configure(cleanups::routes)
            .configure(deliveries::routes)
            .configure(endpoints::routes)
            .configure(event_batch::routes)
            .configure(event_types::routes)
            .configure(events::routes)
            .configure(formats::routes)
            .configure(keys::routes)
            .configure(mail_server::routes)
            .configure(operators::routes)
            .configure(overview::routes)
            .configure(replays::routes)
            .configure(rotation::routes)
            .configure(settings::routes)
            .configure(stats::routes)
            .configure(tenants::routes)
            .configure(verify_code::routes),
    );
}
