//! Any bytes for a body, through the whole server: a call is taken or refused as the contract says, never fails
//! inside, and what was taken is shown as it was sent.

use std::sync::Arc;
use std::time::Duration;

use postrider::dispatcher::Courier;
use postrider::domain::json::MAX_DEPTH;
use postrider::domain::names::{EventType, OwnId, TenantName};
use postrider::domain::target::Target;
use postrider::domain::time::UnixMs;
use postrider::sender::{Answer, Phases, Request, Sent};
use serde_json::{Value, json};

use super::targets::filters::holds;
use super::targets::model::{self, Json, Kind};
use crate::support::app::{TestApp, text};
use crate::support::client::Response;
use crate::support::problem::problem;

/// Of the endpoint that is watched while the others change.
const FILTERS: &str = r#"{"a.b":[1,"x",null],"c":true}"#;

#[test]
fn calls() {
    let mut server = Server::start();
    super::driver::run("calls", |bytes| {
        let Some((which, body)) = bytes.split_first() else { return };
        server.call(*which, body);
    });
}

/// Delivers everything without sending it: bodies that are made up name addresses that are somebody's.
struct Nowhere;

impl Courier for Nowhere {
    fn prepare(&self, _: &Target, _: Box<dyn FnOnce() + Send>) -> bool {
        true
    }

    fn send(&self, _: &Request<'_>) -> Sent {
        let answer = Answer { status: 204, headers: vec![], body: vec![] };
        Sent { duration: Duration::ZERO, phases: Phases::default(), address: None, result: Ok(answer) }
    }

    fn stop(&self) {}
}

struct Server {
    app: TestApp,
    /// The endpoint that calls change.
    endpoint: String,
    delivery: String,
}

impl Server {
    fn start() -> Self {
        let app = TestApp::builder().courier(|_| Arc::new(Nowhere)).start();
        let filters: Value = serde_json::from_str(FILTERS).expect("JSON");
        let endpoint = |tenant: &str, filters: &Value| {
            let fields =
                json!({"url": "http://a.test/", "tenant": tenant, "events": ["*"], "filters": filters});
            text(&app.create_endpoint(&fields), "id")
        };
        endpoint("default", &filters);
        let endpoint = endpoint("changed", &json!({}));
        app.publish("a", &json!({"a": {"b": 1}, "c": true}));
        let delivery = text(&app.list("/deliveries")[0], "id");
        Self { app, endpoint, delivery }
    }

    fn call(&mut self, which: u8, body: &[u8]) {
        let endpoint = format!("/endpoints/{}", self.endpoint);
        match which % 10 {
            0..=3 => self.publish(body),
            4 => self.change_endpoint(&endpoint, body),
            5 => self.make_endpoint(body),
            6 => self.change_settings(body),
            7 => drop(self.send("POST", "/keys", body)),
            8 => drop(self.send("PUT", "/tenants/named", body)),
            _ => self.others(&endpoint, body),
        }
    }

    /// Sends it; what is refused is a whole problem document, and none of a failure inside.
    fn send(&self, method: &str, path: &str, body: &[u8]) -> Response {
        let headers = [("Content-Type", "application/json")];
        let answer = self.app.client.request(method, &format!("/api/v1{path}"), &headers, Some(body));
        let known = [200, 201, 202, 204, 400, 404, 409, 413, 422].contains(&answer.status);
        assert!(known, "{method} {path}: {}", String::from_utf8_lossy(&answer.body));
        if answer.status >= 400 {
            problem(&answer, path);
        }
        answer
    }

    fn publish(&self, body: &[u8]) {
        let answer = self.send("POST", "/events", body);
        let read = std::str::from_utf8(body).ok().map(model::read).filter(|read| read.deepest <= MAX_DEPTH);
        let event = read.and_then(|read| read.json).and_then(event);
        let Some(event) = event else {
            assert!(matches!(answer.status, 400 | 422), "{} for what is no event", answer.status);
            return;
        };
        if answer.status == 409 {
            assert!(event.id.is_some(), "only an id can be there already");
            return;
        }
        let accepted = answer.expect(202).json();
        let id = text(&accepted, "id");
        assert!(event.id.as_ref().is_none_or(|own| *own == id));
        assert_eq!((&accepted["type"], &accepted["tenant"]), (&json!(event.kind), &json!(event.tenant)));
        let filters = model::read(FILTERS).json.expect("JSON");
        let deliveries = match event.tenant.as_str() {
            "default" => u32::from(holds(&filters, &event.data)),
            "changed" => return,
            _ => 0,
        };
        assert_eq!(accepted["deliveries"], deliveries, "{}", event.data.text);
        let shown = self.app.client.get(&format!("/api/v1/events/{id}?tenant={}", event.tenant)).expect(200);
        let end = format!("\"data\":{},\"data_deleted_at\":null}}", event.data.text);
        assert!(shown.text().ends_with(&end), "{} is shown as {}", event.data.text, shown.text());
    }

