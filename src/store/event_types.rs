//! The catalogue of event types, as publishing needs it: in memory, read once at the start.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::Connection;

use crate::domain::names::EventType;

use super::Store;

/// What the catalogue says about a type that is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// It can be subscribed to, and only Postrider may publish it.
    pub reserved: bool,
}

/// All types in it. A snapshot.
pub type Catalogue = HashMap<EventType, Entry>;

/// The catalogue in force.
#[derive(Debug, Default)]
pub(super) struct EventTypes {
    catalogue: RwLock<Arc<Catalogue>>,
}

impl EventTypes {
    pub(super) fn replace(&self, catalogue: Catalogue) {
        *self.catalogue.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalogue);
    }
}

/// Reads the whole catalogue.
pub(super) fn read_all(connection: &Connection) -> rusqlite::Result<Catalogue> {
    let mut statement = connection.prepare("SELECT name, reserved FROM event_types")?;
    let rows = statement.query_map([], |row| {
        Ok((super::lists::name(row, 0, EventType::parse)?, Entry { reserved: row.get(1)? }))
    })?;
    rows.collect()
}

impl Store {
    /// The catalogue of event types in force.
    pub fn event_types(&self) -> Arc<Catalogue> {
        Arc::clone(&self.shared.event_types.catalogue.read().unwrap_or_else(PoisonError::into_inner))
    }
}
