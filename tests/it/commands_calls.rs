//! Commands that make calls of the API: what is printed, for people and for programs, and through which server.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;

use rustls::{ServerConnection, StreamOwned};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::sender::peer::{Peer, read_request};
use crate::sender::tls::{self, Authority};
use crate::support::app::KEY;
use crate::support::process::{Ended, PATIENCE, Process};
use crate::support::receiver::{Receiver, Reply};
use crate::support::server::{Server, Start};
use crate::support::shell;

struct Desk {
    dir: TempDir,
    server: Server,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let server = Server::on(&dir.path().join("data"));
        Self { dir, server }
    }

    fn bash(&self, script: &str) -> Command {
        shell::bash(self.dir.path(), &self.dir.path().join("data"), script)
    }

    fn run(&self, script: &str) -> Ended {
        Process::spawn(&mut self.bash(script)).wait_for_end(PATIENCE)
    }

    #[track_caller]
    fn done(&self, script: &str) -> String {
        let ended = self.run(script);
        assert!(ended.status.success(), "{script}: {ended:?}");
        ended.out
    }

    #[track_caller]
    fn fails(&self, script: &str, code: i32) -> String {
        let ended = self.run(script);
        assert_eq!((ended.status.code(), ended.out.as_str()), (Some(code), ""), "{script}: {ended:?}");
        ended.err
    }

    fn endpoint(&self, receiver: &Receiver, uid: &str) -> Value {
        let endpoint = json!({ "url": receiver.url("/"), "events": ["*"], "uid": uid });
        self.server.post("/endpoints", &endpoint).expect(201).json()
    }

    /// What a person sees who runs this at a terminal of 60 columns, and types this.
    fn at_terminal(&self, command: &str, typed: &str) -> String {
        let script = format!("printf '{typed}' | script -qec \"stty cols 60; {command}\" /dev/null");
        self.run(&script).out
    }
}

#[test]
fn a_list_follows_its_pages_as_far_as_is_wanted() {
    let desk = Desk::new();
    for number in 0..260 {
        desk.server.post("/events", &json!({ "type": "order.paid", "data": number })).expect(202);
    }
    let first = desk.run("postrider events list");
    assert_eq!(first.out.lines().count(), 1 + 50);
    assert!(first.err.contains("there are more, which --limit N or --all shows"), "{first:?}");
    assert_eq!(desk.done("postrider events list --limit 255").lines().count(), 1 + 255);
    let all = desk.run("postrider events list --all");
    assert_eq!((all.out.lines().count(), all.err.as_str()), (1 + 260, ""));

    let json: Value = serde_json::from_str(&desk.done("postrider events list --all --json")).expect("JSON");
    assert_eq!((json["data"].as_array().map(Vec::len), &json["next_cursor"]), (Some(260), &Value::Null));
    let page = desk.done("postrider events list --limit 2 --json");
    let answered = desk.server.client.get("/api/v1/events?limit=2").expect(200);
    assert_eq!(page.trim_end(), answered.text(), "the answer as it is");
    assert!(desk.run("postrider replays list").err.contains("There are none."));
}

#[test]
fn an_answer_is_shown_field_by_field_and_its_numbers_are_kept() {
    let desk = Desk::new();
    let receiver = Receiver::start();
    receiver.always(Reply::status(500));
    desk.endpoint(&receiver, "shop");
    let test = desk.run("postrider endpoints test shop --data '{\"n\": 12345678901234567890}'");
    assert_eq!(test.status.code(), Some(1), "the receiver has answered 500: {test:?}");
    assert!(test.out.contains("success") && test.out.contains("500"), "{test:?}");
    let body = String::from_utf8(receiver.next().body.clone()).expect("UTF-8");
    assert!(body.contains("12345678901234567890"), "{body}");
    let id =
        test.out.lines().find_map(|line| line.strip_prefix("delivery_id")).expect("an id").trim().to_owned();
    let shown = desk.done(&format!("postrider deliveries show {id}"));
    assert!(shown.contains("attempt_list:\nNUMBER  ROUND  STARTED"), "{shown}");
}

