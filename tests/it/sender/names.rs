//! Names, addresses and the guard.

use std::net::UdpSocket;
use std::sync::Barrier;
use std::sync::mpsc;
use std::thread;

use postrider::sender::Check;

use super::peer::{OK, Peer};
use super::*;

fn with(names: &Arc<Names>, allowed: &[&str]) -> Sender {
    let lookup = Arc::clone(names);
    Sender::new(SenderConfig {
        policy: allow(allowed),
        lookup,
        ..SenderConfig::default()
    })
    .unwrap()
}

/// Answers when told to.
struct Gate {
    open: Mutex<mpsc::Receiver<Result<Vec<IpAddr>, LookupError>>>,
    entered: Mutex<mpsc::Sender<()>>,
}

type Answers = mpsc::Sender<Result<Vec<IpAddr>, LookupError>>;

impl Gate {
    fn new() -> (Arc<Self>, Answers, mpsc::Receiver<()>) {
        let (answers, open) = mpsc::channel();
        let (entered, entries) = mpsc::channel();
        (
            Arc::new(Self {
                open: Mutex::new(open),
                entered: Mutex::new(entered),
            }),
            answers,
            entries,
        )
    }
}

impl Lookup for Gate {
    fn lookup(&self, _: &str) -> Result<Vec<IpAddr>, LookupError> {
        self.entered.lock().unwrap().send(()).unwrap();
        let found = self.open.lock().unwrap().recv();
        found.unwrap_or(Err(LookupError::NoSuchName))
    }
}

#[test]
fn a_name_is_looked_up_once_and_remembered() {
    let peer = Peer::answering(OK);
    let names = Names::new(&[("receiver.test", &["127.0.0.1"])]);
    let sender = with(&names, &["127.0.0.0/8"]);
    let url = format!("http://receiver.test:{}/", peer.address.port());
    let sent = post(&sender, &url);
    assert!(sent.phases.dns.is_some() && sent.address == Some(peer.address));
    assert_eq!(status(sent), 200);
    assert_eq!(status(post(&sender, &url)), 200);
    assert_eq!(names.asked(), ["receiver.test"]);
    assert_eq!(peer.connections(), 1);
}

#[test]
fn names_without_addresses_are_told_apart_from_resolvers_without_answers() {
    let names = Names::new(&[("receiver.test", &["127.0.0.1"])]);
    let trouble = || {
        Err(LookupError::Temporary(
            "Temporary failure in name resolution".to_owned(),
        ))
    };
    names.set("broken.test", trouble());
    names.set("other.test", trouble());
    let sender = with(&names, &["127.0.0.0/8"]);
    let missing = failure(post(&sender, "http://missing.test/"));
    assert_eq!(missing.kind, FailureKind::NameNotFound);
    assert_eq!(
        missing.message,
        "no such name: missing.test does not exist or has no address"
    );
    let broken = failure(post(&sender, "http://broken.test/"));
    assert_eq!(
        broken.kind,
        FailureKind::ResolverTrouble,
        "another name had an answer"
    );
    assert!(!broken.kind.is_ours() && broken.message.contains("Temporary failure in name resolution"));

    let silent = with(&names, &["127.0.0.0/8"]);
    post(&silent, "http://broken.test/").result.unwrap_err();
    let failure = failure(post(&silent, "http://other.test/"));
    assert_eq!(failure.kind, FailureKind::ResolverSilent);
    assert!(failure.kind.is_ours() && failure.message.contains("DNS"));
}

#[test]
fn the_deadline_holds_for_names_too() {
    let (gate, _answers, _entries) = Gate::new();
    let sender = Sender::new(SenderConfig {
        lookup: gate,
        ..SenderConfig::default()
    })
    .unwrap();
    let failure = failure(post_briefly(&sender, "http://slow.test/"));
    assert_eq!(failure.kind, FailureKind::ResolveTimeout);
    assert!(failure.kind.is_timeout());
}

#[test]
fn a_lookup_that_hangs_is_given_up_after_five_seconds() {
    let (gate, _answers, _entries) = Gate::new();
    let sender = Sender::new(SenderConfig {
        lookup: gate,
        ..SenderConfig::default()
    })
    .unwrap();
    let sent = post(&sender, "http://slow.test/");
    assert!(
        (4900..7000).contains(&sent.duration.as_millis()),
        "{:?}",
        sent.duration
    );
    assert!(failure(sent).message.contains("no answer within 5 s"));
}

#[test]
fn preparing_wakes_when_the_name_is_known() {
    let (gate, answers, entries) = Gate::new();
    let policy = allow(&["127.0.0.0/8"]);
    let sender = Sender::new(SenderConfig {
        policy,
        lookup: gate,
        ..SenderConfig::default()
    })
    .unwrap();
    let (woken, wakes) = mpsc::channel();
    let wake = |number: i32| {
        let woken = woken.clone();
        Box::new(move || woken.send(number).unwrap()) as Box<dyn FnOnce() + Send>
    };
    let name = target("http://receiver.test/");
    assert!(
        sender.prepare(&target("http://127.0.0.1/"), wake(0)),
        "an address needs no resolver"
    );
    assert!(!sender.prepare(&name, wake(1)));
    assert!(!sender.prepare(&name, wake(2)));
    entries.recv_timeout(LONG).unwrap();
    assert!(wakes.try_recv().is_err());
    answers.send(Ok(vec!["127.0.0.1".parse().unwrap()])).unwrap();
    assert_eq!(
        [wakes.recv_timeout(LONG), wakes.recv_timeout(LONG)],
        [Ok(1), Ok(2)]
    );
    assert!(sender.prepare(&name, wake(3)), "now it is known");
}

