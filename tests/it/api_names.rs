//! Names that a path cannot hold as it stands: tenants that are refused for it, and event types that are asked for in
//! another way.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::client::Response;
use crate::support::console::{Console, holds};
use crate::support::problem::{code, problem};

const FOLDERS: [&str; 2] = [".", ".."];

/// The one thing that is wrong: its field, and what is said about it.
fn wrong(answer: &Response) -> (String, String) {
    let document = problem(answer, "the answer");
    let [error] = document["errors"].as_array().expect("a list").as_slice() else { panic!("{document}") };
    let text = |name: &str| error[name].as_str().expect("a text").to_owned();
    (text("field"), text("message"))
}

#[test]
fn a_tenant_is_never_named_like_a_folder() {
    let app = TestApp::start();
    for name in FOLDERS {
        let calls: [(&str, Value, &str); 5] = [
            ("/events", json!({ "type": "a", "data": 1, "tenant": name }), "tenant"),
            (
                "/events/batch",
                json!({ "events": [{ "type": "a", "data": 1, "tenant": name }] }),
                "events[0].tenant",
            ),
            ("/endpoints", json!({ "url": "http://127.0.0.1:9999/", "tenant": name }), "tenant"),
            ("/keys", json!({ "name": "k", "scopes": ["events:read"], "tenant": name }), "tenant"),
            ("/deliveries/release", json!({ "held": "deliver", "tenant": name }), "tenant"),
        ];
        for (path, body, field) in calls {
            let answer = app.post(path, &body).expect(422);
            let (named, message) = wrong(&answer);
            assert_eq!(named, field, "{path}");
            assert!(message.contains("stand for folders"), "{path}: {message}");
        }
        let escaped = name.replace('.', "%2E");
        let put = app.client.send_json("PUT", &format!("/api/v1/tenants/{escaped}"), &json!({})).expect(422);
        assert_eq!(wrong(&put).0, "tenant");
        app.client.get(&format!("/api/v1/tenants/{escaped}")).expect(404);
        for list in ["events", "endpoints", "deliveries", "keys", "replays", "audit", "stats"] {
            let answer = app.client.get(&format!("/api/v1/{list}?tenant={name}")).expect(400);
            assert_eq!(
                (code(&answer).as_str(), wrong(&answer).0.as_str()),
                ("invalid_query", "tenant"),
                "{list}"
            );
        }
    }
    assert_eq!(app.list("/tenants").len(), 1, "default alone");
}

#[test]
fn nor_in_the_console() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    for name in FOLDERS {
        let forms: [(&str, &[(&str, &str)]); 4] = [
            ("/tenants", &[("tenant", name)]),
            ("/events/new", &[("tenant", name), ("type", "a"), ("data", "1")]),
            ("/endpoints/new", &[("tenant", name), ("url", "http://127.0.0.1:9999/")]),
            ("/keys", &[("tenant", name), ("name", "k"), ("scopes", "events:read")]),
        ];
        for (path, fields) in forms {
            let page = console.refused(path, fields, 422);
            holds(&page, &["id=\"tenant-wrong\"", "stand for folders"]);
        }
        let listed = console.get(&format!("/events?tenant={name}")).expect(422);
        holds(listed.text(), &["id=\"tenant-wrong\"", "stand for folders"]);
    }
}

#[test]
fn a_type_whose_path_would_be_shortened_is_asked_for_with_escaped_slashes() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    for name in ["a/./b", "a//b", "/a", "a/", "new/"] {
        let path = format!("/api/v1/event-types/{}", name.replace('/', "%2F"));
        let put = app.client.send_json("PUT", &path, &json!({ "description": "odd" })).expect(201).json();
        assert_eq!(
            (&put["name"], &app.client.get(&path).expect(200).json()["name"]),
            (&json!(name), &json!(name))
        );
        let link = format!("/event-types/{}", name.replace('/', "%2F"));
        holds(&console.page("/event-types"), &[&format!("href=\"{link}\"")]);
        holds(&console.page("/audit"), &[&format!("href=\"{link}\"")]);
        holds(&console.page(&link), &["odd"]);
        app.client.delete(&path).expect(204);
    }
}
