//! The page "Moving here from your own webhooks": its formats and its commands, run as they stand there.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::process::{self, PATIENCE};
use crate::support::receiver::{Received, Receiver};
use crate::support::server::{Server, Start};
use crate::support::{guide, mac};

const PAGE: &str = include_str!("../../templates/docs/moving.md");

/// In place of the page's `sleep 1`: until nothing is on its way any more.
const UNTIL_SENT: &str = r#"
for turn in $(seq 600)
do api "localhost:8383/api/v1/deliveries?status=pending" | grep -q '"id"' || break; sleep 0.05
done
"#;

/// A block of the page.
#[track_caller]
fn block(mark: &str) -> &'static str {
    guide::block(PAGE, mark)
}

/// What a team has after the commands of a section were run: a server, and a receiver that got something.
struct Moved {
    server: Server,
    receiver: Receiver,
    _dir: tempfile::TempDir,
}

impl Moved {
    /// Saves the format as the page says, and runs the commands, each of which has to be accepted.
    #[track_caller]
    fn by(name: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (server, receiver) = (server(dir.path()), Receiver::start());
        let file = format!("{name}.json");
        std::fs::write(dir.path().join(&file), block(&format!("json {file}"))).expect("a file");
        let script = format!("{}\n{}", block("sh prelude"), block(&format!("sh {name}")));
        assert!(script.contains("\nsleep 1\n"), "it waits before it shows the delivery");
        let script = script
            .replace("\nsleep 1\n", UNTIL_SENT)
            .replace("localhost:8383", &server.address.to_string())
            .replace("localhost:9000", &receiver.address().to_string());
        guide::run(&script, dir.path());
        Self { server, receiver, _dir: dir }
    }

    /// The first request that the receiver got on this path.
    #[track_caller]
    fn received(&self, path: &str) -> Arc<Received> {
        self.receiver.wait_for_path(path, 1).swap_remove(0)
    }

    /// The endpoint with this handle.
    #[track_caller]
    fn endpoint(&self, uid: &str, tenant: &str) -> Value {
        self.server.get(&format!("/endpoints/{uid}?tenant={tenant}"))
    }

    /// Waits until a delivery of this type to the endpoint is in its history as delivered.
    #[track_caller]
    fn delivered(&self, uid: &str, tenant: &str, event_type: &str) {
        let path = format!("/endpoints/{uid}/deliveries?tenant={tenant}&type={event_type}&status=delivered");
        process::until("the delivery to be delivered", PATIENCE, || {
            (self.server.get(&path)["data"].as_array().expect("a list").len() == 1).then_some(())
        });
    }
}

/// The server that the page starts, with the key that all its commands use.
fn server(dir: &Path) -> Server {
    let run = block("sh run");
    let key = run.strip_prefix("POSTRIDER_API_KEY=").and_then(|rest| rest.split(' ').next()).expect("a key");
    assert!(run.ends_with(" postrider serve --dev"), "{run}");
    assert!(block("sh prelude").contains(&format!("Bearer {key}\"")), "both blocks use the same key");
    let mut server = Start::on(&dir.join("data")).with("POSTRIDER_API_KEY", key).start();
    server.client = Client::tcp(server.address).with_key(key);
    server
}

fn body(request: &Received) -> &str {
    std::str::from_utf8(&request.body).expect("a body in UTF-8")
}

/// The names of the headers that the format has set.
fn own(request: &Received) -> Vec<&str> {
    let names = request.headers.iter().map(|(name, _)| name.as_str());
    names.filter(|name| name.starts_with("x-")).collect()
}

#[test]
fn phosras_webhooks_arrive_unsigned_with_the_payload_of_its_documentation() {
    let moved = Moved::by("phosra");
    let request = moved.received("/webhooks/phosra");
    let expected = json!({
        "event": "enforcement.completed",
        "timestamp": "2026-02-23T14:30:00Z",
        "family_id": "550e8400-e29b-41d4-a716-446655440000",
        "data": {
            "job_id": "660e8400-e29b-41d4-a716-446655440001",
            "child_id": "770e8400-e29b-41d4-a716-446655440002",
            "status": "completed",
            "platforms": [
                { "platform_id": "nextdns", "rules_applied": 12, "rules_skipped": 3, "rules_failed": 0 }
            ],
        },
    });
    assert_eq!(request.json(), expected);
    assert!(own(&request).is_empty(), "{:?}", request.headers);
    moved.delivered("family-app", "550e8400-e29b-41d4-a716-446655440000", "enforcement.completed");
    let endpoint = moved.endpoint("family-app", "550e8400-e29b-41d4-a716-446655440000");
    assert_eq!(endpoint["retry_schedule"], json!([60, 300, 1800, 7200, 43200]));
    assert_eq!(endpoint["timeout_seconds"], 5);
}

