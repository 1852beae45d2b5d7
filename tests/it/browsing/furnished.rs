//! A server with something of everything, as after some days of use.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::console::Console;
use crate::support::receiver::{Receiver, Reply};
use crate::support::routes;
use crate::ui_routes::{For, TABLE};

/// What there is, by id.
pub struct Furnished {
    _receiver: Receiver,
    good: String,
    failing: String,
    disabled: String,
    delivered: String,
    failed: String,
    event: String,
    link: String,
    alert: String,
}

fn put(app: &TestApp, path: &str, body: &Value) {
    app.client.send_json("PUT", &format!("/api/v1{path}"), body).expect(201);
}

impl Furnished {
    /// Fills the server.
    pub fn new(app: &TestApp) -> Self {
        let receiver = Receiver::start();
        receiver.always_on("/good", Reply::status(200).body("{\"ok\":true}"));
        receiver.always_on("/failing", Reply::status(503).body("<h1>Down & out</h1>"));
        for (tenant, name) in [("acme", "Acme Corporation"), ("globex", "Globex"), ("initech", "Initech")] {
            put(app, &format!("/tenants/{tenant}"), &json!({ "name": name }));
        }
        let schema = json!({ "type": "object", "required": ["amount"], "properties": { "amount": { "type": "integer" } } });
        for (name, about) in [
            ("invoice.paid", "An invoice was paid in full"),
            ("invoice.sent", "An invoice went out"),
            ("user.created", "Somebody has signed up"),
        ] {
            put(
                app,
                &format!("/event-types/{name}"),
                &json!({ "description": about, "group": name.split('.').next(),
                "example": { "amount": 1200, "currency": "EUR" }, "schema": schema }),
            );
        }
        put(
            app,
            "/formats/legacy",
            &json!({ "signature": { "scheme": "hmac-sha256-hex", "header": "X-Signature", "over": "body" },
            "headers": { "event": "X-Event", "timestamp": "X-Timestamp" }, "envelope": { "type": "event", "data": "payload" } }),
        );
        app.post(
            "/keys",
            &json!({ "name": "billing service", "scopes": ["events:write"], "tenant": "acme" }),
        )
        .expect(201);
        let invited = json!({ "email": "vic@example.com", "role": "viewer" });
        let link = text(&app.post("/operators", &invited).expect(201).json(), "link");
        let link = link[link.find("/join/").expect("a path")..].to_owned();
        let alert = json!({ "kind": "email", "email": "ada@example.com", "name": "On call" });
        let alert = text(&app.post("/alerts", &alert).expect(201).json(), "id");
        app.fail_to_back_up();
        let make = |tenant: &str, path: &str, more: Value| {
            let mut fields = json!({ "tenant": tenant, "url": receiver.url(path), "events": ["invoice.*"],
                "description": format!("{tenant}'s own {path}"), "retry_schedule": [1] });
            let fields_of = fields.as_object_mut().expect("an object");
            fields_of.extend(more.as_object().cloned().unwrap_or_default());
            text(&app.create_endpoint(&fields), "id")
        };
        let good = make(
            "acme",
            "/good",
            json!({ "headers": { "X-Team": "billing" }, "metadata": { "owner": "ada" } }),
        );
        let failing = make("acme", "/failing", json!({ "filters": { "currency": "EUR" } }));
        let disabled = make("globex", "/good", json!({ "format": "legacy" }));
        make("globex", "/good", json!({ "events": [], "format": "github" }));
        let publish = |tenant: &str, amount: i64| {
            app.post("/events", &json!({ "type": "invoice.paid", "tenant": tenant, "data": { "amount": amount, "currency": "EUR",
                "lines": [{ "name": "Postcards <b>& more</b>", "count": 3 }], "note": null } })).expect(202).json()
        };
        let events: Vec<Value> = (1..=30).map(|amount| publish("acme", amount)).collect();
        app.settle();
        app.post(&format!("/endpoints/{disabled}/disable"), &json!({ "note": "moving house" })).expect(200);
        publish("globex", 7);
        app.settle();
        let event = text(&events[29], "id");
        let of_event = app.get(&format!("/events/{event}/deliveries"));
        let of = |endpoint: &str| {
            let all = of_event["data"].as_array().expect("deliveries");
            text(all.iter().find(|one| one["endpoint_id"] == endpoint).expect("its delivery"), "id")
        };
        let (delivered, failed) = (of(&good), of(&failing));
        let wanted = json!({ "status": "missing", "since": "2020-01-01T00:00:00Z" });
        app.post(&format!("/endpoints/{good}/replay"), &wanted).expect(202);
        app.settle();
        Self { _receiver: receiver, good, failing, disabled, delivered, failed, event, link, alert }
    }

