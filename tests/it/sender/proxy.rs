//! The egress proxy.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;

use postrider::config::{Config, Environment, Flags};
use postrider::sender::EgressProxy;

use super::peer::{Deaf, OK, Peer, read_request, wait_for_close};
use super::*;

/// A proxy that does as it is asked, and hands over the CONNECT requests.
fn proxy() -> (Peer, mpsc::Receiver<String>) {
    let (heard, requests) = mpsc::channel();
    let peer = Peer::new(move |_, mut client| {
        let request = String::from_utf8(read_request(&mut client).unwrap()).unwrap();
        let address = request.split(' ').nth(1).unwrap().to_owned();
        heard.send(request).unwrap();
        let Ok(mut server) = TcpStream::connect(address) else {
            return client.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").unwrap();
        };
        client.write_all(b"HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n").unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        thread::spawn(move || pass(&mut from, &mut to));
        pass(&mut server, &mut client);
    });
    (peer, requests)
}

fn pass(from: &mut TcpStream, to: &mut TcpStream) {
    let mut chunk = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        if to.write_all(&chunk[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
}

/// A proxy as the program reads it.
fn read(url: &str) -> EgressProxy {
    let variables = Environment::of(&[("POSTRIDER_EGRESS_PROXY", url)]);
    let proxy = Config::read(Flags::default(), &variables).unwrap().egress_proxy.unwrap();
    EgressProxy::new(&proxy.host, proxy.port, proxy.authorization.map(|login| login.expose().to_owned()))
}

fn through(proxy: &str, allowed: &[&str]) -> Sender {
    let names: [(&str, &[&str]); 3] =
        [("receiver.test", &["127.0.0.1"]), ("proxy.test", &["127.0.0.1"]), ("bad.test", &["10.0.0.1"])];
    let config = SenderConfig {
        policy: allow(allowed),
        egress_proxy: Some(read(proxy)),
        lookup: Names::new(&names),
        ..SenderConfig::default()
    };
    Sender::new(config).unwrap()
}

fn answering(answer: &'static [u8]) -> Failure {
    let proxy = Peer::answering_once(answer);
    let sender = through(&format!("http://{}", proxy.address), &["127.0.0.0/8"]);
    failure(post(&sender, "http://receiver.test:9999/"))
}

#[test]
fn the_tunnel_leads_to_the_checked_address_for_http_too_and_is_kept() {
    let (peer, requests) = Peer::recording();
    let (proxy, connects) = proxy();
    let sender = through(&format!("http://us:word@proxy.test:{}", proxy.address.port()), &["127.0.0.0/8"]);
    let url = format!("http://receiver.test:{}/hook", peer.address.port());
    for round in 0..2 {
        let sent = post(&sender, &url);
        assert_eq!(sent.address, Some(peer.address), "the target's, not the proxy's");
        assert_eq!(sent.phases.connect.is_some(), round == 0);
        assert_eq!(status(sent), 200);
        let request = String::from_utf8(requests.recv().unwrap()).unwrap();
        assert!(request.starts_with("POST /hook HTTP/1.1\r\n"), "{request}");
        assert!(!request.to_lowercase().contains("proxy-"), "the login stays at the proxy");
    }
    let at = peer.address;
    let expected =
        format!("CONNECT {at} HTTP/1.1\r\nhost: {at}\r\nproxy-authorization: Basic dXM6d29yZA==\r\n\r\n");
    assert_eq!(connects.try_iter().collect::<Vec<_>>(), [expected]);
}

#[test]
fn targets_are_judged_although_a_proxy_would_dial_them_and_the_proxy_is_exempt() {
    let (proxy, connects) = proxy();
    let sender = through(&format!("http://{}", proxy.address), &[]);
    assert_eq!(kind(post(&sender, "http://bad.test/")), FailureKind::Blocked);
    assert_eq!(kind(post(&sender, "http://127.0.0.1:9999/")), FailureKind::Blocked);
    assert!(connects.try_recv().is_err());
}

#[test]
fn a_proxy_that_cannot_be_reached_is_our_trouble() {
    let (_closed, closed) = port::closed();
    for proxy in [format!("http://{closed}"), "http://missing.test:3128".to_owned()] {
        let sender = through(&proxy, &["127.0.0.0/8"]);
        let failure = failure(post(&sender, "http://receiver.test:9999/"));
        assert_eq!(failure.kind, FailureKind::ProxyUnreachable, "{failure}");
        assert!(failure.kind.is_ours() && failure.message.contains("egress proxy"));
    }
    assert_eq!(answering(b"SSH-2.0-x\r\n\r\n").kind, FailureKind::ProxyUnreachable);
    let rude = Peer::answering_and_closing(b"");
    let sender = through(&format!("http://{}", rude.address), &["127.0.0.0/8"]);
    assert_eq!(kind(post(&sender, "http://receiver.test:9999/")), FailureKind::ProxyUnreachable);
}

#[test]
fn the_next_address_of_a_proxy_is_tried_in_time_and_one_with_none_that_answers_is_our_trouble() {
    let (peer, (proxy, connects)) = (Peer::answering(OK), proxy());
    let port = proxy.address.port();
    let _deaf = Deaf::at(SocketAddr::from(([127, 0, 0, 2], port)));
    let through = |addresses: &[&str]| {
        let config = SenderConfig {
            policy: allow(&["127.0.0.0/8"]),
            egress_proxy: Some(read(&format!("http://proxy.test:{port}"))),
            lookup: Names::new(&[("proxy.test", addresses)]),
            ..SenderConfig::default()
        };
        Sender::new(config).unwrap()
    };
    let briefly = |sender: &Sender| post_as(sender, &peer.url(), (1, 1), b"{}", Duration::from_secs(8));
    assert_eq!(status(briefly(&through(&["127.0.0.2", "127.0.0.1"]))), 200);
    assert_eq!(connects.try_iter().count(), 1);
    let sent = briefly(&through(&["127.0.0.2", "127.0.0.2"]));
    assert!(
        sent.duration < Duration::from_secs(14),
        "within its time limit, not that for each: {:?}",
        sent.duration
    );
    let failure = failure(sent);
    assert_eq!(failure.kind, FailureKind::ProxyUnreachable, "{failure}");
}

#[test]
fn a_proxy_that_refuses_us_is_our_trouble_and_one_that_cannot_connect_is_not() {
    let login = answering(b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n");
    assert_eq!(login.kind, FailureKind::ProxyRefused);
    assert!(login.kind.is_ours() && login.message.contains("407 Proxy Authentication Required"), "{login}");
    assert_eq!(answering(b"HTTP/1.1 403 Forbidden\r\n\r\n").kind, FailureKind::ProxyRefused);
    let dead = answering(b"HTTP/1.1 503 Service Unavailable\r\n\r\n");
    assert_eq!(dead.kind, FailureKind::ProxyCouldNotConnect);
    assert!(!dead.kind.is_ours() && dead.message.contains("127.0.0.1:9999"), "{dead}");
}

#[test]
fn a_proxy_that_never_answers_is_a_target_that_is_not_reached() {
    let silent = Peer::new(|_, mut stream| wait_for_close(&mut stream));
    let sender = through(&format!("http://{}", silent.address), &["127.0.0.0/8"]);
    assert_eq!(kind(post_briefly(&sender, "http://receiver.test:9999/")), FailureKind::ConnectTimeout);
}

#[test]
fn a_target_that_speaks_first_is_not_http() {
    assert_eq!(answering(b"HTTP/1.1 200 OK\r\n\r\nSSH-2.0-x\r\n").kind, FailureKind::NotHttp);
}

#[test]
fn an_endless_answer_of_the_proxy_is_cut() {
    let proxy = Peer::new(|_, mut stream| {
        read_request(&mut stream).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n").unwrap();
        while stream.write_all(b"x: y\r\n").is_ok() {}
    });
    let sender = through(&format!("http://{}", proxy.address), &["127.0.0.0/8"]);
    assert_eq!(kind(post(&sender, "http://receiver.test:9999/")), FailureKind::ProxyUnreachable);
}

#[test]
fn without_the_option_no_proxy_is_used() {
    let peer = Peer::answering(OK);
    let sent = post(&sender(), &peer.url());
    assert_eq!((sent.address, status(sent)), (Some(peer.address), 200));
}
