//! Connections that are kept: one that ends as it is taken loses nothing, and what comes unasked is no answer.

use std::collections::HashMap;
use std::io::Write;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use crate::sender::peer::{OK, Peer, close, read_request, wait_for_close};
use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::length::short_or_long;
use crate::support::process::PATIENCE;

const UNASKED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nunasked";
const REFUSAL: &[u8] = b"HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno";

/// An endpoint at `peer` that is not tried again.
fn endpoint(app: &TestApp, peer: &Peer) {
    app.create_endpoint(&json!({ "url": peer.url(), "events": ["*"], "retry_schedule": [] }));
}

fn event_of(request: &[u8]) -> String {
    let request = String::from_utf8_lossy(request);
    let id = request.split("webhook-id: ").nth(1).and_then(|rest| rest.lines().next());
    id.expect("a webhook-id").to_owned()
}

#[test]
fn a_kept_connection_that_is_closed_as_it_is_taken_costs_no_attempt() {
    let rounds = short_or_long(200, 1_000);
    let received: Arc<Mutex<HashMap<String, usize>>> = Arc::default();
    let heard = Arc::clone(&received);
    // Every connection answers once; at the second request, which it reads, it ends without a word.
    let peer = Peer::new(move |number, mut stream| {
        let mut answered = false;
        while let Some(request) = read_request(&mut stream) {
            *heard.lock().unwrap().entry(event_of(&request)).or_default() += 1;
            if answered {
                if number % 2 == 0 {
                    // With this, closing is a reset.
                    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
                    return;
                }
                return close(&mut stream);
            }
            stream.write_all(OK).unwrap();
            answered = true;
        }
    });
    let app = TestApp::start();
    endpoint(&app, &peer);
    let sent: Vec<(String, String)> = (0..rounds)
        .map(|n| {
            let event = app.publish("test", &json!({ "n": n }));
            let delivery = text(&app.delivery_of(&event), "id");
            app.settle();
            (text(&event, "id"), delivery)
        })
        .collect();
    for (event, delivery) in &sent {
        shows(&app.delivery(delivery), &json!({ "status": "delivered", "attempts": 1, "error": null }));
        let times = received.lock().unwrap().get(event).copied().unwrap_or_default();
        assert!((1..=2).contains(&times), "{event} was received {times} times");
    }
    let twice = received.lock().unwrap().values().filter(|times| **times == 2).count();
    assert!(twice > rounds / 4, "connections ended as they were taken, only {twice} times");
}

/// An endpoint whose receiver answers the first request with `first`, and says `unasked` when the first is over. The second
/// request is refused, on whatever connection it comes.
fn desynchronised(first: &'static [u8], unasked: &'static [u8]) {
    let (told, tell) = mpsc::channel();
    let (taken, is_taken) = mpsc::channel::<()>();
    let is_taken = Mutex::new(is_taken);
    let peer = Peer::new(move |number, mut stream| {
        read_request(&mut stream).unwrap();
        if number > 0 {
            return stream.write_all(REFUSAL).unwrap();
        }
        stream.write_all(first).unwrap();
        // Only when the answer has been taken for itself: what comes with it closes the connection anyway.
        is_taken.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        // The other side may have closed it.
        let _ = stream.write_all(unasked);
        told.send(()).unwrap();
        if read_request(&mut stream).is_some() {
            stream.write_all(REFUSAL).unwrap();
        }
        wait_for_close(&mut stream);
    });
    let app = TestApp::start();
    endpoint(&app, &peer);
    let first = app.send(&json!(1));
    app.settle();
    taken.send(()).unwrap();
    tell.recv_timeout(PATIENCE).unwrap();
    let second = app.send(&json!(2));
    app.settle();
    assert_eq!(app.status(&first), "delivered");
    shows(
        &app.delivery(&second),
        &json!({ "status": "failed", "attempts": 1, "status_code": 500, "response_body": "no" }),
    );
    assert_eq!(peer.connections(), 2, "the first one was not used again");
}

#[test]
fn an_answer_that_comes_before_its_request_is_not_counted() {
    desynchronised(OK, UNASKED);
}

#[test]
fn the_body_of_an_answer_that_has_none_is_no_answer() {
    desynchronised(b"HTTP/1.1 204 No Content\r\ncontent-length: 64\r\n\r\n", UNASKED);
    desynchronised(b"HTTP/1.1 204 No Content\r\n\r\n", UNASKED);
}

/// A 204 that announces a body is followed by it just when the next request has been written: nothing can tell it from
/// an answer then, so the connection must not have been kept.
#[test]
fn a_connection_whose_204_announces_a_body_is_not_kept() {
    for announced in ["content-length: 46", "transfer-encoding: chunked"] {
        let peer = Peer::new(move |_, mut stream| {
            let head = format!("HTTP/1.1 204 No Content\r\n{announced}\r\n\r\n");
            read_request(&mut stream).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            if read_request(&mut stream).is_some() {
                stream.write_all(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n").unwrap();
            }
        });
        let app = TestApp::start();
        endpoint(&app, &peer);
        let sent = [1, 2].map(|n| {
            let delivery = app.send(&json!(n));
            app.settle();
            delivery
        });
        for delivery in sent {
            shows(&app.delivery(&delivery), &json!({ "status": "delivered", "status_code": 204 }));
        }
        assert_eq!(peer.connections(), 2, "{announced}");
    }
}
