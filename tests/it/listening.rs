//! `postrider listen`: the receiver for developers.

use std::process::Command;

use postrider::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::sender::tls::{self, Authority};
use crate::support::app::{TestApp, text};
use crate::support::client::Response;
use crate::support::listener::{Listener, SECRET, signed};
use crate::support::port;
use crate::support::process::{self, PATIENCE, Process};
use crate::support::program::program;
use crate::support::receiver::{Receiver, Reply};

const OTHER_SECRET: &str = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
const BODY: &[u8] = br#"{"id":"evt_1","type":"order.paid","timestamp":"2026-02-23T14:30:00.000Z","tenant":"default","data":{"order": 17,"total":29.90}}"#;

fn now() -> i64 {
    SystemClock::new().wall().seconds()
}

/// Sends a body that was signed `age` seconds ago, under this id.
fn send_signed(listener: &Listener, id: &str, age: i64, sent: &[u8], arrives: &[u8]) -> Response {
    let headers = signed(SECRET, id, now() - age, sent);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    listener.client.request("POST", "/hook", &headers, Some(arrives))
}

#[test]
fn a_delivery_is_received_verified_and_told_in_one_line_of_json() {
    let app = TestApp::start();
    let listener = Listener::start(&["--secret", OTHER_SECRET, "--secret", SECRET]);
    app.create_endpoint(&json!({ "url": listener.url("/hook?x=1"), "events": ["*"], "secret": SECRET }));
    let event = app.publish("order.paid", &json!({ "order": 17 }));
    let line = listener.line_of(&text(&event, "id"));
    assert_eq!(
        (&line["type"], &line["verified"], &line["reasons"]),
        (&json!("order.paid"), &json!(true), &json!([]))
    );
    assert_eq!(
        (&line["method"], &line["path"], &line["status"]),
        (&json!("POST"), &json!("/hook?x=1"), &json!(200))
    );
    assert_eq!((&line["data"], &line["headers"]["webhook-id"]), (&json!({ "order": 17 }), &event["id"]));
    app.settle();
    assert_eq!(app.delivery_of(&event)["status"], "delivered");
}

#[test]
fn what_does_not_verify_is_taken_all_the_same_and_says_why() {
    let listener = Listener::start(&["--secret", SECRET]);
    let pretty =
        serde_json::to_vec_pretty(&serde_json::from_slice::<Value>(BODY).expect("JSON")).expect("JSON");
    let other = String::from_utf8_lossy(BODY).replace("17", "18").into_bytes();
    for (id, age, arrives, says) in [
        ("evt_old", 301, BODY, "too old"),
        ("evt_new", -330, BODY, "too new"),
        ("evt_changed", 0, other.as_slice(), "the signature is not the secret's over this body"),
        ("evt_ended", 0, &[BODY, b"\n"].concat(), "the body without the blanks or line ends around it"),
    ] {
        send_signed(&listener, id, age, BODY, arrives).expect(200);
        let line = listener.line_of(id);
        assert_eq!(line["verified"], false, "{id}");
        assert!(line["reasons"].to_string().contains(says), "{id}: {line}");
        assert_eq!(line["body"].as_str().map(str::as_bytes), Some(arrives), "{id}");
    }
    send_signed(&listener, "evt_sorted", 0, &pretty, BODY).expect(200);
    assert!(listener.line_of("evt_sorted")["reasons"].to_string().contains("the signature is not"));
    let headers = [("webhook-id", "evt_bare")];
    listener.client.request("POST", "/", &headers, Some(BODY)).expect(200);
    let reasons = listener.line_of("evt_bare")["reasons"].to_string();
    assert!(
        reasons.contains("webhook-timestamp is missing") && reasons.contains("webhook-signature is missing")
    );
}

