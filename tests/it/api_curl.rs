//! The request of an attempt as a curl command.

use std::process::Command;

use serde_json::json;

use crate::support::app::{TestApp, text};
use crate::support::problem::{code, fields};
use crate::support::receiver::{Receiver, Reply};

fn curl(app: &TestApp, delivery: &str, query: &str) -> String {
    let answer = app.client.get(&format!("/api/v1/deliveries/{delivery}/curl{query}")).expect(200);
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    answer.text().to_owned()
}

/// What a shell hands to curl.
fn arguments(command: &str) -> Vec<String> {
    let script = format!("curl() {{ for one; do printf '%s\\036' \"$one\"; done; }}\n{command}");
    let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
    let text = String::from_utf8(output.stdout).expect("text");
    text.split_terminator('\u{1e}').map(str::to_owned).collect()
}

#[test]
fn it_is_the_request_as_it_was_sent_but_for_credentials() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    receiver.always(Reply::status(500));
    let own = json!({ "headers": { "X-Token": "very secret" }, "retry_schedule": [3600] });
    app.endpoint_with(&receiver, "/hook?a='b'&c={d}", &own);
    let delivery = app.send(&json!("it's; $(id) `id` \\ \"quoted\" @file"));
    app.settle();
    app.retry(&delivery).expect(202);
    app.settle();
    let [first, second] = [1, 0].map(|at| receiver.received()[at].clone());
    for (query, sent) in [("", &first), ("?attempt=2", &first), ("?attempt=1", &second)] {
        let command = curl(&app, &delivery, query);
        assert!(!command.contains("very secret"), "{command}");
        let given = arguments(&command);
        let after = |option: &str| {
            let pairs = given.windows(2).filter(|pair| pair[0] == option);
            pairs.map(|pair| pair[1].clone()).collect::<Vec<_>>()
        };
        assert_eq!(after("--data-raw"), [String::from_utf8_lossy(&sent.body)]);
        assert_eq!(after("--url"), [receiver.url("/hook?a=%27b%27&c={d}")], "as it was stored");
        let headers = after("--header");
        assert!(headers.contains(&"x-token: •••".to_owned()) || headers.contains(&"X-Token: •••".to_owned()));
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "user-agent"] {
            let value = sent.header(name).expect("a header");
            assert!(headers.contains(&format!("{name}: {value}")), "{name}: {value} in {headers:?}");
        }
        assert!(
            !headers.iter().any(|header| header.starts_with("host") || header.starts_with("content-length"))
        );
    }
}

#[test]
fn where_there_is_no_request_that_is_told() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let endpoint = app.endpoint_at(&receiver, "/");
    app.disable(&endpoint);
    let event = app.publish("a", &json!(1));
    let held = text(&app.delivery_of(&event), "id");
    let call = |path: &str| app.client.get(&format!("/api/v1/deliveries/{path}"));
    let none = call(&format!("{held}/curl")).expect(404);
    assert!(none.text().contains("no attempt yet"), "{}", none.text());
    app.enable(&endpoint);
    app.settle();
    assert!(call(&format!("{held}/curl?attempt=7")).expect(404).text().contains("no attempt 7"));
    for bad in ["0", "-1", "x", ""] {
        let wrong = call(&format!("{held}/curl?attempt={bad}&more=1"));
        assert_eq!(
            (code(&wrong).as_str(), fields(&wrong)),
            ("invalid_query", ["attempt", "more"].map(str::to_owned).to_vec())
        );
    }
    app.delete(&format!("/events/{}/data", text(&event, "id"))).expect(204);
    assert!(call(&format!("{held}/curl")).expect(404).text().contains("data of its event was deleted"));
    assert_eq!(code(&call("dlv_nobody/curl").expect(404)), "not_found");
}