    /// The path of a link for somebody who has not joined yet.
    pub fn link(&self) -> &str {
        &self.link
    }

    /// Every page that an operator can look at, by name.
    pub fn pages(&self) -> Vec<(String, String)> {
        let Self { good, failing, disabled, delivered, failed, event, alert, .. } = self;
        let fixed = [
            ("overview", "/"),
            ("events", "/events"),
            ("event-new", "/events/new"),
            ("deliveries", "/deliveries"),
            ("deliveries-failed", "/deliveries?status=failed"),
            ("endpoints", "/endpoints"),
            ("endpoints-none", "/endpoints?search=nothing-of-the-kind"),
            ("endpoint-new", "/endpoints/new"),
            ("tenants", "/tenants"),
            ("tenant", "/tenants/acme"),
            ("tenant-deletions", "/tenant-deletions"),
            ("event-types", "/event-types"),
            ("event-type-new", "/event-types/new"),
            ("event-type", "/event-types/invoice.paid"),
            ("formats", "/formats"),
            ("format-new", "/formats/new"),
            ("format", "/formats/legacy"),
            ("format-built-in", "/formats/standard"),
            ("keys", "/keys"),
            ("settings", "/settings"),
            ("alerts", "/alerts"),
            ("operators", "/operators"),
            ("audit", "/audit"),
            ("account", "/account"),
        ];
        let own = [
            ("endpoint", format!("/endpoints/{good}")),
            ("endpoint-failing", format!("/endpoints/{failing}")),
            ("endpoint-disabled", format!("/endpoints/{disabled}")),
            ("endpoint-deliveries", format!("/endpoints/{failing}/deliveries")),
            ("endpoint-settings", format!("/endpoints/{good}/settings")),
            ("endpoint-verify", format!("/endpoints/{good}/verify")),
            ("endpoint-test", format!("/endpoints/{good}/test")),
            ("endpoint-tested", format!("/endpoints/{failing}/test?delivery={failed}")),
            ("endpoint-replay", format!("/endpoints/{failing}/replay")),
            ("endpoint-rotate-secret", format!("/endpoints/{good}/rotate-secret")),
            ("endpoint-disable", format!("/endpoints/{good}/disable")),
            ("endpoint-enable", format!("/endpoints/{disabled}/enable")),
            ("endpoint-delete", format!("/endpoints/{good}/delete")),
            ("delivery-delivered", format!("/deliveries/{delivered}")),
            ("delivery-failed", format!("/deliveries/{failed}")),
            ("event", format!("/events/{event}")),
            ("event-delete-data", format!("/events/{event}/delete-data")),
            ("alert", format!("/alerts/{alert}")),
        ];
        let fixed = fixed.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned()));
        fixed.chain(own.into_iter().map(|(name, path)| (name.to_owned(), path))).collect()
    }
}

#[test]
fn no_page_of_the_console_has_an_id_twice() {
    let app = TestApp::start();
    let furnished = Furnished::new(&app);
    let (console, mut twice, mut seen) = (Console::admin(&app), Vec::new(), 0);
    for (name, path) in furnished.pages() {
        let (answer, mut ids) = (console.get(&path), BTreeSet::new());
        let all = answer.text().split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next());
        twice.extend(all.filter(|id| !ids.insert(*id)).map(|id| format!("{name}: {id}")));
        seen += ids.len();
    }
    assert!(twice.is_empty() && seen > 300, "{twice:?}, {seen} ids");
}

/// Answers that are files, which no browser shows.
const FILES: [&str; 2] = ["/deliveries/{id}/curl", "/events/{id}/data"];

#[test]
fn every_page_of_the_console_is_looked_at() {
    let app = TestApp::start();
    let furnished = Furnished::new(&app);
    let shown = TABLE.iter().filter(|(method, route, whose)| {
        let page = matches!(whose, For::Operators | For::AdminsPage);
        page && *method == "GET" && !FILES.contains(route)
    });
    let routes: Vec<&str> = shown.map(|(_, route, _)| *route).collect();
    let pages = furnished.pages();
    let seen: BTreeSet<_> =
        pages.iter().filter_map(|(_, path)| routes::serving(routes.iter().copied(), path)).collect();
    let unseen: Vec<_> = routes.iter().filter(|route| !seen.contains(*route)).collect();
    assert!(unseen.is_empty(), "add them to Furnished::pages: {unseen:?}");
}
