//! One request as it was received: what `/received` and the lines in a pipe show of it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::domain::format::Format;
use crate::domain::secret::Secret;
use crate::domain::time::UnixMs;
use crate::domain::verifying::{self, Received, Verdict};

/// A request as it came in.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    pub(super) method: String,
    /// With the query.
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) at: UnixMs,
}

/// What is known of a request.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    /// The event's, where the format sends one.
    pub(super) id: Option<String>,
    /// The event's.
    pub(super) r#type: Option<String>,
    pub(super) received_at: UnixMs,
    pub(super) method: String,
    pub(super) path: String,
    /// Null: no secret was given.
    pub(super) verified: Option<bool>,
    /// Why it is not verified.
    pub(super) reasons: Vec<String>,
    /// How old the signed time was, in seconds.
    pub(super) age_seconds: Option<i64>,
    /// In lower case; the values of one name are joined with commas.
    pub(super) headers: BTreeMap<String, String>,
    /// As it came; what is not UTF-8 in it is replaced.
    pub(super) body: String,
    /// The event's data as it stands in the body; null where there is none.
    pub(super) data: Option<Box<RawValue>>,
}

impl Entry {
    /// Verifies a request and takes down what is known of it.
    pub(super) fn of(incoming: &Incoming, format: &Format, secrets: &[Secret]) -> Self {
        let request = Received { headers: &incoming.headers, body: &incoming.body };
        let verdict = (!secrets.is_empty()).then(|| {
            let (now, tolerance) = (incoming.at.seconds(), verifying::TOLERANCE_SECONDS);
            verifying::verify(format, request, secrets, now, tolerance)
        });
        let named = verifying::named(format, request);
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in &incoming.headers {
            let joined = headers.entry(name.to_ascii_lowercase()).or_default();
            if !joined.is_empty() {
                joined.push_str(", ");
            }
            joined.push_str(value);
        }
        Self {
            id: named.id,
            r#type: named.event_type,
            received_at: incoming.at,
            method: incoming.method.clone(),
            path: incoming.path.clone(),
            verified: verdict.as_ref().map(Verdict::holds),
            reasons: verdict.iter().flat_map(|v| &v.reasons).map(ToString::to_string).collect(),
            age_seconds: verdict.and_then(|verdict| verdict.age_seconds),
            headers,
            body: String::from_utf8_lossy(&incoming.body).into_owned(),
            data: named.data.and_then(|data| RawValue::from_string(data).ok()),
        }
    }

    /// Bytes that it takes, roughly.
    pub(super) fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let data = self.data.as_ref().map_or(0, |data| data.get().len());
        512 + self.path.len() + headers + self.body.len() + data
    }
}
