//! Threads that publish without a pause and repeat what was not answered, under the same key.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;

use crate::support::client::Client;

const THREADS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(30);

/// An event that was acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Acknowledged {
    pub(super) id: String,
    pub(super) event_type: &'static str,
}

/// See the module.
pub(super) struct Publishers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    finishing: AtomicBool,
}

struct State {
    client: Client,
    /// Counts the servers: who had no answer from one waits for the next.
    server: usize,
    /// By idempotency key.
    acknowledged: BTreeMap<String, Acknowledged>,
}

impl Publishers {
    /// Starts to publish to the server of this client.
    pub(super) fn start(client: &Client) -> Self {
        let state = State { client: client.clone(), server: 0, acknowledged: BTreeMap::new() };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            finishing: AtomicBool::new(false),
        });
        let threads = (0..THREADS)
            .map(|thread| {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.publish_on(thread))
            })
            .collect();
        Self { shared, threads }
    }

    /// Goes on with another server.
    pub(super) fn turn_to(&self, client: &Client) {
        self.shared.change(|state| {
            state.client = client.clone();
            state.server += 1;
        });
    }

    /// How many events were acknowledged.
    pub(super) fn acknowledged(&self) -> usize {
        self.shared.change(|state| state.acknowledged.len())
    }

    /// Waits until so many events are acknowledged.
    pub(super) fn wait_for(&self, count: usize) {
        self.shared.wait(|state| (state.acknowledged.len() >= count).then_some(()));
    }

    /// Lets every thread bring what it has begun to its end; all that was acknowledged.
    pub(super) fn finish(self) -> Vec<Acknowledged> {
        self.shared.finishing.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a publisher that has not failed");
        }
        self.shared.change(|state| state.acknowledged.values().cloned().collect())
    }
}

impl Shared {
    fn change<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        let result = with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
        result
    }

    fn wait<T>(&self, mut ready: impl FnMut(&mut State) -> Option<T>) -> T {
        let mut found = None;
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (_state, waited) = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| {
                found = ready(state);
                found.is_none()
            })
            .unwrap_or_else(PoisonError::into_inner);
        found.unwrap_or_else(|| panic!("waited in vain: {waited:?}"))
    }

    fn publish_on(&self, thread: usize) {
        let mut number = 0;
        while !self.finishing.load(Ordering::Relaxed) {
            let event_type = if number % 2 == 0 { "number.even" } else { "number.odd" };
            let key = format!("thread-{thread}-{number}");
            let id = self.publish(&key, event_type, number);
            self.change(|state| {
                let known = state.acknowledged.insert(key, Acknowledged { id, event_type });
                assert!(known.is_none(), "a key is used for one event");
            });
            number += 1;
        }
    }

    /// Repeats one publish until it is acknowledged, on every server that there is; the event's id.
    fn publish(&self, key: &str, event_type: &str, number: usize) -> String {
        let body = json!({ "type": event_type, "data": { "number": number } }).to_string();
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
        let mut asked = None;
        loop {
            let (client, server) = self
                .wait(|state| (asked != Some(state.server)).then(|| (state.client.clone(), state.server)));
            asked = Some(server);
            let answer = client.try_request("POST", "/api/v1/events", &headers, Some(body.as_bytes()));
            // Without an answer nobody knows; the next server does.
            if let Ok(answer) = answer {
                let answer = answer.expect(202).json();
                return answer["id"].as_str().expect("an id").to_owned();
            }
        }
    }
}
