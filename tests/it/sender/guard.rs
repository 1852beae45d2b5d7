//! The guard, on the way of a request.

use std::net::UdpSocket;

use super::peer::{OK, Peer};
use super::*;

#[test]
fn one_denied_address_denies_the_name() {
    let names = Names::new(&[("mixed.test", &["127.0.0.1", "10.0.0.1"]), ("nat.test", &["64:ff9b::7f00:1"])]);
    let sender = with(&names, &["127.0.0.0/8"]);
    let peer = Peer::answering(OK);
    let mixed = failure(post(&sender, &format!("http://mixed.test:{}/", peer.address.port())));
    assert_eq!(mixed.kind, FailureKind::Blocked);
    assert!(
        mixed.message.contains("10.0.0.0/8") && mixed.message.contains("--allow-net 10.0.0.1/32"),
        "{mixed}"
    );
    assert_eq!(peer.connections(), 0);
    assert_eq!(kind(post(&sender, "http://nat.test/")), FailureKind::Blocked);
}

#[test]
fn a_denied_address_beyond_the_sixteenth_denies_the_name() {
    let mut addresses: Vec<String> = (1..=20).map(|last| format!("127.0.0.{last}")).collect();
    addresses.push("10.0.0.1".to_owned());
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let sender = with(&Names::new(&[("many.test", &addresses)]), &["127.0.0.0/8"]);
    assert_eq!(kind(post(&sender, "http://many.test:9999/")), FailureKind::Blocked);
}

#[test]
fn addresses_in_the_url_are_judged_in_every_spelling() {
    let sender = with(&Names::new(&[]), &[]);
    for host in
        ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "１０.0.0.1"]
    {
        assert_eq!(kind(post(&sender, &format!("http://{host}/"))), FailureKind::Blocked, "{host}");
    }
}

#[test]
fn names_that_are_never_public_are_fine_where_all_their_addresses_are_allowed() {
    let peer = Peer::answering(OK);
    let known: [(&str, &[&str]); 3] = [
        ("localhost", &["127.0.0.1"]),
        ("app.internal", &["8.8.8.8"]),
        ("half.local", &["127.0.0.1", "8.8.8.8"]),
    ];
    let names = Names::new(&known);
    let strict = with(&names, &[]);
    let blocked = failure(post(&strict, "http://localhost:9999/"));
    assert_eq!(blocked.kind, FailureKind::Blocked);
    assert!(blocked.message.contains("--allow-net"), "{blocked}");
    assert!(names.asked().is_empty(), "it is not even looked up");

    let dev = with(&names, &["127.0.0.0/8"]);
    assert_eq!(status(post(&dev, &format!("http://localhost:{}/", peer.address.port()))), 200);
    for name in ["app.internal", "half.local"] {
        assert_eq!(kind(post(&dev, &format!("http://{name}:9999/"))), FailureKind::Blocked, "{name}");
    }
}

#[test]
fn our_own_port_is_blocked_on_every_address_of_the_machine() {
    let peer = Peer::answering(OK);
    let port = peer.address.port();
    let own = |listen: &str, allowed: &[&str]| {
        let mut policy = allow(allowed);
        policy.own = vec![format!("{listen}:{port}").parse().unwrap()];
        Sender::new(SenderConfig { policy, ..SenderConfig::default() }).unwrap()
    };
    let url = peer.url();
    assert_eq!(kind(post(&own("127.0.0.1", &["127.0.0.0/8"]), &url)), FailureKind::Blocked);
    assert_eq!(kind(post(&own("0.0.0.0", &["127.0.0.0/8"]), &url)), FailureKind::Blocked);
    assert_eq!(kind(post(&own("[::]", &["127.0.0.0/8"]), &url)), FailureKind::Blocked);
    assert_eq!(status(post(&own("0.0.0.0", &[&format!("127.0.0.1/32:{port}")]), &url)), 200);
    assert_eq!(peer.connections(), 1);
    // An address of this machine that is not loopback, if it has one: found without sending anything.
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    if socket.connect("192.0.2.1:9").is_ok() {
        let here = socket.local_addr().unwrap().ip();
        let sent = post(&own("0.0.0.0", &["0.0.0.0/0"]), &format!("http://{here}:{port}/"));
        assert!(failure(sent).message.contains("Postrider itself listens"));
    }
}
