//! Requests that are made before the load begins; only what differs each time is written into them as they are sent.

use std::ops::Range;

use serde_json::json;

/// A request to publish an event is about as long as Svix's: 0.95 KB of body.
pub const BODY: usize = 950;

/// Where the time goes. JSON allows blanks before a number, so the place has a fixed width.
const SENT: &str = "\"sent\":";
const SENT_WIDTH: usize = 20;
/// The time stands at the start of `data`, which comes after a few short fields.
const SENT_WITHIN: usize = 1024;
const KEY_WIDTH: usize = 20;

/// A request as it goes over the wire.
#[derive(Debug, Clone)]
pub struct Prepared {
    bytes: Vec<u8>,
    /// Where the time of sending goes.
    sent: Option<Range<usize>>,
    /// Where the number of an idempotency key goes.
    key: Option<Range<usize>>,
}

/// The `data` of an event that makes its request `length` bytes long.
fn data(length: usize) -> String {
    let order = json!({
        "order": { "id": "ord_8Zk2vT0qLr", "currency": "EUR", "total": 129.95, "paid": true },
        "customer": { "name": "Ada Example", "email": "ada@customer.example", "country": "DE" },
        "lines": [{ "sku": "A-1009", "quantity": 2, "price": 39.5 }, { "sku": "C-77", "quantity": 1, "price": 50.95 }],
    })
    .to_string();
    let start = format!("{{{SENT}{:SENT_WIDTH$},\"object\":{order},\"note\":\"", 0);
    let padding = length.saturating_sub(start.len() + 2);
    // Words, not one letter: a real text.
    let note = "Leave it with the neighbours, please. ".chars().cycle().take(padding);
    start + &note.collect::<String>() + "\"}"
}

/// The body of `POST /events` for a tenant, `length` bytes in all (a little more if they are very few).
pub fn event(tenant: &str, event_type: &str, length: usize) -> String {
    let start = format!("{{\"type\":\"{event_type}\",\"tenant\":\"{tenant}\",\"data\":");
    let data = data(length.saturating_sub(start.len() + 1));
    start + &data + "}"
}

impl Prepared {
    /// A POST of JSON to `path` of `host`, with these header lines besides (each ends with `\r\n`).
    pub fn post(host: impl std::fmt::Display, path: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n"
        );
        let sent = place(body).map(|place| head.len() + place.start..head.len() + place.end);
        Self { bytes: (head + body).into_bytes(), sent, key: None }
    }

    /// The same with an idempotency key that is new each time it is sent.
    pub fn with_idempotency_key(mut self) -> Self {
        let line = format!("idempotency-key: {:0KEY_WIDTH$}\r\n", 0);
        let at = memchr::memmem::find(&self.bytes, b"\r\n").map_or(0, |end| end + 2);
        self.bytes.splice(at..at, line.bytes());
        self.sent = self.sent.map(|place| place.start + line.len()..place.end + line.len());
        self.key = Some(at + line.len() - 2 - KEY_WIDTH..at + line.len() - 2);
        self
    }

    /// Appends the request to `output`: sent at this moment, the `number`-th of its load.
    pub fn write(&self, output: &mut Vec<u8>, sent: u64, number: u64) {
        let start = output.len();
        output.extend_from_slice(&self.bytes);
        let mut put = |place: &Option<Range<usize>>, text: String| {
            if let Some(place) = place {
                output[start + place.start..start + place.end].copy_from_slice(text.as_bytes());
            }
        };
        put(&self.sent, format!("{sent:SENT_WIDTH$}"));
        put(&self.key, format!("{number:0KEY_WIDTH$}"));
    }
}

/// Where the time of sending is in a body.
fn place(body: &str) -> Option<Range<usize>> {
    let at = memchr::memmem::find(body.as_bytes(), SENT.as_bytes())? + SENT.len();
    Some(at..at + SENT_WIDTH)
}

/// The moment at which an event was sent, if it says so.
pub fn sent_at(body: &[u8]) -> Option<u64> {
    let start = &body[..body.len().min(SENT_WITHIN)];
    let at = memchr::memmem::find(start, SENT.as_bytes())? + SENT.len();
    std::str::from_utf8(start.get(at..at + SENT_WIDTH)?).ok()?.trim_start().parse().ok()
}
