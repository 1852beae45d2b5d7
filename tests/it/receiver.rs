//! The scripted receiver and the client: whoever trusts them in another test may.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use serde_json::json;

use crate::support::client::Client;
use crate::support::receiver::{Gate, Receiver, Reply};

const A_MOMENT: Duration = Duration::from_millis(1);

fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> std::thread::JoinHandle<T> {
    std::thread::spawn(work)
}

#[test]
fn requests_are_kept_as_they_came() {
    let receiver = Receiver::start();
    assert_eq!(receiver.url("/hooks"), format!("http://{}/hooks", receiver.address()));
    let client = Client::tcp(receiver.address()).with_key("pr_test").with_header("X-One", "1");
    client.request("POST", "/hooks?team=7", &[("X-Two", "zwei")], Some(b"{\"n\": 1.0}")).expect(200);
    client.get("/other").expect(200);

    let first = receiver.next();
    assert_eq!(
        (first.method.as_str(), first.path.as_str(), first.query.as_deref()),
        ("POST", "/hooks", Some("team=7"))
    );
    assert_eq!((first.header("x-one"), first.header("x-two")), (Some("1"), Some("zwei")));
    assert_eq!(first.header("authorization"), Some("Bearer pr_test"));
    assert_eq!((first.body.as_slice(), first.json()), (&b"{\"n\": 1.0}"[..], json!({"n": 1.0})));
    let second = receiver.next();
    assert_eq!((second.method.as_str(), second.path.as_str(), second.order), ("GET", "/other", 2));
    assert_eq!((first.connection, second.connection), (1, 1), "the connection is kept");
    assert!(first.at <= second.at);
    assert_eq!((receiver.count(), receiver.count_on("/hooks"), receiver.connections()), (2, 1, 1));
    assert_eq!((receiver.received().len(), receiver.received_on("/other").len()), (2, 1));
}

#[test]
fn replies_come_from_the_path_then_from_the_script_for_all() {
    let receiver = Receiver::start();
    receiver.always(Reply::status(204));
    receiver.reply(Reply::status(500));
    receiver.reply_on("/a", Reply::status(429).header("Retry-After", "7").body("slower"));
    receiver.always_on("/b", Reply::redirect("https://example.com/elsewhere"));
    let client = Client::tcp(receiver.address());

    let limited = client.get("/a").expect(429);
    assert_eq!((limited.header("retry-after"), limited.text()), (Some("7"), "slower"));
    assert_eq!(client.get("/b").expect(302).header("Location"), Some("https://example.com/elsewhere"));
    let statuses = [client.get("/a").status, client.get("/a").status, client.get("/c").status];
    assert_eq!(statuses, [500, 204, 204]);
    assert_eq!(receiver.wait_for_path("/a", 3).len(), 3);
    assert_eq!(receiver.next_on("/c").order, 5);
}

#[test]
fn what_waits_at_a_gate_is_in_flight_and_counted() {
    let receiver = Receiver::start();
    let gate = Gate::new();
    receiver.always_on("/slow", Reply::ok().gated(&gate));
    let client = Client::tcp(receiver.address());
    let callers: Vec<_> = (0..3)
        .map(|_| {
            let client = client.clone();
            in_background(move || client.get("/slow").status)
        })
        .collect();
    receiver.wait_in_flight(3);
    client.get("/fast").expect(200);
    gate.let_through(1);
    gate.open();
    for caller in callers {
        assert_eq!(caller.join().expect("an answer"), 200);
    }
    receiver.wait_idle();
    assert_eq!((receiver.peak(), receiver.peak_on("/slow"), receiver.peak_on("/fast")), (4, 3, 1));
}

#[test]
fn one_after_the_other_is_never_two_at_once() {
    let receiver = Receiver::start();
    for n in 0..500 {
        // A new connection for each, so that only the count can keep them apart.
        Client::tcp(receiver.address()).get("/").expect(200);
        assert_eq!(receiver.wait_for(n + 1).len(), n + 1);
    }
    assert_eq!(receiver.peak(), 1);
}

#[test]
fn a_caller_that_left_a_hanging_request_is_not_counted_with_its_next() {
    let receiver = Receiver::start();
    let gate = Gate::new();
    for n in 0..100 {
        receiver.reply(if n % 2 == 0 { Reply::hang() } else { Reply::ok().gated(&gate) });
        let mut stream = std::net::TcpStream::connect(receiver.address()).expect("a connection");
        stream.write_all(b"POST /hang HTTP/1.1\r\n\r\n").expect("a request");
        receiver.wait_for(n + 1);
    }
    assert_eq!((receiver.peak(), receiver.in_flight()), (1, 0));
}

