//! What only the inside can step: answers of the resolver that change between two requests.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use super::*;
use crate::domain::address::{AllowedNet, Policy};
use crate::domain::target::TargetRules;

const WAIT: Duration = Duration::from_secs(20);

struct Loopback;

impl Lookup for Loopback {
    fn lookup(&self, _: &str) -> Result<Vec<IpAddr>, LookupError> {
        Ok(vec![IpAddr::from([127, 0, 0, 1])])
    }
}

/// A receiver that answers every read with a 200, and says when a connection ended.
fn receiver() -> (u16, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (ended, ends) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, ended) = (stream.unwrap(), ended.clone());
            thread::spawn(move || {
                while stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
                }
                ended.send(()).unwrap_or_default();
            });
        }
    });
    (port, ends)
}

fn sender() -> Sender {
    let allow = vec![AllowedNet { net: "127.0.0.0/8".parse().unwrap(), port: None }];
    let policy = Policy { allow, own: Vec::new() };
    Sender::new(SenderConfig { policy, lookup: Arc::new(Loopback), ..SenderConfig::default() }).unwrap()
}

fn send(sender: &Sender, target: &Target) -> Result<u16, FailureKind> {
    let endpoint = crate::domain::ids::EndpointId(1);
    let request = Request { endpoint, revision: 1, target, headers: &[], body: b"{}", timeout: WAIT };
    sender.send(&request).result.map(|answer| answer.status).map_err(|failure| failure.kind)
}

fn rebind(sender: &Sender, ip: [u8; 4]) {
    sender.resolver.settle(&"rebound.test".into(), Ok(vec![IpAddr::from(ip)]));
}

#[test]
fn an_answer_that_changes_is_judged_again_and_closes_what_led_elsewhere() {
    let (port, ends) = receiver();
    let url = format!("http://rebound.test:{port}/");
    let target = Target::parse(&url, TargetRules { allow_http: true }).unwrap();
    let sender = sender();
    assert_eq!(sender.check(&target, WAIT), Check::Fine);
    assert_eq!(send(&sender, &target), Ok(200));
    rebind(&sender, [10, 0, 0, 1]);
    assert_eq!(send(&sender, &target), Err(FailureKind::Blocked), "the kept connection is no way around");
    assert!(matches!(sender.check(&target, WAIT), Check::Denied(_)));
    rebind(&sender, [127, 0, 0, 2]);
    assert_eq!(send(&sender, &target), Err(FailureKind::Refused), "the address in force is dialled");
    ends.recv_timeout(WAIT).expect("the connection to the old address is closed");
    rebind(&sender, [127, 0, 0, 1]);
    assert_eq!(send(&sender, &target), Ok(200));
}
