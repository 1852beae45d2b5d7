//! What a monitoring system wants to know: most of it from memory, the rest from a few short reads of the file, whatever
//! is in it.

use std::sync::OnceLock;
use std::time::Duration;

use crate::domain::time::UnixMs;
use crate::store::backup::BackupRow;
use crate::store::cleanup::CleanupReport;
use crate::store::depth::{Depth, TenantTotals};
use crate::store::distribution::{Buckets, Distribution};
use crate::store::figures::Counted;
use crate::store::space::Space;
use crate::store::{Reader, StoreError};

use super::alerts::AlertTries;
use super::process::Process;
use super::{Service, TenantScope};

/// How long publishers wait for their answer, in microseconds.
const ACCEPT_US: [u64; 14] = [
    200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
    10_000_000,
];

/// What the dispatcher is at.
#[derive(Debug, Clone, Default, PartialEq)]
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
    /// How long deliveries that were due waited for a thread, seconds.
    pub waits: Buckets,
}

/// Tells what the dispatcher is at; nothing once it is gone.
pub type Probe = Box<dyn Fn() -> Option<DispatcherLoad> + Send + Sync>;

/// What is measured outside the store, and whom this floor does not know.
pub(super) struct Probes {
    dispatcher: OnceLock<Probe>,
    /// From the reading of a publisher's request to the answer, microseconds.
    accepts: Distribution,
}

impl Default for Probes {
    fn default() -> Self {
        let accepts = Distribution::new(&ACCEPT_US, 1e6);
        Self { dispatcher: OnceLock::new(), accepts }
    }
}

/// All that is told.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    /// Whether the server can accept and deliver.
    pub ready: bool,
    /// When this process began.
    pub started_at: Option<UnixMs>,
    /// Counted since the start.
    pub counted: Counted,
    /// How long publishers waited until their events were on disk, seconds.
    pub accepts: Buckets,
    /// See [`DispatcherLoad`].
    pub dispatcher: DispatcherLoad,
    /// Items that wait for the writer.
    pub writer_items: usize,
    /// Bytes of these.
    pub writer_bytes: usize,
    /// What is on the disk; `None`: the operating system does not tell.
    pub space: Option<Space>,
    /// What this process takes.
    pub process: Option<Process>,
    /// How the last backup ended; `None`: there was none.
    pub backup: Option<BackupRow>,
    /// What came of alerts.
    pub alerts: Vec<AlertTries>,
    /// What the file tells; `None`: it cannot be read now.
    pub stored: Option<Stored>,
    /// What happened to tenants since midnight (UTC); empty unless `metrics_per_tenant` asks for it.
    pub tenants: Vec<TenantTotals>,
    /// The present, by the wall clock.
    pub now: Option<UnixMs>,
}

/// What only the file knows.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// What waits and is held.
    pub depth: Depth,
    /// Endpoints by health: ok, failing, disabled.
    pub endpoints: [usize; 3],
    /// Bytes of free pages in the file.
    pub free_bytes: u64,
    /// The last cleanup.
    pub cleanup: Option<CleanupReport>,
}

impl Service {
    /// From now on this tells what the dispatcher is at. The first one stays.
    pub fn watch_dispatcher(&self, probe: Probe) {
        // A second dispatcher on the same use cases does not start.
        drop(self.probes.dispatcher.set(probe));
    }

    /// An event, or a batch of them, is on disk, so long after its request had been read.
    pub fn note_accepted(&self, took: Duration) {
        self.probes.accepts.add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// What there is to tell, of all tenants. Blocks.
    pub fn metrics(&self, _scope: &TenantScope) -> Metrics {
        let (writer_bytes, writer_items) = self.store.load();
        let now = self.store.times().wall();
        let per_tenant = self.store.directory().settings().metrics_per_tenant;
        // A file that cannot be read now leaves out what only it knows: the rest is wanted all the more.
        let stored = self.store.read::<_, StoreError>(|reader| self.stored(reader)).ok();
        let totals = |reader: &Reader<'_>| reader.totals_of_tenants(now);
        let tenants = if per_tenant { self.store.read(totals).ok() } else { None };
        Metrics {
            ready: self.problems().is_empty(),
            started_at: Some(self.started_at),
            counted: self.store.figures(),
            accepts: self.probes.accepts.read(),
            dispatcher: self.probes.dispatcher.get().and_then(|probe| probe()).unwrap_or_default(),
            writer_items,
            writer_bytes,
            space: self.store.space().ok(),
            process: Process::measure(),
            backup: self.last_backup(),
            alerts: self.alerts.tries().to_vec(),
            stored,
            tenants: tenants.unwrap_or_default(),
            now: Some(now),
        }
    }

    fn stored(&self, reader: &Reader<'_>) -> Result<Stored, StoreError> {
        let (judging, routes) = (self.judging(), self.store.directory().all());
        let enabled = routes.iter().filter(|route| route.enabled).count();
        let failing = self.failing_endpoints(reader, &judging)?.len();
        Ok(Stored {
            depth: reader.depth()?,
            endpoints: [enabled.saturating_sub(failing), failing, routes.len() - enabled],
            free_bytes: reader.free_bytes()?,
            cleanup: reader.cleanups(None, 1)?.rows.into_iter().next().map(|(_, report)| report),
        })
    }
}
