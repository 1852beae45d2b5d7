//! Connections: what follows a request on the same one, whatever became of it, and many at once.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::support::app::{KEY, TestApp, text};
use crate::support::client::Client;
use crate::support::problem::code;

/// Everything that comes back for these bytes until the server closes.
fn talk(app: &TestApp, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(app.address()).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket");
    stream.write_all(bytes).expect("a server that reads");
    let mut answers = Vec::new();
    stream.read_to_end(&mut answers).expect("an end");
    String::from_utf8_lossy(&answers).into_owned()
}

/// The statuses of all answers.
fn statuses(answers: &str) -> Vec<&str> {
    answers.match_indices("HTTP/1.1 ").map(|(at, _)| &answers[at + 9..at + 12]).collect()
}

const LAST: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[test]
fn a_body_that_nobody_read_is_never_taken_for_a_request() {
    let app = TestApp::start();
    let hidden = "DELETE /api/v1/keys/key_0000000000000 HTTP/1.1\r\nHost: x\r\n\r\n";
    let auth = format!("Authorization: Bearer {KEY}\r\n");
    let json = "Content-Type: application/json\r\n";
    for (line, headers, status) in [
        ("POST /api/v1/events", json.to_owned(), "401"),
        ("POST /api/v1/events", auth.clone(), "415"),
        ("POST /api/v1/events?x=1", format!("{auth}{json}"), "400"),
        ("POST /api/v1/events", format!("{auth}{json}"), "400"),
        ("PUT /api/v1/events", auth.clone(), "405"),
        ("POST /nothing", String::new(), "404"),
        ("GET /healthz", String::new(), "200"),
        ("GET /api/v1/events", auth.clone(), "200"),
        ("DELETE /api/v1/keys/key_0000000000000", auth, "404"),
    ] {
        let length = format!("Content-Length: {}\r\n\r\n{hidden}", hidden.len());
        let chunk = format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len());
        for body in [length, chunk] {
            let answers =
                talk(&app, format!("{line} HTTP/1.1\r\nHost: x\r\n{headers}{body}{LAST}").as_bytes());
            let seen = statuses(&answers);
            // A server may also close instead of reading what it does not want.
            assert!(seen == [status, "200"] || seen == [status], "{line} {headers:?}: {seen:?}");
        }
    }
}

#[test]
fn requests_in_one_write_are_answered_in_their_order() {
    let app = TestApp::start();
    let publish = |n: usize| {
        let body = format!("{{\"type\":\"a\",\"data\":{n},\"id\":\"own-{n}\"}}");
        format!(
            "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let all: String = (0..20).map(publish).collect();
    let answers = talk(&app, format!("{all}{LAST}").as_bytes());
    assert_eq!(statuses(&answers), [vec!["202"; 20], vec!["200"]].concat());
    let at: Vec<_> =
        (0..20).map(|n| answers.find(&format!("\"id\":\"own-{n}\"")).expect("an answer")).collect();
    assert!(at.is_sorted(), "{at:?}");
    let ids: BTreeSet<&str> = answers.split("x-request-id: ").skip(1).map(|rest| &rest[..16]).collect();
    assert_eq!(ids.len(), 21, "every answer has an id of its own");
}

#[test]
fn a_refused_body_that_is_still_being_sent_does_not_hide_the_answer() {
    let app = TestApp::start();
    for headers in [format!("Authorization: Bearer {KEY}\r\n"), String::new()] {
        let head = format!(
            "POST /api/v1/events HTTP/1.1\r\nHost: x\r\n{headers}Content-Type: application/json\r\n\
             Content-Length: 50000000\r\n\r\n"
        );
        let bytes = [head.as_bytes(), &vec![b' '; 50_000_000]].concat();
        let answer = app.client.raw(&bytes, false).expect("an answer");
        assert!([401, 413].contains(&answer.status), "{}", answer.text());
    }
    app.publish("still.here", &json!(1));
}

#[test]
fn a_limit_holds_for_requests_at_the_same_time() {
    let app = TestApp::start();
    let race = |body: &(dyn Fn(usize) -> serde_json::Value + Sync)| -> Vec<u16> {
        std::thread::scope(|scope| {
            let send = |n| app.post("/endpoints", &body(n)).status;
            let threads: Vec<_> = (0..40).map(|n| scope.spawn(move || send(n))).collect();
            threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
        })
    };
    let made = |statuses: Vec<u16>| {
        assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
        statuses.iter().filter(|status| **status == 201).count()
    };
    assert_eq!(made(race(&|_| json!({ "url": "https://a.test/", "tenant": "full" }))), 10);
    assert_eq!(made(race(&|_| json!({ "url": "https://a.test/", "tenant": "one", "uid": "same" }))), 1);
    let tenants = app.list("/tenants").iter().filter(|row| row["tenant"] == "full").count();
    assert_eq!(tenants, 1);
}

#[test]
fn the_unix_socket_needs_no_key_and_may_do_everything() {
    let app = TestApp::start();
    let local = app.local();
    local.get("/api/v1/settings").expect(200);
    let made =
        local.post("/api/v1/keys", &json!({ "name": "first", "scopes": ["admin"] })).expect(201).json();
    assert!(text(&app.audit_of(&text(&made, "id"))[0], "actor").starts_with("cli:"));
    let bad = local.clone().with_header("Authorization", "Bearer pr_wrong").get("/nothing");
    assert_eq!(code(&bad), "unknown_path");
    assert_eq!(Client::tcp(app.address()).get("/api/v1/settings").status, 401);
}
