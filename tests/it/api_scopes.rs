//! Who may do what: every route, every scope, keys for all tenants, for its own and for another one.

use postrider::domain::scope::Scope;
use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::client::{Client, Response};
use crate::support::problem;
use crate::support::receiver::Receiver;
use crate::support::routes;

/// What a call asks of its key.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Need {
    /// No key.
    Nothing,
    /// `admin`.
    Admin,
    /// This scope, or `admin`; about what a tenant has.
    Of(Scope),
    /// This scope, or `admin`; about what all tenants share.
    Common(Scope),
    /// `admin`, or `endpoints:read` of a key that is bound to the tenant.
    OwnTenant,
}

use Need::{Admin, Common, Nothing, Of, OwnTenant};
use Scope::{
    DeliveriesRead, DeliveriesWrite, EndpointsRead, EndpointsWrite, EventsRead, EventsWrite, MetricsRead,
};

/// Everything that the calls are about belongs to the tenant `acme`.
const TABLE: &[(&str, &str, Need)] = &[
    ("DELETE", "/api/v1/alerts/{id}", Admin),
    ("DELETE", "/api/v1/endpoints/{id}", Of(EndpointsWrite)),
    ("DELETE", "/api/v1/event-types/{name:.+}", Admin),
    ("DELETE", "/api/v1/events/{id}/data", Of(EventsWrite)),
    ("DELETE", "/api/v1/formats/{name}", Admin),
    ("DELETE", "/api/v1/keys/{id}", Admin),
    ("DELETE", "/api/v1/mail-server", Admin),
    ("DELETE", "/api/v1/tenants/{tenant}", Admin),
    ("GET", "/api/v1/alerts", Admin),
    ("GET", "/api/v1/alerts/{id}", Admin),
    ("GET", "/api/v1/attention", Admin),
    ("GET", "/api/v1/audit", Admin),
    ("GET", "/api/v1/backups", Admin),
    ("GET", "/api/v1/backups/{id}", Admin),
    ("GET", "/api/v1/cleanups", Admin),
    ("GET", "/api/v1/deliveries", Of(DeliveriesRead)),
    ("GET", "/api/v1/deliveries/{id}", Of(DeliveriesRead)),
    ("GET", "/api/v1/deliveries/{id}/curl", Of(DeliveriesRead)),
    ("GET", "/api/v1/endpoints", Of(EndpointsRead)),
    ("GET", "/api/v1/endpoints/{id}", Of(EndpointsRead)),
    ("GET", "/api/v1/endpoints/{id}/deliveries", Of(DeliveriesRead)),
    ("GET", "/api/v1/endpoints/{id}/stats", Of(DeliveriesRead)),
    ("GET", "/api/v1/endpoints/{id}/verify-code", Of(EndpointsRead)),
    ("GET", "/api/v1/event-types", Common(EndpointsRead)),
    ("GET", "/api/v1/event-types/{name:.+}", Common(EndpointsRead)),
    ("GET", "/api/v1/events", Of(EventsRead)),
    ("GET", "/api/v1/events/{id}", Of(EventsRead)),
    ("GET", "/api/v1/events/{id}/deliveries", Of(DeliveriesRead)),
    ("GET", "/api/v1/events/{id}/matching", Of(DeliveriesRead)),
    ("GET", "/api/v1/formats", Common(EndpointsRead)),
    ("GET", "/api/v1/formats/{name}", Common(EndpointsRead)),
    ("GET", "/api/v1/keys", Admin),
    ("GET", "/api/v1/mail-server", Admin),
    ("GET", "/api/v1/operators", Admin),
    ("GET", "/api/v1/operators/{id}", Admin),
    ("GET", "/api/v1/replays", Of(DeliveriesRead)),
    ("GET", "/api/v1/replays/{id}", Of(DeliveriesRead)),
    ("GET", "/api/v1/settings", Admin),
    ("GET", "/api/v1/stats", Of(DeliveriesRead)),
    ("GET", "/api/v1/storage", Admin),
    ("GET", "/api/v1/tenant-deletions", Admin),
    ("GET", "/api/v1/tenant-deletions/{id}", Admin),
    ("GET", "/api/v1/tenants", Admin),
    ("GET", "/api/v1/tenants/{tenant}", OwnTenant),
    ("GET", "/docs", Nothing),
    ("GET", "/docs/{page}", Nothing),
    ("GET", "/healthz", Nothing),
    ("GET", "/metrics", Of(MetricsRead)),
    ("GET", "/openapi.json", Nothing),
    ("GET", "/readyz", Nothing),
    ("PATCH", "/api/v1/alerts/{id}", Admin),
    ("PATCH", "/api/v1/endpoints/{id}", Of(EndpointsWrite)),
    ("PATCH", "/api/v1/operators/{id}", Admin),
    ("PATCH", "/api/v1/settings", Admin),
    ("POST", "/api/v1/alerts", Admin),
    ("POST", "/api/v1/alerts/{id}/test", Admin),
    ("POST", "/api/v1/backups", Admin),
    ("POST", "/api/v1/backups/{id}/cancel", Admin),
    ("POST", "/api/v1/cleanups", Admin),
    ("POST", "/api/v1/deliveries/release", Of(DeliveriesWrite)),
    ("POST", "/api/v1/deliveries/{id}/cancel", Of(DeliveriesWrite)),
    ("POST", "/api/v1/deliveries/{id}/retry", Of(DeliveriesWrite)),
    ("POST", "/api/v1/endpoints", Of(EndpointsWrite)),
    ("POST", "/api/v1/endpoints/{id}/disable", Of(EndpointsWrite)),
    ("POST", "/api/v1/endpoints/{id}/enable", Of(EndpointsWrite)),
    ("POST", "/api/v1/endpoints/{id}/replay", Of(DeliveriesWrite)),
    ("POST", "/api/v1/endpoints/{id}/rotate-secret", Of(EndpointsWrite)),
    ("POST", "/api/v1/endpoints/{id}/test", Of(EndpointsWrite)),
    ("POST", "/api/v1/events", Of(EventsWrite)),
    ("POST", "/api/v1/events/batch", Of(EventsWrite)),
    ("POST", "/api/v1/events/{id}/replay", Of(DeliveriesWrite)),
    ("POST", "/api/v1/formats/preview", Common(EndpointsRead)),
    ("POST", "/api/v1/formats/{name}/preview", Common(EndpointsRead)),
    ("POST", "/api/v1/keys", Admin),
    ("POST", "/api/v1/operators", Admin),
    ("POST", "/api/v1/operators/{id}/link", Admin),
    ("POST", "/api/v1/replays/{id}/cancel", Of(DeliveriesWrite)),
    ("PUT", "/api/v1/event-types/{name:.+}", Admin),
    ("PUT", "/api/v1/formats/{name}", Admin),
    ("PUT", "/api/v1/mail-server", Admin),
    ("PUT", "/api/v1/tenants/{tenant}", Admin),
];