    fn change_endpoint(&self, path: &str, body: &[u8]) {
        let answer = self.send("PATCH", path, body);
        if answer.status == 200 {
            let shown = self.app.get(path);
            self.same_again(path, &shown);
            self.app.patch(path, &json!({"url": "http://a.test/"})).expect(200);
        }
    }

    /// Sending what is shown changes nothing.
    fn same_again(&self, path: &str, shown: &Value) {
        let fields = [
            "url",
            "uid",
            "events",
            "description",
            "enabled",
            "filters",
            "headers",
            "format",
            "metadata",
            "retry_schedule",
            "timeout_seconds",
            "rate_limit",
            "max_in_flight",
            "while_disabled",
        ];
        let again: Value = fields.iter().map(|field| ((*field).to_owned(), shown[*field].clone())).collect();
        let answer = self.app.patch(path, &again).expect(200).json();
        for field in fields {
            assert_eq!(answer[field], shown[field], "{field}");
        }
    }

    fn make_endpoint(&self, body: &[u8]) {
        let answer = self.send("POST", "/endpoints", body);
        if answer.status == 201 {
            let path = format!("/endpoints/{}", text(&answer.json(), "id"));
            self.same_again(&path, &self.app.get(&path));
            self.app.delete(&path).expect(204);
        }
    }

    fn change_settings(&self, body: &[u8]) {
        let answer = self.send("PATCH", "/settings", body);
        if answer.status == 200 {
            let shown = self.app.get("/settings");
            assert_eq!(answer.json(), shown);
            assert_eq!(self.app.patch("/settings", &shown).expect(200).json(), shown);
            let names = shown.as_object().expect("an object").keys();
            let nulls: Value = names.map(|name| (name.clone(), Value::Null)).collect();
            self.app.patch("/settings", &nulls).expect(200);
        }
    }

    fn others(&self, endpoint: &str, body: &[u8]) {
        for path in [
            format!("{endpoint}/disable"),
            format!("{endpoint}/enable"),
            format!("{endpoint}/test"),
            format!("/deliveries/{}/retry", self.delivery),
            format!("/deliveries/{}/cancel", self.delivery),
        ] {
            self.send("POST", &path, body);
        }
    }
}

/// What an event's body says.
struct Event<'a> {
    kind: String,
    tenant: String,
    id: Option<String>,
    data: Json<'a>,
}

/// The event, if every field is known, there once and as it must be.
fn event(json: Json<'_>) -> Option<Event<'_>> {
    let Kind::Object(members) = json.kind else { return None };
    let (mut event_type, mut tenant, mut id, mut timestamp, mut data) = (None, None, None, None, None);
    for (name, value) in members {
        let slot = match name.as_deref()? {
            "type" => &mut event_type,
            "tenant" => &mut tenant,
            "id" => &mut id,
            "timestamp" => &mut timestamp,
            "data" => &mut data,
            _ => return None,
        };
        if slot.replace(value).is_some() {
            return None;
        }
    }
    // Absent and `null` mean the same, except for `data`.
    let given = |json: Option<Json<'_>>| match json {
        None | Some(Json { kind: Kind::Null, .. }) => Some(None),
        Some(json) => json.as_text().map(|text| Some(text.to_owned())),
    };
    let (event_type, tenant, id) = (given(event_type)??, given(tenant)?, given(id)?);
    let good = EventType::parse(&event_type).is_ok()
        && tenant.as_deref().is_none_or(|tenant| TenantName::parse(tenant).is_ok())
        && id.as_deref().is_none_or(|id| OwnId::parse(id).is_ok())
        && given(timestamp)?.is_none_or(|at| UnixMs::parse(&at).is_ok());
    good.then_some(Event {
        kind: event_type,
        tenant: tenant.unwrap_or_else(|| "default".to_owned()),
        id,
        data: data?,
    })
}
