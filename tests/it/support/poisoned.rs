//! A server with something evil wherever somebody else's text can be, and the pages that show it.

use serde_json::{Value, json};

use super::app::{TestApp, text};
use super::receiver::{Receiver, Reply};

/// What is evil, by what may hold it.
pub struct Poison {
    /// What people type: names, notes, filters.
    pub typed: &'static str,
    /// The same where there is little room: groups of types, names of keys.
    pub short: &'static str,
    /// What publishers send as data.
    pub sent: &'static str,
    /// What stands in the URL of an endpoint, behind the slash.
    pub url: &'static str,
    /// What receivers answer, in a header and as a body.
    pub answered: (&'static str, &'static [u8]),
}

/// Puts it everywhere. The pages that show it.
pub fn poisoned(app: &TestApp, receiver: &Receiver, poison: &Poison) -> Vec<String> {
    let Poison { typed, short, sent, .. } = poison;
    let (header, body) = poison.answered;
    receiver.always(Reply::status(500).header("X-Evil", header).body(body));
    let put = |path: &str, body: &Value| {
        app.client.send_json("PUT", &format!("/api/v1{path}"), body).expect(201);
    };
    put("/tenants/evil", &json!({ "name": typed }));
    put("/event-types/evil", &json!({ "description": typed, "group": short, "example": { *sent: sent } }));
    put("/formats/evil", &json!({ "signature": { "scheme": "none" }, "envelope": "data" }));
    app.post("/keys", &json!({ "name": short, "scopes": ["events:write"] })).expect(201);
    let endpoint = endpoint(app, receiver, poison);
    let publish = |data: Value| {
        let event = json!({ "type": "evil", "tenant": "evil", "data": data });
        text(&app.post("/events", &event).expect(202).json(), "id")
    };
    let event = publish(json!({ "a": typed, "b": sent, *sent: [sent] }));
    let others = [publish(json!(sent)), publish(json!({ "a": sent }))];
    app.settle();
    let delivery = text(&app.list(&format!("/events/{event}/deliveries"))[0], "id");
    app.post(&format!("/endpoints/{endpoint}/disable"), &json!({ "note": typed })).expect(200);
    let mut pages = pages_of(&endpoint, &delivery, &event);
    pages.extend(others.map(|other| format!("/events/{other}")));
    pages.extend(pages_with(sent));
    pages
}

fn endpoint(app: &TestApp, receiver: &Receiver, poison: &Poison) -> String {
    let typed = poison.typed;
    // A header of a request may hold what a browser may, and nothing that a terminal would act on.
    let header = if typed.is_ascii() { typed } else { "a" };
    let fields = json!({ "tenant": "evil", "url": receiver.url(&format!("/{}", poison.url)), "events": ["*"],
        "description": typed, "metadata": { poison.short: typed }, "filters": { "a": typed },
        "headers": { "X-A": header }, "format": "evil", "retry_schedule": [] });
    text(&app.create_endpoint(&fields), "id")
}

fn pages_of(endpoint: &str, delivery: &str, event: &str) -> Vec<String> {
    let fixed = [
        "/",
        "/tenants",
        "/tenants/evil",
        "/event-types",
        "/event-types/evil",
        "/formats/evil",
        "/keys",
        "/audit",
        "/endpoints",
    ];
    let own = [
        format!("/endpoints/{endpoint}"),
        format!("/endpoints/{endpoint}/deliveries"),
        format!("/endpoints/{endpoint}/settings"),
        format!("/endpoints/{endpoint}/enable"),
        format!("/endpoints/{endpoint}/verify"),
        format!("/endpoints/{endpoint}/test?delivery={delivery}"),
        format!("/deliveries/{delivery}"),
        format!("/events/{event}"),
        format!("/events/{event}?data=raw"),
    ];
    fixed.iter().map(|path| (*path).to_owned()).chain(own).collect()
}

/// Pages that show what stands in their address.
fn pages_with(evil: &str) -> impl Iterator<Item = String> {
    let query: String = url::form_urlencoded::byte_serialize(evil.as_bytes()).collect();
    [
        "/endpoints?search=QUERY",
        "/deliveries?type=QUERY&since=QUERY&tenant=QUERY&endpoint=QUERY",
        "/events/new?type=QUERY&tenant=QUERY",
        "/events?id=QUERY",
        "/audit?actor=QUERY",
        "/login?to=QUERY",
        "/no/QUERY",
    ]
    .into_iter()
    .map(move |path| path.replace("QUERY", &query))
}
