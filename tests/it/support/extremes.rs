//! A server whose rows are at their limits: what may be long is as long as it may be, of signs that a page has to escape.

use std::collections::BTreeMap;
use std::time::Duration;

use postrider::service::operators::Visitor;
use serde_json::{Value, json};

use super::app::{TestApp, text};
use super::console::{ADMIN, Console, PASSWORD};
use super::receiver::{Receiver, Reply};
use super::routes;

/// More than a page of any list has.
const ROWS: usize = 60;
/// Endpoints of one tenant.
const ENDPOINTS: usize = 250;

/// What is asked for of a page: other rows, other forms of a body, filters.
const QUERIES: [(&str, &[&str]); 8] = [
    ("/deliveries/{id}", &["?body=raw", "?below=20", "?attempt=1"]),
    ("/events/{id}", &["&data=raw"]),
    ("/deliveries", &["?status=failed", "?type=n_*", "?cursor=x"]),
    ("/endpoints", &["?health=failing", "?search=n_"]),
    ("/audit", &["?action=endpoint.*", "?action=event_type.*", "?action=operator.*"]),
    ("/event-types", &["?search=n_"]),
    ("/events/new", &["?type=TYPE"]),
    ("/endpoints/{id}/replay", &["?count=REPLAY"]),
];

/// So many signs that HTML writes as entities.
fn signs(count: usize) -> String {
    "<&\"'>".chars().cycle().take(count).collect()
}

/// A name of so many characters, each another: of those that names of events, tenants and formats have in common.
fn name(length: usize, nth: usize) -> String {
    let number = nth.to_string();
    format!("{}{number}", "n_-".chars().cycle().take(length - number.len()).collect::<String>())
}

/// What there is, by the first part of its path.
pub struct Extremes {
    receiver: Receiver,
    /// Ids of each kind: a page of the kind is looked at with each of them.
    ids: BTreeMap<&'static str, Vec<String>>,
}

impl Extremes {
    /// Fills a server that runs on a manual clock.
    pub fn new(app: &TestApp) -> Self {
        let mut all = Self { receiver: Receiver::start(), ids: BTreeMap::new() };
        let headers =
            (0..7).fold(Reply::status(500), |reply, nth| reply.header(&format!("x-{nth}"), &signs(1_000)));
        all.receiver.always(headers.body(signs(4_096)));
        app.change_settings(&json!({ "endpoint_limit": 1_000 }));
        all.people(app);
        all.catalogue(app);
        all.endpoints(app);
        all.events(app);
        all.replays(app);
        all
    }

    /// Every page, with all that it is asked for.
    pub fn pages(&self) -> Vec<String> {
        let mut pages = Vec::new();
        for (_, route) in routes::console().iter().filter(|(method, _)| *method == "GET") {
            let queries = QUERIES.iter().find(|(of, _)| of == route).map_or(&[][..], |(_, queries)| *queries);
            for path in self.paths(route) {
                pages.extend(queries.iter().map(|query| format!("{path}{}", self.filled(query))));
                pages.push(path);
            }
        }
        pages
    }

    /// A page's address for each of the rows that it may be about.
    fn paths(&self, route: &str) -> Vec<String> {
        if !route.contains('{') {
            return vec![route.to_owned()];
        }
        let none = vec!["none".to_owned()];
        let ids = self.ids.get(route.split('/').nth(1).unwrap_or_default()).unwrap_or(&none);
        let path = |id: &String| {
            let (id, query) = id.split_once('?').unwrap_or((id, ""));
            let parts = route.split('/').map(|part| if part.starts_with('{') { id } else { part });
            let path = parts.collect::<Vec<_>>().join("/");
            if query.is_empty() { path } else { format!("{path}?{query}") }
        };
        ids.iter().map(path).collect()
    }

    fn filled(&self, query: &str) -> String {
        query.replace("TYPE", &self.ids["event-types"][0]).replace("REPLAY", &self.ids["replays"][0])
    }

    fn note(&mut self, kind: &'static str, id: impl Into<String>) {
        self.ids.entry(kind).or_default().push(id.into());
    }

    fn tenant(&self) -> &str {
        &self.ids["tenants"][0]
    }

    /// Tenants, keys, operators, sessions.
    fn people(&mut self, app: &TestApp) {
        for nth in 0..ROWS {
            let tenant = name(64, nth);
            let put = json!({ "name": signs(100) });
            app.client.send_json("PUT", &format!("/api/v1/tenants/{tenant}"), &put).expect(201);
            let scopes = ["events:write", "events:read", "endpoints:read", "endpoints:write"];
            app.post("/keys", &json!({ "name": signs(100), "scopes": scopes, "tenant": tenant })).expect(201);
            let email = format!("{nth}{}@{}", signs(125), "a".repeat(125));
            let invited = json!({ "email": email, "role": "viewer" });
            self.note("operators", text(&app.post("/operators", &invited).expect(201).json(), "id"));
        }
        self.note("tenants", name(64, 0));
        Console::admin(app);
        for _ in 0..5 {
            let agent = Visitor::new(None, Some(&signs(200)));
            app.service().sign_in(ADMIN, PASSWORD, &agent).expect("a session");
        }
    }

