//! Document 004: webhooks of workspaces, of a package for PHP. Its "fake and assert" is `tests/it/fakes.rs`.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Moved, own_headers};
use crate::support::actions::shows;
use crate::support::app::text;
use crate::support::foreign::{Judge, all_judge};
use crate::support::receiver::Reply;

const FOLDER: &str = "004_workspaces";
const OTHER: &str = "whsec_Zk3tQ9vXr1LmB7yNc5Hs2WdPf8GjTa4F";

fn receivers() -> [Judge; 3] {
    ["004_workspaces/controller.php", "004_workspaces/manual.php", "004_workspaces/receiver.js"]
        .map(Judge::receiver)
}

#[test]
fn the_receivers_of_the_document_accept_what_is_right_and_nothing_else() {
    let moved = Moved::to_a_new_server(FOLDER);
    let request = moved.deliver_example();
    assert_eq!(own_headers(&request), ["x-webhook-id", "x-webhook-timestamp", "x-webhook-signature"]);
    assert_eq!(request.json()["workspace_id"], json!(456), "a number");
    let secrets = (moved.secret(), OTHER);
    all_judge(&receivers(), &request, (&secrets.0, secrets.1), "X-Webhook-Signature", ("My Blog", "My blog"));
}

#[test]
fn id_and_timestamp_are_headers_and_the_signature_says_its_hash() {
    let moved = Moved::to_a_new_server(FOLDER);
    moved.receiver.reply(Reply::status(500));
    let event = moved.publish_example();
    let first = moved.receiver.next();
    moved.app.settle();
    moved.app.advance(Duration::from_secs(66));
    let second = moved.receiver.next();
    for (request, time) in [(&first, 1_771_857_000), (&second, 1_771_857_066)] {
        assert_eq!(request.header("X-Webhook-ID"), event["id"].as_str(), "the same for every attempt");
        assert_eq!(
            request.header("X-Webhook-Timestamp"),
            Some(time.to_string().as_str()),
            "the attempt's own"
        );
        let signature = request.header("X-Webhook-Signature").expect("a signature");
        let digits = signature.strip_prefix("sha256=").expect("its prefix");
        assert!(digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()), "{signature}");
    }
    assert_eq!(first.body, second.body);
}

#[test]
fn three_retries_come_after_one_five_and_thirty_minutes() {
    let over = Moved::to_a_new_server(FOLDER).fail_for_good(&[60, 300, 1800]);
    shows(&over, &json!({ "status_code": 500, "response_body": "not today" }));
}

#[test]
fn wildcards_and_exact_names_decide_about_types() {
    let moved = Moved::to_a_new_server(FOLDER);
    let all = ["post.created", "post.published", "post.comment.created", "page.created", "posts.created"];
    for (events, expected) in [
        (json!(["post.*"]), &all[..3]),
        (json!(["*"]), &all[..]),
        (json!(["post.created", "post.published"]), &all[..2]),
        (json!([]), &all[..0]),
    ] {
        moved.app.change_endpoint(&moved.id(), &json!({ "events": events }));
        let matched = |name: &&&str| moved.publish(name, &json!({}))["deliveries"] == 1;
        let matched: Vec<&str> = all.iter().filter(matched).copied().collect();
        assert_eq!(matched, expected, "{events}");
    }
}

#[test]
fn filters_let_only_published_posts_through() {
    let moved = Moved::to_a_new_server(FOLDER);
    let change = json!({ "events": ["post.*"], "filters": { "status": "published" } });
    moved.app.change_endpoint(&moved.id(), &change);
    for (data, deliveries) in [
        (json!({ "id": 1, "status": "published" }), 1),
        (json!({ "id": 2, "status": "draft" }), 0),
        (json!({ "id": 3 }), 0),
        (json!({ "post": { "status": "published" } }), 0),
    ] {
        assert_eq!(moved.publish("post.updated", &data)["deliveries"], deliveries, "{data}");
    }
    let request = moved.receiver.next();
    assert_eq!(request.json()["data"]["object"], json!({ "id": 1, "status": "published" }));
}

