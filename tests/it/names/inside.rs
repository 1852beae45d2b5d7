//! The tests that run in the network of their own, one after the other.

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::sender::peer::{OK, Peer};
use crate::support::client::Response;
use crate::support::length::short_or_long;
use crate::support::process::until;
use crate::support::server::{Server, Start};

use super::bad::bad_names;
use super::dns::{Dns, Says, addresses};
use super::network::{Canaries, EMPTY, FORBIDDEN, PORT, PUBLIC, at};

const PATIENCE: Duration = Duration::from_mins(2);
/// Names that turn.
const TURNING: usize = 20;
/// How long an answer is remembered, and a moment.
const FORGOTTEN: Duration = Duration::from_secs(31);

/// A server on the names of `dns`, receivers on the public addresses, canaries on the others.
struct World {
    dns: Dns,
    canaries: Canaries,
    receivers: Vec<Peer>,
    folder: TempDir,
    server: Option<Server>,
}

impl World {
    fn new() -> Self {
        let receivers = PUBLIC.iter().map(|address| Peer::answering_at(at(address), OK)).collect();
        let folder = tempfile::tempdir().expect("a folder");
        let server = Some(start(&folder));
        Self { dns: Dns::start(), canaries: Canaries::new(), receivers, folder, server }
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("a server that runs")
    }

    /// Lets it forget what it knows about names.
    fn restart(&mut self) {
        self.server.take().expect("a server that runs").stop();
        self.server = Some(start(&self.folder));
    }

    /// Makes an endpoint at this name, of a tenant that is called the same; the answer, whatever it is.
    fn make(&self, name: &str) -> Response {
        let fields = json!({
            "url": format!("http://{name}:{PORT}/hook"), "tenant": name, "events": ["*"], "retry_schedule": [],
        });
        self.server().post("/endpoints", &fields)
    }

    fn publish(&self, name: &str) -> Value {
        let event = json!({ "type": "it.happened", "tenant": name, "data": 1 });
        self.server().post("/events", &event).expect(202).json()
    }

    /// Publishes an event for the tenant; its delivery, once it is no longer pending, with the attempt.
    #[track_caller]
    fn send(&self, name: &str) -> Value {
        self.settled(&self.publish(name))
    }

    #[track_caller]
    fn settled(&self, event: &Value) -> Value {
        let path = format!("/events/{}/deliveries", event["id"].as_str().expect("an id"));
        let ended = until("the attempt to end", PATIENCE, || {
            let row = self.server().get(&path)["data"].as_array()?.first()?.clone();
            (row["status"] != "pending").then_some(row)
        });
        self.server().get(&format!("/deliveries/{}", ended["id"].as_str().expect("an id")))
    }

    /// Nobody has come to a canary; and the server stops.
    #[track_caller]
    fn end(mut self) {
        self.canaries.assert_undisturbed();
        self.server.take().expect("a server that runs").stop();
    }

    fn connections(&self) -> usize {
        self.receivers.iter().map(Peer::connections).sum()
    }
}

fn start(folder: &TempDir) -> Server {
    Start::on(&folder.path().join("data")).start()
}

#[track_caller]
fn assert_blocked(name: &str, delivery: &Value, rule: &str) {
    let attempt = &delivery["attempt_list"][0];
    let error = attempt["error"].as_str().unwrap_or_default();
    assert_eq!(
        (&delivery["status"], &attempt["status_code"]),
        (&json!("failed"), &json!(null)),
        "{name}: {delivery}"
    );
    assert!(
        error.starts_with("blocked: ") && error.contains(rule),
        "{name} should be blocked by {rule}: {error}"
    );
}

#[track_caller]
fn assert_delivered(name: &str, delivery: &Value) {
    assert_eq!(delivery["status"], "delivered", "{name}: {delivery}");
    let address = delivery["attempt_list"][0]["address"].as_str().expect("an address");
    assert!(PUBLIC.iter().any(|public| at(public).to_string() == address), "{name} was dialled at {address}");
}

#[test]
#[ignore = "started in a network of its own"]
fn names_with_a_forbidden_address_are_blocked_when_saved_and_at_every_attempt() {
    let mut world = World::new();
    let rows = bad_names();
    // Saved while they do not exist yet.
    for (name, ..) in &rows {
        let made = world.make(name).expect(201).json();
        assert!(made["warnings"].to_string().contains("no such name"), "{made}");
    }
    world.restart();
    for (name, says, _) in &rows {
        world.dns.set(name, says.clone());
    }
    let events: Vec<Value> = rows.iter().map(|(name, ..)| world.publish(name)).collect();
    for ((name, _, rule), event) in rows.iter().zip(&events) {
        assert_blocked(name, &world.settled(event), rule);
        let refused = world.make(name).expect(422).text().to_owned();
        assert!(refused.contains(rule), "{name}: {refused}");
    }
    assert_eq!(world.connections(), 0, "not even the good addresses of such names are dialled");
    world.end();
}