    /// Event types and formats.
    fn catalogue(&mut self, app: &TestApp) {
        let long = json!({ "text": signs(10_000), "more": vec!["\"<"; 4_000] });
        for nth in 0..ROWS {
            let (event_type, format) = (name(128, nth), name(64, nth));
            let mut fields = json!({ "description": signs(500), "group": signs(100) });
            if nth == 0 {
                fields["example"] = long.clone();
                fields["schema"] = json!({ "description": signs(30_000) });
            }
            app.put_event_type(&event_type, &fields).expect(201);
            let fixed = json!({ "a": signs(2_500), "b": signs(2_500) });
            let bare = json!({ "signature": { "scheme": "none" }, "envelope": { "data": "data" },
                "fixed": { "envelope": if nth == 0 { fixed } else { json!({}) } } });
            app.put_format(&format, &bare).expect(201);
        }
        self.note("event-types", name(128, 0));
        self.note("event-types", name(128, 1));
        self.note("formats", name(64, 0));
        self.note("formats", "standard");
    }

    /// Endpoints that fail, and, made last, some that want something else.
    fn endpoints(&mut self, app: &TestApp) {
        let url = format!("{}?", self.receiver.url("/hook"));
        let url = format!("{url}{}", "&".repeat(2_048 - url.len()));
        let headers: BTreeMap<_, _> =
            (0..20).map(|nth| (format!("x-{nth}{}", "&'".repeat(90)), "•••".to_owned())).collect();
        let metadata: BTreeMap<_, _> = (0..20).map(|nth| (name(64, nth), signs(512))).collect();
        let patterns: Vec<_> = (0..500).map(|nth| name(128, nth)).collect();
        let wanted: BTreeMap<_, _> = (0..20).map(|nth| (name(250, nth), signs(500))).collect();
        for nth in 0..ENDPOINTS {
            let mut fields = json!({ "tenant": self.tenant(), "url": url, "uid": name(64, nth), "events": ["*"],
                "description": signs(500), "retry_schedule": [] });
            let odd = nth >= ENDPOINTS - 30;
            if odd {
                fields["filters"] = json!(wanted);
            }
            if nth == ENDPOINTS - 1 {
                fields["metadata"] = json!(metadata);
                fields["events"] = json!(patterns);
                fields["headers"] = headers
                    .keys()
                    .map(|name| (name.clone(), json!("x")))
                    .collect::<serde_json::Map<_, _>>()
                    .into();
            }
            let id = text(&app.create_endpoint(&fields), "id");
            if nth == 0 || nth == ENDPOINTS - 1 {
                self.note("endpoints", id);
            }
        }
        let other = json!({ "tenant": name(64, 1), "url": url, "events": ["*"], "retry_schedule": vec![1; 20],
            "description": signs(500) });
        let id = text(&app.create_endpoint(&other), "id");
        self.note("endpoints", id);
    }

    /// Events, of which one goes to many endpoints, and deliveries, of which one has many attempts.
    fn events(&mut self, app: &TestApp) {
        let publish = |tenant: &str, id: &str, data: Value| {
            let event = json!({ "type": name(128, 0), "tenant": tenant, "id": id, "data": data });
            app.post("/events", &event).expect(202);
        };
        let (tenant, other) = (self.tenant().to_owned(), name(64, 1));
        publish(&tenant, &name(64, 0), json!(signs(50_000)));
        app.settle();
        for nth in 1..ROWS {
            publish(&other, &name(64, nth), json!({ "text": signs(2_000) }));
        }
        app.settle();
        for _ in 0..21 {
            app.advance(Duration::from_secs(2));
        }
        let tried = app.list(&format!("/deliveries?tenant={other}"));
        let id = text(&tried[0], "id");
        app.retry(&id).expect(202);
        for _ in 0..22 {
            app.advance(Duration::from_secs(2));
        }
        self.note("deliveries", id);
        self.note("deliveries", text(&app.list(&format!("/deliveries?tenant={tenant}"))[0], "id"));
        self.note("events", format!("{}?tenant={tenant}", name(64, 0)));
        self.note("events", format!("{}?tenant={other}", name(64, 1)));
        app.disable(&self.ids["endpoints"][0]);
    }

    /// Replays that only count.
    fn replays(&mut self, app: &TestApp) {
        let endpoint = self.ids["endpoints"][0].clone();
        // As many as the body of a call holds.
        let patterns: Vec<_> = (0..450).map(|nth| name(128, nth)).collect();
        let wanted = json!({ "since": "2020-01-01T00:00:00Z", "events": patterns, "dry_run": true });
        for _ in 0..30 {
            let replay = app.post(&format!("/endpoints/{endpoint}/replay"), &wanted).expect(202).json();
            let id = text(&replay, "id");
            app.eventually("it is counted", |app| {
                (app.get(&format!("/replays/{id}"))["status"] == "done").then_some(())
            });
            self.note("replays", id);
        }
    }
}
