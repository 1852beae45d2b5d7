//! What publishers, receivers and colleagues have written stays text on every page that shows it.

use serde_json::json;

use crate::support::app::{TestApp, text};
use crate::support::browser::Window;
use crate::support::receiver::{Receiver, Reply};

/// Ends what it may stand in, and runs something if it can.
const EVIL: &str =
    "'\"></title></pre></textarea></svg><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}";

/// A server with something evil wherever a text can be. The pages that show it.
fn poisoned(app: &TestApp, receiver: &Receiver) -> Vec<String> {
    receiver.always(
        Reply::status(500).header("X-Evil", EVIL).body([EVIL.as_bytes(), b"\0\x1b[31m\xff"].concat()),
    );
    let put = |path: &str, body: &serde_json::Value| {
        app.client.send_json("PUT", &format!("/api/v1{path}"), body).expect(201);
    };
    put("/tenants/evil", &json!({ "name": EVIL }));
    let example = json!({ EVIL: EVIL });
    put("/event-types/evil", &json!({ "description": EVIL, "group": "'\"><b>", "example": example }));
    put("/formats/evil", &json!({ "signature": { "scheme": "none" }, "envelope": "data" }));
    app.post("/keys", &json!({ "name": "'\"><script>alert(1)</script>", "scopes": ["events:write"] }))
        .expect(201);
    let fields = json!({ "tenant": "evil", "url": receiver.url("/?'\"><script>alert(1)</script>"), "events": ["*"],
        "description": EVIL, "metadata": { "<script>alert(1)</script>": EVIL }, "filters": { "a": EVIL }, "headers": { "X-A": EVIL },
        "format": "evil", "retry_schedule": [] });
    let endpoint = text(&app.create_endpoint(&fields), "id");
    let event = json!({ "type": "evil", "tenant": "evil", "data": { "a": EVIL, EVIL: [EVIL] } });
    let event = text(&app.post("/events", &event).expect(202).json(), "id");
    let other = json!({ "type": "evil", "tenant": "evil", "data": EVIL });
    let other = text(&app.post("/events", &other).expect(202).json(), "id");
    app.settle();
    let delivery = text(&app.list(&format!("/events/{event}/deliveries"))[0], "id");
    app.post(&format!("/endpoints/{endpoint}/disable"), &json!({ "note": EVIL })).expect(200);
    let query: String = url::form_urlencoded::byte_serialize(EVIL.as_bytes()).collect();
    let fixed = [
        "/",
        "/tenants",
        "/tenants/evil",
        "/event-types",
        "/event-types/evil",
        "/formats/evil",
        "/keys",
        "/audit",
    ];
    let own = [
        format!("/endpoints?tenant=evil&search={query}"),
        format!("/endpoints/{endpoint}"),
        format!("/endpoints/{endpoint}/deliveries"),
        format!("/endpoints/{endpoint}/settings"),
        format!("/endpoints/{endpoint}/enable"),
        format!("/endpoints/{endpoint}/verify"),
        format!("/endpoints/{endpoint}/test?delivery={delivery}"),
        format!("/deliveries/{delivery}"),
        format!("/deliveries?type={query}&since={query}"),
        format!("/events/{event}"),
        format!("/events/{other}"),
        format!("/events/new?type={query}&tenant={query}"),
        format!("/login?to={query}"),
        format!("/{query}"),
    ];
    fixed.iter().map(|path| (*path).to_owned()).chain(own).collect()
}

#[test]
fn what_others_have_written_does_nothing() {
    let app = TestApp::start();
    let receiver = Receiver::start();
    let paths = poisoned(&app, &receiver);
    let browser = super::admin(&app, Window::default());
    let mut shown = 0;
    for path in &paths {
        browser.open(path);
        // A question that is asked by a script would fail everything that follows.
        let foreign = browser.script(
            "return [...document.querySelectorAll('script:not([src]), [onerror], [style], img, b > script, base, iframe')]
                 .map(e => e.outerHTML)",
        );
        assert_eq!(foreign, json!([]), "{path}");
        let complaints = browser.complaints();
        let refused = |line: &String| line.contains("status of 4");
        assert!(complaints.iter().all(refused), "{path}: {complaints:?}");
        // In the text, or in a field.
        let there = browser.script(
            "return (document.body.innerText + [...document.querySelectorAll('input, textarea')].map(e => e.value)).includes('<script>alert(1)')",
        );
        shown += usize::from(there == true);
    }
    assert!(shown >= 15, "it is shown on {shown} of {} pages", paths.len());
}
