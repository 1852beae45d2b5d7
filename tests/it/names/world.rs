//! Everything that lives in the namespace: a DNS server, a receiver on every address, the server.

use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::dns::{Dns, Reply};
use super::wire::{Target, Wire};
use crate::support::receiver::Receiver;
use crate::support::server::{Server, Start};

/// Public addresses that the tests' good names have.
pub const GOOD: &str = "93.184.216.34";
pub const GOOD_TOO: &str = "93.184.216.35";
pub const GOOD_V6: &str = "2606:2800:220:1::34";

/// See the module.
pub struct World {
    /// Ends before the receiver, whose connections it keeps.
    pub server: Server,
    pub dns: Dns,
    /// On port 80 of every address there is.
    pub receiver: Receiver,
    wire: Wire,
    start: Start,
    /// Where the server has listened.
    listened: Vec<SocketAddr>,
    /// Goes with the world.
    folder: TempDir,
}

impl World {
    pub fn new() -> Self {
        Self::with(|start| start)
    }

    pub fn with(change: impl FnOnce(Start) -> Start) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let start = change(Start::strict(&folder.path().join("data")).flag("--allow-http"));
        let wire = Wire::watch();
        let (dns, receiver) = (Dns::start(), Receiver::on("[::]:80"));
        let server = start.start();
        let listened = vec![server.address];
        Self { server, dns, receiver, wire, start, listened, folder }
    }

    /// Starts the server anew: what it knew about names is gone.
    pub fn restart(self) -> Self {
        let Self { dns, receiver, server, wire, start, mut listened, folder } = self;
        server.stop();
        let server = start.start();
        listened.push(server.address);
        Self { server, dns, receiver, wire, start, listened, folder }
    }

    /// Lets the tenant have as many endpoints as a test wants.
    #[track_caller]
    pub fn raise_limit(&self) {
        let settings = json!({ "endpoint_limit": 100_000 });
        self.server.client.send_json("PATCH", "/api/v1/settings", &settings).expect(200);
    }

    /// Makes an endpoint on this name, for events of the type that is called the same; its deliveries get one
    /// attempt.
    #[track_caller]
    pub fn endpoint(&self, name: &str) -> String {
        self.server.endpoint(&url(name), &json!({ "events": [name], "retry_schedule": [] }))
    }

    /// Makes endpoints on these names, which are good as long as that takes, and leaves them with their scripts
    /// and a server that knows no name.
    pub fn after_saving(self, scripts: &[(&str, Vec<Reply>)]) -> Self {
        for (name, _) in scripts {
            self.dns.set(name, &[Reply::addresses(&[GOOD])]);
            self.endpoint(name);
        }
        let world = self.restart();
        for (name, script) in scripts {
            world.dns.set(name, script);
        }
        world
    }

    /// Publishes an event for the endpoint on `name`.
    #[track_caller]
    pub fn publish(&self, name: &str) -> Value {
        self.server.post("/events", &json!({ "type": name, "data": {} })).expect(202).json()
    }

    /// Waits until an event's only delivery has this status and looks at it, and at its only attempt.
    #[track_caller]
    pub fn ended(&self, event: &Value, status: &str) -> Ended {
        let found = self.server.wait_for_status(event, status);
        let id = found["id"].as_str().expect("an id");
        let delivery = self.server.get(&format!("/deliveries/{id}"));
        let [attempt] = delivery["attempt_list"].as_array().expect("attempts").as_slice() else {
            panic!("not one attempt: {delivery}");
        };
        Ended { attempt: attempt.clone(), error: delivery["error"].as_str().unwrap_or_default().to_owned() }
    }

    /// Fails if anybody was spoken to but the server, the DNS server, and port 80 of these addresses.
    #[track_caller]
    pub fn only_spoke_to(&self, addresses: &[&str]) {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let addresses = addresses.iter().map(|text| text.parse().expect("an address"));
        let addresses: Vec<IpAddr> = addresses.collect();
        let mut targets: Vec<Target> = addresses.iter().map(|address| (6, *address, 80)).collect();
        targets.extend(self.listened.iter().map(|own| (6, own.ip(), own.port())));
        targets.extend([(6, loopback, 53), (17, loopback, 53)]);
        let (strangers, strays) = self.wire.strays(&[addresses, vec![loopback]].concat(), &targets);
        assert!(strangers.is_empty() && strays.is_empty(), "packets of {strangers:?}, to {strays:?}");
    }
}

/// What became of a delivery with one attempt.
#[derive(Debug)]
pub struct Ended {
    pub attempt: Value,
    pub error: String,
}

impl Ended {
    /// Fails unless a rule of the guard stopped it before anything was sent.
    #[track_caller]
    pub fn expect_blocked(&self) {
        assert!(self.error.starts_with("blocked: "), "{self:?}");
        let sent = ["address", "status_code"].map(|field| &self.attempt[field]);
        assert_eq!(sent, [&Value::Null, &Value::Null], "{self:?}");
        let phases = &self.attempt["phases_ms"];
        assert_eq!([&phases["connect"], &phases["wait"]], [&Value::Null, &Value::Null], "{self:?}");
    }
}

pub fn url(name: &str) -> String {
    format!("http://{name}/")
}
