//! `postrider send` as it is typed, and the event that it publishes.

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::domain::names::IdempotencyKey;

use super::args::RemoteArgs;
use super::input;

/// Arguments and flags of `postrider send`.
#[derive(Debug, Args)]
pub(super) struct SendFlags {
    /// The event's type, such as order.paid
    #[arg(value_name = "TYPE")]
    event_type: String,
    /// The event's data: JSON, @FILE for a file with JSON, or - for standard input
    #[arg(long, value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    data: String,
    /// The tenant that it belongs to [default: default]
    #[arg(long)]
    tenant: Option<String>,
    /// An id of your own for the event: accepted once
    #[arg(long)]
    id: Option<String>,
    /// When it happened, RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    timestamp: Option<String>,
    /// Makes a repetition within 24 hours harmless
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[arg(
        long,
        value_name = "DIR",
        help = "The server's data directory [default: ./postrider-data, or without one /var/lib/postrider] [env: POSTRIDER_DATA]"
    )]
    pub(super) data_dir: Option<String>,
    #[command(flatten)]
    pub(super) remote: RemoteArgs,
}

#[derive(Serialize)]
struct Event<'a> {
    r#type: &'a str,
    data: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'a str>,
}

impl SendFlags {
    /// The body that publishes it, with the data byte for byte, and the idempotency key. Names are checked where it is
    /// published.
    ///
    /// # Errors
    /// A sentence: the data is no JSON, or its file cannot be read.
    pub(super) fn read(&self) -> Result<(String, Option<IdempotencyKey>), String> {
        let data = match self.data.strip_prefix('@') {
            Some(file) => input::read_text("--data", file)?,
            None if self.data == "-" => input::read_text("--data", "-")?,
            None => self.data.clone(),
        };
        let data: &RawValue = serde_json::from_str(&data).map_err(|error| {
            format!(
                "--data must be JSON, @FILE or -, and is no JSON: {error}; a text needs its quotation marks"
            )
        })?;
        let event = Event {
            r#type: &self.event_type,
            data,
            tenant: self.tenant.as_deref(),
            id: self.id.as_deref(),
            timestamp: self.timestamp.as_deref(),
        };
        let event = serde_json::to_string(&event).map_err(|error| error.to_string())?;
        let key = self.idempotency_key.as_deref().map(IdempotencyKey::parse).transpose();
        let key = key.map_err(|says| format!("--idempotency-key {says}"))?;
        Ok((event, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(data: &str) -> SendFlags {
        SendFlags {
            event_type: "order.paid".to_owned(),
            data: data.to_owned(),
            tenant: None,
            id: Some("own-1".to_owned()),
            timestamp: None,
            idempotency_key: Some("k".to_owned()),
            data_dir: None,
            remote: RemoteArgs::default(),
        }
    }

    #[test]
    fn data_is_passed_on_byte_for_byte() {
        let (event, idempotency_key) = flags(r#"{ "n": 12345678901234567890.10 }"#).read().unwrap();
        let expected = r#"{"type":"order.paid","data":{ "n": 12345678901234567890.10 },"id":"own-1"}"#;
        assert_eq!(
            (event.as_str(), idempotency_key.map(|key| key.to_string()).as_deref()),
            (expected, Some("k"))
        );
    }

    #[test]
    fn data_that_is_no_json_is_refused_with_what_is_allowed() {
        for bad in ["", "hello", "{\"a\":}", "1,\"id\":\"x\"", "{} {}"] {
            let error = flags(bad).read().unwrap_err();
            assert!(error.contains("must be JSON, @FILE or -"), "{bad}: {error}");
        }
        assert!(flags("@/nowhere/x.json").read().unwrap_err().contains("/nowhere/x.json"));
    }
}