#[test]
fn krafters_webhooks_carry_its_signature_over_the_data_alone() {
    let (moved, app) = (Moved::by("krafter"), "a1b2c3d4-5e6f-7a8b-9c0d-1e2f3a4b5c6d");
    let request = moved.received("/webhooks/push");
    let mut keys: Vec<_> = request.json().as_object().expect("an object").keys().cloned().collect();
    keys.sort();
    assert_eq!(keys, ["app_id", "failed_count", "notification_id", "sent_count", "title"]);
    let signature = mac::sha256_hex("whsec_a1b2c3d4e5f6g7h8i9j0", &request.body);
    assert_eq!(request.header("x-krafter-signature"), Some(signature.as_str()));
    let hook = "f6a7b8c9-0d1e-2f3a-4b5c-6d7e8f9a0b1c";
    moved.delivered(hook, app, "notification.sent");
    let endpoint = moved.endpoint(hook, app);
    assert_eq!((&endpoint["enabled"], &endpoint["failure_count"]), (&json!(false), &json!(0)));
    let reserved = json!({ "tenant": app, "type": "notification.clicked", "data": {} });
    moved.server.post("/events", &reserved).expect(422);
    let late = json!({ "tenant": app, "type": "notification.sent", "data": {} });
    let late = moved.server.post("/events", &late).expect(202).json();
    assert_eq!(late["deliveries"], 0, "it is disabled, and skips");
}

#[test]
fn zyras_webhooks_name_their_event_in_a_header_and_are_signed_with_the_secret_they_had() {
    let moved = Moved::by("zyra");
    let requests = moved.receiver.wait_for_path("/zyra", 2);
    let events: Vec<_> = requests.iter().filter_map(|request| request.header("x-zyra-event")).collect();
    assert_eq!(events, ["job.completed", "webhook.test"]);
    for request in &requests {
        let signature = mac::sha256_hex("0f1e2d3c4b5a69788796a5b4c3d2e1f0", &request.body);
        assert_eq!(request.header("x-zyra-signature"), Some(signature.as_str()));
    }
    assert_eq!(body(&requests[0]), r#"{"job": "backup-17", "exit_code": 0, "log": "ça marche: 1/1"}"#);
    for event_type in ["job.completed", "webhook.test"] {
        moved.delivered("prod-ops-bus", "acme", event_type);
    }
    assert_eq!(moved.endpoint("prod-ops-bus", "acme")["retry_schedule"], json!([2, 4, 8, 16]));
}

#[test]
fn webhooks_of_a_plain_rest_api_are_what_json_stringify_writes() {
    let moved = Moved::by("generic");
    let request = moved.received("/webhook");
    let expected = concat!(
        r#"{"id":"evt_abc123","type":"user.created","created_at":"2026-01-15T12:30:00Z","#,
        r#""data":{"id":"user_123","name":"John Doe","email":"john@example.com","status":"active"}}"#
    );
    assert_eq!(body(&request), expected);
    let signature = mac::sha256_hex("whsec_abc123def456ghi789jkl012", &request.body);
    assert_eq!(request.header("x-webhook-signature"), Some(signature.as_str()));
    moved.delivered("hook_123", "default", "user.created");
}

#[test]
fn webhooks_of_a_php_package_carry_prefix_id_time_and_a_workspace_that_is_a_number() {
    let moved = Moved::by("workspaces");
    let requests = moved.receiver.wait_for_path("/webhooks", 2);
    let request = &requests[0];
    let expected = json!({
        "id": "evt_abc123def456", "type": "post.created", "created_at": "2024-01-15T10:30:00Z",
        "data": { "object": {
            "id": 123, "title": "My Blog Post", "url": "https://example.com/posts/my-blog-post",
        } },
        "workspace_id": 456,
    });
    assert_eq!(request.json(), expected);
    let signature = mac::sha256_hex("whsec_Yk3n9QpZr7Lw2Xv5Tb8Mc1Hs6Df4Gj0A", &request.body);
    assert_eq!(request.header("x-webhook-signature"), Some(format!("sha256={signature}").as_str()));
    assert_eq!(request.header("x-webhook-id"), Some("evt_abc123def456"));
    let time = request.header("x-webhook-timestamp").and_then(|time| time.parse::<u64>().ok());
    assert!(time.is_some_and(|time| time > 1_700_000_000), "{time:?}");
    let tested = json!({ "test": true, "message": "This is a test webhook" });
    assert_eq!(requests[1].json()["data"]["object"], tested);
    moved.delivered("everything", "456", "post.created");
    let published = json!({ "tenant": "456", "type": "post.published", "data": { "status": "published" } });
    moved.server.post("/events", &published).expect(202);
    assert_eq!(moved.received("/webhooks/posts").json()["type"], "post.published");
    assert_eq!(moved.receiver.count_on("/webhooks/posts"), 1, "the one without a status was not for it");
}

#[test]
fn every_concept_is_told_for_each_of_the_five() {
    let sections: Vec<&str> = PAGE.split("\n## ").filter(|part| part.contains("| there | here |")).collect();
    assert_eq!(sections.len(), 5);
    for section in sections {
        for concept in ["tenant", "events", "retry_schedule", "failed", "/test", "deliveries", "signature"] {
            assert!(
                section.contains(concept),
                "no {concept} in {}",
                section.lines().next().unwrap_or_default()
            );
        }
        let rows = section.lines().filter(|line| line.starts_with("| "));
        for row in rows {
            assert_eq!(row.matches(" |").count() + row.matches("||").count(), 3, "{row}");
        }
    }
}
