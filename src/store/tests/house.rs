//! A store in a temporary directory, with a clock that is moved by hand and a writer that is turned by hand.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::clock::ManualClock;
use crate::domain::delivery::State;
use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::names::{EventType, TenantName};
use crate::domain::outcome::Fact;
use crate::domain::settings::Settings;
use crate::domain::time::UnixMs;
use crate::random::SeededRandom;
use crate::store::answer::Answer;
use crate::store::audit::Actor;
use crate::store::deliveries::DeliveryRow;
use crate::store::endpoints::EndpointSettings;
use crate::store::handover::{Page, PagePlan};
use crate::store::matched::Matched;
use crate::store::outcome::Outcome;
use crate::store::publish::{NewEvent, PublishError, Published};
use crate::store::vault::Vault;
use crate::store::writer::{Run, Writer};
use crate::store::{OpenError, Reader, Store, StoreConfig, StoreError, Tx};

use super::make::{endpoint_settings, make_endpoint};
use super::recorder::Recorder;

pub(super) const START: UnixMs = UnixMs(1_771_857_000_000);
pub(super) const HOUR: Duration = Duration::from_hours(1);
pub(super) const DAY: Duration = Duration::from_hours(24);
pub(super) const FAILED: Fact = Fact::Failed { timed_out: false, gone: false, retry_after: None };
pub(super) const GONE: Fact = Fact::Failed { timed_out: false, gone: true, retry_after: None };
pub(super) const SECRET: &str = "whsec_b25seSBmb3IgdGVzdHMsIDMwIGJ5dGVzLi4u";

pub(super) struct House {
    pub(super) dir: TempDir,
    pub(super) clock: ManualClock,
    pub(super) told: Arc<Recorder>,
    pub(super) store: Arc<Store>,
    writer: Option<(Writer, Run)>,
}

/// What a store in this directory is opened with.
pub(super) fn config(path: &Path, clock: &ManualClock, told: &Arc<Recorder>, key: u8) -> StoreConfig {
    let handover: Arc<Recorder> = Arc::clone(told);
    StoreConfig {
        path: path.to_owned(),
        backups: path.parent().unwrap().to_owned(),
        vault: Arc::new(Vault::new([key; 32])),
        clock: Arc::new(clock.clone()),
        random: Arc::new(SeededRandom::new(1)),
        checkpoints: true,
        handover,
    }
}

pub(super) fn new_file(dir: &TempDir) -> PathBuf {
    use std::os::unix::fs::OpenOptionsExt;
    let path = dir.path().join("postrider.db");
    std::fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path).unwrap();
    path
}

/// In memory where the system has such a place: what is on disk is not looked at after a loss of power here.
pub(super) fn temporary() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

impl House {
    /// A new store whose writer is turned by hand.
    pub(super) fn new() -> Self {
        Self::in_dir(temporary(), ManualClock::new(START)).unwrap()
    }

    /// Opens what is in a directory.
    pub(super) fn in_dir(dir: TempDir, clock: ManualClock) -> Result<Self, OpenError> {
        let told = Arc::new(Recorder::default());
        let (store, writer) = Store::build(config(&new_file(&dir), &clock, &told, 7))?;
        let writer = writer.here();
        let run = writer.start();
        Ok(Self { dir, clock, told, store: Arc::new(store), writer: Some((writer, run)) })
    }

    /// A new store with the writer's own thread.
    pub(super) fn threaded() -> Self {
        let (dir, clock, told) = (temporary(), ManualClock::new(START), Arc::new(Recorder::default()));
        let store = Store::open(config(&new_file(&dir), &clock, &told, 7)).unwrap();
        Self { dir, clock, told, store, writer: None }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.dir.path().join("postrider.db")
    }

    /// Stops as it should.
    pub(super) fn close(mut self) -> (TempDir, ManualClock) {
        match self.writer.take() {
            Some((writer, run)) => writer.stop(run),
            None => self.store.close(),
        }
        (self.dir, self.clock)
    }

    /// Stops as it should and starts again.
    pub(super) fn restart(self) -> Self {
        let (dir, clock) = self.close();
        Self::in_dir(dir, clock).unwrap()
    }

    /// Starts again after a kill: what was in memory is lost.
    pub(super) fn crash(mut self) -> Self {
        drop(self.writer.take());
        Self::in_dir(self.dir, self.clock).unwrap()
    }

    /// The writer's own connection, between two turns.
    pub(super) fn connection(&self) -> &Connection {
        &self.writer.as_ref().unwrap().0.connection
    }

    /// A connection of somebody else.
    pub(super) fn other(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    /// Once around the writer's loop: one batch of what waits, pages, one turn of what takes long.
    pub(super) fn turn(&mut self) {
        if let Some((writer, run)) = &mut self.writer {
            writer.once(run, Some(Duration::ZERO));
        }
    }

    pub(super) fn wait<T, E: From<StoreError>>(&mut self, answer: Answer<T, E>) -> Result<T, E> {
        self.turn();
        answer.wait()
    }

    pub(super) fn try_write<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let answer = self.store.write(work);
        self.wait(answer)
    }