/// A server with something of everything for `acme`.
struct World {
    backup: String,
    app: TestApp,
    receiver: Receiver,
    endpoint: String,
    event: String,
    delivery: String,
    tested: String,
    replay: String,
    deletion: String,
    operator: String,
}

impl World {
    fn new() -> Self {
        let (app, receiver) = (TestApp::start(), Receiver::start());
        app.patch("/settings", &json!({ "endpoint_limit": 1000 })).expect(200);
        let url = receiver.url("/");
        let fields = json!({ "url": url, "tenant": "acme", "events": ["kept"], "enabled": false });
        let endpoint = text(&app.create_endpoint(&fields), "id");
        let event = app.post("/events", &json!({ "type": "kept", "data": 1, "tenant": "acme" })).expect(202);
        let delivery = text(&app.delivery_of(&event.json()), "id");
        let again = json!({ "since": "2020-01-01T00:00:00Z", "dry_run": true });
        let replay =
            text(&app.post(&format!("/endpoints/{endpoint}/replay"), &again).expect(202).json(), "id");
        app.client.send_json("PUT", "/api/v1/tenants/gone", &json!({})).expect(201);
        let deletion = text(&app.delete("/tenants/gone").expect(202).json(), "id");
        let tested = text(&app.test_endpoint(&endpoint), "delivery_id");
        let invited = json!({ "email": "ada@example.com", "role": "viewer" });
        let operator = text(&app.post("/operators", &invited).expect(201).json(), "id");
        let event = text(&event.json(), "id");
        let backup = text(&app.post("/backups", &json!({})).expect(202).json(), "id");
        Self { backup, app, receiver, endpoint, event, delivery, tested, replay, deletion, operator }
    }

    fn key(&self, scope: Scope, tenant: Option<&str>) -> Value {
        let body = json!({ "name": "one", "scopes": [scope.as_str()], "tenant": tenant });
        self.app.post("/keys", &body).expect(201).json()
    }

