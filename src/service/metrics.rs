//! What a monitoring system wants to know, all of it from memory but the sizes of two files.

use std::sync::OnceLock;

use crate::store::figures::Counted;

use super::{Service, TenantScope};

/// What the dispatcher is at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DispatcherLoad {
    /// Deliveries in memory that wait for a thread.
    pub queued: usize,
    /// Bytes of payload of these.
    pub queued_bytes: usize,
    /// Requests under way.
    pub in_flight: usize,
    /// Outcomes that wait for their commit.
    pub unrecorded: usize,
    /// Threads that deliver, idle ones too.
    pub threads: usize,
    /// How many there may be.
    pub max_threads: usize,
}

/// Tells what the dispatcher is at; nothing once it is gone.
pub type Probe = Box<dyn Fn() -> Option<DispatcherLoad> + Send + Sync>;

/// Where the dispatcher, which this floor does not know, can be asked.
#[derive(Default)]
pub(super) struct Probes {
    dispatcher: OnceLock<Probe>,
}

/// All that is told.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    /// Whether the server can accept and deliver.
    pub ready: bool,
    /// Counted since the start.
    pub counted: Counted,
    /// See [`DispatcherLoad`].
    pub dispatcher: DispatcherLoad,
    /// Items that wait for the writer.
    pub writer_items: usize,
    /// Bytes of these.
    pub writer_bytes: usize,
    /// Endpoints that receive.
    pub enabled_endpoints: usize,
    /// Endpoints that do not.
    pub disabled_endpoints: usize,
    /// Bytes of the database.
    pub database_bytes: u64,
    /// Bytes of the WAL beside it.
    pub wal_bytes: u64,
}

impl Service {
    /// From now on this tells what the dispatcher is at. The first one stays.
    pub fn watch_dispatcher(&self, probe: Probe) {
        // A second dispatcher on the same use cases does not start.
        drop(self.probes.dispatcher.set(probe));
    }

    /// What there is to tell, of all tenants.
    pub fn metrics(&self, _scope: &TenantScope) -> Metrics {
        let (writer_bytes, writer_items) = self.store.load();
        let (database_bytes, wal_bytes) = self.store.sizes();
        let routes = self.store.directory().all();
        let enabled_endpoints = routes.iter().filter(|route| route.enabled).count();
        Metrics {
            ready: self.problems().is_empty(),
            counted: self.store.figures(),
            dispatcher: self.probes.dispatcher.get().and_then(|probe| probe()).unwrap_or_default(),
            writer_items,
            writer_bytes,
            enabled_endpoints,
            disabled_endpoints: routes.len() - enabled_endpoints,
            database_bytes,
            wal_bytes,
        }
    }
}
