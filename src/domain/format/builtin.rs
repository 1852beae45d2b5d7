//! The formats that are there from the start. They are data like every other, to use or to copy, and are not changed.

use std::sync::{Arc, LazyLock};

use super::Format;

/// Names and definitions.
const DEFINITIONS: [(&str, &str); 4] = [
    // Standard Webhooks 1.0.
    (
        "standard",
        r#"{
            "signature": {"scheme": "standard", "header": "webhook-signature", "join": " "},
            "headers": {"id": "webhook-id", "timestamp": "webhook-timestamp"},
            "envelope": {"id": "id", "type": "type", "timestamp": "timestamp", "tenant": "tenant", "data": "data"}
        }"#,
    ),
    // GitHub's webhooks: the data alone is what its libraries expect as the payload.
    (
        "github",
        r#"{
            "signature": {"scheme": "hmac-sha256-hex", "header": "X-Hub-Signature-256", "prefix": "sha256="},
            "headers": {"event": "X-GitHub-Event", "id": "X-GitHub-Delivery"},
            "envelope": "data"
        }"#,
    ),
    // Stripe's events: its libraries parse the body as one after they have verified it.
    (
        "stripe",
        r#"{
            "signature": {"scheme": "hmac-sha256-hex", "header": "Stripe-Signature", "prefix": "t={timestamp},v1=",
                          "join": ",v1=", "over": "timestamp.body"},
            "envelope": {"id": "id", "type": "type", "timestamp": {"key": "created", "as": "unix"}, "data": "data.object"},
            "fixed": {"envelope": {"object": "event"}}
        }"#,
    ),
    // CloudEvents 1.0, structured JSON. `source` is a URI reference, which the tenant is written as; id and source together
    // are unique, as the specification asks for. CloudEvents has no signatures; these are those of Standard Webhooks, which
    // receivers may check or pass over.
    (
        "cloudevents",
        r#"{
            "signature": {"scheme": "standard", "header": "webhook-signature", "join": " "},
            "headers": {"id": "webhook-id", "timestamp": "webhook-timestamp"},
            "envelope": {"id": "id", "tenant": {"key": "source", "as": "uri_reference"}, "type": "type", "timestamp": "time", "data": "data"},
            "fixed": {"headers": {"content-type": "application/cloudevents+json"},
                      "envelope": {"specversion": "1.0", "datacontenttype": "application/json"}}
        }"#,
    ),
];

static FORMATS: LazyLock<[Arc<Format>; DEFINITIONS.len()]> = LazyLock::new(|| {
    DEFINITIONS.map(|(name, definition)| {
        let format = Format::parse(name, definition);
        Arc::new(format.expect("a definition of ours, which the tests read"))
    })
});

/// The formats that are there from the start, `standard` first.
pub fn all() -> &'static [Arc<Format>] {
    &*FORMATS
}

/// One of them by its name.
pub fn find(name: &str) -> Option<&'static Arc<Format>> {
    all().iter().find(|format| format.name() == name)
}
