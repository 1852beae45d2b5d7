//! Requests without an answer, each told apart.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::mpsc;

use super::peer::{Deaf, Peer, close, read_request, wait_for_close};
use super::*;

fn of(bytes: &'static [u8]) -> Failure {
    let peer = Peer::answering_and_closing(bytes);
    failure(post(&sender(), &peer.url()))
}

#[test]
fn nothing_listens_there() {
    let (_closed, address) = port::closed();
    let sent = post(&sender(), &format!("http://{address}/"));
    assert_eq!(sent.address, Some(address));
    let failure = failure(sent);
    assert_eq!(failure.kind, FailureKind::Refused);
    assert_eq!(failure.message, format!("connection refused by {address}: nothing listens there"));
}

#[test]
fn an_answer_that_is_not_http() {
    for bytes in
        [&b"SSH-2.0-OpenSSH_9.2p1\r\n"[..], b"220 mail.test ESMTP\r\n", b"\0\0\x12\x04\0\0\0\0\0", b"<html>"]
    {
        let failure = of(bytes);
        assert_eq!(failure.kind, FailureKind::NotHttp, "{failure}");
    }
    assert!(of(b"SSH-2.0-OpenSSH_9.2p1\r\n").message.contains("\"SSH-2.0-OpenSSH_9.2p1\\r\\n\""));
    assert!(of(b"\x15\x03\x01\0\x02\x02F").message.contains("https://"));
    assert_eq!(of(b"HTTP/2 200\r\n\r\n").kind, FailureKind::NotHttp);
}

#[test]
fn a_banner_is_seen_although_the_connection_stays_open() {
    let peer = Peer::new(|_, mut stream| {
        stream.write_all(b"SSH-2.0-x\r\n").unwrap();
        wait_for_close(&mut stream);
    });
    assert_eq!(kind(post(&sender(), &peer.url())), FailureKind::NotHttp);
}

#[test]
fn a_connection_that_ends_before_the_headers_do() {
    let none = of(b"");
    assert_eq!(none.kind, FailureKind::ClosedEarly);
    assert!(none.message.contains("without answering"), "{none}");
    let part = of(b"HTTP/1.1 200 OK\r\ncontent-");
    assert_eq!(part.kind, FailureKind::ClosedEarly);
    assert!(part.message.contains("in the middle of the answer's headers"), "{part}");
}

#[test]
fn a_reset_is_a_connection_that_ended() {
    // Closing with unread input resets.
    let peer = Peer::new(|_, stream| {
        let mut byte = [0];
        stream.peek(&mut byte).unwrap();
    });
    assert_eq!(kind(post(&sender(), &peer.url())), FailureKind::ClosedEarly);
}

#[test]
fn heads_beyond_the_limits() {
    let flood = |line: &'static [u8]| {
        let peer = Peer::new(move |_, mut stream| {
            read_request(&mut stream).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n").unwrap();
            while stream.write_all(line).is_ok() {}
        });
        let failure = failure(post(&sender(), &peer.url()));
        assert!(failure.message.contains("32 KB") && failure.message.contains("128 fields"), "{failure}");
        failure.kind
    };
    assert_eq!(flood(b"x-long: value\r\n"), FailureKind::HeadTooLarge);
    assert_eq!(flood(b"xxxxxxxxxxxxxx"), FailureKind::HeadTooLarge);
    let fields = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(129)).leak().as_bytes();
    assert_eq!(of(fields).kind, FailureKind::HeadTooLarge);
}

#[test]
fn endless_interim_answers_end_by_the_limit() {
    let peer = Peer::new(move |_, mut stream| {
        read_request(&mut stream).unwrap();
        while stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").is_ok() {}
    });
    assert_eq!(kind(post(&sender(), &peer.url())), FailureKind::HeadTooLarge);
}

#[test]
fn time_that_passes_before_the_first_byte_and_between_the_headers() {
    let silent = Peer::answering_once(b"");
    let failure = failure(post_briefly(&sender(), &silent.url()));
    assert_eq!(failure.kind, FailureKind::WaitTimeout);
    assert!(failure.kind.is_timeout() && !failure.kind.is_ours());
    let slow = Peer::answering_once(b"HTTP/1.1 200 OK\r\nx-a: ");
    assert_eq!(kind(post_briefly(&sender(), &slow.url())), FailureKind::HeadTimeout);
    let interim = Peer::answering_once(b"HTTP/1.1 102 Processing\r\n\r\n");
    assert_eq!(kind(post_briefly(&sender(), &interim.url())), FailureKind::HeadTimeout);
}

#[test]
fn time_that_passes_while_headers_trickle_in() {
    let peer = Peer::new(move |_, mut stream| {
        read_request(&mut stream).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nx-slow: ").unwrap();
        // A byte whenever a tenth of the time has passed without the other side closing.
        let (_alive, pace) = mpsc::channel::<()>();
        while stream.write_all(b"x").is_ok() {
            pace.recv_timeout(SHORT / 10).unwrap_err();
        }
    });
    assert_eq!(kind(post_briefly(&sender(), &peer.url())), FailureKind::HeadTimeout);
}

#[test]
fn time_that_passes_while_the_request_is_being_sent() {
    let peer = Peer::new(|_, mut stream| {
        let (_alive, never) = mpsc::channel::<()>();
        never.recv_timeout(LONG).unwrap_err();
        close(&mut stream);
    });
    let body = vec![b'x'; 32 * 1024 * 1024];
    let sent = post_as(&sender(), &peer.url(), (1, 1), &body, SHORT);
    assert!(sent.duration < LONG, "it ended late, after {:?}", sent.duration);
    assert_eq!(kind(sent), FailureKind::SendTimeout);
}

#[test]
fn time_that_passes_while_connecting() {
    let Deaf { address, .. } = &Deaf::at(SocketAddr::from(([127, 0, 0, 1], 0)));
    let failure = failure(post_briefly(&sender(), &format!("http://{address}/")));
    assert_eq!(failure.kind, FailureKind::ConnectTimeout);
    assert!(failure.message.contains(&address.to_string()));
}

#[test]
fn the_next_address_is_tried_when_one_does_not_answer() {
    let peer = Peer::answering(super::peer::OK);
    let mut config = config();
    config.lookup = Names::new(&[("two.test", &["127.0.0.99", "127.0.0.1"])]);
    let sent = post(&Sender::new(config).unwrap(), &format!("http://two.test:{}/", peer.address.port()));
    assert_eq!(sent.address, Some(peer.address));
    assert_eq!(status(sent), 200);
}

#[test]
fn a_header_that_http_does_not_allow_cannot_be_sent() {
    let peer = Peer::answering(super::peer::OK);
    let url = target(&peer.url());
    let headers = [(HeaderName::from_static("content-length"), HeaderValue::from_static("many"))];
    let request = Request {
        endpoint: EndpointId(1),
        revision: 1,
        target: &url,
        headers: &headers,
        body: b"{}",
        timeout: LONG,
    };
    assert_eq!(kind(sender().send(&request)), FailureKind::Unsendable);
}
