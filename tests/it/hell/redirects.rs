//! Answers that want us to go elsewhere: nobody goes.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::support::app::TestApp;

use super::script::{Scripted, answer};
use super::table::{Row, check_with};

/// Listens where nobody may come.
struct Canary(TcpListener);

impl Canary {
    /// On an address of this machine that is not allowed to the server under test.
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.2:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener that does not wait");
        Self(listener)
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("an address")
    }

    /// Whether somebody has come since the last look. A connection stands in the queue as soon as it is made.
    fn sings(&self) -> bool {
        match self.0.accept() {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => panic!("the canary: {error}"),
        }
    }
}

#[test]
fn no_redirect_is_followed() {
    let canary = Canary::new();
    let to = canary.address();
    let locations = [
        format!("http://{to}/"),
        format!("//{to}/"),
        format!("http://user@{to}/#x"),
        format!("http:\\\\{to}\\"),
        format!("http://[::ffff:127.0.0.2]:{}/", to.port()),
        format!("HTTP://2130706434:{}/", to.port()),
        "/elsewhere".to_owned(),
        "../../../../..".to_owned(),
        "http://".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "file:///etc/passwd".to_owned(),
        String::new(),
        "\u{1}\u{7f}\u{e9}".to_owned(),
    ];
    let mut rows = Vec::new();
    for status in [300, 301, 302, 303, 304, 305, 306, 307, 308, 399, 201, 401, 503] {
        for location in &locations {
            let head = format!(
                "HTTP/1.1 {status} Go\r\nlocation: {location}\r\ncontent-location: {location}\r\nlocation: http://{to}/two\r\n\
                 refresh: 0; url=http://{to}/\r\nalt-svc: http/1.1=\"{to}\"; ma=9\r\nlink: <http://{to}/>; rel=preload\r\n\
                 www-authenticate: Basic realm=\"x\"\r\nset-cookie: a=b\r\n"
            );
            let page = format!("<meta http-equiv=refresh content='0;url=http://{to}/'>");
            let whole = answer(format!("{head}content-length: {}\r\n\r\n{page}", page.len()));
            rows.push(Row::answers(format!("{status} to {location:?}"), whole, status));
        }
    }
    let missing = b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n";
    rows.push(Row::answers("302 to nowhere", answer(missing), 302));
    let app = TestApp::builder()
        .with("POSTRIDER_DEV", "0")
        .with("POSTRIDER_ALLOW_HTTP", "1")
        .with("POSTRIDER_ALLOW_NET", "127.0.0.1/32")
        .start();
    check_with(&app, &rows);
    assert!(!canary.sings(), "somebody went where a redirect pointed to");
    TcpStream::connect(to).expect("a connection");
    assert!(canary.sings(), "the canary would have seen it");
}

#[test]
fn a_redirect_that_is_cut_is_no_answer() {
    let canary = Canary::new();
    // Some clients follow as soon as they have seen the field.
    let cut = format!("HTTP/1.1 302 Found\r\nlocation: http://{}/\r\n", canary.address());
    let app = TestApp::start();
    let receiver = Scripted::start(answer(cut));
    let error = "closed the connection in the middle of the answer's headers";
    check_with(&app, &[Row::of("cut".to_owned(), receiver, error)]);
    assert!(!canary.sings(), "somebody went where a redirect pointed to");
}