#[test]
fn a_custom_payload_arrives_as_the_object() {
    let moved = Moved::to_a_new_server(FOLDER);
    moved.app.change_endpoint(&moved.id(), &json!({ "events": ["post.published"] }));
    let data = json!({
        "post_id": 7, "title": "T", "author": { "id": 1, "name": "A" },
        "metadata": { "published_at": "2024-01-15T10:30:00Z", "word_count": 900 },
    });
    moved.publish("post.published", &data);
    let request = moved.receiver.next();
    assert_eq!(request.json()["data"]["object"], data);
    assert!(receivers().iter().all(|receiver| receiver.judge(&request, &moved.secret()).accepts()));
}

#[test]
fn a_failed_delivery_is_retried_by_hand() {
    let moved = Moved::to_a_new_server(FOLDER);
    let failed = text(&moved.fail_for_good(&[60, 300, 1800]), "id");
    moved.receiver.always(Reply::ok().body("received"));
    moved.app.retry(&failed).expect(202);
    moved.app.settle();
    let delivery = moved.app.delivery(&failed);
    let expected =
        json!({ "status": "delivered", "status_code": 200, "attempts": 5, "response_body": "received" });
    shows(&delivery, &expected);
    let last = moved.receiver.received().pop().expect("a request");
    assert!(receivers().iter().all(|receiver| receiver.judge(&last, &moved.secret()).accepts()));
}

#[test]
fn a_test_sends_its_own_data_and_answers_its_outcome() {
    let moved = Moved::to_a_new_server(FOLDER);
    let data = json!({ "test": true, "message": "This is a test webhook" });
    let test = || moved.app.post(&format!("/endpoints/{}/test", moved.id()), &json!({ "data": data }));
    shows(&test().expect(200).json(), &json!({ "success": true, "status_code": 200, "error": null }));
    let request = moved.receiver.next();
    shows(
        &request.json(),
        &json!({ "type": "webhook.test", "data": { "object": data }, "workspace_id": 456 }),
    );
    assert!(receivers().iter().all(|receiver| receiver.judge(&request, &moved.secret()).accepts()));
    moved.receiver.reply(Reply::status(401).body("Invalid signature"));
    let failed = test().expect(200).json();
    shows(&failed, &json!({ "success": false, "status_code": 401, "response_body": "Invalid signature" }));
    assert!(text(&failed, "error").contains("401"), "{failed}");
    // A kept connection that ends before an answer gets another try on a fresh one, in the same attempt.
    moved.receiver.reply(Reply::close());
    moved.receiver.reply(Reply::close());
    shows(&test().expect(200).json(), &json!({ "success": false, "status_code": Value::Null }));
}

#[test]
fn an_inactive_webhook_gets_nothing_and_an_active_one_what_comes_then() {
    let moved = Moved::to_a_new_server(FOLDER);
    moved.app.change_endpoint(&moved.id(), &json!({ "enabled": false }));
    assert_eq!(moved.publish("post.created", &json!({ "id": 1 }))["deliveries"], 0);
    moved.app.change_endpoint(&moved.id(), &json!({ "enabled": true }));
    assert_eq!(moved.publish("post.created", &json!({ "id": 2 }))["deliveries"], 1);
    assert_eq!(moved.receiver.next().json()["data"]["object"]["id"], 2);
}

#[test]
fn webhooks_and_deliveries_are_listed_the_latest_first_page_by_page() {
    let moved = Moved::to_a_new_server(FOLDER);
    moved.app.create_endpoint(&json!({ "url": moved.receiver.url("/"), "tenant": "457" }));
    let of_the_workspace = moved.app.list("/endpoints?tenant=456");
    assert_eq!(of_the_workspace.iter().map(|row| text(row, "id")).collect::<Vec<_>>(), [moved.id()]);
    let events: Vec<String> =
        (0..12).map(|n| text(&moved.publish("post.created", &json!({ "id": n })), "id")).collect();
    moved.app.settle();
    let latest = moved.app.get(&format!("/endpoints/{}/deliveries?limit=10", moved.id()));
    let rows = latest["data"].as_array().expect("a list");
    let shown: Vec<String> = rows.iter().map(|row| text(row, "event_id")).collect();
    assert_eq!(shown, events.iter().rev().take(10).cloned().collect::<Vec<_>>());
    shows(
        &rows[0],
        &json!({ "status": "delivered", "status_code": 200, "attempts": 1, "response_body": null }),
    );
    let rest =
        format!("/endpoints/{}/deliveries?limit=10&cursor={}", moved.id(), text(&latest, "next_cursor"));
    assert_eq!(moved.app.get(&rest)["data"].as_array().map(Vec::len), Some(2));
}
