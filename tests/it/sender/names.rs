//! Names and the resolver.

use std::sync::Barrier;
use std::sync::mpsc;
use std::thread;

use postrider::sender::Check;

use super::peer::{OK, Peer};
use super::*;

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
        (Arc::new(Self { open: Mutex::new(open), entered: Mutex::new(entered) }), answers, entries)
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
    let trouble = || Err(LookupError::Temporary("Temporary failure in name resolution".to_owned()));
    names.set("broken.test", trouble());
    names.set("other.test", trouble());
    let sender = with(&names, &["127.0.0.0/8"]);
    let missing = failure(post(&sender, "http://missing.test/"));
    assert_eq!(missing.kind, FailureKind::NameNotFound);
    assert_eq!(missing.message, "no such name: missing.test does not exist or has no address");
    let broken = failure(post(&sender, "http://broken.test/"));
    assert_eq!(broken.kind, FailureKind::ResolverTrouble, "another name had an answer");
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
    let sender = Sender::new(SenderConfig { lookup: gate, ..SenderConfig::default() }).unwrap();
    let failure = failure(post_briefly(&sender, "http://slow.test/"));
    assert_eq!(failure.kind, FailureKind::ResolveTimeout);
    assert!(failure.kind.is_timeout());
}

#[test]
fn a_lookup_that_hangs_is_given_up_after_five_seconds() {
    let (gate, _answers, _entries) = Gate::new();
    let sender = Sender::new(SenderConfig { lookup: gate, ..SenderConfig::default() }).unwrap();
    let sent = post(&sender, "http://slow.test/");
    assert!(sent.duration >= Duration::from_millis(4_900) && sent.duration < LONG, "{:?}", sent.duration);
    assert!(failure(sent).message.contains("no answer within 5 s"));
}

#[test]
fn preparing_wakes_when_the_name_is_known() {
    let (gate, answers, entries) = Gate::new();
    let policy = allow(&["127.0.0.0/8"]);
    let sender = Sender::new(SenderConfig { policy, lookup: gate, ..SenderConfig::default() }).unwrap();
    let (woken, wakes) = mpsc::channel();
    let wake = |number: i32| {
        let woken = woken.clone();
        Box::new(move || woken.send(number).unwrap()) as Box<dyn FnOnce() + Send>
    };
    let name = target("http://receiver.test/");
    assert!(sender.prepare(&target("http://127.0.0.1/"), wake(0)), "an address needs no resolver");
    assert!(!sender.prepare(&name, wake(1)));
    assert!(!sender.prepare(&name, wake(2)));
    entries.recv_timeout(LONG).unwrap();
    assert!(wakes.try_recv().is_err());
    answers.send(Ok(vec!["127.0.0.1".parse().unwrap()])).unwrap();
    assert_eq!([wakes.recv_timeout(LONG), wakes.recv_timeout(LONG)], [Ok(1), Ok(2)]);
    assert!(sender.prepare(&name, wake(3)), "now it is known");
}

#[test]
fn preparing_what_is_known_to_fail_does_not_wait() {
    let names = Names::new(&[]);
    let sender = with(&names, &[]);
    assert!(sender.prepare(&target("http://printer.local/"), Box::new(|| panic!("it is blocked anyway"))));
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
    let sender = Sender::new(SenderConfig { policy, lookup: gate, ..SenderConfig::default() }).unwrap();
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
fn a_target_is_checked_for_saving() {
    let (gate, _answers, _entries) = Gate::new();
    let names = Names::new(&[("good.test", &["8.8.8.8"]), ("bad.test", &["8.8.8.8", "192.168.0.1"])]);
    let sender = with(&names, &[]);
    let check = |url: &str| sender.check(&target(url), LONG);
    assert_eq!(check("https://good.test/"), Check::Fine);
    assert_eq!(check("https://8.8.8.8/"), Check::Fine);
    assert!(matches!(check("https://bad.test/"), Check::Denied(why) if why.contains("192.168.0.0/16")));
    assert!(matches!(check("https://localhost/"), Check::Denied(why) if why.contains("localhost")));
    assert!(matches!(check("https://10.1.2.3/"), Check::Denied(why) if why.contains("--allow-net")));
    assert!(matches!(check("https://missing.test/"), Check::Unresolved(why) if why.contains("no such name")));
    let slow = Sender::new(SenderConfig { lookup: gate, ..SenderConfig::default() }).unwrap();
    assert!(matches!(slow.check(&target("https://slow.test/"), SHORT), Check::Unresolved(_)));
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
