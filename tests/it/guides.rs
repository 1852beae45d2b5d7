//! The guides about formats and about receiving: their examples, run as they stand there.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::receiver::Receiver;
use crate::support::server::Start;
use crate::support::{guide, mac};

const MOVING: &str = include_str!("../../templates/docs/moving.md");
const FORMATS: &str = include_str!("../../templates/docs/formats.md");
const RECEIVING: &str = include_str!("../../templates/docs/receiving.md");
/// The key in the commands of all guides.
const KEY: &str = "pr_only_for_trying_it_out_0";

#[test]
fn they_are_served_without_a_key_and_without_scripts() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Start::on(&dir.path().join("data")).start();
    let client = Client::tcp(server.address);
    for name in ["moving", "formats", "receiving", "running", "monitoring", "messages"] {
        let page = client.get(&format!("/docs/{name}")).expect(200);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(page.text().contains("<table>") && !page.text().contains("<script"), "{name}");
    }
    assert_eq!(client.get("/docs/nothing").expect(404).json()["code"], "not_found");
}

#[test]
fn the_format_of_the_example_makes_the_request_that_is_shown() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Start::on(&dir.path().join("data")).with("POSTRIDER_API_KEY", KEY).start();
    std::fs::write(dir.path().join("acme.json"), guide::block(FORMATS, "json acme.json")).expect("a file");
    let script = format!("{}\n{}", guide::block(MOVING, "sh prelude"), guide::block(FORMATS, "sh acme"));
    let said = guide::run(&script.replace("localhost:8383", &server.address.to_string()), dir.path());
    let answers: Vec<Value> =
        serde_json::Deserializer::from_str(&said).into_iter().collect::<Result<_, _>>().expect("two answers");
    let (headers, body) = (&answers[1]["headers"], answers[1]["body"].as_str().expect("a body"));
    let envelope: Value = serde_json::from_str(body).expect("JSON");
    let expected = guide::block(FORMATS, "json acme-body")
        .replace("evt_…", envelope["id"].as_str().expect("an id"))
        .replace("1769000000", &envelope["created_at"].to_string());
    assert_eq!(body, expected);
    let signature = headers["x-acme-signature"].as_str().expect("a signature");
    let time = signature.strip_prefix("t=").and_then(|rest| rest.split(',').next()).expect("a time");
    let mac = mac::sha256_hex("a secret of at least 24 bytes", format!("{time}.{body}").as_bytes());
    assert_eq!(signature, format!("t={time},v1={mac}"));
    assert_eq!((&headers["x-acme-attempt"], &headers["x-acme-version"]), (&json!("1"), &json!("2")));
}

/// Asks the `verify` of a language about three requests: as it came, with another body, and without a signature.
#[track_caller]
fn verifies(language: &str, run: impl Fn(&str, &Value) -> Command) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (server, receiver) = (Start::on(&dir.path().join("data")).start(), Receiver::start());
    let endpoint = json!({ "url": receiver.url("/"), "events": ["*"] });
    let made = server.post("/endpoints", &endpoint).expect(201).json();
    server.publish(&json!({ "what": "ça marche" })).expect(202);
    let request = receiver.next();
    let headers: serde_json::Map<String, Value> =
        request.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let body = String::from_utf8(request.body.clone()).expect("a body in UTF-8");
    let mut unsigned = headers.clone();
    unsigned.remove("webhook-signature").expect("a signature");
    let verify = guide::block(RECEIVING, &format!("{language} verify"));
    let asked = |headers: &serde_json::Map<String, Value>, body: &str| {
        let asked = json!({ "secret": made["secret"], "headers": headers, "body": body });
        guide::output(&mut run(verify, &asked)).trim().to_owned()
    };
    assert_eq!(asked(&headers, &body), "yes");
    assert_eq!(asked(&headers, &body.replace("marche", "marcha")), "no");
    assert_eq!(asked(&unsigned, &body), "no");
}

fn command(program: &str, flag: &str, script: &str, asked: &Value) -> Command {
    let mut command = Command::new(program);
    command.args([flag, script]).env("ASKED", asked.to_string());
    command
}

#[test]
fn the_check_in_python_accepts_what_we_sent_and_nothing_else() {
    let rest = "import json, os\nasked = json.loads(os.environ['ASKED'])\n\
                print('yes' if verify(asked['secret'], asked['headers'], asked['body'].encode()) else 'no')";
    verifies("python", |verify, asked| command("python3", "-c", &format!("{verify}\n{rest}"), asked));
}

#[test]
fn the_check_in_javascript_accepts_what_we_sent_and_nothing_else() {
    let rest = "const { secret, headers, body } = JSON.parse(process.env.ASKED);\n\
                console.log(verify(secret, headers, Buffer.from(body)) ? 'yes' : 'no');";
    verifies("js", |verify, asked| command("node", "-e", &format!("{verify}\n{rest}"), asked));
}

#[test]
fn the_check_in_php_accepts_what_we_sent_and_nothing_else() {
    let rest = "$asked = json_decode(getenv('ASKED'), true);\n\
                echo verify($asked['secret'], $asked['headers'], $asked['body']) ? 'yes' : 'no';";
    verifies("php", |verify, asked| command("php", "-r", &format!("{verify}\n{rest}"), asked));
}