#[test]
fn a_refusal_says_what_is_wrong_field_by_field() {
    let desk = Desk::new();
    let error = desk.fails("postrider endpoints create ftp://x/ --events 'a b' --max-in-flight many", 1);
    for typed in ["3 things are wrong:", "  URL: ", "  --events, entry 1: ", "  --max-in-flight: "] {
        assert!(error.contains(typed), "{typed}: {error}");
    }
    for (command, says) in [
        (
            "endpoints create https://x.test/ --events a --retry-schedule x",
            "--retry-schedule must be 0 to 20 waits of 1s to 7d",
        ),
        ("cleanup --older-than 0d", "--older-than must be a length of time from 1d to 3650d"),
        (
            "events list --since yesterday",
            "--since must be so long ago, such as 30m, 2h or 7d, or an RFC 3339",
        ),
        ("send 'a b' --data 1", "TYPE must be 1 to 128 of"),
        ("settings update --from '{\"nope\":1}'", "nope is not a setting"),
    ] {
        let error = desk.fails(&format!("postrider {command}"), 1);
        assert!(error.starts_with(&format!("postrider: {says}")) && error.lines().count() == 1, "{error}");
    }
    assert!(desk.fails("postrider settings update", 2).contains("nothing is said that is to change"));
    assert!(desk.fails("postrider endpoints show nobody", 1).contains("nobody"));
    assert!(desk.fails("postrider endpoints list --health ill", 1).contains("health"));
    assert!(desk.fails("postrider settings update --from '[1]'", 2).contains("--from must be a JSON object"));
    assert!(desk.fails("postrider endpoints create", 2).contains("Usage: postrider endpoints create"));
}

#[test]
fn what_another_call_would_do_is_told_as_its_command() {
    let desk = Desk::new();
    let receiver = Receiver::start();
    let endpoint = desk.endpoint(&receiver, "shop");
    desk.done("postrider endpoints disable shop");
    let error = desk.fails("postrider replay shop --since 1h", 1);
    let id = endpoint["id"].as_str().expect("an id");
    assert!(error.contains(&format!("`postrider endpoints enable {id}` first")), "{error}");
    desk.done("postrider endpoints enable shop");
    let replay: Value =
        serde_json::from_str(&desk.done("postrider replay shop --since 1h --wait --json")).expect("JSON");
    let canceled = desk.run(&format!("postrider replays cancel {}", replay["id"].as_str().expect("an id")));
    assert!(
        canceled.status.success() && canceled.err.contains("had ended before, and stays as it is: done.")
    );
    assert!(desk.done("postrider deliveries release deliver").contains("deliveries       0"));
}

#[test]
fn what_needs_a_hand_names_its_endpoint() {
    let desk = Desk::new();
    let receiver = Receiver::start();
    let endpoint = desk.endpoint(&receiver, "shop");
    desk.done("postrider endpoints disable shop");
    let id = endpoint["id"].as_str().expect("an id");
    let shown = desk.done("postrider attention");
    assert!(shown.starts_with("TOPIC         ENDPOINT ID"), "{shown}");
    assert!(shown.contains(id) && shown.contains(&receiver.url("/")), "{shown}");
    let narrow = desk.at_terminal("postrider attention", "");
    assert!(narrow.contains(id) && !narrow.contains("ENDPOINT URL"), "{narrow}");
    let narrow = desk.at_terminal("postrider endpoints list", "");
    assert!(narrow.contains(" shop ") && narrow.contains("http://127.0.0.1"), "{narrow}");
}

#[test]
fn deleting_needs_a_word_where_nobody_can_be_asked() {
    let desk = Desk::new();
    let receiver = Receiver::start();
    desk.endpoint(&receiver, "shop");
    let error = desk.fails("postrider endpoints delete shop", 1);
    assert!(error.contains("Delete the endpoint shop?") && error.contains("--yes"), "{error}");
    let asked = desk.at_terminal("postrider endpoints delete shop", "n\\n");
    assert!(asked.contains("[y/N]") && asked.contains("nothing was done"), "{asked}");
    desk.server.get("/endpoints/shop");
    let asked = desk.at_terminal("postrider endpoints delete shop", "y\\n");
    assert!(asked.contains("Deleted shop."), "{asked}");
    desk.server.client.get("/api/v1/endpoints/shop").expect(404);
    desk.endpoint(&receiver, "shop");
    assert!(desk.run("postrider endpoints delete shop --yes").err.contains("Deleted shop."));
}

