//! TLS towards receivers, and its faults.

use std::io::{Read, Write};
use std::net::TcpStream;

use postrider::sender::CertificateDer;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::peer::{OK, Peer, close, read_request, wait_for_close};
use super::*;

pub type Authority = CertifiedIssuer<'static, KeyPair>;
type Stream = StreamOwned<ServerConnection, TcpStream>;

pub fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

pub fn identity(params: &CertificateParams, authority: Option<&Authority>) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let certificate = match authority {
        Some(authority) => params.signed_by(&key, authority).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth();
    Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap())
}

pub fn named(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

fn serve(config: Arc<ServerConfig>, script: impl Fn(usize, &mut Stream) + Send + Sync + 'static) -> Peer {
    Peer::new(move |number, stream| {
        let session = ServerConnection::new(Arc::clone(&config)).unwrap();
        script(number, &mut StreamOwned::new(session, stream));
    })
}

/// Says this to each request, and ends the connection without a word of TLS.
pub fn saying(config: Arc<ServerConfig>, answer: &'static [u8]) -> Peer {
    serve(config, move |_, stream| {
        if read_request(stream).is_some() {
            stream.write_all(answer).unwrap();
            close(&mut stream.sock);
        }
    })
}

fn answering(config: Arc<ServerConfig>) -> Peer {
    serve(config, |_, stream| {
        while read_request(stream).is_some() {
            stream.write_all(OK).unwrap();
        }
    })
}

fn trusting(authority: &Authority) -> Sender {
    let extra_ca = vec![authority.der().clone()];
    Sender::new(SenderConfig { extra_ca, ..config() }).unwrap()
}

fn url(peer: &Peer) -> String {
    format!("https://receiver.test:{}/hook", peer.address.port())
}

fn fault(params: &CertificateParams) -> Failure {
    let authority = authority();
    let peer = answering(identity(params, Some(&authority)));
    failure(post(&trusting(&authority), &url(&peer)))
}

#[test]
fn a_private_authority_is_trusted_and_tls_connections_are_kept() {
    let authority = authority();
    let peer = answering(identity(&named("receiver.test"), Some(&authority)));
    let sender = trusting(&authority);
    let first = post(&sender, &url(&peer));
    assert!(first.phases.tls.is_some());
    assert_eq!(answer(first).body, b"ok");
    let second = post_as(&sender, &url(&peer), (1, 1), &vec![b'x'; 300_000], LONG);
    assert!(second.phases.tls.is_none() && second.phases.connect.is_none());
    assert_eq!(status(second), 200);
    assert_eq!(peer.connections(), 1);
}

#[test]
fn a_certificate_for_an_address_is_accepted() {
    let authority = authority();
    let peer = answering(identity(&named("127.0.0.1"), Some(&authority)));
    assert_eq!(status(post(&trusting(&authority), &format!("https://{}/", peer.address))), 200);
}

#[test]
fn an_expired_certificate() {
    let mut params = named("receiver.test");
    params.not_after = date_time_ymd(2020, 2, 3);
    let failure = fault(&params);
    assert_eq!(failure.kind, FailureKind::CertificateExpired);
    assert!(failure.message.contains("expired on 2020-02-03"), "{failure}");
}

#[test]
fn a_certificate_of_the_future() {
    let mut params = named("receiver.test");
    params.not_before = date_time_ymd(4000, 1, 1);
    let failure = fault(&params);
    assert_eq!(failure.kind, FailureKind::CertificateExpired);
    assert!(failure.message.contains("not valid before 4000-01-01"), "{failure}");
}

#[test]
fn a_certificate_for_another_name() {
    let failure = fault(&named("other.test"));
    assert_eq!(failure.kind, FailureKind::CertificateOtherName);
    assert!(failure.message.contains("other.test") && failure.message.contains("receiver.test"), "{failure}");
}

#[test]
fn a_certificate_by_an_unknown_authority() {
    let peer = answering(identity(&named("receiver.test"), Some(&authority())));
    let unknown = failure(post(&sender(), &url(&peer)));
    assert_eq!(unknown.kind, FailureKind::CertificateUnknownAuthority);
    assert!(unknown.message.contains("--extra-ca"), "{unknown}");
    let own = answering(identity(&named("receiver.test"), None));
    assert_eq!(kind(post(&sender(), &url(&own))), FailureKind::CertificateUnknownAuthority);
    let mut params = named("receiver.test");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = answering(identity(&params, None));
    assert_eq!(kind(post(&sender(), &url(&own))), FailureKind::CertificateUnknownAuthority);
}

#[test]
fn a_port_that_does_not_speak_tls() {
    let plain = Peer::new(|_, mut stream| {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        close(&mut stream);
    });
    let failure = failure(post(&sender(), &url(&plain)));
    assert_eq!(failure.kind, FailureKind::Tls);
    assert!(failure.message.contains("does not speak TLS"), "{failure}");
}

#[test]
fn a_handshake_that_ends_early_or_never() {
    let rude = Peer::new(|_, stream| drop(stream));
    assert_eq!(kind(post(&sender(), &url(&rude))), FailureKind::Tls);
    let silent = Peer::new(|_, mut stream| wait_for_close(&mut stream));
    assert_eq!(kind(post_briefly(&sender(), &url(&silent))), FailureKind::TlsTimeout);
}

#[test]
fn an_alert_is_named() {
    let alert = Peer::new(|_, mut stream| {
        // Fatal, handshake_failure.
        stream.write_all(&[0x15, 3, 3, 0, 2, 2, 40]).unwrap();
        close(&mut stream);
    });
    let failure = failure(post(&sender(), &url(&alert)));
    assert_eq!(failure.kind, FailureKind::Tls);
    assert!(failure.message.contains("HandshakeFailure"), "{failure}");
}

#[test]
fn only_http_1_is_offered() {
    let authority = authority();
    let mut config = identity(&named("receiver.test"), Some(&authority));
    Arc::get_mut(&mut config).unwrap().alpn_protocols = vec![b"h2".to_vec()];
    let peer = answering(config);
    let failure = failure(post(&trusting(&authority), &url(&peer)));
    assert_eq!(failure.kind, FailureKind::Tls);
    assert!(failure.message.contains("NoApplicationProtocol"), "{failure}");
}

#[test]
fn a_kept_tls_connection_that_says_goodbye_is_not_used() {
    let authority = authority();
    let (told, waits) = std::sync::mpsc::channel();
    let peer = serve(identity(&named("receiver.test"), Some(&authority)), move |_, stream| {
        read_request(stream).unwrap();
        stream.write_all(OK).unwrap();
        stream.conn.send_close_notify();
        stream.flush().unwrap();
        told.send(()).unwrap();
        wait_for_close(&mut stream.sock);
    });
    let sender = trusting(&authority);
    for _ in 0..2 {
        assert_eq!(status(post(&sender, &url(&peer))), 200);
        waits.recv_timeout(LONG).unwrap();
    }
    assert_eq!(peer.connections(), 2);
}

#[test]
fn a_kept_tls_connection_that_dies_unheard_is_tried_once_more() {
    let authority = authority();
    let peer = serve(identity(&named("receiver.test"), Some(&authority)), move |number, stream| {
        read_request(stream).unwrap();
        stream.write_all(OK).unwrap();
        if read_request(stream).is_some() && number == 0 {
            close(&mut stream.sock);
        }
    });
    let sender = trusting(&authority);
    assert_eq!(status(post(&sender, &url(&peer))), 200);
    assert_eq!(status(post(&sender, &url(&peer))), 200);
    assert_eq!(peer.connections(), 2);
}

#[test]
fn a_tls_answer_that_never_comes_is_a_timeout() {
    let authority = authority();
    let peer = serve(identity(&named("receiver.test"), Some(&authority)), |_, stream| {
        read_request(stream).unwrap();
        wait_for_close(&mut stream.sock);
    });
    assert_eq!(kind(post_briefly(&trusting(&authority), &url(&peer))), FailureKind::WaitTimeout);
}

/// A receiver that reads the beginning of a request, says 413 and then does this.
fn refusing(authority: &Authority, then: impl Fn(&mut Stream) + Send + Sync + 'static) -> Peer {
    serve(identity(&named("receiver.test"), Some(authority)), move |_, stream| {
        // Behind the session tickets, it would wait for their acknowledgement.
        stream.sock.set_nodelay(true).unwrap();
        stream.read_exact(&mut [0; 1000]).unwrap();
        stream.write_all(b"HTTP/1.1 413 Too Large\r\nconnection: close\r\n\r\n").unwrap();
        stream.flush().unwrap();
        then(stream);
    })
}

#[test]
fn a_tls_answer_that_comes_before_the_body_was_read_counts() {
    let authority = authority();
    let body = vec![b'x'; 32 * 1024 * 1024];
    let gone = refusing(&authority, |_| {});
    assert_eq!(status(post_as(&trusting(&authority), &url(&gone), (1, 1), &body, LONG)), 413);
    let stays = refusing(&authority, |_| {
        let (_alive, never) = std::sync::mpsc::channel::<()>();
        never.recv_timeout(LONG).unwrap_err();
    });
    assert_eq!(status(post_as(&trusting(&authority), &url(&stays), (1, 1), &body, 2 * SHORT)), 413);
}

#[test]
fn what_is_no_certificate_is_refused_as_an_authority() {
    let extra_ca = vec![CertificateDer::from(vec![1, 2, 3])];
    let error = Sender::new(SenderConfig { extra_ca, ..SenderConfig::default() }).unwrap_err();
    assert!(error.contains("certificate 1"), "{error}");
}
