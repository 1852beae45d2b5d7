//! `postrider listen --record`: what a test suite asks of it.

use postrider::clock::{Clock, SystemClock};
use serde_json::json;

use crate::support::app::text;
use crate::support::listener::{Listener, SECRET, signed};

const BODY: &[u8] = br#"{"id":"evt_1","type":"order.paid","data":{"order": 17,"total":29.90}}"#;

fn send_type(listener: &Listener, event_type: &str) {
    listener
        .client
        .post("/any/path", &json!({ "type": event_type, "data": { "of": event_type } }))
        .expect(200);
}

#[test]
fn what_came_is_kept_for_a_test_suite_that_asks_by_type_and_time() {
    let listener = Listener::start(&["--record", "--secret", SECRET]);
    listener.process.wait_for_log("the last 10000 requests, 64 MB at most", 1);
    send_type(&listener, "order.paid");
    send_type(&listener, "order.items.added");
    let headers = signed(SECRET, "evt_1", SystemClock::new().wall().seconds(), BODY);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    listener.client.request("POST", "/hook", &headers, Some(BODY)).expect(200);
    let get = |query: &str| listener.client.get(&format!("/received{query}")).expect(200).json();
    let all = get("");
    let types: Vec<_> = all.as_array().expect("a list").iter().map(|one| text(one, "type")).collect();
    assert_eq!(types, ["order.paid", "order.items.added", "order.paid"], "in the order in which they came");
    assert_eq!(
        (&all[0]["verified"], &all[2]["verified"], &all[2]["id"]),
        (&json!(false), &json!(true), &json!("evt_1"))
    );
    assert_eq!(
        (all[2]["body"].as_str().map(str::as_bytes), &all[2]["data"]["total"]),
        (Some(BODY), &json!(29.9))
    );
    assert_eq!(all[2]["headers"]["webhook-id"], "evt_1");
    assert_eq!(get("?type=order.items.*").as_array().map(Vec::len), Some(1));
    assert_eq!(get("?type=order.paid&since=2100-01-01T00:00:00Z"), json!([]));
    let since = format!("?since={}", text(&all[0], "received_at"));
    assert_eq!(get(&since).as_array().map(Vec::len), Some(3));
    assert_eq!(get("/count?type=order.paid"), json!({ "count": 2, "dropped": 0 }));
    listener.client.delete("/received").expect(204);
    assert_eq!((get(""), get("/count")), (json!([]), json!({ "count": 0, "dropped": 0 })));
}

#[test]
fn a_question_that_is_wrong_is_told_what_is_allowed() {
    let listener = Listener::start(&["--record"]);
    let problem = listener.client.get("/received?type=a..b&since=today&limit=3").expect(400).json();
    let fields: Vec<_> =
        problem["errors"].as_array().expect("a list").iter().map(|error| text(error, "field")).collect();
    assert_eq!(fields, ["type", "since", "limit"]);
    let refused = listener.client.post("/received", &json!({})).expect(405);
    assert_eq!(
        (refused.header("Allow"), text(&refused.json(), "code").as_str()),
        (Some("GET, DELETE"), "method_not_allowed")
    );
    let huge = vec![b' '; 9 * 1024 * 1024];
    let refused = listener.client.raw(
        &[b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9437184\r\n\r\n", huge.as_slice()].concat(),
        false,
    );
    assert_eq!(refused.map(|answer| answer.status), Some(413));
}
