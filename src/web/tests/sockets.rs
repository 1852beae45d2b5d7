//! What only a real connection shows.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};

use super::*;

/// A server on a free port and a Unix socket, on a thread of its own.
struct Served {
    house: House,
    port: u16,
    handle: actix_web::dev::ServerHandle,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Served {
    fn new() -> Self {
        let house = House::new();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = tcp.local_addr().unwrap().port();
        let unix = UnixListener::bind(house.socket()).unwrap();
        let state = AppState::new(Arc::clone(&house.state.service), Vec::new(), String::new());
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let server = super::super::server::start(state, Some(tcp), Some(unix), 64).unwrap();
                tell.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self { house, port, handle: told.recv().unwrap(), thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.handle.stop(true));
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Writes, and reads all that comes back: heads and bodies.
fn talk(mut stream: impl Read + Write, text: &[u8]) -> String {
    stream.write_all(text).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The document of the last answer.
fn document(answers: &str) -> Value {
    serde_json::from_str(answers.rsplit("\r\n\r\n").next().unwrap()).unwrap()
}

#[test]
fn a_head_that_cannot_be_read_is_answered_with_a_problem() {
    let served = Served::new();
    let long = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(200));
    for (text, status, code) in [
        ("NONSENSE\r\n\r\n", 400, "malformed_request"),
        ("GET / HTTP/1.1\r\nbad header\r\n\r\n", 400, "malformed_request"),
        ("GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n", 400, "malformed_request"),
        (long.as_str(), 413, "too_large"),
    ] {
        let answer = talk(served.connect(), text.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("\r\ncontent-type: application/problem+json\r\n"), "{answer}");
        let document = document(&answer);
        assert_eq!((&document["status"], &document["code"]), (&status.into(), &code.into()));
        assert!(answer.contains(&format!("x-request-id: {}\r\n", document["request_id"].as_str().unwrap())));
    }
}

#[test]
fn an_answer_before_a_head_that_cannot_be_read_comes_whole() {
    let served = Served::new();
    let answers = talk(served.connect(), b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nNONSENSE\r\n\r\n");
    assert!(
        answers.starts_with("HTTP/1.1 200 OK\r\n") && answers.contains("{\"status\":\"ok\"}HTTP/1.1 400 ")
    );
    assert_eq!(document(&answers)["code"], "malformed_request");
}

#[test]
fn a_body_that_is_cut_is_a_problem() {
    let served = Served::new();
    let key = served.house.key(Scope::ALL, None);
    let head = format!(
        "POST /api/v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: 10\r\n\r\n{{"
    );
    let stream = served.connect();
    (&stream).write_all(head.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let answer = talk(&stream, b"");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(document(&answer)["code"], "malformed_request");
}

#[test]
fn the_unix_socket_needs_no_key_and_names_its_user() {
    let served = Served::new();
    let call =
        "POST /api/v1/deliveries/dlv_0000000000000/cancel HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let local = talk(UnixStream::connect(served.house.socket()).unwrap(), call.as_bytes());
    assert_eq!(document(&local)["code"], "not_found", "{local}");
    assert_eq!(document(&talk(served.connect(), call.as_bytes()))["code"], "unauthorized");
}

#[test]
fn events_are_published_over_a_kept_connection() {
    let served = Served::new();
    let key = served.house.key(Scope::ALL, None);
    let body = r#"{"type":"a","data":[1,2]}"#;
    let call = |connection: &str| {
        format!(
            "POST /api/v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: {connection}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let answers = talk(served.connect(), (call("keep-alive") + &call("close")).as_bytes());
    assert_eq!(answers.matches("HTTP/1.1 202 Accepted\r\n").count(), 2, "{answers}");
}
