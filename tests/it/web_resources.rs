//! Endpoints, tenants, keys, settings and cleanups over HTTP: paths, statuses, bodies, parameters.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use postrider::web::server;
use postrider::web::state::AppState;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::house::{House, all};

const KEY: &str = "pr_0123456789abcdefghijklmn";

/// The API on a house, until it is dropped.
struct Api {
    client: Client,
    house: House,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Api {
    fn new() -> Self {
        let house = House::new();
        house.service.register_first_key(KEY).wait().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::tcp(listener.local_addr().unwrap()).with_key(KEY);
        let state = AppState::new(Arc::clone(&house.service), Vec::new(), "http://console.test".to_owned());
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let served = actix_web::rt::System::new().block_on(async {
                let server = server::start(state, Some(listener), None, 64).unwrap();
                sender.send(server.handle()).unwrap();
                server.await
            });
            served.unwrap();
        });
        Self { client, house, handle: receiver.recv().unwrap(), thread: Some(thread) }
    }

    fn patch(&self, path: &str, status: u16, json: &Value) -> Value {
        self.client.send_json("PATCH", path, json).expect(status).json()
    }

    fn post(&self, path: &str, status: u16, json: &Value) -> Value {
        self.client.post(path, json).expect(status).json()
    }

    fn get(&self, path: &str, status: u16) -> Value {
        self.client.get(path).expect(status).json()
    }

    fn empty_post(&self, path: &str, status: u16) -> Value {
        self.client.request("POST", path, &[], None).expect(status).json()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        let served = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(served, Some(Ok(()))), "the server has panicked");
    }
}

fn fields(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect()
}

