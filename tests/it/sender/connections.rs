//! Which connections are kept, and what happens when one has ended.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::peer::{OK, Peer, close, read_request, wait_for_close};
use super::*;

#[test]
fn a_connection_is_used_again_after_a_short_complete_answer() {
    let complete: [&'static [u8]; 5] = [
        OK,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\na",
    ];
    for bytes in complete {
        let peer = Peer::answering(bytes);
        let sender = sender();
        for round in 0..3 {
            let sent = post(&sender, &peer.url());
            assert_eq!(sent.phases.connect.is_none(), round > 0, "only the first connects");
            answer(sent);
        }
        assert_eq!((peer.connections(), sender.idle_connections()), (1, 1), "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_connection_is_not_used_again_after_anything_else() {
    let rest: [&'static [u8]; 5] = [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok and more",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1x\r\n\r\nok",
    ];
    for bytes in rest {
        let peer = Peer::answering_and_closing(bytes);
        let sender = sender();
        answer(post(&sender, &peer.url()));
        assert_eq!(sender.idle_connections(), 0, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_kept_connection_that_was_closed_meanwhile_is_not_used() {
    let (closed, waits) = mpsc::channel();
    let peer = Peer::new(move |number, mut stream| {
        read_request(&mut stream).unwrap();
        stream.write_all(OK).unwrap();
        if number == 0 {
            drop(stream);
            closed.send(()).unwrap();
        } else {
            wait_for_close(&mut stream);
        }
    });
    let sender = sender();
    answer(post(&sender, &peer.url()));
    waits.recv_timeout(LONG).unwrap();
    answer(post(&sender, &peer.url()));
    assert_eq!(peer.connections(), 2);
}

#[test]
fn a_kept_connection_with_something_unasked_on_it_is_not_used() {
    let (told, waits) = mpsc::channel();
    let peer = Peer::new(move |number, mut stream| {
        read_request(&mut stream).unwrap();
        stream.write_all(OK).unwrap();
        if number == 0 {
            // A server that gives up on an idle connection and says so.
            stream.write_all(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n").unwrap();
            told.send(()).unwrap();
        }
        wait_for_close(&mut stream);
    });
    let sender = sender();
    assert_eq!(status(post(&sender, &peer.url())), 200);
    waits.recv_timeout(LONG).unwrap();
    assert_eq!(status(post(&sender, &peer.url())), 200);
    assert_eq!(peer.connections(), 2);
}

#[test]
fn a_request_on_a_kept_connection_that_dies_unheard_is_sent_once_more() {
    let heard = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&heard);
    let peer = Peer::new(move |number, mut stream| {
        for round in 0.. {
            if read_request(&mut stream).is_none() {
                return;
            }
            count.fetch_add(1, Ordering::SeqCst);
            if number == 0 && round == 1 {
                return close(&mut stream);
            }
            stream.write_all(OK).unwrap();
        }
    });
    let sender = sender();
    assert_eq!(status(post(&sender, &peer.url())), 200);
    let sent = post(&sender, &peer.url());
    assert!(sent.phases.connect.is_some(), "the phases are those of the fresh connection");
    assert_eq!(status(sent), 200);
    assert_eq!((heard.load(Ordering::SeqCst), peer.connections()), (3, 2));
}

#[test]
fn a_request_is_not_sent_again_on_a_fresh_connection_or_after_the_first_byte() {
    let heard = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&heard);
    let peer = Peer::new(move |_, mut stream| {
        for round in 0.. {
            if read_request(&mut stream).is_none() {
                return;
            }
            count.fetch_add(1, Ordering::SeqCst);
            if round == 1 {
                stream.write_all(b"H").unwrap();
                return close(&mut stream);
            }
            stream.write_all(OK).unwrap();
        }
    });
    let sender = sender();
    answer(post(&sender, &peer.url()));
    assert_eq!(kind(post(&sender, &peer.url())), FailureKind::ClosedEarly);
    assert_eq!(heard.load(Ordering::SeqCst), 2);
    let rude = Peer::answering_and_closing(b"");
    assert_eq!(kind(post(&sender, &rude.url())), FailureKind::ClosedEarly);
    assert_eq!(rude.connections(), 1);
}

#[test]
fn the_second_try_keeps_the_deadline_of_the_first() {
    let peer = Peer::new(|number, mut stream| {
        read_request(&mut stream).unwrap();
        if number == 0 {
            stream.write_all(OK).unwrap();
            read_request(&mut stream).unwrap();
            return close(&mut stream);
        }
        wait_for_close(&mut stream);
    });
    let sender = sender();
    answer(post(&sender, &peer.url()));
    assert_eq!(kind(post_briefly(&sender, &peer.url())), FailureKind::WaitTimeout);
    assert_eq!(peer.connections(), 2);
}

#[test]
fn a_new_revision_closes_the_connections_of_the_old_one() {
    let (ended, ends) = mpsc::channel();
    let peer = Peer::new(move |number, mut stream| {
        while read_request(&mut stream).is_some() {
            stream.write_all(OK).unwrap();
        }
        ended.send(number).unwrap();
    });
    let sender = sender();
    answer(post_as(&sender, &peer.url(), (1, 1), b"{}", LONG));
    answer(post_as(&sender, &peer.url(), (2, 1), b"{}", LONG));
    assert_eq!(sender.idle_connections(), 2, "endpoints do not share connections");
    answer(post_as(&sender, &peer.url(), (1, 2), b"{}", LONG));
    assert_eq!(ends.recv_timeout(LONG), Ok(0));
    answer(post_as(&sender, &peer.url(), (1, 1), b"{}", LONG));
    assert_eq!(ends.recv_timeout(LONG), Ok(3), "a straggler of the old revision leaves nothing behind");
    assert_eq!(sender.idle_connections(), 2);
}

#[test]
fn an_idle_connection_is_closed_after_four_seconds() {
    let (ended, ends) = mpsc::channel();
    let peer = Peer::new(move |_, mut stream| {
        read_request(&mut stream).unwrap();
        // Before the answer: the other side may have it long before this thread gets its next turn.
        let idle = postrider::clock::Stopwatch::start();
        stream.write_all(OK).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        ended.send(idle.elapsed()).unwrap();
    });
    let sender = sender();
    answer(post(&sender, &peer.url()));
    let idle = ends.recv_timeout(LONG).unwrap();
    assert!(idle >= Duration::from_millis(3_900) && idle < LONG, "{idle:?}");
    assert_eq!(sender.idle_connections(), 0);
}

#[test]
fn a_bounded_number_of_connections_is_idle_and_the_oldest_go_first() {
    let (ended, ends) = mpsc::channel();
    let peer = Peer::new(move |number, mut stream| {
        while read_request(&mut stream).is_some() {
            stream.write_all(OK).unwrap();
        }
        ended.send(number).unwrap_or_default();
    });
    let sender = Sender::new(SenderConfig { idle_connections: 32, ..config() }).unwrap();
    for endpoint in 0..40 {
        answer(post_as(&sender, &peer.url(), (endpoint, 1), b"{}", LONG));
        assert!(sender.idle_connections() <= 32);
    }
    let mut first: Vec<usize> = (0..8).map(|_| ends.recv_timeout(LONG).unwrap()).collect();
    first.sort_unstable();
    assert_eq!(first, (0..8).collect::<Vec<_>>());
}

#[test]
fn many_threads_share_one_sender() {
    let peers: Vec<(Peer, mpsc::Receiver<Vec<u8>>)> = (0..3).map(|_| Peer::recording()).collect();
    let sender = sender();
    thread::scope(|scope| {
        for thread in 0..8 {
            let (sender, peers) = (&sender, &peers);
            let urls: Vec<String> = peers.iter().map(|(peer, _)| peer.url()).collect();
            scope.spawn(move || {
                for round in 0..50 {
                    let at = (thread + round) % urls.len();
                    let endpoint = (i64::try_from(at).unwrap(), 1);
                    let body = format!("{thread}-{round}");
                    assert_eq!(
                        answer(post_as(sender, &urls[at], endpoint, body.as_bytes(), LONG)).body,
                        b"ok"
                    );
                }
            });
        }
    });
    let heard: usize = peers.iter().map(|(_, requests)| requests.try_iter().count()).sum();
    assert_eq!(heard, 400, "each once");
    assert!(peers.iter().all(|(peer, _)| peer.connections() <= 8));
}
