//! `Retry-After` in odd forms, and a receiver whose queue of connections is full.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use postrider::clock::Clock;
use postrider::domain::time::UnixMs;
use serde_json::json;

use crate::support::app::{TestApp, text};

use super::script::{Scripted, answer};

/// The wait after the first failure, without the tenth that is added at random.
const WAIT: u64 = 5;

/// How many seconds the next attempt is away after a 503 with these fields.
fn wait_after(app: &TestApp, name: &str, fields: &[u8]) -> u64 {
    let receiver = Scripted::start(answer([b"HTTP/1.1 503 No\r\n", fields, b"\r\n\r\n"].concat()));
    let url = format!("http://{}/", receiver.address);
    app.create_endpoint(&json!({ "url": url, "tenant": name, "events": ["*"] }));
    let event = app.post("/events", &json!({ "type": "test", "tenant": name, "data": 1 })).expect(202).json();
    app.settle();
    let delivery = app.delivery_of(&event);
    assert_eq!((&delivery["status_code"], &delivery["status"]), (&json!(503), &json!("pending")), "{name}");
    let next = UnixMs::parse(&text(&delivery, "next_retry_at")).expect("a time");
    u64::try_from(next.0 - app.clock().wall().0).expect("a time to come").div_ceil(1000)
}

#[test]
fn retry_after_in_odd_forms_postpones_or_says_nothing() {
    let app = TestApp::with_manual_clock();
    let forms: [(&[u8], u64); 26] = [
        (b"retry-after: 120", 120),
        (b"Retry-After:\t 120 \t", 120),
        (b"retry-after: 000120", 120),
        (b"retry-after:\r\n 120", 120),
        (b"retry-after : 120", 120),
        (b"retry-after: 120\r\nretry-after: 999", 120),
        (b"retry-after: Mon, 23 Feb 2026 14:32:00 GMT", 120),
        (b"retry-after: Monday, 23-Feb-26 14:32:00 GMT", 120),
        (b"retry-after: Mon Feb 23 14:32:00 2026", 120),
        (b"retry-after: 99999999999999999999999999", 86_400),
        (b"retry-after: Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        (b"retry-after: 0", WAIT),
        (b"retry-after: 1", WAIT),
        (b"retry-after: Thu, 01 Jan 1970 00:00:00 GMT", WAIT),
        (b"retry-after: Sun, 06 Nov 1994 08:49:37 GMT", WAIT),
        (b"retry-after: Mon, 30 Feb 2026 14:32:00 GMT", WAIT),
        (b"retry-after:", WAIT),
        (b"retry-after: -120", WAIT),
        (b"retry-after: 120.5", WAIT),
        (b"retry-after: 1e3", WAIT),
        (b"retry-after: 120 seconds", WAIT),
        (b"retry-after: 120, 999", WAIT),
        (b"retry-after: \"120\"", WAIT),
        (b"retry-after: \xd9\xa1\xd9\xa2", WAIT),
        (b"retry-after: \xff120", WAIT),
        (b"retry-after: 120\0", WAIT),
    ];
    for (n, (fields, least)) in forms.into_iter().enumerate() {
        let wait = wait_after(&app, &format!("form-{n}"), fields);
        // The schedule's own wait gets up to a tenth on top, a wait that was asked for does not.
        let most = if least == WAIT { WAIT + 1 } else { least };
        assert!((least..=most).contains(&wait), "{wait} s after {}", fields.escape_ascii());
    }
}

#[test]
fn a_receiver_whose_queue_is_full_is_a_timeout_while_connecting() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a free port");
    socket.listen(0).expect("a listener");
    let address = socket.local_addr().expect("an address").as_socket().expect("one of IP");
    let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(300)).ok();
    let queue: Vec<TcpStream> = std::iter::from_fn(connect).take(64).collect();
    assert!(queue.len() < 64, "the queue fills");
    let app = TestApp::start();
    let url = format!("http://{address}/");
    app.create_endpoint(&json!({ "url": url, "events": ["*"], "retry_schedule": [], "timeout_seconds": 1 }));
    let delivery = app.send(&json!(1));
    app.settle();
    let shown = app.delivery(&delivery);
    let error = text(&shown, "error");
    assert!(error.contains("timed out while connecting to"), "{error}");
    assert_eq!((&shown["status"], &shown["status_code"]), (&json!("failed"), &json!(null)));
    assert!(
        shown["attempt_list"][0]["duration_ms"].as_u64().is_some_and(|took| (1_000..30_000).contains(&took))
    );
}