#[test]
fn answers_can_be_cut_closed_or_not_http() {
    let receiver = Receiver::start();
    let client = Client::tcp(receiver.address());
    let error = |reply| {
        receiver.reply(reply);
        client.try_request("GET", "/", &[], None).expect_err("no answer")
    };
    let whole = || Reply::ok().body("a body");
    for reply in [Reply::close(), whole().cut_in_head(), whole().cut_in_body()] {
        assert_eq!(error(reply).kind(), std::io::ErrorKind::UnexpectedEof);
    }
    assert!(
        error(Reply::raw("SSH-2.0-OpenSSH_9.2\r\n\r\n")).to_string().contains("HTTP"),
        "not an HTTP answer"
    );
    assert_eq!(receiver.connections(), 4);
}

#[test]
fn a_hanging_request_ends_with_the_receiver() {
    for reply in [Reply::hang(), Reply::ok().body("a body").hang_in_body(), Reply::ok().gated(&Gate::new())] {
        let receiver = Receiver::start();
        receiver.always(reply);
        let client = Client::tcp(receiver.address());
        let caller = in_background(move || client.try_request("GET", "/", &[], None));
        receiver.wait_in_flight(1);
        drop(receiver);
        assert!(caller.join().expect("no panic").is_err());
    }
}

#[test]
fn slow_answers_arrive_whole() {
    let receiver = Receiver::start();
    receiver.reply(Reply::ok().body("drop by drop").trickle(A_MOMENT));
    receiver.reply(Reply::ok().body("body by drop").trickle_body(A_MOMENT));
    let client = Client::tcp(receiver.address());
    assert_eq!(client.get("/").expect(200).text(), "drop by drop");
    assert_eq!(client.get("/").expect(200).text(), "body by drop");
}

#[test]
fn a_trickle_ends_with_the_receiver() {
    let receiver = Receiver::start();
    receiver.always(Reply::ok().body("never").trickle(Duration::from_hours(1)));
    let client = Client::tcp(receiver.address());
    let caller = in_background(move || client.try_request("GET", "/", &[], None));
    receiver.wait_in_flight(1);
    drop(receiver);
    assert!(caller.join().expect("no panic").is_err());
}

#[test]
fn kept_connections_can_be_closed_without_a_word() {
    let receiver = Receiver::start();
    let client = Client::tcp(receiver.address());
    receiver.reply(Reply::ok().then_close());
    client.get("/").expect(200);
    client.get("/").expect(200);
    receiver.drop_connections();
    client.get("/").expect(200);
    receiver.reply(Reply::ok().header("Connection", "close"));
    client.get("/").expect(200);
    client.get("/").expect(200);
    let connections: Vec<_> = receiver.received().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 2, 3, 3, 4]);
}

#[test]
fn what_is_not_http_fails_the_test() {
    let receiver = Receiver::start();
    let answer = Client::tcp(receiver.address()).raw(b"NOT HTTP AT ALL\r\n\r\n", false);
    assert_eq!(answer.map(|answer| answer.status), Some(400));
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(receiver)));
    let message = dropped.expect_err("a panic").downcast::<String>().expect("a message");
    assert!(message.contains("NOT HTTP AT ALL"), "{message}");
}

#[test]
fn the_client_sends_raw_bytes_and_sees_a_closed_connection() {
    let receiver = Receiver::start();
    let client = Client::tcp(receiver.address());
    let answer =
        client.raw(b"DELETE /raw HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", false).expect("an answer");
    assert_eq!(answer.status, 200);
    assert!(client.raw(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf", true).is_none());
    client.post("/json", &json!({"a": [1]})).expect(200);
    client.delete("/json").expect(200);
    assert_eq!(receiver.next().body, b"hi");
    let posted = receiver.next_on("/json");
    assert_eq!((posted.json(), posted.header("content-type")), (json!({"a": [1]}), Some("application/json")));
}

#[test]
fn the_client_reads_chunks_over_a_unix_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("test.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    let server = in_background(move || {
        let (mut stream, _) = listener.accept().expect("a caller");
        for body in ["5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n", "2\r\n[]\r\n0\r\n\r\n"] {
            let mut request = [0; 512];
            assert!(stream.read(&mut request).expect("a request") > 0);
            let head = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(format!("{head}{body}").as_bytes()).expect("an answer");
        }
    });
    let client = Client::unix(path);
    assert_eq!(client.get("/").expect(200).text(), "hello!");
    assert_eq!(client.get("/").expect(200).json(), json!([]));
    server.join().expect("no panic");
}
