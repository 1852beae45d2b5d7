//! Any bytes for an answer, through a real sender: the outcome is what the head says, whatever comes behind it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use postrider::domain::address::{AllowedNet, Policy};
use postrider::domain::ids::EndpointId;
use postrider::domain::target::{Target, TargetRules};
use postrider::sender::head::{Head, HeadScan, Step};
use postrider::sender::{FailureKind, Request, Sender, SenderConfig};

/// Long enough to never pass while a peer on this machine sends and closes.
const TIMEOUT: Duration = Duration::from_secs(20);

#[test]
fn answers() {
    let (answer, peer) = peer();
    let policy = Policy {
        allow: vec![AllowedNet { net: "127.0.0.0/8".parse().expect("a network"), port: None }],
        own: vec![],
    };
    let sender = Sender::new(SenderConfig { policy, ..SenderConfig::default() }).expect("a sender");
    let url = format!("http://{peer}/");
    let target = Target::parse(&url, TargetRules { allow_http: true }).expect("a target");
    super::driver::run("heads", |bytes| {
        let (piece, bytes) = bytes.split_first().map_or((1, bytes), |(piece, rest)| (*piece, rest));
        answer.send((usize::from(piece), bytes.to_vec())).expect("a peer");
        let request = Request {
            endpoint: EndpointId(1),
            revision: 1,
            target: &target,
            headers: &[],
            body: b"{}",
            timeout: TIMEOUT,
        };
        let sent = sender.send(&request);
        assert!(sent.duration < TIMEOUT, "it waited for more");
        match (expected(bytes), sent.result) {
            (Ok(Some(head)), Ok(answer)) => {
                assert_eq!((answer.status, &answer.headers), (head.status, &head.headers));
                assert!(answer.body.len() <= bytes.len(), "more than was sent");
            }
            (Ok(None), Err(failure)) => assert_eq!(failure.kind, FailureKind::ClosedEarly, "{failure}"),
            (Err(kind), Err(failure)) => assert_eq!(failure.kind, kind, "{failure}"),
            (expected, found) => panic!("expected {expected:?}, found {found:?}"),
        }
    });
}

/// What the head alone says.
fn expected(bytes: &[u8]) -> Result<Option<Head>, FailureKind> {
    let (mut scan, mut start) = (HeadScan::default(), 0);
    loop {
        match scan.step(&bytes[start..]).map_err(|failure| failure.kind)? {
            Step::Interim(length) => start += length,
            Step::Done(_, head) => return Ok(Some(head)),
            Step::More => return Ok(None),
        }
    }
}

/// Answers each connection with the next bytes, in pieces of the size that goes with them, and closes it.
fn peer() -> (SyncSender<(usize, Vec<u8>)>, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (answer, answers) = sync_channel(1);
    std::thread::spawn(move || serve(&listener, &answers));
    (answer, address)
}

fn serve(listener: &TcpListener, answers: &Receiver<(usize, Vec<u8>)>) {
    let mut request = [0; 4096];
    while let Ok((mut stream, _)) = listener.accept() {
        stream.set_nodelay(true).expect("a socket");
        // Head and body come in one write, which is not worth reading in pieces.
        let _ = stream.read(&mut request);
        let Ok((size, bytes)) = answers.recv() else { return };
        // The sender may have heard enough before it has heard all.
        let size = if size < 8 { bytes.len().max(1) } else { size };
        let told = bytes.chunks(size).try_for_each(|piece| stream.write_all(piece));
        if told.is_ok() {
            let _ = stream.shutdown(Shutdown::Write);
            while stream.read(&mut request).is_ok_and(|read| read > 0) {}
        }
    }
}
