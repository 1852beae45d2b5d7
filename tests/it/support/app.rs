//! The real server in this process, with a method for each thing that a user does.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use postrider::app::{Application, World};
use postrider::clock::{Clock, ManualClock, SystemClock};
use postrider::config::{Config, Environment, Flags};
use postrider::dispatcher::{Courier, Dispatcher};
use postrider::domain::time::UnixMs;
use postrider::random::SeededRandom;
use postrider::sender::{Lookup, LookupError, Sender};
use postrider::service::Service;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;

use super::client::{Client, Response};
use super::process::{self, PATIENCE};
use super::receiver::Receiver;

/// The key that every test server knows from its first start: with every scope.
pub const KEY: &str = "pr_0123456789abcdefghijklmnop";

/// 2026-02-23T14:30:00Z, a Monday: when manual clocks start.
pub const START: UnixMs = UnixMs(1_771_857_000_000);

/// Names that end in `.test` are this machine, except `public.test`, which is not, and `mixed.test`, which is
/// also elsewhere; others do not exist.
#[derive(Debug)]
struct TestNames;

impl Lookup for TestNames {
    fn lookup(&self, name: &str) -> Result<Vec<IpAddr>, LookupError> {
        let public = IpAddr::from(Ipv4Addr::new(9, 9, 9, 9));
        match name {
            "public.test" => Ok(vec![public]),
            "mixed.test" => Ok(vec![public, Ipv4Addr::LOCALHOST.into()]),
            "localhost" => Ok(vec![Ipv4Addr::LOCALHOST.into()]),
            _ if name.rsplit('.').next() == Some("test") => Ok(vec![Ipv4Addr::LOCALHOST.into()]),
            _ => Err(LookupError::NoSuchName),
        }
    }
}

/// How a server is to be started.
pub struct Builder {
    settings: Vec<(String, String)>,
    clock: Option<ManualClock>,
    courier: fn(Arc<Sender>) -> Arc<dyn Courier>,
}

impl Builder {
    /// With this variable of the environment.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a clock that stands still until it is moved.
    pub fn manual_clock(mut self) -> Self {
        self.clock = Some(ManualClock::new(START));
        self
    }

    /// With something around what carries requests.
    pub fn courier(mut self, courier: fn(Arc<Sender>) -> Arc<dyn Courier>) -> Self {
        self.courier = courier;
        self
    }

    /// Starts it.
    pub fn start(self) -> TestApp {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let running = Running::start(&dir.path().join("data"), &self);
        TestApp {
            client: Client::tcp(running.address).with_key(KEY),
            running: Some(running),
            builder: self,
            dir,
        }
    }
}

/// A server that runs on a thread of its own.
struct Running {
    address: SocketAddr,
    service: Arc<Service>,
    dispatcher: Arc<Dispatcher>,
    stopper: Arc<Notify>,
    thread: JoinHandle<()>,
}

impl Running {
    fn start(data: &std::path::Path, how: &Builder) -> Self {
        let data = data.to_str().expect("a path in UTF-8").to_owned();
        // The first value of a name counts, so that a test can say `POSTRIDER_DEV=0`.
        let mut variables: Vec<_> =
            how.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        variables.extend([
            ("POSTRIDER_DATA", data.as_str()),
            ("POSTRIDER_LISTEN", "127.0.0.1:0"),
            ("POSTRIDER_DEV", "1"),
            ("POSTRIDER_API_KEY", KEY),
        ]);
        let config =
            Config::read(Flags::default(), &Environment::of(&variables)).expect("a valid configuration");
        let clock: Arc<dyn Clock> = match &how.clock {
            Some(clock) => Arc::new(clock.clone()),
            None => Arc::new(SystemClock::new()),
        };
        let courier = how.courier;
        let world =
            World { clock, random: Arc::new(SeededRandom::new(7)), lookup: Arc::new(TestNames), courier };
        let (told, tell) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = Application::build(&config, world).await.expect("a server that starts");
                let parts =
                    (app.address(), Arc::clone(app.service()), Arc::clone(app.dispatcher()), app.stopper());
                told.send(parts).expect("a test that waits");
                app.run_until_stopped().await.expect("a server that stops cleanly");
            });
        });
        let (address, service, dispatcher, stopper) = tell.recv().expect("a server that starts");
        Self { address, service, dispatcher, stopper, thread }
    }

    fn stop(self) {
        self.stopper.notify_one();
        self.thread.join().expect("a server that stops cleanly");
    }
}

/// A server and what a user does with it.
pub struct TestApp {
    pub client: Client,
    running: Option<Running>,
    builder: Builder,
    dir: TempDir,
}