#[test]
fn discarding_needs_a_word_and_delivering_does_not() {
    let desk = Desk::new();
    let receiver = Receiver::start();
    desk.endpoint(&receiver, "shop");
    desk.done("postrider endpoints disable shop");
    let error = desk.fails("postrider endpoints enable shop --held discard", 1);
    assert!(error.contains("Discard what is held for shop?") && error.contains("--yes"), "{error}");
    assert_eq!(desk.server.get("/endpoints/shop")["enabled"], false);
    desk.done("postrider endpoints enable shop --held discard --yes");
    desk.done("postrider endpoints enable shop --held deliver");
    let error = desk.fails("postrider deliveries release discard", 1);
    assert!(error.contains("Discard what the restore holds back?"), "{error}");
    desk.done("postrider deliveries release discard --yes");
}

#[test]
fn a_terminal_gets_relative_times_and_no_wider_rows_and_a_pipe_neither() {
    let desk = Desk::new();
    desk.server
        .post("/events", &json!({ "type": "order.paid.in.full.and.with.a.very.long.name", "data": 1 }))
        .expect(202);
    let piped = desk.done("postrider events list");
    assert!(
        piped.contains("with.a.very.long.name") && piped.contains(".000Z") || piped.contains('T'),
        "{piped}"
    );
    let shown = desk.at_terminal("postrider events list", "");
    assert!(shown.contains("now") || shown.contains("s ago"), "{shown}");
    assert!(shown.contains('…'), "{shown}");
    for line in shown.lines() {
        assert!(line.trim_end().chars().count() <= 60, "{line:?}");
    }
}

#[test]
fn what_a_receiver_or_a_publisher_sent_steers_no_terminal() {
    let desk = Desk::new();
    let receiver = Receiver::start();
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}";
    receiver.always(Reply::status(500).body(evil.as_bytes()));
    desk.endpoint(&receiver, "shop");
    let test = desk.run("postrider endpoints test shop").out;
    let id = test.lines().find_map(|line| line.strip_prefix("delivery_id")).expect("an id").trim().to_owned();
    desk.server.post("/events", &json!({ "type": "a", "data": { "x": evil }, "id": "evil" })).expect(202);
    let steers =
        |text: &str| text.chars().any(|c| c == '\u{1b}' || c == '\u{9b}' || c == '\u{202e}' || c == '\u{7}');
    assert!(!steers(&test), "{test:?}");
    for command in [
        format!("postrider deliveries show {id}"),
        format!("postrider deliveries show {id} --json"),
        format!("postrider deliveries curl {id}"),
        "postrider events show evil".to_owned(),
        "postrider events show evil --json".to_owned(),
        "postrider deliveries list".to_owned(),
    ] {
        let shown = desk.at_terminal(&command, "");
        assert!(!shown.is_empty() && !steers(&shown), "{command}: {shown:?}");
    }
}

#[test]
fn a_server_is_reached_by_its_url_with_a_key() {
    let desk = Desk::new();
    let url = format!("http://{}", desk.server.address);
    let elsewhere = desk.dir.path().join("elsewhere");
    let run = |words: &str, key: &str| {
        let mut command = shell::bash(desk.dir.path(), &elsewhere, &format!("postrider {words}"));
        Process::spawn(command.env("POSTRIDER_URL", &url).env("POSTRIDER_KEY", key)).wait_for_end(PATIENCE)
    };
    let made = run("keys create --name far --scopes endpoints:read", KEY);
    assert!(made.status.success() && made.out.starts_with("pr_"), "{made:?}");
    let sent = run("send order.paid --data 1", KEY);
    assert!(sent.status.success() && sent.out.contains("\"evt_"), "{sent:?}");
    let far = made.out.trim();
    assert!(run("endpoints list", far).status.success());
    let refused = run("keys list", far);
    assert!(refused.status.code() == Some(1) && refused.err.contains("scope"), "{refused:?}");
    let wrong = run("keys list", "pr_nobody_has_this_key_at_all");
    assert!(wrong.status.code() == Some(1) && wrong.err.contains("key"), "{wrong:?}");
    assert!(!wrong.err.contains("pr_nobody"), "{wrong:?}");
    let actors = desk.server.get("/audit");
    assert!(actors["data"][0]["actor"].as_str().is_some_and(|actor| actor.starts_with("key:")), "{actors}");
    assert!(!elsewhere.exists(), "no data directory is touched");
    let none = run("keys list", "");
    assert!(none.status.code() == Some(2) && none.err.contains("POSTRIDER_KEY"), "{none:?}");
    desk.server.stop();
    let gone = Process::spawn(
        shell::bash(desk.dir.path(), &elsewhere, "postrider keys list")
            .env("POSTRIDER_URL", &url)
            .env("POSTRIDER_KEY", KEY),
    )
    .wait_for_end(PATIENCE);
    assert!(gone.status.code() == Some(1) && gone.err.contains("cannot be reached"), "{gone:?}");
}

