//! The reference and the server say the same: every route is in it, every example is taken, every answer fits.

use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::client::{Client, Response};
use crate::support::process::{self, PATIENCE};
use crate::support::receiver::Receiver;
use crate::support::routes;

/// The document, as it is served.
struct Document(Value);

/// A call of it.
struct Call {
    method: String,
    path: String,
    told: Value,
}

impl Document {
    fn of(app: &TestApp) -> Self {
        Self(Client::tcp(app.address()).get("/openapi.json").expect(200).json())
    }

    fn calls(&self) -> Vec<Call> {
        let mut calls = Vec::new();
        for (path, methods) in self.0["paths"].as_object().expect("paths") {
            for (method, told) in methods.as_object().expect("methods") {
                let method = method.to_uppercase();
                calls.push(Call { method, path: path.clone(), told: told.clone() });
            }
        }
        calls
    }

    /// What the document says of an answer, its reference followed.
    fn answer<'a>(&'a self, call: &'a Call, status: u16) -> &'a Value {
        let told = &call.told["responses"][status.to_string()];
        match told["$ref"].as_str() {
            Some(reference) => self.0.pointer(&reference[1..]).expect("a response of the document"),
            None => told,
        }
    }

    /// Fails unless the answer is one that the document tells of.
    #[track_caller]
    fn check(&self, call: &Call, answer: &Response) {
        let what = format!("{} {}: {} {}", call.method, call.path, answer.status, answer.text());
        let told = self.answer(call, answer.status);
        assert!(told.is_object(), "an answer that the document does not know: {what}");
        for header in told["headers"].as_object().expect("headers").keys() {
            let always = ["X-Request-Id", "Retry-After", "WWW-Authenticate", "Location"];
            assert!(
                !always.contains(&header.as_str()) || answer.header(header).is_some(),
                "{header}: {what}"
            );
        }
        let Some(content) = told["content"].as_object() else {
            return assert!(answer.body.is_empty(), "{what}");
        };
        let (media_type, told) = content.iter().next().expect("a media type");
        let given = answer.header("content-type").expect("a media type");
        assert_eq!(given.split(';').next(), Some(media_type.as_str()), "{what}");
        if media_type.ends_with("json") {
            let mut schema = told["schema"].clone();
            schema["components"] = self.0["components"].clone();
            let validator = jsonschema::validator_for(&schema).expect("a schema");
            let json = answer.json();
            let wrong: Vec<String> = validator
                .iter_errors(&json)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(wrong.is_empty(), "{wrong:?} in {what}");
        }
    }
}

/// A server with something of everything.
struct World {
    app: TestApp,
    receiver: Receiver,
    operator: String,
}

impl World {
    fn new() -> Self {
        let (app, receiver) = (TestApp::start(), Receiver::start());
        let invited = json!({ "email": "bob@example.com", "role": "viewer" });
        let operator = text(&app.post("/operators", &invited).expect(201).json(), "id");
        let world = Self { app, receiver, operator };
        world.app.patch("/settings", &json!({ "endpoint_limit": 1000 })).expect(200);
        world
    }

    fn put(&self, path: &str, body: &Value) -> Value {
        let answer = self.app.client.send_json("PUT", &format!("/api/v1{path}"), body);
        assert!(answer.status < 300, "{path}: {}", answer.text());
        answer.json()
    }

    fn endpoint(&self) -> String {
        let fields = json!({ "url": self.receiver.url("/"), "tenant": "acme", "events": ["invoice.*"] });
        text(&self.app.create_endpoint(&fields), "id")
    }

    fn event(&self, tenant: &str) -> Value {
        // It fits the schema that the example of the catalogue sets.
        let event = json!({ "type": "invoice.paid", "data": { "invoice": "in_17" }, "tenant": tenant });
        self.app.post("/events", &event).expect(202).json()
    }

    /// A delivery that the call can do something with.
    fn delivery(&self, call: &Call) -> String {
        let held = call.path.ends_with("/cancel");
        let tenant = if held { "held" } else { "acme" };
        let fields =
            json!({ "url": self.receiver.url("/"), "tenant": tenant, "events": ["*"], "enabled": !held });
        let endpoint = text(&self.app.create_endpoint(&fields), "id");
        self.event(tenant);
        self.app.settle();
        let list = self.app.get(&format!("/endpoints/{endpoint}/deliveries"));
        text(&list["data"][0], "id")
    }