    pub(super) fn write<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.try_write(work).unwrap()
    }

    pub(super) fn read<T>(&self, work: impl FnOnce(&Reader<'_>) -> Result<T, StoreError>) -> T {
        self.store.read(work).unwrap()
    }

    /// A number that a query finds.
    pub(super) fn number(&self, sql: &str) -> i64 {
        self.read(|reader| Ok(reader.connection().query_row(sql, [], |row| row.get(0))?))
    }

    pub(super) fn endpoint(&mut self, tenant: &str, events: &[&str]) -> EndpointId {
        self.endpoint_with(tenant, events, |_| {})
    }

    pub(super) fn endpoint_with(
        &mut self,
        tenant: &str,
        events: &[&str],
        change: impl FnOnce(&mut EndpointSettings),
    ) -> EndpointId {
        let mut settings = endpoint_settings(events);
        change(&mut settings);
        let tenant = TenantName::parse(tenant).unwrap();
        self.write(move |tx| make_endpoint(tx, &tenant, &settings))
    }

    pub(super) fn settings(&mut self, change: impl FnOnce(&mut Settings)) {
        let mut settings = (*self.store.directory().settings()).clone();
        change(&mut settings);
        self.write(move |tx| tx.put_settings(settings));
    }

    pub(super) fn event(&self, tenant: &str, event_type: &str, data: &str) -> NewEvent {
        let (tenant, event_type) =
            (TenantName::parse(tenant).unwrap(), EventType::parse(event_type).unwrap());
        let matched = Matched::find(self.store.directory(), &tenant, &event_type, data);
        let data = data.into();
        NewEvent { tenant, event_type, data, timestamp: None, own_id: None, idempotency: None, matched }
    }

    pub(super) fn publish(&mut self, event: NewEvent) -> Result<Published, PublishError> {
        let answer = self.store.publish(event);
        self.wait(answer)
    }

    /// Publishes an event of `default` and says which deliveries it has.
    pub(super) fn deliveries(&mut self, event_type: &str) -> Vec<DeliveryId> {
        let published = self.publish(self.event("default", event_type, "{}")).unwrap();
        (1..=i64::from(published.deliveries)).map(|n| DeliveryId(published.event.0 + n)).collect()
    }

    /// Publishes many events of one tenant in few commits.
    pub(super) fn publish_many(&mut self, tenant: &str, event_type: &str, count: usize) -> Vec<Published> {
        let answers: Vec<_> =
            (0..count).map(|_| self.store.publish(self.event(tenant, event_type, "{\"a\": 1}"))).collect();
        while self.store.load().1 > 0 {
            self.turn();
        }
        answers.into_iter().map(|answer| answer.wait().unwrap()).collect()
    }

    /// Reports outcomes, in one batch if they are few.
    pub(super) fn settle(&mut self, outcomes: impl IntoIterator<Item = Outcome>) {
        for outcome in outcomes {
            self.store.settle(outcome);
        }
        self.turn();
        while self.store.load().1 > 0 {
            self.turn();
        }
    }

    pub(super) fn row(&self, id: DeliveryId) -> DeliveryRow {
        self.read(|reader| reader.delivery(id)).unwrap()
    }

    pub(super) fn state(&self, id: DeliveryId) -> State {
        self.row(id).state
    }

    pub(super) fn page(&mut self, endpoint: EndpointId, rows: usize, bytes: usize) -> Page {
        self.told.notes().wanted.push_back((endpoint, PagePlan { rows, bytes }));
        self.store.nudge();
        self.turn();
        self.told.notes().pages.pop().unwrap().unwrap()
    }

    /// Deliveries that a page of this endpoint brings now.
    pub(super) fn due(&mut self, endpoint: EndpointId) -> Vec<DeliveryId> {
        self.page(endpoint, 250, 1 << 20).jobs.iter().map(|job| job.delivery).collect()
    }

    /// Turns until no change to many rows is left.
    pub(super) fn finish_bulk(&mut self) {
        while self.number("SELECT count(*) FROM bulk_changes") > 0 {
            self.turn();
        }
    }

    pub(super) fn disable(&mut self, id: EndpointId) {
        use crate::store::endpoints::DisabledReason;
        self.write(move |tx| tx.disable_endpoint(id, DisabledReason::Manual, None, &Actor::system()));
    }

    pub(super) fn enable(&mut self, id: EndpointId, deliver: bool) {
        self.write(move |tx| tx.enable_endpoint(id, deliver, &Actor::system()));
    }

    pub(super) fn delete(&mut self, id: EndpointId) {
        self.write(move |tx| tx.delete_endpoint(id, &Actor::system()));
    }
}
