//! A life of a server on which a fault may fall at any moment: endpoints, events, some at the same time, retries, a failure for
//! good, holding and releasing, a cleanup with its vacuum. What is refused is repeated, as a caller does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::{Client, Response};
use crate::support::process::{self, Ended, PATIENCE};
use crate::support::receiver::{Receiver, Reply};
use crate::support::server::Server;

use super::fault::Watch;

/// Endpoints that get every `it.happened`.
pub(super) const PATHS: [&str; 3] = ["/well", "/flaky", "/held"];
/// Events of that type, and the one that fails for good.
pub(super) const EVENTS: usize = 11;
pub(super) const DEAD: &str = "dead";

/// When the disk is well again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// It was one call only.
    Once,
    /// There is room when the server has tried in vain for a while.
    Room,
    /// As the last, but the server is killed in the middle of its trouble.
    Kill,
}

/// See the module.
pub(super) struct Story<'a> {
    pub(super) receiver: &'a Receiver,
    data: PathBuf,
    server: Server,
    watch: Watch,
    until: Until,
    /// The events that were acknowledged, by idempotency key.
    pub(super) acknowledged: BTreeMap<String, String>,
    /// How often the server had to refuse.
    pub(super) troubles: usize,
    /// It was killed in trouble, and another one goes on.
    pub(super) killed: bool,
    /// The logs of the servers that have ended.
    pub(super) log: String,
}

fn event(key: &str, event_type: &str, bytes: usize) -> Value {
    json!({ "type": event_type, "data": { "key": key, "filling": "x".repeat(bytes) } })
}

fn post(client: &Client, path: &str, body: &Value, key: Option<&str>) -> Response {
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key.unwrap_or_default())];
    let headers = &headers[..=usize::from(key.is_some())];
    client.request("POST", &format!("/api/v1{path}"), headers, Some(body.to_string().as_bytes()))
}

impl<'a> Story<'a> {
    pub(super) fn new(
        receiver: &'a Receiver,
        data: &Path,
        server: Server,
        watch: Watch,
        until: Until,
    ) -> Self {
        Self {
            receiver,
            data: data.to_owned(),
            server,
            watch,
            until,
            acknowledged: BTreeMap::new(),
            troubles: 0,
            killed: false,
            log: String::new(),
        }
    }

    /// All of it but the end.
    pub(super) fn tell(&mut self) {
        self.receiver.reply_on("/flaky", Reply::status(500));
        self.receiver.always_on("/dead", Reply::status(500));
        // One at a time and slowly, so that some always wait for their turn.
        self.receiver.always_on("/held", Reply::ok().trickle(Duration::from_millis(1)));
        for path in PATHS {
            let in_flight = if path == "/held" { 1 } else { 16 };
            self.make_endpoint(
                path,
                "it.*",
                &json!({ "retry_schedule": [1, 1, 1], "max_in_flight": in_flight }),
            );
        }
        self.make_endpoint("/dead", DEAD, &json!({ "retry_schedule": [] }));
        for number in 0..3 {
            self.publish(&format!("single-{number}"), "it.happened", 500);
        }
        self.publish_together("together", 5);
        self.wait_for_all("delivered");
        self.call("/endpoints/held/disable", &json!({}), None);
        self.publish("while-disabled", "it.happened", 500);
        self.call("/endpoints/held/enable", &json!({}), None);
        self.wait_for_all("delivered");
        self.publish(DEAD, DEAD, 500);
        // Many pages.
        self.publish("big", "it.happened", 100_000);
        self.wait_for_all("delivered");
        self.call("/cleanups", &json!({}), None);
        self.publish("last", "it.happened", 500);
        self.wait_for_all("delivered");
    }

    fn make_endpoint(&mut self, path: &str, events: &str, more: &Value) {
        let mut endpoint = more.clone();
        endpoint["url"] = json!(self.receiver.url(path));
        endpoint["uid"] = json!(path[1..]);
        endpoint["events"] = json!([events]);
        self.call("/endpoints", &endpoint, None);
    }

    fn publish(&mut self, key: &str, event_type: &str, bytes: usize) {
        let answer = self.call("/events", &event(key, event_type, bytes), Some(key)).expect(202).json();
        self.acknowledge(key, &answer);
    }