#[test]
fn an_endpoint_lives_from_its_create_to_its_delete() {
    let api = Api::new();
    let created = api.client.post("/api/v1/endpoints", &json!({"url": "https://a.example/in", "uid": "erp"}));
    let created = created.expect(201);
    let endpoint = created.json();
    let id = endpoint["id"].as_str().unwrap();
    assert_eq!(created.header("location"), Some(format!("/api/v1/endpoints/{id}").as_str()));
    assert!(created.text().starts_with(&format!(r#"{{"id":"{id}","uid":"erp","tenant":"default","url":"#)));
    assert!(endpoint["secret"].is_string() && endpoint["warnings"].as_array().unwrap().len() == 1);
    let changed = api.patch("/api/v1/endpoints/erp", 200, &json!({"events": ["invoice.*"], "uid": null}));
    assert_eq!((&changed["events"], &changed["warnings"]), (&json!(["invoice.*"]), &json!([])));
    assert_eq!(api.get("/api/v1/endpoints/erp", 404)["code"], "not_found");
    let path = format!("/api/v1/endpoints/{id}");
    let disabled = api.post(&format!("{path}/disable"), 200, &json!({"note": "moving"}));
    assert_eq!((&disabled["health"], &disabled["disabled_note"]), (&json!("disabled"), &json!("moving")));
    assert_eq!(api.empty_post(&format!("{path}/enable"), 200)["enabled"], true);
    assert_eq!(api.get("/api/v1/endpoints?health=ok&enabled=true&limit=1", 200)["data"][0]["id"], id);
    assert_eq!(api.get(&format!("{path}?tenant=acme"), 404)["code"], "not_found");
    assert!(api.client.delete(&path).expect(204).body.is_empty());
    assert_eq!(api.get(&path, 404)["code"], "not_found");
    api.client.delete(&path).expect(404);
}

#[test]
fn wrong_types_wrong_values_and_unknown_fields_are_named_together() {
    let api = Api::new();
    let body = json!({"url": 5, "timeout_seconds": 99, "events": "*", "colour": "red", "tenant": 1});
    let problem = api.post("/api/v1/endpoints", 422, &body);
    assert_eq!(fields(&problem), ["tenant", "url", "events", "colour", "timeout_seconds"]);
    let id = api.post("/api/v1/endpoints", 201, &json!({"url": "https://a.example/"}))["id"].clone();
    let path = format!("/api/v1/endpoints/{}", id.as_str().unwrap());
    let problem = api.patch(&path, 422, &json!({"tenant": "acme", "enabled": "no", "uid": "a b"}));
    assert_eq!(fields(&problem), ["tenant", "enabled", "uid"]);
    assert_eq!(api.get("/api/v1/endpoints?healt=ok&limit=251", 400)["code"], "invalid_query");
    let denied = api.post("/api/v1/endpoints", 422, &json!({"url": "https://inside.example/"}));
    assert_eq!((&denied["code"], fields(&denied)), (&json!("target_denied"), vec!["url"]));
    assert_eq!(api.post(&format!("{path}/enable"), 422, &json!({"held": "maybe"}))["code"], "invalid");
}

#[test]
fn a_test_is_refused_while_another_is_under_way() {
    let api = Api::new();
    let id = api.post("/api/v1/endpoints", 201, &json!({"url": "https://a.example/"}))["id"].clone();
    let path = format!("/api/v1/endpoints/{}/test", id.as_str().unwrap());
    let first = api.house.service.test_endpoint(
        &all(),
        id.as_str().unwrap(),
        None,
        &postrider::service::endpoints::TestDraft::default(),
    );
    let refused = api.client.request("POST", &path, &[], None).expect(429);
    assert_eq!(
        (refused.header("retry-after"), &refused.json()["code"]),
        (Some("1"), &json!("too_many_tests"))
    );
    drop((first, api.house.catcher.tests()));
    assert_eq!(fields(&api.post(&path, 422, &json!({"type": "a b"}))), ["type"]);
}

#[test]
fn keys_and_tenants_and_settings_are_for_an_admin() {
    let api = Api::new();
    let body = json!({"name": "ci", "scopes": ["endpoints:read", "events:write"], "tenant": "acme"});
    let key = api.post("/api/v1/keys", 201, &body);
    assert_eq!(api.get("/api/v1/keys", 200)["data"].as_array().unwrap().len(), 2);
    let bearer = format!("Bearer {}", key["key"].as_str().unwrap());
    let own = |path: &str| api.client.request("GET", path, &[("Authorization", &bearer)], None);
    assert_eq!(own("/api/v1/tenants/acme").expect(200).json()["tenant"], "acme");
    own("/api/v1/tenants/default").expect(404);
    own("/api/v1/endpoints").expect(200);
    for path in ["/api/v1/keys", "/api/v1/tenants", "/api/v1/settings", "/api/v1/cleanups"] {
        assert_eq!(own(path).expect(403).json()["code"], "insufficient_scope", "{path}");
    }
    assert_eq!(
        fields(&api.post("/api/v1/keys", 422, &json!({"scopes": "admin", "tenant": "a b"}))),
        ["name", "scopes", "tenant"]
    );
    let put = api.client.send_json("PUT", "/api/v1/tenants/globex", &json!({"name": "Globex"}));
    assert_eq!(put.expect(201).json()["tenant"], "globex");
    assert_eq!(
        api.client.send_json("PUT", "/api/v1/tenants/globex", &json!({})).expect(200).json()["name"],
        Value::Null
    );
    assert_eq!(api.get("/api/v1/tenants?limit=1", 200)["data"][0]["tenant"], "globex");
    let gone = api.client.delete("/api/v1/tenants/globex").expect(202).json();
    assert_eq!((&gone["tenant"], &gone["endpoints"]), (&json!("globex"), &json!(0)));
    api.client.get("/api/v1/tenants/globex").expect(404);
    assert_eq!(api.patch("/api/v1/settings", 200, &json!({"endpoint_limit": 3}))["endpoint_limit"], 3);
    assert_eq!(
        fields(&api.patch("/api/v1/settings", 422, &json!({"endpoint_limit": -1, "x": 1}))),
        ["endpoint_limit", "x"]
    );
    assert_eq!(api.get("/api/v1/settings", 200)["endpoint_limit"], 3);
    let id = key["id"].as_str().unwrap();
    api.client.delete(&format!("/api/v1/keys/{id}")).expect(204);
    api.client.delete(&format!("/api/v1/keys/{id}")).expect(404);
}

#[test]
fn a_cleanup_answers_its_report() {
    let api = Api::new();
    let report = api.empty_post("/api/v1/cleanups", 200);
    assert_eq!((&report["deliveries"], &report["error"]), (&json!(0), &Value::Null));
    assert_eq!(api.get("/api/v1/cleanups", 200)["data"], json!([report]));
    let problem = api.post("/api/v1/cleanups", 422, &json!({"older_than_seconds": 60}));
    assert_eq!(fields(&problem), ["older_than_seconds"]);
}
