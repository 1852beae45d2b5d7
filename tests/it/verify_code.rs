//! The code that is offered to receivers verifies real deliveries, in each language and each form of signature.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::problem::fields;
use crate::support::receiver::{Received, Receiver};

/// Formats besides those that are built in: every scheme, and each place where id and time may stand.
const OWN: [(&str, &str); 5] = [
    (
        "in-prefix",
        r#"{"signature": {"scheme": "hmac-sha256-base64", "header": "X-Own-Signature", "join": "'|",
            "prefix": "a.b'~/\\\"{id};t={timestamp} =", "over": "id.timestamp.body"},
            "envelope": {"id": "meta.id", "data": "data"}}"#,
    ),
    (
        "id-in-body",
        r#"{"signature": {"scheme": "hmac-sha256-hex", "header": "X-Own-Signature", "over": "id.timestamp.body"},
            "headers": {"timestamp": "X-Time"}, "envelope": {"id": "meta.id", "data": "data"}}"#,
    ),
    (
        "sha1",
        r#"{"signature": {"scheme": "hmac-sha1-hex", "header": "X-Own-Signature", "prefix": "sha1="}, "envelope": "data"}"#,
    ),
    (
        "asymmetric",
        r#"{"signature": {"scheme": "ed25519", "header": "webhook-signature", "join": " "},
            "headers": {"id": "webhook-id", "timestamp": "webhook-timestamp"}, "envelope": "data"}"#,
    ),
    ("bare", r#"{"signature": {"scheme": "none"}, "envelope": "data"}"#),
];

const PYTHON: &str = r#"
import base64, json, sys
from code_to_test import verify
for case in json.load(sys.stdin):
    try:
        verify(case["headers"], base64.b64decode(case["body"]), case["secret"])
        print("genuine")
    except ValueError:
        print("refused")
"#;
const NODE: &str = r#"
const { verify } = require("./code_to_test.js");
for (const { headers, body, secret } of JSON.parse(require("fs").readFileSync(0))) {
  try {
    verify(headers, Buffer.from(body, "base64"), secret);
    console.log("genuine");
  } catch (error) {
    console.log("refused");
  }
}
"#;
const PHP: &str = r#"<?php
require __DIR__ . '/code_to_test.php';
foreach (json_decode(stream_get_contents(STDIN), true) as $case) {
    try {
        verify($case['headers'], base64_decode($case['body']), $case['secret']);
        echo "genuine\n";
    } catch (RuntimeException $refused) {
        echo "refused\n";
    }
}
"#;

/// Languages, the program, what their files end with, and the text that asks the code.
const LANGUAGES: [(&str, &str, &str, &str); 3] =
    [("python", "python3", "py", PYTHON), ("node", "node", "js", NODE), ("php", "php", "php", PHP)];

/// What the code says of each request.
fn run(dir: &Path, language: (&str, &str, &str, &str), code: &str, cases: &[Value]) -> Vec<String> {
    let (name, program, ending, driver) = language;
    let file = |name: &str| dir.join(format!("{name}.{ending}"));
    std::fs::write(file("code_to_test"), code).expect("a file");
    std::fs::write(file("driver"), driver).expect("a file");
    std::fs::write(dir.join("cases.json"), json!(cases).to_string()).expect("a file");
    let output = Command::new(program)
        .arg(file("driver"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(std::fs::File::open(dir.join("cases.json")).expect("the cases"))
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {errors}\n{code}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

fn case(headers: &[(String, String)], body: &[u8], secret: &str) -> Value {
    let headers: serde_json::Map<_, _> =
        headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), json!(value))).collect();
    json!({ "headers": headers, "body": data_encoding::BASE64.encode(body), "secret": secret })
}