    fn client(&self, key: &Value) -> Client {
        Client::tcp(self.app.address()).with_key(&text(key, "key"))
    }

    /// The path of a route with something of `acme` in it.
    fn path(&self, method: &str, route: &str) -> String {
        let id = match route.split('/').nth(3).unwrap_or_default() {
            "endpoints" if method == "DELETE" => self.another_endpoint(),
            "endpoints" => self.endpoint.clone(),
            "alerts" => self.alert(),
            "mail-server" => {
                self.app.client.send_json("PUT", "/api/v1/mail-server", &mail_server()).expect(200);
                String::new()
            }
            "events" => self.event.clone(),
            "deliveries" if route.ends_with("/curl") => self.tested.clone(),
            "deliveries" => self.delivery.clone(),
            "operators" => self.operator.clone(),
            "tenant-deletions" => self.deletion.clone(),
            "tenants" if method == "DELETE" => {
                self.app.client.send_json("PUT", "/api/v1/tenants/gone", &json!({}));
                return "/api/v1/tenants/gone".to_owned();
            }
            "replays" => self.replay.clone(),
            "backups" => self.backup.clone(),
            "formats" => self.format(method),
            "keys" => text(&self.key(EventsRead, None), "id"),
            _ => String::new(),
        };
        if route.contains("{name:.+}") {
            self.app.put_event_type("kept", &json!({}));
        }
        let path = route.replace("{id}", &id).replace("{tenant}", "acme");
        let path = path.replace("{name:.+}", "kept").replace("{name}", &id);
        let path = path.replace("{page}", "receiving");
        let of_tenants =
            ["events", "endpoints", "deliveries", "replays", "stats"].map(|list| format!("/api/v1/{list}"));
        let of_tenants = of_tenants.iter().any(|list| list == route);
        if method == "GET" && of_tenants { path + "?tenant=acme" } else { path }
    }

    fn alert(&self) -> String {
        let fields = json!({ "kind": "webhook", "endpoint": self.endpoint });
        text(&self.app.post("/alerts", &fields).expect(201).json(), "id")
    }

    /// The name of a format that is there; to be deleted, of one that nobody uses.
    fn format(&self, method: &str) -> String {
        if method == "GET" || method == "POST" {
            return "github".to_owned();
        }
        let bare = json!({ "signature": { "scheme": "none" }, "envelope": "data" });
        let answer = self.app.put_format("bare", &bare);
        assert!(answer.status < 300, "{}", answer.text());
        "bare".to_owned()
    }

    fn another_endpoint(&self) -> String {
        let fields = json!({ "url": self.receiver.url("/"), "tenant": "acme" });
        text(&self.app.create_endpoint(&fields), "id")
    }

    fn call(&self, client: &Client, method: &str, route: &str) -> Response {
        let path = self.path(method, route);
        let body = match (method, route) {
            ("POST", "/api/v1/events") => json!({ "type": "a", "data": 1, "tenant": "acme" }),
            ("POST", "/api/v1/events/batch") => {
                json!({ "events": [{ "type": "a", "data": 1, "tenant": "acme" }] })
            }
            ("POST", "/api/v1/alerts") => json!({ "kind": "webhook", "endpoint": self.endpoint }),
            ("PUT", "/api/v1/mail-server") => mail_server(),
            ("POST", "/api/v1/endpoints") => json!({ "url": self.receiver.url("/"), "tenant": "acme" }),
            ("POST", "/api/v1/operators") => json!({ "email": "bob@example.com", "role": "viewer" }),
            ("POST", "/api/v1/keys") => json!({ "name": "made", "scopes": ["events:read"] }),
            ("POST", "/api/v1/formats/{name}/preview") => json!({ "type": "a", "data": 1 }),
            ("POST", "/api/v1/formats/preview") => {
                let bare = json!({ "signature": { "scheme": "none" }, "envelope": "data" });
                json!({ "definition": bare, "type": "a", "data": 1 })
            }
            ("PUT", "/api/v1/formats/{name}") => {
                json!({ "signature": { "scheme": "none" }, "envelope": "data" })
            }
            ("POST", "/api/v1/endpoints/{id}/replay") => json!({ "since": "2020-01-01T00:00:00Z" }),
            ("POST", "/api/v1/deliveries/release") => json!({ "held": "deliver", "tenant": "acme" }),
            ("POST", "/api/v1/cleanups") => json!({ "dry_run": true }),
            ("POST" | "PUT" | "PATCH", _) => json!({}),
            _ => return client.request(method, &path, &[], None),
        };
        client.send_json(method, &path, &body)
    }
}

