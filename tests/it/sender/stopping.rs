//! The end of a sender.

use std::sync::mpsc;
use std::thread;

use super::peer::{OK, Peer, read_request, wait_for_close};
use super::*;

/// Says when its last owner, a thread of the resolver, has let go of it.
struct Farewell(mpsc::Sender<()>);

impl Lookup for Farewell {
    fn lookup(&self, _: &str) -> Result<Vec<IpAddr>, LookupError> {
        Ok(vec!["127.0.0.1".parse().unwrap()])
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.send(()).unwrap();
    }
}

#[test]
fn a_stop_abandons_what_waits_and_refuses_what_comes() {
    let (heard, arrivals) = mpsc::channel();
    let peer = Peer::new(move |_, mut stream| {
        read_request(&mut stream).unwrap();
        heard.send(()).unwrap();
        wait_for_close(&mut stream);
    });
    let sender = sender();
    let url = format!("http://receiver.test:{}/", peer.address.port());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| post(&sender, &url));
        arrivals.recv_timeout(LONG).unwrap();
        sender.stop();
        let failure = failure(waiting.join().unwrap());
        assert_eq!(failure.kind, FailureKind::Stopped);
        assert!(failure.kind.is_ours());
    });
    assert_eq!(kind(post(&sender, &url)), FailureKind::Stopped);
    assert_eq!(kind(post(&sender, &peer.url())), FailureKind::Stopped);
}

#[test]
fn a_dropped_sender_closes_its_connections_and_ends_its_threads() {
    let (gone, farewell) = mpsc::channel();
    let (closed, endings) = mpsc::channel();
    let peer = Peer::new(move |_, mut stream| {
        read_request(&mut stream).unwrap();
        std::io::Write::write_all(&mut stream, OK).unwrap();
        wait_for_close(&mut stream);
        closed.send(()).unwrap();
    });
    let lookup = Arc::new(Farewell(gone));
    let sender = Sender::new(SenderConfig { lookup, ..config() }).unwrap();
    answer(post(&sender, &format!("http://receiver.test:{}/", peer.address.port())));
    drop(sender);
    endings.recv_timeout(LONG).expect("the idle connection is closed");
    farewell.recv_timeout(LONG).expect("no thread is left");
}