impl TestApp {
    /// A server as `postrider serve --dev` starts it, on real time.
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// A server on a manual clock.
    pub fn with_manual_clock() -> Self {
        Self::builder().manual_clock().start()
    }

    pub fn builder() -> Builder {
        Builder { settings: Vec::new(), clock: None, courier: |sender| sender }
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("a server that runs")
    }

    pub fn address(&self) -> SocketAddr {
        self.running().address
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub fn service(&self) -> &Arc<Service> {
        &self.running().service
    }

    pub fn dispatcher(&self) -> &Arc<Dispatcher> {
        &self.running().dispatcher
    }

    pub fn clock(&self) -> &ManualClock {
        self.builder.clock.as_ref().expect("a manual clock")
    }

    /// A client on the Unix socket, with the rights of the command line.
    pub fn local(&self) -> Client {
        Client::unix(self.data().join("postrider.sock"))
    }

    /// Stops the server cleanly; the data directory stays.
    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }

    /// Stops the server and starts it on the same data directory and clock, on another port.
    pub fn restart(&mut self) {
        self.stop();
        let running = Running::start(&self.data(), &self.builder);
        self.client = Client::tcp(running.address).with_key(KEY);
        self.running = Some(running);
    }

    /// Waits until nothing is in flight and nothing is due.
    #[track_caller]
    pub fn settle(&self) {
        let quiet = self.dispatcher().wait_until_quiet(PATIENCE);
        assert!(quiet, "still busy after {PATIENCE:?}: {:?}", self.dispatcher().load());
    }

    /// Lets time pass, and waits until what follows from it is done.
    #[track_caller]
    pub fn advance(&self, by: Duration) {
        self.clock().advance(by);
        self.settle();
    }

    /// Makes a backup, and waits for its end; how it ended.
    #[track_caller]
    pub fn back_up(&self) -> Value {
        self.backup_ended(&self.post("/backups", &json!({})).expect(202).json())
    }

    /// Waits for the end of a backup; how it ended.
    #[track_caller]
    pub fn backup_ended(&self, begun: &Value) -> Value {
        let path = format!("/backups/{}", text(begun, "id"));
        process::until("the backup to end", PATIENCE, || {
            let backup = self.get(&path);
            (backup["status"] != "running").then_some(backup)
        })
    }

    /// The same with something in its way, so that it fails; why it failed.
    #[track_caller]
    pub fn fail_to_back_up(&self) -> String {
        let way = self.data().join("backups/unfinished.part");
        std::fs::create_dir_all(way.join("something")).expect("a folder");
        let backup = self.back_up();
        std::fs::remove_dir_all(way).expect("a folder");
        assert_eq!(backup["status"], "failed", "{backup}");
        text(&backup, "error")
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Response {
        self.client.post(&format!("/api/v1{path}"), body)
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.client.get(&format!("/api/v1{path}")).expect(200).json()
    }

    #[track_caller]
    pub fn patch(&self, path: &str, body: &Value) -> Response {
        self.client.send_json("PATCH", &format!("/api/v1{path}"), body)
    }

    #[track_caller]
    pub fn delete(&self, path: &str) -> Response {
        self.client.delete(&format!("/api/v1{path}"))
    }

    /// Makes an endpoint with these fields; the answer, with its secret.
    #[track_caller]
    pub fn create_endpoint(&self, fields: &Value) -> Value {
        self.post("/endpoints", fields).expect(201).json()
    }

    /// Makes an endpoint of the default tenant that receives everything at this path of the receiver; its id.
    #[track_caller]
    pub fn endpoint_at(&self, receiver: &Receiver, path: &str) -> String {
        let made = self.create_endpoint(&json!({ "url": receiver.url(path), "events": ["*"] }));
        text(&made, "id")
    }

    /// Publishes an event; the answer.
    #[track_caller]
    pub fn publish(&self, event_type: &str, data: &Value) -> Value {
        self.post("/events", &json!({ "type": event_type, "data": data })).expect(202).json()
    }

    /// The only delivery of an event.
    #[track_caller]
    pub fn delivery_of(&self, event: &Value) -> Value {
        let list = self.get(&format!("/events/{}/deliveries", text(event, "id")));
        let all = list["data"].as_array().expect("a list").clone();
        assert_eq!(all.len(), 1, "{list}");
        all.into_iter().next().expect("one delivery")
    }

    /// A delivery with its attempts.
    #[track_caller]
    pub fn delivery(&self, id: &str) -> Value {
        self.get(&format!("/deliveries/{id}"))
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A field that holds a text.
#[track_caller]
pub fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("{field} is no text in {value}")).to_owned()
}