#[test]
fn any_format_is_verified_a_built_in_one_by_its_name_and_a_teams_own_from_a_file_or_the_server() {
    let app = TestApp::start();
    let own = json!({
        "signature": { "scheme": "hmac-sha256-hex", "header": "X-Webhook-Signature", "prefix": "sha256=" },
        "headers": { "id": "X-Webhook-ID", "timestamp": "X-Webhook-Timestamp" },
        "envelope": { "id": "id", "type": "type", "data": "data.object",
                      "tenant": { "key": "workspace_id", "as": "number" } }
    });
    app.client.send_json("PUT", "/api/v1/formats/workspaces", &own).expect(201);
    let temp = tempfile::tempdir().expect("a temporary directory");
    let file = temp.path().join("workspaces.json");
    std::fs::write(&file, app.get("/formats/workspaces").to_string()).expect("a file");
    let file = file.to_str().expect("a path in UTF-8");
    let data = app.data();
    let data = data.to_str().expect("a path in UTF-8");
    for (name, given) in [
        ("workspaces", file),
        ("workspaces", "workspaces"),
        ("github", "github"),
        ("stripe", "stripe"),
        ("cloudevents", "cloudevents"),
    ] {
        let listener = Listener::start(&["--format", given, "--data-dir", data, "--secret", SECRET]);
        let url = listener.url("/hook");
        let endpoint =
            json!({ "url": url, "events": ["*"], "secret": SECRET, "format": name, "tenant": "456" });
        let endpoint = text(&app.create_endpoint(&endpoint), "id");
        let event = json!({ "type": "post.created", "data": { "id": 123 }, "tenant": "456" });
        let event = app.post("/events", &event).expect(202).json();
        let line = listener.line_of(&text(&event, "id"));
        assert_eq!((&line["verified"], &line["reasons"]), (&json!(true), &json!([])), "{name}: {line}");
        assert_eq!((&line["type"], &line["data"]), (&json!("post.created"), &json!({ "id": 123 })), "{name}");
        app.delete_endpoint(&endpoint);
    }
}

#[test]
fn a_format_that_the_running_server_does_not_have_is_refused_as_such() {
    let app = TestApp::start();
    let data = app.data();
    let flags = ["listen", "--port", "0", "--format", "workspace", "--data-dir"];
    let ended = Process::spawn(program().args(flags).arg(&data)).wait_for_end(PATIENCE);
    assert_eq!((ended.status.code(), ended.out.as_str()), (Some(2), ""), "{ended:?}");
    assert!(ended.err.contains("has none of that name; `postrider formats list`"), "{}", ended.err);
}