    /// Publishes several at the same time, for one commit; what is refused once more.
    fn publish_together(&mut self, key: &str, events: usize) {
        let client = &self.server.client;
        let keys: Vec<_> = (0..events).map(|number| format!("{key}-{number}")).collect();
        let answers: Vec<_> = std::thread::scope(|scope| {
            let one = |key| {
                scope.spawn(move || post(client, "/events", &event(key, "it.happened", 500), Some(key)))
            };
            let threads: Vec<_> = keys.iter().map(|key| one(key)).collect();
            threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
        });
        for (key, answer) in keys.iter().zip(answers) {
            match answer.status {
                503 => self.publish(key, "it.happened", 500),
                _ => self.acknowledge(key, &answer.expect(202).json()),
            }
        }
    }

    fn acknowledge(&mut self, key: &str, event: &Value) {
        self.acknowledged.insert(key.to_owned(), event["id"].as_str().expect("an id").to_owned());
    }

    /// Posts until it is not refused. An endpoint that is there already was made by a call that was refused, or cut.
    fn call(&mut self, path: &str, body: &Value, key: Option<&str>) -> Response {
        for _ in 0..5 {
            let answer = post(&self.server.client, path, body, key);
            match answer.status {
                503 => {
                    assert!(answer.header("retry-after").is_some(), "{answer:?}");
                    self.trouble();
                }
                200..300 => return answer,
                409 if path == "/endpoints" && self.killed => return answer,
                _ => panic!("POST {path}: {}", answer.text()),
            }
        }
        panic!("POST {path} is refused for ever");
    }

    /// Waits until every delivery of every event is over, all but the dead one's with this status.
    fn wait_for_all(&mut self, status: &str) {
        for (key, event) in self.acknowledged.clone() {
            let (status, count) = if key == DEAD { ("failed", 1) } else { (status, PATHS.len()) };
            self.until(&format!("{key} to be {status}"), |server| {
                let list = server.get(&format!("/events/{event}/deliveries"));
                let all = list["data"].as_array().expect("a list");
                assert_eq!(all.len(), count, "{key}: {list}");
                all.iter().all(|delivery| delivery["status"] == status)
            });
        }
    }

    /// Waits for something, whatever troubles the server meanwhile.
    fn until(&mut self, what: &str, ready: impl Fn(&Server) -> bool) {
        let mut all_well = false;
        while !all_well {
            let server = &self.server;
            all_well = process::until(what, PATIENCE, || {
                let done = ready(server);
                (done || server.readiness().0 != 200).then_some(done)
            });
            if !all_well {
                self.trouble();
            }
        }
    }

    /// The server says that it cannot write.
    fn trouble(&mut self) {
        self.troubles += 1;
        assert!(self.troubles < 20, "it is in trouble again and again");
        if self.until != Until::Once && self.troubles == 1 {
            self.look_at_trouble();
            if self.until == Until::Kill {
                self.log += &self.server.process.kill().err;
                self.killed = true;
                self.server = Server::on(&self.data);
                return;
            }
            Watch::let_go(&self.server);
        }
        process::until("the server to be ready again", PATIENCE, || {
            (self.server.readiness().0 == 200).then_some(())
        });
    }

    /// As long as nothing can be written the server says so, reads, and pauses.
    fn look_at_trouble(&self) {
        // What had been on its way arrives; nothing new is sent.
        self.receiver.wait_idle();
        self.watch.wait_for_tries(2);
        let sent = self.receiver.count();
        self.watch.wait_for_tries(2);
        assert_eq!(self.receiver.count(), sent, "it sends what it cannot write down");
        let (status, body) = self.server.readiness();
        let detail = body["detail"].as_str().unwrap_or_default();
        assert!(status == 503 && detail.contains("nothing can be written"), "{status}: {body}");
        let refused = self.server.publish(&json!("refused"));
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{}", refused.text());
        self.server.get("/events");
        self.server.client.get("/healthz").expect(200);
    }

    /// Stops it in order, fault and all.
    pub(super) fn stop(self) -> (Ended, String) {
        let ended = self.server.stop();
        let log = self.log + &ended.err;
        (ended, log)
    }

    /// Ends it without a word.
    pub(super) fn kill(mut self) -> (Ended, String) {
        let ended = self.server.process.kill();
        let log = self.log + &ended.err;
        (ended, log)
    }
}