    /// A path with things that are there.
    fn path(&self, call: &Call) -> String {
        let resource = call.path.trim_start_matches("/api/v1/").split('/').next().unwrap_or_default();
        let name = match resource {
            "mail-server" => {
                let server = json!({ "host": "localhost", "security": "none", "from": "a@example.com" });
                self.put("/mail-server", &server);
                String::new()
            }
            _ if !call.path.contains('{') => String::new(),
            "alerts" => {
                let alert = json!({ "kind": "webhook", "endpoint": self.endpoint() });
                text(&self.app.post("/alerts", &alert).expect(201).json(), "id")
            }
            "endpoints" => self.endpoint(),
            "events" => text(&self.event("acme"), "id"),
            "deliveries" => self.delivery(call),
            "replays" => {
                let again = json!({ "since": "2020-01-01T00:00:00Z", "dry_run": true });
                let path = format!("/endpoints/{}/replay", self.endpoint());
                text(&self.app.post(&path, &again).expect(202).json(), "id")
            }
            "event-types" => text(&self.put("/event-types/invoice.paid", &json!({})), "name"),
            "formats" if call.method == "GET" || call.method == "POST" => "standard".to_owned(),
            "formats" => {
                let bare = json!({ "signature": { "scheme": "none" }, "envelope": "data" });
                text(&self.put("/formats/bare", &bare), "name")
            }
            "tenants" => text(&self.put("/tenants/gone", &json!({})), "tenant"),
            "tenant-deletions" => {
                self.put("/tenants/other", &json!({}));
                text(&self.app.delete("/tenants/other").expect(202).json(), "id")
            }
            "backups" => loop {
                // One at a time.
                let begun = self.app.post("/backups", &json!({}));
                if begun.status == 202 {
                    break text(&begun.json(), "id");
                }
            },
            "operators" => self.operator.clone(),
            "keys" => {
                let key = json!({ "name": "one", "scopes": ["events:read"] });
                text(&self.app.post("/keys", &key).expect(201).json(), "id")
            }
            _ => "receiving".to_owned(),
        };
        let mut parts = call.path.splitn(2, '{');
        let before = parts.next().unwrap_or_default();
        let after = parts.next().and_then(|rest| rest.split_once('}')).map_or("", |(_, after)| after);
        format!("{before}{name}{after}")
    }

    fn send(&self, client: &Client, call: &Call, body: Option<&Value>) -> Response {
        send_to(client, &call.method, &self.path(call), body)
    }

    /// Something for each list to show.
    fn furnish(&self) {
        let again = json!({ "since": "2020-01-01T00:00:00Z", "dry_run": true });
        self.app.post(&format!("/endpoints/{}/replay", self.endpoint()), &again).expect(202);
        self.event("acme");
        self.put("/event-types/invoice.paid", &json!({}));
        self.put("/tenants/other", &json!({}));
        self.app.delete("/tenants/other").expect(202);
    }

    /// Makes a call so that it answers with `status`, with something new wherever it can be; its path and the answer.
    fn lead(&self, call: &Call, status: &str, new: usize) -> (String, Response) {
        let mut path = self.path(call);
        if call.method == "PUT" && status == "201" {
            path = format!("{}new-{new}", call.path.split('{').next().unwrap_or_default());
        }
        match call.path.as_str() {
            "/api/v1/endpoints/{id}/deliveries" => drop(self.event("acme")),
            // A link before may have deleted the only one.
            "/api/v1/event-types" => drop(self.put("/event-types/invoice.paid", &json!({}))),
            "/api/v1/alerts" if call.method == "GET" => {
                self.app.post("/alerts", &json!({ "kind": "email", "email": "a@example.com" })).expect(201);
            }
            // One at a time.
            "/api/v1/backups" => process::until("no backup to be under way", PATIENCE, || {
                (self.app.get("/backups")["data"][0]["status"] != "running").then_some(())
            }),
            _ => {}
        }
        let mut body = body(call).cloned();
        for (field, value) in [("url", self.receiver.url("/")), ("email", format!("{new}@example.com"))] {
            if let Some(old) = body.as_mut().and_then(|body| body.get_mut(field)) {
                *old = value.into();
            }
        }
        let answer = send_to(&self.app.client, &call.method, &path, body.as_ref());
        assert_eq!(answer.status.to_string(), status, "{} {path}: {}", call.method, answer.text());
        (path, answer)
    }
}

fn send_to(client: &Client, method: &str, path: &str, body: Option<&Value>) -> Response {
    match body {
        Some(body) => client.send_json(method, path, body),
        None => client.request(method, path, &[], None),
    }
}

/// What a link finds: a text of the answer, or of the path that was asked for.
fn found(from: &str, call: &Call, path: &str, answer: &Response) -> Option<String> {
    if let Some(pointer) = from.strip_prefix("$response.body#") {
        return Some(answer.json().pointer(pointer)?.as_str()?.to_owned());
    }
    let wanted = format!("{{{}}}", from.strip_prefix("$request.path.").expect("of the path"));
    let mut parts = call.path.split('/').zip(path.split('/'));
    parts.find(|(told, _)| *told == wanted).map(|(_, sent)| sent.to_owned())
}

