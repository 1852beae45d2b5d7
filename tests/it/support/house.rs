//! The floors below HTTP: a real store in a temporary folder and the use cases on it. Nothing delivers; what
//! would be sent at once is caught.

use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, Mutex};

use postrider::clock::ManualClock;
use postrider::domain::ids::{DeliveryId, EndpointId};
use postrider::domain::scope::{self, Scope};
use postrider::domain::target::TargetRules;
use postrider::domain::time::UnixMs;
use postrider::random::SeededRandom;
use postrider::sender::{Lookup, LookupError, Sender, SenderConfig};
use postrider::service::keys::KeyDraft;
use postrider::service::{AdminScope, Caller, Service, TenantScope};
use postrider::store::handover::{Change, Express, Handover, Page, PagePlan};
use postrider::store::vault::Vault;
use postrider::store::{Store, StoreConfig};

/// The clock of a new house: 2026-02-23T14:30:00Z.
pub const START: UnixMs = UnixMs(1_771_857_000_000);

/// Knows every name but `unknown.example`; `inside.example` is a private address.
struct Names;

impl Lookup for Names {
    fn lookup(&self, name: &str) -> Result<Vec<IpAddr>, LookupError> {
        match name {
            "unknown.example" => Err(LookupError::NoSuchName),
            "inside.example" => Ok(vec![IpAddr::from([10, 0, 0, 1])]),
            _ => Ok(vec![IpAddr::from([93, 184, 215, 14])]),
        }
    }
}

/// A dispatcher that sends nothing.
#[derive(Default)]
pub struct Catcher {
    express: Mutex<Vec<Express>>,
}

impl Catcher {
    /// The calls of tests that were handed over since the last look.
    pub fn tests(&self) -> Vec<Express> {
        std::mem::take(&mut self.express.lock().unwrap())
    }
}

impl Handover for Catcher {
    fn committed(&self, changes: Vec<Change>) {
        let tests = changes.into_iter().filter_map(|change| match change {
            Change::Express(express) => Some(express),
            _ => None,
        });
        self.express.lock().unwrap().extend(tests);
    }
    fn in_flight(&self, _delivery: DeliveryId) -> bool {
        false
    }
    fn wants_page(&self) -> Option<(EndpointId, PagePlan)> {
        None
    }
    fn knows(&self, _delivery: DeliveryId) -> bool {
        false
    }
    fn paged(&self, _endpoint: EndpointId, _page: Option<Page>) {}
    fn unavailable(&self, _reason: Option<&str>) {}
    fn time_of_day_changed(&self) {}
}

/// Leave to do everything.
pub fn admin() -> AdminScope {
    Caller::local(0).admin().unwrap()
}

/// Leave to act for all tenants.
pub fn all() -> TenantScope {
    admin().all_tenants()
}

/// The use cases on a store of their own.
pub struct House {
    /// The use cases.
    pub service: Arc<Service>,
    /// Instead of a dispatcher.
    pub catcher: Arc<Catcher>,
    folder: tempfile::TempDir,
}

impl House {
    /// A new one, as at the very first start.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("postrider.db");
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
        let catcher = Arc::new(Catcher::default());
        let store = Store::open(StoreConfig {
            backups: folder.path().to_owned(),
            path,
            vault: Arc::new(Vault::new([7; 32])),
            clock: Arc::new(ManualClock::new(START)),
            random: Arc::new(SeededRandom::new(1)),
            checkpoints: true,
            handover: Arc::clone(&catcher) as Arc<dyn Handover>,
        })
        .unwrap();
        let sender =
            Sender::new(SenderConfig { lookup: Arc::new(Names), ..SenderConfig::default() }).unwrap();
        let service = Arc::new(Service::new(store, Arc::new(sender), TargetRules::default()));
        Self { service, catcher, folder }
    }

    /// The bearer of a new key that is bound to `tenant` and may do whatever such a key may.
    pub fn bound(&self, tenant: &str) -> Caller {
        let scopes = Scope::ALL.iter().filter(|scope| scope.can_be_bound());
        let draft = KeyDraft {
            name: format!("bound to {tenant}"),
            scopes: scopes.map(|scope| scope.as_str().to_owned()).collect(),
            tenant: Some(tenant.to_owned()),
        };
        let made = self.service.create_key(&admin(), &draft).wait().unwrap_or_else(|error| panic!("{error}"));
        Caller::key(&self.service.store().keys().find(&scope::hash(&made.key)).unwrap(), None)
    }

    /// The lines of the audit log: action, and what it looked like before and after.
    pub fn audit(&self) -> Vec<(String, String, String)> {
        let file = rusqlite::Connection::open(self.folder.path().join("postrider.db")).unwrap();
        let mut statement = file
            .prepare("SELECT action, coalesce(before, ''), coalesce(after, '') FROM audit ORDER BY id")
            .unwrap();
        let lines = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        lines.collect::<Result<_, _>>().unwrap()
    }

    /// The actions of the audit log since it had `from` lines.
    pub fn audited(&self, from: usize) -> Vec<String> {
        self.audit().into_iter().skip(from).map(|(action, ..)| action).collect()
    }
}
