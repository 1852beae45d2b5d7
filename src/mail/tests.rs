//! What is sent, and how long a server is waited for.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use super::*;

fn server() -> MailServer {
    MailServer {
        host: "localhost".to_owned(),
        port: 25,
        security: Security::None,
        credentials: Some(("ada".to_owned(), "s3cret".to_owned())),
        from: "postrider@example.com".to_owned(),
    }
}

fn letter(to: &str) -> Letter<'_> {
    Letter { id: "alr_1.2", to, subject: "Grüße", text: "Zeile eins\nline two\n" }
}

#[test]
fn a_mail_has_its_addresses_its_subject_and_its_text() {
    let text = String::from_utf8(message(&server(), letter("ada@example.com")).unwrap().formatted()).unwrap();
    for line in [
        "From: postrider@example.com\r\n",
        "To: ada@example.com\r\n",
        "Message-ID: <alr_1.2@example.com>\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n",
        "\r\nDate: ",
    ] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
    assert!(!text.contains("Grüße"), "{text}");
}

#[test]
fn addresses_that_cannot_be_used_are_told() {
    assert!(message(&server(), letter("not an address")).unwrap_err().contains("that it goes to"));
}

#[test]
fn a_server_does_not_show_its_password() {
    assert_eq!(format!("{:?}", server()), "MailServer(localhost:25 none)");
}

/// A server that takes one connection and does this with it.
fn serving(with: impl FnOnce(TcpStream) + Send + 'static) -> MailServer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || with(listener.accept().unwrap().0));
    MailServer { host: "127.0.0.1".to_owned(), port, credentials: None, ..server() }
}

fn refused(server: &MailServer, patience: Patience) -> Refused {
    Mailer::with(patience).send(server, letter("ada@example.com"), []).unwrap_err()
}

#[test]
fn a_server_that_says_nothing_has_the_time_of_a_step() {
    let quiet = serving(|mut stream| drop(stream.read(&mut [0])));
    // Long enough for the connection to be made, also on a busy machine.
    let patience = Patience { step: Duration::from_secs(1), session: Duration::from_secs(30) };
    let Refused { reason, of_server } = refused(&quiet, patience);
    assert!(of_server && reason.contains("did not answer in time: nothing came for 1s"), "{reason}");
}

#[test]
fn a_server_that_says_a_little_now_and_then_has_the_time_of_a_session() {
    let (stop, stopped) = mpsc::channel::<()>();
    let slow = serving(move |mut stream| {
        // Faster than a step, and never a whole line, until nobody waits any more.
        while stopped.recv_timeout(Duration::from_millis(20)) == Err(mpsc::RecvTimeoutError::Timeout) {
            stream.write_all(b"2").unwrap();
        }
    });
    let mailer =
        Mailer::with(Patience { step: Duration::from_secs(30), session: Duration::from_millis(200) });
    let Refused { reason, of_server } = mailer.send(&slow, letter("ada@example.com"), []).unwrap_err();
    assert!(of_server && reason.contains("the session was not over after 200ms"), "{reason}");
    assert_eq!(Arc::strong_count(&mailer.sessions), 2, "it goes on, and counts");
    drop(stop);
}

#[test]
fn sessions_that_hang_are_no_more_than_a_few() {
    let mailer = Mailer::default();
    let hang: Vec<_> = (0..LEFT_BEHIND_MAX).map(|_| Arc::clone(&mailer.sessions)).collect();
    let full = mailer.send(&server(), letter("ada@example.com"), []).unwrap_err();
    assert!(full.of_server && full.reason.contains("hang still"), "{full:?}");
    drop(hang);
    let gone = serving(drop);
    let closed = mailer.send(&gone, letter("ada@example.com"), []).unwrap_err();
    assert!(closed.of_server && closed.reason.contains("check its name and port"), "{closed:?}");
}

#[test]
fn a_refusal_is_of_this_mail_or_of_all() {
    let patience = Patience { step: Duration::from_secs(30), session: Duration::from_secs(30) };
    for (answers, of_all) in [
        ("554 nobody here\r\n", false),
        ("421 too busy\r\n", true),
        ("220 hi\r\n250-me\r\n250 AUTH PLAIN\r\n535 who?\r\n", true),
        ("220 hi\r\n250 me\r\n250 ok\r\n550 unknown\r\n", false),
    ] {
        let answers: Vec<_> = answers.split_inclusive('\n').map(str::to_owned).collect();
        let signs_in = answers.iter().any(|line| line.contains("AUTH"));
        let script = serving(move |mut stream| {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            for answer in answers {
                stream.write_all(answer.as_bytes()).unwrap();
                // One command after each answer; a line that goes on is no answer yet.
                if !answer[3..].starts_with('-') {
                    drop(lines.next());
                }
            }
        });
        let credentials = signs_in.then(|| ("ada".to_owned(), "wrong".to_owned()));
        let Refused { reason, of_server } = refused(&MailServer { credentials, ..script }, patience);
        assert_eq!(of_server, of_all, "{reason}");
    }
}