#[test]
fn where_no_server_runs_the_file_is_opened_and_what_variables_allow_counts() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let data = dir.path().join("data");
    let run = |script: &str| {
        let mut bash = shell::bash(dir.path(), &data, script);
        Process::spawn(bash.env("POSTRIDER_ALLOW_HTTP", "1").env("POSTRIDER_ALLOW_NET", "127.0.0.0/8"))
            .wait_for_end(PATIENCE)
    };
    Start::on(&data).start().stop();
    assert!(run("postrider keys create --name first --scopes admin").status.success());
    let made = run("postrider endpoints create http://127.0.0.1:1025/ --uid shop --events '*'");
    assert!(made.status.success() && made.out.contains("whsec_"), "{made:?}");
    let test = run("postrider endpoints test shop");
    assert!(test.status.code() == Some(1) && test.err.contains("postrider serve"), "{test:?}");
    let sent = run("postrider send order.paid --data 1");
    assert!(sent.status.success() && sent.err.contains("the next one delivers it"), "{sent:?}");
    let strict = shell::bash(dir.path(), &data, "postrider endpoints create http://127.0.0.1:1025/")
        .output()
        .expect("bash");
    assert_eq!(strict.status.code(), Some(1));
    let server = Start::on(&data).start();
    let shown = run("postrider endpoints show shop --json").out;
    assert!(shown.contains("\"tenant\":\"default\""), "{shown}");
    server.stop();
}

/// TLS before a server, as a reverse proxy has it; each connection carries one call.
fn tls_before(address: std::net::SocketAddr, name: &str) -> (Peer, Authority) {
    let authority = tls::authority();
    let config = tls::identity(&tls::named(name), Some(&authority));
    let peer = Peer::new(move |_, stream| {
        let session = ServerConnection::new(Arc::clone(&config)).expect("a session");
        let mut client = StreamOwned::new(session, stream);
        let Some(request) = read_request(&mut client) else { return };
        let mut server = TcpStream::connect(address).expect("the server");
        server.write_all(&request).expect("the call");
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).expect("an answer");
        // The command may have gone.
        let _ = client.write_all(&answer).and_then(|()| client.flush());
    });
    (peer, authority)
}

#[test]
fn a_server_behind_tls_is_trusted_by_its_certificate_alone() {
    let desk = Desk::new();
    let (proxy, authority) = tls_before(desk.server.address, "127.0.0.1");
    let pem = desk.dir.path().join("authority.pem");
    std::fs::write(&pem, authority.pem()).expect("a file");
    let url = format!("https://{}/", proxy.address);
    let with_authority =
        format!("postrider settings show --json --url {url} --key {KEY} --extra-ca {}", pem.display());
    let settings: Value = serde_json::from_str(&desk.done(&with_authority)).expect("JSON");
    assert_eq!(settings["retention_days"], 30);
    let stranger = desk.fails(&format!("postrider settings show --url {url} --key {KEY}"), 1);
    assert!(stranger.contains("unknown authority") && !stranger.contains(KEY), "{stranger}");
    let (other, authority) = tls_before(desk.server.address, "other.test");
    std::fs::write(&pem, authority.pem()).expect("a file");
    let wrong = with_authority.replace(&proxy.address.to_string(), &other.address.to_string());
    assert!(desk.fails(&wrong, 1).contains("is for another name"), "{wrong}");
}
