//! Receivers that break TLS, and the same horrors inside of it.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, date_time_ymd};
use rustls::ServerConfig;

use crate::sender::tls::{Authority, authority, identity, named};
use crate::support::app::TestApp;

use super::script::{Act, Scripted, answer, answer_and_hang, send};
use super::table::{Row, check_with};

const HOST: &str = "receiver.test";
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A server that trusts `authority`.
fn trusting(authority: &Authority) -> (TestApp, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, authority.pem()).expect("a file");
    (TestApp::builder().with("POSTRIDER_EXTRA_CA", file.to_str().expect("a path in UTF-8")).start(), folder)
}

fn signed(authority: &Authority, params: &CertificateParams) -> Arc<ServerConfig> {
    identity(params, Some(authority))
}

#[test]
fn certificates_that_are_not_accepted() {
    let authority = authority();
    let (app, _folder) = trusting(&authority);
    let (mut old, mut early) = (named(HOST), named(HOST));
    old.not_after = date_time_ymd(2020, 2, 3);
    early.not_before = date_time_ymd(4000, 1, 1);
    let row =
        |name: &str, config: &Arc<ServerConfig>, error: &str| Row::tls(name, HOST, config, answer(OK), error);
    check_with(
        &app,
        &[
            row("a good one", &signed(&authority, &named(HOST)), "").status(200).body("ok"),
            row("expired", &signed(&authority, &old), "expired on 2020-02-03"),
            row("of the future", &signed(&authority, &early), "is not valid before 4000-01-01"),
            row(
                "another name",
                &signed(&authority, &named("other.test")),
                "is for another name (other.test)",
            ),
            row("an address", &signed(&authority, &named("127.0.0.1")), "is for another name"),
            row("another authority", &signed(&crate::sender::tls::authority(), &named(HOST)), "authority"),
            row("its own authority", &identity(&named(HOST), None), "authority"),
        ],
    );
}

#[test]
fn handshakes_that_stall_or_break() {
    let authority = authority();
    let (app, _folder) = trusting(&authority);
    let good = signed(&authority, &named(HOST));
    let plain = |name: &str, acts: Vec<Act>, error: &str| {
        Row::of(name.to_owned(), Scripted::start(acts), error).under(HOST)
    };
    let slow = |every| Scripted::start_slow_tls(Arc::clone(&good), every);
    let stalls = "timed out during the TLS handshake";
    // A record that announces 16 KB, and the head of a ServerHello.
    let hello = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03";
    check_with(
        &app,
        &[
            plain("no ServerHello", vec![Act::Hang], stalls).slow(),
            plain("no ServerHello, nothing read", vec![Act::Freeze], stalls).slow(),
            plain("half a ServerHello", vec![send(hello), Act::Hang], stalls).slow(),
            plain("an endless ServerHello", vec![send(hello), Act::Flood(vec![0; 999])], "TLS"),
            plain("endless warnings", vec![Act::Flood(b"\x15\x03\x03\0\x02\x01\x70".to_vec())], "TLS"),
            plain("endless empty records", vec![Act::Flood(b"\x16\x03\x03\0\0".to_vec())], "TLS"),
            plain(
                "half a ServerHello and the end",
                vec![send(hello), Act::Close],
                "ended the connection during the TLS handshake",
            ),
            plain("the end", vec![Act::Close], "ended the connection during the TLS handshake"),
            plain(
                "a reset",
                vec![Act::ReadSome(9), Act::Reset],
                "ended the connection during the TLS handshake",
            ),
            plain("no TLS at all", vec![send(OK), Act::Close], "does not speak TLS on this port"),
            plain("SSH", vec![send("SSH-2.0-x\r\n"), Act::Hang], "does not speak TLS on this port"),
            Row::of("a byte a second".to_owned(), slow(Duration::from_secs(1)), stalls).under(HOST).slow(),
            Row::of("a byte each 10 ms".to_owned(), slow(Duration::from_millis(10)), stalls)
                .under(HOST)
                .slow(),
        ],
    );
}

#[test]
fn the_same_horrors_inside_of_tls() {
    let authority = authority();
    let (app, _folder) = trusting(&authority);
    let good = signed(&authority, &named(HOST));
    let row = |name: &str, acts: Vec<Act>, error: &str| Row::tls(name, HOST, &good, acts, error);
    let no = "HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno";
    check_with(
        &app,
        &[
            row("never answers", vec![Act::Read, Act::Hang], "timed out while waiting for an answer").slow(),
            row(
                "half a head",
                answer_and_hang("HTTP/1.1 200 OK\r\n"),
                "timed out while reading the answer's headers",
            )
            .slow(),
            row(
                "a byte a second",
                vec![Act::Read, Act::Drip(OK.into(), Duration::from_secs(1))],
                "timed out while reading the answer's headers",
            )
            .slow(),
            row("no end of the body", answer_and_hang("HTTP/1.1 200 OK\r\n\r\nso far"), "")
                .status(200)
                .body("so far")
                .slow(),
            row(
                "endless fields",
                vec![Act::Read, send("HTTP/1.1 200 OK\r\n"), Act::Flood(b"a: b\r\n".to_vec())],
                "the answer's head is larger",
            ),
            row(
                "an endless body",
                vec![Act::Read, send("HTTP/1.1 200 OK\r\n\r\n"), Act::Flood(vec![b'x'; 999])],
                "",
            )
            .status(200)
            .body("x".repeat(2048)),
            row(
                "cut in the head",
                answer("HTTP/1.1 200 OK\r\n"),
                "closed the connection in the middle of the answer's headers",
            ),
            row("cut in the body", answer("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nso"), "")
                .status(200)
                .body("so"),
            row("no answer", vec![Act::Read, Act::Close], "closed the connection without answering"),
            row("413 before the body, and a reset", vec![Act::ReadSome(10), send(no), Act::Reset], "")
                .status(413)
                .large(),
            row("413 before the body, and nothing read", vec![Act::ReadSome(10), send(no), Act::Freeze], "")
                .status(413)
                .large()
                .slow(),
        ],
    );
}