#[test]
fn without_a_secret_nothing_is_verified_and_anything_is_received() {
    let listener = Listener::start(&[]);
    listener.process.wait_for_log("no --secret was given", 1);
    let headers = [("webhook-id", "evt_text"), ("X-Two", "a"), ("x-two", "b")];
    listener.client.request("PATCH", "/received", &headers, Some(b"no JSON")).expect(200);
    let line = listener.line_of("evt_text");
    assert_eq!((&line["verified"], &line["type"], &line["data"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!((&line["body"], &line["headers"]["x-two"]), (&json!("no JSON"), &json!("a, b")));
    assert_eq!(listener.client.get("/received/count").expect(200).json(), json!({ "received": true }));
}

#[test]
fn a_request_that_is_refused_is_told_beside_the_lines_for_a_program() {
    let listener = Listener::start(&[]);
    let large = vec![b' '; 8 * 1024 * 1024 + 1];
    let answer = listener.client.request("POST", "/large", &[], Some(&large));
    assert!(answer.status == 413 && answer.text().contains("more than 8 MB"), "{}", answer.text());
    listener.process.wait_for_log("POST /large was refused: the body has more than 8 MB", 1);
}

#[test]
fn answers_fail_late_or_always_or_at_random_as_they_are_told_to() {
    let gone = Listener::start(&["--status", "410", "--delay", "50ms"]);
    let answer = send_signed(&gone, "evt_1", 0, BODY, BODY).expect(410);
    assert!(answer.text().contains("410"), "the sender's history shows it");
    let line = gone.line_of("evt_1");
    assert!(line["status"] == 410 && line["duration_ms"].as_u64().is_some_and(|ms| ms >= 50), "{line}");
    let empty = Listener::start(&["--status", "204"]);
    assert_eq!(send_signed(&empty, "evt_1", 0, BODY, BODY).expect(204).body, b"");
    let always = Listener::start(&["--fail-rate", "1"]);
    let never = Listener::start(&["--fail-rate", "0", "--status", "503"]);
    let some = Listener::start(&["--fail-rate", "0.5", "--status", "429"]);
    for _ in 0..20 {
        send_signed(&always, "evt_1", 0, BODY, BODY).expect(500);
        send_signed(&never, "evt_1", 0, BODY, BODY).expect(200);
    }
    // That 200 coins fall on one side does not happen.
    let statuses: Vec<_> = (0..200).map(|_| send_signed(&some, "evt_1", 0, BODY, BODY).status).collect();
    assert!(statuses.contains(&429) && statuses.contains(&200), "{statuses:?}");
}

#[test]
fn a_request_is_handed_on_as_it_is_and_the_answer_back() {
    let target = Receiver::start();
    target
        .reply(Reply::status(418).header("Retry-After", "7").header("Content-Type", "text/x").body("short"));
    let listener = Listener::start(&["--secret", SECRET, "--forward", &target.url("/mine?y=2")]);
    let answer = send_signed(&listener, "evt_1", 0, BODY, BODY).expect(418);
    assert_eq!(
        (answer.header("Retry-After"), answer.header("Content-Type"), answer.text()),
        (Some("7"), Some("text/x"), "short")
    );
    let got = target.next();
    assert_eq!(
        (got.method.as_str(), got.path.as_str(), got.query.as_deref()),
        ("POST", "/mine", Some("y=2"))
    );
    assert_eq!(got.body, BODY);
    let line = listener.line_of("evt_1");
    assert!(line["verified"] == true && line["status"] == 418, "{line}");
    assert_eq!(got.header("webhook-signature"), line["headers"]["webhook-signature"].as_str());
    assert_eq!(got.header("host"), Some(target.address().to_string().as_str()));
}

#[test]
fn a_target_that_speaks_tls_is_handed_requests_if_its_certificate_is_trusted() {
    let (mine, strange) = (tls::authority(), tls::authority());
    let temp = tempfile::tempdir().expect("a temporary directory");
    let file = temp.path().join("ca.pem");
    std::fs::write(&file, mine.pem()).expect("a file");
    let forward_to = |authority: &Authority, name: &str, answer: &'static [u8]| {
        let target = tls::saying(tls::identity(&tls::named(name), Some(authority)), answer);
        let url = format!("https://localhost:{}/mine", target.address.port());
        let flags = ["--forward", &url, "--extra-ca", file.to_str().expect("a path in UTF-8")];
        (target, Listener::start(&flags))
    };
    // The second ends without a word of TLS: not a few servers for development do.
    for said in [
        &b"HTTP/1.1 201 Created\r\ncontent-length: 4\r\n\r\nmine"[..],
        b"HTTP/1.1 201 Created\r\nconnection: close\r\n\r\nmine",
    ] {
        let (_target, listener) = forward_to(&mine, "localhost", said);
        assert_eq!(send_signed(&listener, "evt_1", 0, BODY, BODY).expect(201).text(), "mine");
        assert_eq!(listener.line_of("evt_1")["status"], 201);
    }
    for (authority, name, says) in [
        (&strange, "localhost", "`--extra-ca` trusts a private one"),
        (&mine, "other.test", "for another name (other.test)"),
    ] {
        let (_target, listener) = forward_to(authority, name, b"");
        let answer = send_signed(&listener, "evt_1", 0, BODY, BODY).expect(502);
        let text = answer.text();
        assert!(
            text.contains("could not be reached: the certificate of localhost is ") && text.contains(says),
            "{text}"
        );
    }
}

#[test]
fn a_target_that_is_not_there_is_a_502_with_a_sentence() {
    let (_closed, closed) = port::closed();
    let listener = Listener::start(&["--forward", &format!("http://{closed}/")]);
    let answer = send_signed(&listener, "evt_1", 0, BODY, BODY).expect(502);
    assert!(answer.text().contains("could not be reached") && answer.text().contains("does the server run?"));
    assert_eq!(listener.line_of("evt_1")["status"], 502);
}

#[test]
fn ctrl_c_ends_it_cleanly_also_while_a_sender_waits() {
    let hanging = Receiver::start();
    hanging.always(Reply::hang());
    for flags in [vec!["--delay", "10m"], vec!["--forward", &hanging.url("/")], vec![]] {
        let mut listener = Listener::start(&flags);
        let waiting = listener.client.clone();
        let sender = std::thread::spawn(move || waiting.try_request("POST", "/", &[], Some(b"{}")).is_ok());
        match flags.as_slice() {
            [] => assert!(sender.join().expect("a sender")),
            ["--forward", _] => hanging.wait_in_flight(1),
            _ => {}
        }
        listener.process.signal("INT");
        let ended = listener.process.wait_for_end(PATIENCE);
        assert_eq!(
            (ended.status.code(), ended.err.contains("postrider:")),
            (Some(0), false),
            "{flags:?}: {ended:?}"
        );
    }
}

#[test]
fn it_ends_when_nobody_reads_what_it_prints() {
    let mut listener = {
        let script = "\"$0\" listen --port 0 | head -n 1";
        let process = Process::spawn(Command::new("bash").arg("-c").arg(script).arg(program().get_program()));
        process.wait_for_log("receives on", 1);
        process
    };
    let log = listener.log();
    let address = log.split("http://").nth(1).and_then(|rest| rest.split(',').next()).expect("an address");
    let client = crate::support::client::Client::tcp(address.parse().expect("an address"));
    // `head` takes its time to go.
    process::until("the listener to end", PATIENCE, || {
        client.try_request("POST", "/", &[], Some(b"{}")).is_err().then_some(())
    });
    assert!(listener.wait_for_end(PATIENCE).status.success());
}

#[test]
fn a_terminal_shows_bodies_indented_and_in_colours_unless_nobody_wants_them() {
    for (no_color, painted) in [("", true), ("1", false)] {
        // `script` runs a command on a terminal of its own.
        let command = format!("'{}' listen --port 0", program().get_program().to_string_lossy());
        let mut script = Command::new("script");
        script.args(["-qefc", &command, "/dev/null"]).env("NO_COLOR", no_color).env("TERM", "xterm");
        let terminal = Process::spawn(&mut script);
        let line = terminal.line("postrider receives on http://").expect("an address");
        let address = line.split(',').next().and_then(|text| text.parse().ok()).expect("an address");
        let client = crate::support::client::Client::tcp(address);
        client.request("POST", "/hook", &[("webhook-id", "evt_1\u{9b}2J")], Some(BODY)).expect(200);
        let shown = terminal
            .line("  {")
            .map(|_| terminal.line(if painted { "    \u{1b}[36m\"data\"" } else { "    \"data\"" }));
        assert!(shown.is_some_and(|line| line.is_some()), "keys are painted: {painted}");
    }
}

#[test]
fn wrong_flags_are_refused_with_what_is_allowed() {
    for (words, says) in [
        ("--port 65536", "0 to 65535"),
        ("--port x", "0 to 65535"),
        ("--bind everywhere", "--bind"),
        ("--status 199", "200 to 599"),
        ("--status 600", "200 to 599"),
        ("--delay 2", "such as 2s, 500ms or 1m"),
        ("--delay 11m", "at most 10m"),
        ("--fail-rate 1.1", "from 0 (none) to 1 (all)"),
        ("--fail-rate -1", "from 0 (none) to 1 (all)"),
        ("--forward ftp://example.com/", "http:// or https:// URL such as http://localhost:3000/hook"),
        ("--extra-ca ca.pem", "--forward"),
        ("--forward https://localhost/ --extra-ca /nowhere/ca.pem", "--extra-ca (POSTRIDER_EXTRA_CA)"),
        ("--forward http://localhost:3000 --status 500", "--fail-rate"),
        ("--secret whsec_short", "--secret must be"),
        ("--format nonsense --data-dir /nowhere", "--format must be one of standard, github"),
        ("--format nonsense --data-dir /nowhere", "no server runs on /nowhere; start it"),
        ("--loud", "--loud"),
    ] {
        let ended = Process::spawn(program().arg("listen").args(words.split(' '))).wait_for_end(PATIENCE);
        assert_eq!((ended.status.code(), ended.out.as_str()), (Some(2), ""), "{words}: {ended:?}");
        assert!(ended.err.contains(says) && !ended.err.contains("whsec_short"), "{words}: {}", ended.err);
    }
    let taken = Listener::start(&[]);
    let port = taken.address.port().to_string();
    let ended = Process::spawn(program().args(["listen", "--port", &port])).wait_for_end(PATIENCE);
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.err.contains("name another port with --port"), "{}", ended.err);
}