#[test]
#[ignore = "started in a network of its own"]
fn names_with_good_addresses_are_reached() {
    let world = World::new();
    let rows = [
        ("four.example", addresses(&PUBLIC[..1])),
        ("six.example", addresses(&PUBLIC[2..])),
        ("both.example", addresses(&PUBLIC)),
        ("half-dead.example", addresses(&[EMPTY[0], EMPTY[1], PUBLIC[0]])),
        ("half-dead-six.example", addresses(&[EMPTY[0], EMPTY[1], PUBLIC[2]])),
        ("end.example", Says::Alias("middle.example".to_owned())),
        ("middle.example", Says::Alias("both.example".to_owned())),
    ];
    for (name, says) in &rows {
        world.dns.set(name, says.clone());
    }
    for (name, _) in &rows {
        assert_eq!(world.make(name).expect(201).json()["warnings"], json!([]), "{name}");
        assert_delivered(name, &world.send(name));
    }
    world.dns.set("loop.example", Says::Alias("loop.example".to_owned()));
    world.dns.set("failing.example", Says::Failure);
    for (name, words) in [
        ("loop.example", "loop.example"),
        ("failing.example", "could not resolve"),
        ("not.example", "no such name"),
    ] {
        world.make(name).expect(201);
        let delivery = world.send(name);
        assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!("failed"), &json!(1)), "{delivery}");
        assert!(delivery["error"].as_str().is_some_and(|error| error.contains(words)), "{delivery}");
    }
    world.end();
}

#[test]
#[ignore = "started in a network of its own"]
fn a_name_that_turns_after_the_check_is_not_dialled_where_it_turned_to() {
    let mut world = World::new();
    let names: Vec<String> = (0..TURNING).map(|n| format!("turning-{n}.example")).collect();
    for (n, name) in names.iter().enumerate() {
        world.dns.set(name, addresses(&PUBLIC[..1]));
        world.make(name).expect(201);
        world.dns.set(name, addresses(&[FORBIDDEN[n % FORBIDDEN.len()].0]));
        // The answer that was checked is the one that is dialled, as long as it is remembered.
        assert_delivered(name, &world.send(name));
    }
    // Forgotten, by a restart or by age, it is checked again.
    if short_or_long(false, true) {
        until("the answers to be forgotten", FORGOTTEN * 2, {
            let watch = postrider::clock::Stopwatch::start();
            move || watch.left(FORGOTTEN).is_zero().then_some(())
        });
        // Renewed in the background at the first use, or asked for anew.
        for name in &names {
            world.send(name);
        }
    } else {
        world.restart();
    }
    for (n, name) in names.iter().enumerate() {
        assert_blocked(name, &world.send(name), FORBIDDEN[n % FORBIDDEN.len()].1);
    }
    world.end();
}

#[test]
#[ignore = "started in a network of its own"]
fn a_dns_server_that_never_answers_is_told_apart_from_a_name_that_has_no_answer() {
    let mut world = World::new();
    world.dns.set("good.example", addresses(&PUBLIC[..1]));
    world.dns.set("silent.example", Says::Nothing);
    world.make("good.example").expect(201);
    let made = world.make("silent.example").expect(201).json();
    assert!(made["warnings"].to_string().contains("timed out while resolving"), "{made}");
    // One name without an answer is the fault of who runs it, and the others do not wait.
    let silent = world.publish("silent.example");
    assert_delivered("good.example", &world.send("good.example"));
    let failed = world.settled(&silent);
    assert_eq!((&failed["status"], &failed["attempts"]), (&json!("failed"), &json!(1)));
    assert!(failed["error"].as_str().is_some_and(|error| error.contains("silent.example: ")), "{failed}");

    // No answer at all is a fault of ours, which uses up no attempt.
    world.restart();
    world.dns.mute(true);
    let event = world.publish("good.example");
    until("readyz to say it", PATIENCE, || {
        let (status, body) = world.server().readiness();
        (status == 503 && body.to_string().contains("resolver answers for no name at all")).then_some(())
    });
    let path = format!("/events/{}/deliveries", event["id"].as_str().expect("an id"));
    let row = world.server().get(&path)["data"][0].clone();
    assert_eq!((&row["status"], &row["attempts"]), (&json!("pending"), &json!(0)), "{row}");
    world.dns.mute(false);
    // It is tried again by itself within a minute; a person need not wait for that, once the failure is forgotten.
    until("the delivery", PATIENCE, || {
        let status = world.server().get(&path)["data"][0]["status"].clone();
        if status == "pending" {
            let retry = format!("/deliveries/{}/retry", row["id"].as_str().expect("an id"));
            let answer = world.server().post(&retry, &json!({})).status;
            assert!(matches!(answer, 202 | 409), "{answer}");
            std::thread::park_timeout(Duration::from_millis(500));
        }
        (status == "delivered").then_some(())
    });
    assert_eq!(world.server().readiness().0, 200);
    world.end();
}

#[test]
#[ignore = "started in a network of its own"]
fn thousands_of_names_are_looked_up_by_few_threads() {
    let count = short_or_long(200, 10_000);
    let world = World::new();
    world.dns.set_all_below(".many.example", addresses(&PUBLIC[..1]));
    let names: Vec<String> = (0..count).map(|n| format!("n{n}.many.example")).collect();
    for name in &names {
        world.make(name).expect(201);
    }
    let mut world = world;
    world.restart();
    let events: Vec<Value> = names.iter().map(|name| world.publish(name)).collect();
    let mut threads = 0;
    for (name, event) in names.iter().zip(&events) {
        assert_delivered(name, &world.settled(event));
        threads = threads.max(resolver_threads(world.server()));
    }
    println!("{count} names were looked up by at most {threads} threads at a time");
    assert!((1..=64).contains(&threads), "{threads} threads");
    world.end();
}

fn resolver_threads(server: &Server) -> usize {
    let tasks =
        std::fs::read_dir(format!("/proc/{}/task", server.process.pid())).expect("a process that runs");
    // A thread may end while it is looked at.
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim() == "resolver").count()
}