fn mail_server() -> Value {
    json!({ "host": "localhost", "security": "none", "from": "a@example.com" })
}

/// The status of a refusal; `None`: the call is let in.
fn expected(need: Need, scope: Scope, bound: Option<&str>) -> Option<u16> {
    let enough = match need {
        Nothing => return None,
        Admin => scope == Scope::Admin,
        Of(wanted) | Common(wanted) => scope == wanted || scope == Scope::Admin,
        OwnTenant => scope == Scope::Admin || (scope == EndpointsRead && bound.is_some()),
    };
    match bound {
        _ if !enough => Some(403),
        Some("other") if !matches!(need, Common(_)) => Some(404),
        _ => None,
    }
}

#[track_caller]
fn check(answer: &Response, expected: Option<u16>, what: &str) {
    match expected {
        Some(status) => {
            problem::problem(answer, what);
            assert_eq!(answer.status, status, "{what}: {}", answer.text());
        }
        None => assert!(
            answer.status < 300 || answer.status == 409,
            "{what} should be let in: {} {}",
            answer.status,
            answer.text()
        ),
    }
}

#[test]
fn the_table_names_every_route() {
    let mut named: Vec<_> = TABLE.iter().map(|(method, path, _)| (*method, (*path).to_owned())).collect();
    named.sort();
    assert_eq!(named, routes::all());
}

#[test]
fn every_route_lets_in_whom_it_should_and_nobody_else() {
    let world = World::new();
    let keys = Scope::ALL.iter().flat_map(|scope| {
        let bound = [None, Some("acme"), Some("other")];
        let possible = bound.into_iter().filter(|bound| bound.is_none() || scope.can_be_bound());
        possible.map(|bound| (*scope, bound)).collect::<Vec<_>>()
    });
    for (scope, bound) in keys {
        let client = world.client(&world.key(scope, bound));
        for (method, route, need) in TABLE {
            let what = format!("{method} {route} with {scope} of {bound:?}");
            check(&world.call(&client, method, route), expected(*need, scope, bound), &what);
        }
    }
}

#[test]
fn without_a_valid_key_only_health_is_shown() {
    let world = World::new();
    let revoked = world.key(Scope::Admin, None);
    let used = world.client(&revoked);
    used.get("/api/v1/keys").expect(200);
    world.app.delete(&format!("/keys/{}", text(&revoked, "id"))).expect(204);
    let none = Client::tcp(world.app.address());
    let clients = [
        ("no key", none.clone()),
        ("a revoked key", used),
        ("an unknown key", none.clone().with_key("pr_0123456789abcdefghijklmnopq")),
        ("the id of a key", none.clone().with_key(&text(&revoked, "id"))),
        ("an empty key", none.clone().with_key("")),
        ("another scheme", none.with_header("Authorization", "Basic cHI6eA==")),
    ];
    for (name, client) in clients {
        for (method, route, need) in TABLE {
            let wanted = (*need != Nothing).then_some(401);
            check(&world.call(&client, method, route), wanted, &format!("{method} {route} with {name}"));
        }
    }
}

#[test]
fn what_a_bound_key_leaves_out_is_its_own_tenant() {
    let world = World::new();
    let get = |scope, path: &str| world.client(&world.key(scope, Some("other"))).get(path).expect(200).json();
    let post = |scope, path: &str, body: &Value| {
        let answer = world.client(&world.key(scope, Some("other"))).post(path, body);
        assert!(answer.status < 300, "{}", answer.text());
        answer.json()
    };
    let endpoint =
        post(EndpointsWrite, "/api/v1/endpoints", &json!({ "url": "https://a.test/", "uid": "x" }));
    assert_eq!(endpoint["tenant"], "other");
    let event = post(EventsWrite, "/api/v1/events", &json!({ "type": "a", "data": 1, "id": "own" }));
    assert_eq!(event["tenant"], "other");
    assert_eq!(get(EventsRead, "/api/v1/events/own")["tenant"], "other");
    assert_eq!(get(EndpointsRead, "/api/v1/endpoints/x")["id"], endpoint["id"]);
    for (scope, list) in
        [(EventsRead, "events"), (EndpointsRead, "endpoints"), (DeliveriesRead, "deliveries")]
    {
        let rows = get(scope, &format!("/api/v1/{list}"));
        assert!(rows["data"].as_array().unwrap().iter().all(|row| row["tenant"] == "other"), "{rows}");
    }
}