#[test]
fn preparing_what_is_known_to_fail_does_not_wait() {
    let names = Names::new(&[]);
    let sender = with(&names, &[]);
    assert!(sender.prepare(
        &target("http://printer.local/"),
        Box::new(|| panic!("it is blocked anyway"))
    ));
    assert!(names.asked().is_empty());
    let missing = target("https://missing.test/");
    post(&sender, missing.as_str()).result.unwrap_err();
    assert!(sender.prepare(&missing, Box::new(|| panic!("it is known"))));
}

#[test]
fn one_lookup_serves_all_who_wait_for_a_name() {
    let (gate, answers, entries) = Gate::new();
    let peer = Peer::answering(OK);
    let policy = allow(&["127.0.0.0/8"]);
    let sender = Sender::new(SenderConfig {
        policy,
        lookup: gate,
        ..SenderConfig::default()
    })
    .unwrap();
    let url = format!("http://receiver.test:{}/", peer.address.port());
    let start = Barrier::new(9);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                assert_eq!(status(post(&sender, &url)), 200);
            });
        }
        start.wait();
        entries.recv_timeout(LONG).unwrap();
        answers.send(Ok(vec!["127.0.0.1".parse().unwrap()])).unwrap();
    });
    assert!(entries.try_recv().is_err());
}

#[test]
fn one_denied_address_denies_the_name() {
    let names = Names::new(&[
        ("mixed.test", &["127.0.0.1", "10.0.0.1"]),
        ("nat.test", &["64:ff9b::7f00:1"]),
    ]);
    let sender = with(&names, &["127.0.0.0/8"]);
    let peer = Peer::answering(OK);
    let mixed = failure(post(
        &sender,
        &format!("http://mixed.test:{}/", peer.address.port()),
    ));
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
    assert_eq!(
        kind(post(&sender, "http://many.test:9999/")),
        FailureKind::Blocked
    );
}

#[test]
fn addresses_in_the_url_are_judged_in_every_spelling() {
    let sender = with(&Names::new(&[]), &[]);
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "１０.0.0.1",
    ] {
        assert_eq!(
            kind(post(&sender, &format!("http://{host}/"))),
            FailureKind::Blocked,
            "{host}"
        );
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
    assert_eq!(
        status(post(&dev, &format!("http://localhost:{}/", peer.address.port()))),
        200
    );
    for name in ["app.internal", "half.local"] {
        assert_eq!(
            kind(post(&dev, &format!("http://{name}:9999/"))),
            FailureKind::Blocked,
            "{name}"
        );
    }
}

#[test]
fn our_own_port_is_blocked_on_every_address_of_the_machine() {
    let peer = Peer::answering(OK);
    let port = peer.address.port();
    let own = |listen: &str, allowed: &[&str]| {
        let mut policy = allow(allowed);
        policy.own = vec![format!("{listen}:{port}").parse().unwrap()];
        Sender::new(SenderConfig {
            policy,
            ..SenderConfig::default()
        })
        .unwrap()
    };
    let url = peer.url();
    assert_eq!(
        kind(post(&own("127.0.0.1", &["127.0.0.0/8"]), &url)),
        FailureKind::Blocked
    );
    assert_eq!(
        kind(post(&own("0.0.0.0", &["127.0.0.0/8"]), &url)),
        FailureKind::Blocked
    );
    assert_eq!(
        kind(post(&own("[::]", &["127.0.0.0/8"]), &url)),
        FailureKind::Blocked
    );
    assert_eq!(
        status(post(&own("0.0.0.0", &[&format!("127.0.0.1/32:{port}")]), &url)),
        200
    );
    assert_eq!(peer.connections(), 1);
    // An address of this machine that is not loopback, if it has one: found without sending anything.
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    if socket.connect("192.0.2.1:9").is_ok() {
        let here = socket.local_addr().unwrap().ip();
        let sent = post(&own("0.0.0.0", &["0.0.0.0/0"]), &format!("http://{here}:{port}/"));
        assert!(failure(sent).message.contains("Postrider itself listens"));
    }
}

#[test]
fn a_target_is_checked_for_saving() {
    let (gate, _answers, _entries) = Gate::new();
    let names = Names::new(&[
        ("good.test", &["8.8.8.8"]),
        ("bad.test", &["8.8.8.8", "192.168.0.1"]),
    ]);
    let sender = with(&names, &[]);
    let check = |url: &str| sender.check(&target(url), LONG);
    assert_eq!(check("https://good.test/"), Check::Fine);
    assert_eq!(check("https://8.8.8.8/"), Check::Fine);
    assert!(matches!(check("https://bad.test/"), Check::Denied(why) if why.contains("192.168.0.0/16")));
    assert!(matches!(check("https://localhost/"), Check::Denied(why) if why.contains("localhost")));
    assert!(matches!(check("https://10.1.2.3/"), Check::Denied(why) if why.contains("--allow-net")));
    assert!(matches!(check("https://missing.test/"), Check::Unresolved(why) if why.contains("no such name")));
    let slow = Sender::new(SenderConfig {
        lookup: gate,
        ..SenderConfig::default()
    })
    .unwrap();
    assert!(matches!(
        slow.check(&target("https://slow.test/"), SHORT),
        Check::Unresolved(_)
    ));
}

#[test]
fn the_system_knows_localhost_and_no_invalid_names() {
    let lookup = postrider::sender::SystemLookup;
    let found = lookup.lookup("localhost").unwrap();
    assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback));
    let mut once = found.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), found.len(), "each address once");
    assert!(lookup.lookup("name.invalid").is_err());
}
