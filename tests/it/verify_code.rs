//! The code that is offered to receivers verifies real deliveries, in each language and each form of signature.

mod languages;

use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::problem::fields;
use crate::support::receiver::{Received, Receiver};

use self::languages::{LANGUAGES, Program};

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
    for (name, definition) in OWN {
        app.put_format(name, definition).expect(201);
    }
    let names = ["standard", "github", "stripe", "cloudevents"].into_iter().chain(OWN.map(|(name, _)| name));
    let made = names.map(|name| {
        let url = receiver.url(&format!("/{name}"));
        let made = app.create_endpoint(&json!({ "url": url, "format": name, "events": [name] }));
        let codes = codes(&app, &text(&made, "id"));
        (name, made, codes)
    });
    let made: Vec<_> = made.collect();
    // To compile takes longer than requests stay fresh.
    let bare = made.iter().map(|(name, _, codes)| (*name, Vec::new(), codes.clone(), Vec::new()));
    judge(&bare.collect::<Vec<_>>());
    let mut formats = Vec::new();
    for (name, made, codes) in made {
        let (path, id) = (format!("/{name}"), text(&made, "id"));
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
        assert!(codes.iter().all(|code| key.is_empty() || !code.contains(key)), "the secret is in it");
        let (expected, given): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
        formats.push((name, expected, codes, given));
    }
    judge(&formats);
}

/// A format's name, what is to be said of each request, its code in each language, and the requests.
type Judged<'a> = (&'a str, Vec<&'a str>, Vec<String>, Vec<Value>);

/// The code for an endpoint in each language.
fn codes(app: &TestApp, endpoint: &str) -> Vec<String> {
    let code = |language: &languages::Language| {
        let path = format!("/api/v1/endpoints/{endpoint}/verify-code?language={}", language.name);
        app.client.get(&path).expect(200).text().to_owned()
    };
    LANGUAGES.iter().map(code).collect()
}

/// Asks the code of every format in every language.
fn judge(formats: &[Judged<'_>]) {
    let dir = tempfile::tempdir().expect("a directory");
    for (at, language) in LANGUAGES.iter().enumerate() {
        let program =
            |(_, _, codes, cases): &Judged<'_>| Program { code: codes[at].clone(), cases: cases.clone() };
        let said = language.run(dir.path(), &formats.iter().map(program).collect::<Vec<_>>());
        assert_eq!(said.len(), formats.len(), "{}", language.name);
        for ((name, expected, codes, _), said) in formats.iter().zip(said) {
            assert_eq!(&said, expected, "{name} in {}:\n{}", language.name, codes[at]);
        }
    }
}

#[test]
fn what_is_old_is_refused_where_the_time_is_signed() {
    // Its clock is far behind that of the programs.
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let mut formats = Vec::new();
    for (name, expected) in [("standard", "refused"), ("stripe", "refused"), ("github", "genuine")] {
        let path = format!("/{name}");
        let fields = json!({ "url": receiver.url(&path), "format": name, "events": [name] });
        let made = app.create_endpoint(&fields);
        app.publish(name, &json!(1));
        app.settle();
        let sent = receiver.received_on(&path)[0].clone();
        let given = vec![case(&sent.headers, &sent.body, &text(&made, "secret"))];
        formats.push((name, vec![expected], codes(&app, &text(&made, "id")), given));
    }
    judge(&formats);
    let id = text(&app.create_endpoint(&json!({ "url": receiver.url("/") })), "id");
    let refused = app.client.get(&format!("/api/v1/endpoints/{id}/verify-code?language=cobol&x=1"));
    assert_eq!(fields(&refused), ["language", "x"]);
}