/// A request as it came, and what somebody could make of it; with what has to be said of each.
fn cases(sent: &Received, signature: &str, secret: &str, foreign: &str) -> Vec<(&'static str, Value)> {
    let headers = sent.headers.clone();
    let without = |name: &str| {
        headers.iter().filter(|(sent, _)| !sent.eq_ignore_ascii_case(name)).cloned().collect::<Vec<_>>()
    };
    let with = |value: &str| [without(signature), vec![(signature.to_owned(), value.to_owned())]].concat();
    let own = sent.header(signature).expect("a signature");
    let mut longer = sent.body.clone();
    longer.push(b' ');
    vec![
        ("genuine", case(&headers, &sent.body, secret)),
        ("refused", case(&headers, &longer, secret)),
        ("refused", case(&headers, &sent.body, foreign)),
        ("refused", case(&without(signature), &sent.body, secret)),
        ("refused", case(&with(""), &sent.body, secret)),
        ("refused", case(&with(&own.chars().rev().collect::<String>()), &sent.body, secret)),
        ("refused", case(&with(&own.to_ascii_uppercase()), &sent.body, secret)),
    ]
}

#[test]
fn the_code_accepts_what_is_genuine_and_nothing_else() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    app.change_settings(&json!({ "endpoint_limit": 100 }));
    let dir = tempfile::tempdir().expect("a directory");
    for (name, definition) in OWN {
        app.put_format(name, definition).expect(201);
    }
    let names = ["standard", "github", "stripe", "cloudevents"].into_iter().chain(OWN.map(|(name, _)| name));
    for name in names {
        let path = format!("/{name}");
        let fields = json!({ "url": receiver.url(&path), "format": name, "events": [name] });
        let made = app.create_endpoint(&fields);
        let id = text(&made, "id");
        // Two secrets sign where the format can carry both.
        let rotated = if name == "stripe" || name == "standard" {
            Some(text(
                &app.post(&format!("/endpoints/{id}/rotate-secret"), &json!({})).expect(200).json(),
                "secret",
            ))
        } else {
            None
        };
        app.publish(name, &json!({ "text": "Ä € '\"\\ \u{2028}", "n": 7.0 }));
        app.settle();
        let sent = receiver.received_on(&path)[0].clone();
        let format = app.get(&format!("/formats/{name}"));
        let signature = format["signature"]["header"].as_str().unwrap_or_default().to_owned();
        let key =
            ["secret", "public_key"].into_iter().find_map(|field| made[field].as_str()).unwrap_or_default();
        let foreign = if name == "asymmetric" {
            "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        } else {
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
        };
        let cases = if name == "bare" {
            vec![("genuine", case(&sent.headers, &sent.body, ""))]
        } else {
            let secrets = [Some(key.to_owned()), rotated].into_iter().flatten();
            secrets.flat_map(|secret| cases(&sent, &signature, &secret, foreign)).collect()
        };
        let (expected, given): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
        for language in LANGUAGES {
            let answer =
                app.client.get(&format!("/api/v1/endpoints/{id}/verify-code?language={}", language.0));
            let code = answer.expect(200).text().to_owned();
            assert!(key.is_empty() || !code.contains(key), "the secret is not in it");
            let said = run(dir.path(), language, &code, &given);
            assert_eq!(said, expected, "{name} in {}:\n{code}", language.0);
        }
    }
}

#[test]
fn what_is_old_is_refused_where_the_time_is_signed() {
    // Its clock is far behind that of the programs.
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let dir = tempfile::tempdir().expect("a directory");
    for (name, expected) in [("standard", "refused"), ("stripe", "refused"), ("github", "genuine")] {
        let path = format!("/{name}");
        let fields = json!({ "url": receiver.url(&path), "format": name, "events": [name] });
        let made = app.create_endpoint(&fields);
        app.publish(name, &json!(1));
        app.settle();
        let sent = receiver.received_on(&path)[0].clone();
        for language in LANGUAGES {
            let path = format!("/api/v1/endpoints/{}/verify-code?language={}", text(&made, "id"), language.0);
            let code = app.client.get(&path).expect(200).text().to_owned();
            let given = [case(&sent.headers, &sent.body, &text(&made, "secret"))];
            assert_eq!(run(dir.path(), language, &code, &given), [expected], "{name} in {}", language.0);
        }
    }
    let id = text(&app.create_endpoint(&json!({ "url": receiver.url("/") })), "id");
    let refused = app.client.get(&format!("/api/v1/endpoints/{id}/verify-code?language=cobol&x=1"));
    assert_eq!(fields(&refused), ["language", "x"]);
}
