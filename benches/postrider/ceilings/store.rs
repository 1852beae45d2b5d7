//! S: the life of a delivery in the store alone. Events are published and their deliveries end as they do when the
//! receiver takes them, through the store's own queue and writer; so many at a time that a commit is shared by many.

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use postrider::clock::SystemClock;
use postrider::domain::ids::{DeliveryId, EndpointId};
use postrider::domain::names::{EventType, TenantName};
use postrider::domain::outcome::Fact;
use postrider::domain::target::TargetRules;
use postrider::random::SystemRandom;
use postrider::sender::SenderConfig;
use postrider::service::endpoints::EndpointDraft;
use postrider::service::{Caller, Patch, Service};
use postrider::store::directory::Route;
use postrider::store::handover::{After, Change, Handover, Page, PagePlan};
use postrider::store::matched::Matched;
use postrider::store::outcome::{AttemptRecord, Outcome, PhasesMs};
use postrider::store::publish::NewEvent;
use postrider::store::vault::Vault;
use postrider::store::{Store, StoreConfig};

use super::request;
use crate::Fallible;
use crate::bench::float;
use crate::now::{nanos, now, seconds, since};

/// Events on their way at a time: as many outcomes wait for the writer at most.
const AT_ONCE: u64 = 256;
/// How long the writer may say nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// Instead of a dispatcher: passes on what is committed.
struct Told(Sender<Vec<Change>>);

impl Handover for Told {
    fn committed(&self, changes: Vec<Change>) {
        // Nobody listens any more at the end.
        let _ = self.0.send(changes);
    }
    fn in_flight(&self, _delivery: DeliveryId) -> bool {
        false
    }
    fn wants_page(&self) -> Option<(EndpointId, PagePlan)> {
        None
    }
    fn knows(&self, _delivery: DeliveryId) -> bool {
        true
    }
    fn paged(&self, _endpoint: EndpointId, _page: Option<Page>) {}
    fn unavailable(&self, _reason: Option<&str>) {}
    fn time_of_day_changed(&self) {}
}

/// A store with one endpoint.
struct Life {
    store: Arc<Store>,
    told: Receiver<Vec<Change>>,
    tenant: TenantName,
    event_type: EventType,
    data: Arc<str>,
    /// Everything that a delivered attempt leaves behind.
    attempt: AttemptRecord,
    jitter: u32,
}

/// Lives per second, on a new file in this folder.
pub fn per_second(folder: &Path, length: f64) -> Fallible<f64> {
    let life = Life::new(folder)?;
    life.run(0.2)?;
    let lived = life.run(length);
    life.store.close();
    lived
}

impl Life {
    fn new(folder: &Path) -> Fallible<Self> {
        let path = folder.join("postrider.db");
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let (sender, told) = channel();
        let store = Store::open(StoreConfig {
            path,
            backups: folder.to_owned(),
            vault: Arc::new(Vault::new([7; 32])),
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom::new()?),
            checkpoints: true,
            handover: Arc::new(Told(sender)),
        })?;
        let tenant = TenantName::parse(request::TENANT)?;
        make_endpoint(&store)?;
        let routes = store.directory().tenant(&tenant).ok_or("the endpoint's tenant is not there")?;
        let route = routes.routes.first().ok_or("the endpoint is not there")?;
        let attempt = attempt(&store, route)?;
        let (event_type, data) = (EventType::parse("order.paid")?, request::data()?.into());
        let jitter = store.random().u32();
        Ok(Self { store, told, tenant, event_type, data, attempt, jitter })
    }

    /// Keeps events on their way for so many seconds, and waits for the rest; lives per second.
    fn run(&self, length: f64) -> Fallible<f64> {
        let start = now();
        (0..AT_ONCE).for_each(|_| self.publish());
        let (mut on_their_way, mut over) = (AT_ONCE, 0);
        while on_their_way > 0 {
            let changes = self.told.recv_timeout(PATIENCE);
            for change in changes.map_err(|_| "the store has not committed for 30 s")? {
                match change {
                    Change::Accepted(_, ready) => self.deliver(&ready),
                    Change::Settled { after: After::Over, .. } => {
                        over += 1;
                        on_their_way -= 1;
                        if since(start) < nanos(length) {
                            self.publish();
                            on_their_way += 1;
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(float(over) / seconds(since(start)))
    }

    fn publish(&self) {
        let matched = Matched::find(self.store.directory(), &self.tenant, &self.event_type, &self.data);
        // One that fails is missed in `run`.
        drop(self.store.publish(NewEvent {
            tenant: self.tenant.clone(),
            event_type: self.event_type.clone(),
            data: Arc::clone(&self.data),
            timestamp: None,
            own_id: None,
            idempotency: None,
            matched,
        }));
    }

    fn deliver(&self, ready: &[(DeliveryId, EndpointId)]) {
        for (delivery, endpoint) in ready {
            self.store.settle(Outcome {
                delivery: *delivery,
                endpoint: *endpoint,
                round: 1,
                fact: Fact::Delivered,
                jitter: self.jitter,
                attempt: self.attempt.clone(),
            });
        }
    }
}

fn make_endpoint(store: &Arc<Store>) -> Fallible<()> {
    let sender = postrider::sender::Sender::new(SenderConfig::default())?;
    let service = Service::new(Arc::clone(store), Arc::new(sender), TargetRules::default());
    let draft = EndpointDraft {
        // A public address; nothing is ever sent to it.
        url: Patch::Set("https://93.184.215.14/hook".to_owned()),
        events: Patch::Set(vec!["*".to_owned()]),
        ..EndpointDraft::default()
    };
    let scope = Caller::local(0).admin().map_err(|error| error.to_string())?.all_tenants();
    let checked = service.check_endpoint(&scope, Some(request::TENANT), &draft);
    let made = service.create_endpoint(checked.map_err(|error| error.to_string())?).wait();
    made.map(drop).map_err(|error| error.to_string().into())
}

fn attempt(store: &Store, route: &Route) -> Fallible<AttemptRecord> {
    Ok(AttemptRecord {
        revision: route.revision,
        format_revision: route.format_revision,
        started_at: store.times().wall(),
        duration_ms: 0,
        phases: PhasesMs { wait: Some(0), read: Some(0), ..PhasesMs::default() },
        address: Some("127.0.0.1:8383".to_owned()),
        signatures: request::rendered()?.signatures,
        status_code: Some(204),
        error: None,
        response_headers: Vec::new(),
        response_body: Vec::new(),
    })
}
