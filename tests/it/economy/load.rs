//! Full load: many publishers at once, until all is delivered.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::support::process::{self, PATIENCE};
use crate::support::receiver::Receiver;
use crate::support::server::Server;

const PUBLISHERS: usize = 32;

/// Publishes so many events of 0.95 KB to one endpoint, and waits until the last outcome is written down.
pub(super) fn run(server: &Server, receiver: &Receiver, events: usize) {
    let body = json!({ "type": "it.happened", "data": { "filling": "x".repeat(910) } }).to_string();
    assert!((940..980).contains(&body.len()), "{}", body.len());
    let left = AtomicUsize::new(events);
    let take = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
    let before = receiver.count();
    std::thread::scope(|scope| {
        for _ in 0..PUBLISHERS {
            scope.spawn(|| {
                while take() {
                    let headers = [("Content-Type", "application/json")];
                    server
                        .client
                        .request("POST", "/api/v1/events", &headers, Some(body.as_bytes()))
                        .expect(202);
                }
            });
        }
    });
    receiver.wait_for(before + events);
    process::until("the last outcome", PATIENCE, || {
        let pending = server.get("/deliveries?status=pending&limit=1");
        pending["data"].as_array().expect("a list").is_empty().then_some(())
    });
}
