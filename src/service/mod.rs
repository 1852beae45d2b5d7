//! Floor 2: the use cases. Synchronous, without HTTP and threads; the API, the command line and the dispatcher
//! call the same methods.
//!
//! A method that writes returns an [`Answer`](crate::store::Answer): await it on the web floor, wait for it elsewhere.

pub mod alerts;
pub mod attention;
pub mod audit;
pub mod backups;
pub mod batch;
pub mod cleanup;
pub mod curl;
pub mod deliveries;
pub mod endpoints;
pub mod error;
pub mod event_types;
pub mod events;
mod expiring;
mod failing;
pub mod formats;
pub mod keys;
mod lookup;
pub mod matching;
pub mod metrics;
pub mod once;
pub mod operators;
pub mod patch;
pub mod process;
pub mod readiness;
mod release;
pub mod render;
mod replay_event;
pub mod replay_view;
pub mod replays;
pub mod scope;
pub mod settings;
pub mod stats;
pub mod storage;
pub mod tenant_deletions;
pub mod tenants;
pub mod tenants_day;

use std::sync::Arc;

use crate::domain::target::TargetRules;
use crate::domain::time::UnixMs;
use crate::sender::Sender;
use crate::store::Store;

use endpoints::TestsRunning;
use metrics::Probes;

pub use error::{Code, Error, Kind};
pub use patch::Patch;
pub use readiness::Readiness;
pub use scope::{AdminScope, Caller, TenantScope, ViewScope};

/// The use cases, on a store and a sender. Shared by all threads.
pub struct Service {
    store: Arc<Store>,
    sender: Arc<Sender>,
    rules: TargetRules,
    readiness: Readiness,
    tests: TestsRunning,
    probes: metrics::Probes,
    alerts: alerts::Alerts,
    started_at: UnixMs,
    hashing: operators::Hashing,
    slowing: operators::Slowing,
}

impl Service {
    /// The use cases on an open store.
    pub fn new(store: Arc<Store>, sender: Arc<Sender>, rules: TargetRules) -> Self {
        let (readiness, tests, probes) = (Readiness::default(), TestsRunning::default(), Probes::default());
        let (hashing, slowing) = (operators::Hashing::default(), operators::Slowing::default());
        let alerts = alerts::Alerts::default();
        let started_at = store.times().wall();
        Self { store, sender, rules, readiness, tests, probes, alerts, started_at, hashing, slowing }
    }

    /// Whether the server can accept and deliver.
    pub fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Sentences that say why it cannot; none when all is well.
    pub fn problems(&self) -> Vec<String> {
        let now = self.store.times().clock().monotonic();
        self.readiness.problems(self.store.trouble(), self.store.damage(), now)
    }

    /// Whether events are accepted, if not delivered.
    pub fn accepts(&self) -> bool {
        !self.readiness.is_stopping() && self.store.trouble().is_none() && self.store.damage().is_none()
    }

    /// Sends requests, and judges targets.
    pub fn sender(&self) -> &Arc<Sender> {
        &self.sender
    }

    /// Which URLs are accepted.
    pub fn rules(&self) -> TargetRules {
        self.rules
    }

    /// What is on disk.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }
}
