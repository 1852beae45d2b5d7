//! A line to whatever server runs now: a call is repeated on the next one until it is answered.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::support::client::{Client, Response};

/// How long one call may take, over all the servers that are killed meanwhile.
const PATIENCE: Duration = Duration::from_mins(1);

/// See the module.
pub(super) struct Line {
    state: Mutex<State>,
    changed: Condvar,
    ticks: AtomicU64,
    finishing: AtomicBool,
}

struct State {
    client: Client,
    /// Counts the servers: who had no answer from one waits for the next.
    server: usize,
    /// Events that were acknowledged.
    acknowledged: usize,
}

/// When a call was made, by a clock that counts what happens here: what it does was done between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) begun: u64,
    pub(super) ended: u64,
    /// Which server has answered: the first is 0.
    pub(super) server: usize,
}

impl Line {
    pub(super) fn new(client: &Client) -> Self {
        Self {
            state: Mutex::new(State { client: client.clone(), server: 0, acknowledged: 0 }),
            changed: Condvar::new(),
            ticks: AtomicU64::new(0),
            finishing: AtomicBool::new(false),
        }
    }

    /// Goes on with another server.
    pub(super) fn turn_to(&self, client: &Client) {
        self.change(|state| {
            state.client = client.clone();
            state.server += 1;
        });
    }

    /// An event was acknowledged.
    pub(super) fn acknowledge(&self) {
        self.change(|state| state.acknowledged += 1);
    }

    /// How many events were acknowledged.
    pub(super) fn acknowledged(&self) -> usize {
        self.change(|state| state.acknowledged)
    }

    /// Waits until so many events are acknowledged, or the end is near.
    pub(super) fn wait_for(&self, count: usize) {
        self.wait(|state| (state.acknowledged >= count || self.is_finishing()).then_some(()));
    }

    /// Waits until so many more events are acknowledged, or the end is near.
    pub(super) fn wait_for_more(&self, count: usize) {
        self.wait_for(self.acknowledged() + count);
    }

    /// Everybody is to bring to an end what is begun.
    pub(super) fn finish(&self) {
        self.finishing.store(true, Ordering::SeqCst);
        self.change(|_| ());
    }

    pub(super) fn is_finishing(&self) -> bool {
        self.finishing.load(Ordering::SeqCst)
    }

    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }

    /// Asks until there is an answer.
    pub(super) fn get(&self, path: &str) -> Response {
        self.call("GET", path, &[], None).0
    }

    /// Sends JSON until there is an answer. The server may do it more than once: who calls thinks of that.
    pub(super) fn send(&self, method: &str, path: &str, body: &Value) -> (Response, Span) {
        self.call(method, path, &[("Content-Type", "application/json")], Some(&body.to_string()))
    }

    /// Sends a request until there is an answer, on every server that there is.
    pub(super) fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> (Response, Span) {
        let begun = self.tick();
        let mut asked = None;
        loop {
            let (client, server) = self
                .wait(|state| (asked != Some(state.server)).then(|| (state.client.clone(), state.server)));
            match client.try_request(method, path, headers, body.map(str::as_bytes)) {
                // It asks to come again.
                Ok(answer) if answer.status == 503 => std::thread::park_timeout(Duration::from_millis(100)),
                Ok(answer) => return (answer, Span { begun, ended: self.tick(), server }),
                // Without an answer nobody knows; the next server does.
                Err(_) => asked = Some(server),
            }
        }
    }

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
}
