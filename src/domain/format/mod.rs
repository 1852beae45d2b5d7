//! Formats: how a delivery looks on the wire. A format is data; nothing outside this folder asks which one it is.
//!
//! [`Format::render`] makes the request of an attempt. What it made out of secrets is kept with the attempt
//! as one text, so that [`Format::render_recorded`] can show the exact bytes again later, without secrets.
//!
//! - [`Scheme`]: how signatures are made and written into their header; one file knows all schemes.
//! - `envelope`: the body as a list of pieces, so that rendering is copying.
//! - `standard`: the built-in format of Standard Webhooks.

mod envelope;
pub mod scheme;
mod standard;

use std::borrow::Cow;
use std::sync::Arc;

use self::envelope::Envelope;
use self::scheme::Scheme;
use super::secret::KeyForm;
use super::signing::Signer;
use super::time::UnixMs;

/// A wire format, compiled. Shared by all endpoints that use it.
#[derive(Debug, Clone)]
pub struct Format {
    name: Arc<str>,
    scheme: Scheme,
    content_type: Cow<'static, str>,
    id_header: Option<Cow<'static, str>>,
    timestamp_header: Option<Cow<'static, str>>,
    signature_header: Option<Cow<'static, str>>,
    envelope: Envelope,
}

/// What every attempt of an event sends, whoever receives it.
#[derive(Debug, Clone, Copy)]
pub struct EventOnWire<'a> {
    /// The public id: `evt_…`, or the publisher's own.
    pub id: &'a str,
    /// The event type. Like the other names it is from an alphabet that needs no escaping (see `names`).
    pub r#type: &'a str,
    /// The event's time, the same in every attempt.
    pub timestamp: UnixMs,
    /// The tenant's name.
    pub tenant: &'a str,
    /// One JSON value, byte for byte as the publisher sent it.
    pub data: &'a str,
}

/// What is an attempt's own.
#[derive(Debug, Clone, Copy)]
pub struct AttemptOnWire {
    /// When the attempt was made, in unix seconds: signed, and sent beside the signature.
    pub timestamp_seconds: i64,
    /// Its number in the delivery, from 1, over all rounds.
    pub number: u32,
}

/// A request, complete but for its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Names (lower case unless the endpoint or the format wrote them otherwise) and values, in the order sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The value of the signature header, to be kept with the attempt. Empty: unsigned.
    pub signatures: String,
}

impl Format {
    /// The built-in format `standard`: Standard Webhooks 1.0.
    pub fn standard() -> Self {
        standard::format()
    }

    /// The format's name, as endpoints refer to it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the format reads the key from a secret; `None` for a format without secrets.
    pub fn key_form(&self) -> Option<KeyForm> {
        self.scheme.key_form()
    }

    /// Whether a request can carry the signatures of two secrets, so that a rotation can overlap.
    pub fn carries_several_signatures(&self) -> bool {
        self.scheme.carries_several()
    }

    /// The headers that the format sets, in lower case; an endpoint may not set them.
    pub fn own_headers(&self) -> Vec<String> {
        let own = [&self.id_header, &self.timestamp_header, &self.signature_header];
        own.into_iter().flatten().map(|name| name.to_ascii_lowercase()).collect()
    }

    /// The body of every attempt of `event`, which depends on nothing else.
    pub fn body(&self, event: &EventOnWire<'_>) -> Vec<u8> {
        self.envelope.write(event)
    }

    /// The request of an attempt that is made now.
    ///
    /// `signers` are the endpoint's live secrets, the newest first; without any it goes unsigned.
    /// `extra_headers` are the endpoint's own, sent last and as they are.
    pub fn render(
        &self,
        event: &EventOnWire<'_>,
        attempt: &AttemptOnWire,
        signers: &[&Signer],
        extra_headers: &[(String, String)],
        user_agent: &str,
    ) -> Rendered {
        let timestamp = attempt.timestamp_seconds.to_string();
        let body = self.body(event);
        let signatures = self.scheme.sign(signers, event.id, &timestamp, &body);
        let headers = self.headers(event, timestamp, &signatures, extra_headers, user_agent);
        Rendered { headers, body, signatures }
    }

    /// The request of an attempt that was made before, from the `signatures` that were kept.
    ///
    /// The same bytes come out if format, headers and `user_agent` are those of that time (their revision).
    pub fn render_recorded(
        &self,
        event: &EventOnWire<'_>,
        attempt: &AttemptOnWire,
        signatures: &str,
        extra_headers: &[(String, String)],
        user_agent: &str,
    ) -> Rendered {
        let timestamp = attempt.timestamp_seconds.to_string();
        Rendered {
            headers: self.headers(event, timestamp, signatures, extra_headers, user_agent),
            body: self.body(event),
            signatures: signatures.to_owned(),
        }
    }

    fn headers(
        &self,
        event: &EventOnWire<'_>,
        timestamp: String,
        signatures: &str,
        extra_headers: &[(String, String)],
        user_agent: &str,
    ) -> Vec<(String, String)> {
        let mut headers = Vec::with_capacity(5 + extra_headers.len());
        headers.push(("content-type".to_owned(), self.content_type.to_string()));
        headers.push(("user-agent".to_owned(), user_agent.to_owned()));
        if let Some(name) = &self.id_header {
            headers.push((name.to_string(), event.id.to_owned()));
        }
        if let Some(name) = &self.timestamp_header {
            headers.push((name.to_string(), timestamp));
        }
        if let Some(name) = self.signature_header.as_ref().filter(|_| !signatures.is_empty()) {
            headers.push((name.to_string(), signatures.to_owned()));
        }
        headers.extend_from_slice(extra_headers);
        headers
    }
}
