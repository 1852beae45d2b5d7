//! What comes back: decided by the head alone, within limits.

use std::io::{Read, Write};
use std::sync::mpsc;

use super::peer::{OK, Peer, read_request};
use super::*;

fn of(bytes: &'static [u8]) -> Answer {
    let peer = Peer::answering_and_closing(bytes);
    answer(post(&sender(), &peer.url()))
}

#[test]
fn a_request_is_one_write_with_all_its_headers_and_the_body_byte_for_byte() {
    let (first, reads) = mpsc::channel();
    let peer = Peer::new(move |_, mut stream| {
        let mut bytes = vec![0; 65536];
        let count = stream.read(&mut bytes).unwrap();
        first.send(bytes[..count].to_vec()).unwrap();
        stream.write_all(OK).unwrap();
    });
    let body = br#"{"data":  12345678901234567890 }"#;
    let sent = post_as(&sender(), &format!("{}?a=b", peer.url()), (1, 1), body, LONG);
    assert_eq!(sent.address, Some(peer.address));
    let phases = sent.phases;
    assert!(phases.connect.is_some() && phases.wait.is_some() && phases.read.is_some());
    assert!(phases.dns.is_none() && phases.tls.is_none(), "an address, without TLS");
    let answer = answer(sent);
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"ok"[..]));
    assert_eq!(answer.headers, [("content-length".to_owned(), b"2".to_vec())]);

    let request = String::from_utf8(reads.recv().unwrap()).unwrap();
    let (head, got) = request.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines.remove(0), "POST /hook?a=b HTTP/1.1");
    lines.sort_unstable();
    let host = format!("host: {}", peer.address);
    let expected = [
        "content-length: 32",
        "content-type: application/json",
        &host,
        "user-agent: Postrider/test",
        "webhook-id: evt_1",
    ];
    assert_eq!(lines, expected, "nothing else");
    assert_eq!(got.as_bytes(), body);
}

#[test]
fn large_and_empty_bodies_arrive_whole() {
    let (peer, requests) = Peer::recording();
    let sender = sender();
    for size in [0, 1, 16 * 1024, 300_000] {
        let body: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect();
        assert_eq!(status(post_as(&sender, &peer.url(), (1, 1), &body, LONG)), 200);
        let request = requests.recv().unwrap();
        assert!(request.ends_with(&body) && request.len() > size, "{size}");
    }
    assert_eq!(peer.connections(), 1);
}

#[test]
fn the_status_decides_whatever_is_wrong_with_the_body() {
    let broken: [&[u8]; 8] = [
        b"HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\n\r\ncut",
        b"HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\nnonsense",
        b"HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 202 Accepted\r\ncontent-length: abc\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"HTTP/1.1 202 Accepted\r\ntransfer-encoding: wild, chunked\r\ncontent-length: 3\r\n\r\nabc",
        b"HTTP/1.1 202 Accepted\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc",
    ];
    for bytes in broken {
        assert_eq!(of(bytes).status, 202, "{}", bytes.escape_ascii());
    }
    assert_eq!(of(broken[0]).body, b"cut");
    assert_eq!(of(broken[7]).body, b"abc", "nothing is decompressed");
}

#[test]
fn a_body_that_never_comes_or_never_ends_takes_no_longer_than_the_deadline() {
    let hanging = Peer::answering_once(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome");
    let sent = post_briefly(&sender(), &hanging.url());
    assert!(sent.duration >= SHORT);
    assert_eq!(answer(sent).body, b"some");
}

#[test]
fn an_endless_body_is_read_up_to_64_kb_and_kept_up_to_2_kb() {
    let (closed, written) = mpsc::channel();
    let peer = Peer::new(move |_, mut stream| {
        read_request(&mut stream).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        while stream.write_all(&[b'x'; 1024]).is_ok() {}
        closed.send(()).unwrap();
    });
    let sender = sender();
    let answer = answer(post(&sender, &peer.url()));
    assert_eq!(answer.body, vec![b'x'; 2048]);
    written.recv_timeout(LONG).expect("the connection is closed");
    assert_eq!(sender.idle_connections(), 0);
}

#[test]
fn chunks_of_one_byte_are_read_no_further_than_64_kb_on_the_wire() {
    let peer = Peer::new(move |_, mut stream| {
        read_request(&mut stream).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
        while stream.write_all(b"1;extension=long\r\nx\r\n").is_ok() {}
    });
    assert_eq!(answer(post(&sender(), &peer.url())).body, vec![b'x'; 2048]);
}

#[test]
fn redirects_are_answers() {
    let moved = of(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(moved.status, 302);
    let moved = of(b"HTTP/1.1 308 Permanent\r\nlocation: /other\r\ncontent-length: 3\r\n\r\nabc");
    assert_eq!((moved.status, moved.body.as_slice()), (308, &b"abc"[..]));
}

#[test]
fn interim_answers_are_skipped() {
    let answer = of(
        b"HTTP/1.1 100 Continue\r\nx-a: fields are allowed\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n\
          HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nhi",
    );
    assert_eq!((answer.status, answer.body.as_slice()), (201, &b"hi"[..]));
    assert_eq!(answer.headers.len(), 1, "those of the last head");
}

#[test]
fn any_status_is_an_answer_and_old_or_odd_servers_are_understood() {
    assert_eq!(of(b"HTTP/1.0 500 Oops\r\n\r\nbody until the end").body, b"body until the end");
    assert_eq!(of(b"HTTP/1.1 410 \r\n\r\n").status, 410);
    assert_eq!(of(b"HTTP/1.1 204\r\n\r\n").status, 204);
    assert_eq!(of(b"HTTP/1.1 999 Strange\r\n\r\n").status, 999);
    assert_eq!(of(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n").status, 101);
    assert_eq!(of(b"\r\nHTTP/1.1 200 OK\nA: b\n\n").headers, [("a".to_owned(), b"b".to_vec())]);
}

#[test]
fn an_answer_that_comes_before_the_body_was_read_counts() {
    let peer = Peer::new(|_, mut stream| {
        let mut some = [0; 1000];
        stream.read_exact(&mut some).unwrap();
        stream.write_all(b"HTTP/1.1 413 Too Large\r\nconnection: close\r\n\r\n").unwrap();
    });
    let body = vec![b'x'; 32 * 1024 * 1024];
    assert_eq!(status(post_as(&sender(), &peer.url(), (1, 1), &body, LONG)), 413);
}

#[test]
fn an_answer_to_a_body_that_is_never_read_counts_at_the_deadline() {
    let peer = Peer::new(|_, mut stream| {
        stream.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n").unwrap();
        let (_alive, never) = mpsc::channel::<()>();
        never.recv_timeout(LONG).unwrap_err();
    });
    let body = vec![b'x'; 32 * 1024 * 1024];
    let sent = post_as(&sender(), &peer.url(), (1, 1), &body, SHORT);
    assert!(sent.duration < LONG, "it ended late, after {:?}", sent.duration);
    assert_eq!(status(sent), 413);
}
