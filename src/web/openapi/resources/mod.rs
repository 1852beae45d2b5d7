//! What there is to say about each resource: its calls and its schemas, as data, a file for each.

mod admin;
mod alerts;
mod backups;
mod deliveries;
mod endpoint_fields;
mod endpoints;
mod event_types;
mod events;
mod formats;
mod keys;
mod matching;
mod operators;
mod replays;
mod settings;
mod stats;
mod tenants;
mod watch;

use super::operation::Operation;
use super::schema::Schema;

/// A resource.
pub struct Resource {
    /// Its name: the tag of its calls.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Its calls.
    pub operations: Vec<Operation>,
    /// Schemas that it names.
    pub schemas: Vec<(&'static str, Schema)>,
}

/// All of them, in the order of the reference.
pub fn all() -> Vec<Resource> {
    vec![
        events::resource(),
        endpoints::resource(),
        deliveries::resource(),
        stats::resource(),
        replays::resource(),
        event_types::resource(),
        formats::resource(),
        tenants::resource(),
        keys::resource(),
        operators::resource(),
        settings::resource(),
        alerts::resource(),
        admin::resource(),
        backups::resource(),
        watch::resource(),
    ]
}