/// The path of a call that a link leads to; `None`: there is no next page.
fn led_to(target: &Call, link: &Value, found: impl Fn(&str) -> Option<String>) -> Option<String> {
    let (mut path, mut query) = (target.path.clone(), Vec::new());
    for (name, from) in link["parameters"].as_object().expect("parameters") {
        let from = from.as_str().expect("an expression");
        let value = found(from);
        assert!(value.is_some() || name == "cursor", "there is no {from} for {}", target.path);
        let (value, place) = (value?.replace('/', "%2F"), format!("{{{name}}}"));
        if path.contains(&place) {
            path = path.replace(&place, &value);
        } else {
            query.push(format!("{name}={value}"));
        }
    }
    Some(if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) })
}

fn body(call: &Call) -> Option<&Value> {
    call.told["requestBody"]["content"]["application/json"].get("example")
}

#[test]
fn every_route_is_in_the_document_and_nothing_else() {
    let app = TestApp::start();
    let told = Document::of(&app).calls().into_iter().map(|call| (call.method, call.path));
    let mut told: Vec<(String, String)> = told.collect();
    let there = routes::all().into_iter();
    let mut there: Vec<(String, String)> =
        there.map(|(method, path)| (method.to_owned(), path.replace(":.+}", "}"))).collect();
    told.sort();
    there.sort();
    assert_eq!(told, there);
}

#[test]
fn every_example_is_taken_and_every_answer_is_as_the_document_says() {
    let world = World::new();
    let document = Document::of(&world.app);
    for call in document.calls() {
        let answer = world.send(&world.app.client, &call, body(&call));
        assert!(answer.status < 300, "{} {}: {}", call.method, call.path, answer.text());
        document.check(&call, &answer);
    }
}

/// What a call leads to may have ended meanwhile (409), but it is there.
#[test]
fn every_link_leads_to_a_call_that_finds_what_it_is_about() {
    let world = World::new();
    let document = Document::of(&world.app);
    let calls = document.calls();
    let mut followed = 0;
    world.furnish();
    for call in &calls {
        for (status, told) in call.told["responses"].as_object().expect("answers") {
            for link in told["links"].as_object().into_iter().flat_map(|links| links.values()) {
                let target = calls.iter().find(|call| call.told["operationId"] == link["operationId"]);
                let target = target.expect("a call of the document");
                let (path, answer) = world.lead(call, status, followed);
                let Some(to) = led_to(target, link, |from| found(from, call, &path, &answer)) else {
                    continue;
                };
                let after = send_to(&world.app.client, &target.method, &to, body(target));
                let what =
                    format!("{} {path} leads to {} {to}: {}", call.method, target.method, after.text());
                assert!(after.status < 300 || after.status == 409, "{what}");
                document.check(target, &after);
                followed += 1;
            }
        }
    }
    assert!(followed > 100, "{followed} were followed");
}

#[test]
fn every_refusal_is_as_the_document_says() {
    let world = World::new();
    let document = Document::of(&world.app);
    let stranger = Client::tcp(world.app.address());
    for call in document.calls().iter().filter(|call| call.path.starts_with("/api/v1/")) {
        document.check(call, &world.send(&stranger, call, body(call)));
        if body(call).is_some() {
            let odd = world.send(&world.app.client, call, Some(&json!({ "colour": "red" })));
            assert_eq!(odd.status, 422, "{} {}: {}", call.method, call.path, odd.text());
            document.check(call, &odd);
            let path = world.path(call);
            let bad = [(&b"{"[..], "application/json", 400), (b"x", "text/plain", 415)];
            for (bytes, media_type, status) in bad {
                let headers = [("Content-Type", media_type)];
                let answer = world.app.client.request(&call.method, &path, &headers, Some(bytes));
                assert_eq!(answer.status, status, "{path}: {}", answer.text());
                document.check(call, &answer);
            }
        } else if call.method == "GET" {
            let path = world.path(call) + "?colour=red";
            document.check(call, &world.app.client.get(&path).expect(400));
        }
    }
}

#[test]
fn the_pages_need_no_key_and_load_their_style_alone() {
    let app = TestApp::start();
    let stranger = Client::tcp(app.address());
    for path in ["/docs", "/docs/receiving"] {
        let page = stranger.get(path).expect(200);
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
        let style =
            page.text().split("rel=\"stylesheet\" href=\"").nth(1).and_then(|rest| rest.split('"').next());
        let style = stranger.get(style.expect("a style sheet")).expect(200);
        assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
        assert!(style.header("cache-control").is_some_and(|value| value.contains("immutable")));
        assert!(!style.text().contains("url(") && !style.text().contains("@import"));
    }
    assert_eq!(stranger.get("/docs/nothing").expect(404).json()["code"], "not_found");
    assert_eq!(stranger.get("/static/0000000000000000/docs.css").expect(404).json()["code"], "unknown_path");
}
