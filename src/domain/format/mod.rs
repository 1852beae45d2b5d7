//! Formats: how a delivery looks on the wire. A format is data; nothing outside this folder asks which one it is.
//!
//! [`Format::render`] makes the request of an attempt. What it made out of secrets is kept with the attempt
//! as one text, so that [`Format::render_recorded`] can show the exact bytes again later, without secrets.
//!
//! - [`definition`]: a format as it is said, written as JSON and, by `read`, read from it with every error at once.
//! - [`scheme`]: how signatures are made; a file for each. `signature`: how they stand in their header.
//! - `envelope`: the body as a list of pieces, so that rendering is copying. `ecmascript`: the body written again.
//! - [`builtin`]: the formats that are there from the start. [`verify`]: what a receiver does with a request; [`code`]: the
//!   same as a program text for receivers.

pub mod builtin;
pub mod code;
pub mod definition;
pub mod ecmascript;
mod envelope;
mod read;
pub mod scheme;
mod signature;
pub mod verify;

use std::sync::Arc;

use self::definition::{BodyForm, Definition};
use self::envelope::Envelope;
use self::read::CONTENT_TYPE;
use self::scheme::Scheme;
use self::signature::Signature;
use super::invalid::Invalid;
use super::secret::Secret;
use super::signing::Signer;
use super::time::UnixMs;

/// A wire format, compiled. Shared by all endpoints that use it.
#[derive(Debug, Clone)]
pub struct Format {
    name: Arc<str>,
    definition: Arc<Definition>,
    content_type: String,
    headers: Vec<(String, Value)>,
    signature: Signature,
    envelope: Envelope,
    body: BodyForm,
}

/// What a header of a format holds.
#[derive(Debug, Clone)]
enum Value {
    Event,
    Id,
    Timestamp,
    Attempt,
    /// Not sent where it would be empty.
    Signatures,
    Fixed(String),
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
        (*builtin::all()[0]).clone()
    }

    /// Reads and compiles a format from JSON.
    ///
    /// # Errors
    /// Every wrong field.
    pub fn parse(name: &str, definition: &str) -> Result<Self, Invalid> {
        Definition::parse(definition).map(|definition| Self::compile(name, definition))
    }

    /// Compiles what was read.
    pub fn compile(name: &str, definition: Definition) -> Self {
        let is_content_type = |name: &str| name.eq_ignore_ascii_case(CONTENT_TYPE);
        let fixed = &definition.fixed.headers;
        let content_type = fixed.iter().find(|(name, _)| is_content_type(name));
        let names = &definition.headers;
        let own = [
            (&names.event, Value::Event),
            (&names.id, Value::Id),
            (&names.timestamp, Value::Timestamp),
            (&names.attempt, Value::Attempt),
            (&definition.signature.header, Value::Signatures),
        ];
        let own = own.into_iter().filter_map(|(name, value)| name.clone().map(|name| (name, value)));
        let constants = fixed.iter().filter(|(name, _)| !is_content_type(name));
        let constants = constants.map(|(name, value)| (name.clone(), Value::Fixed(value.clone())));
        Self {
            name: name.into(),
            content_type: content_type.map_or("application/json", |(_, value)| value).to_owned(),
            headers: own.chain(constants).collect(),
            signature: Signature::compile(&definition.signature),
            envelope: Envelope::compile(&definition.envelope, &definition.fixed),
            body: definition.body,
            definition: Arc::new(definition),
        }
    }

    /// The format's name, as endpoints refer to it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it was compiled from.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// How it signs.
    pub fn scheme(&self) -> &'static Scheme {
        self.signature.scheme
    }

    /// Prepares a secret for signing; `None` for a format that does not sign.
    ///
    /// # Errors
    /// The secret has no key for the format's scheme, which only a damaged row can bring about.
    pub fn signer(&self, secret: &Secret) -> Result<Option<Signer>, String> {
        self.scheme().signer(secret)
    }

    /// Whether a request can carry the signatures of two secrets, so that a rotation can overlap.
    pub fn carries_several_signatures(&self) -> bool {
        self.signature.join.is_some()
    }

    /// The headers that the format sets, in lower case; an endpoint may not set them.
    pub fn own_headers(&self) -> Vec<String> {
        self.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect()
    }

    /// The body of every attempt of `event`, which depends on nothing else.
    pub fn body(&self, event: &EventOnWire<'_>) -> Vec<u8> {
        let body = self.envelope.write(event);
        match self.body {
            BodyForm::Verbatim => body,
            // Every body of an event is JSON; one whose data was deleted is not, and is not sent.
            BodyForm::Ecmascript => ecmascript::rewrite(&body).unwrap_or(body),
        }
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
        let signatures = self.signature.sign(signers, event.id, &timestamp, &body);
        let headers = self.headers(event, attempt, &timestamp, &signatures, extra_headers, user_agent);
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
            headers: self.headers(event, attempt, &timestamp, signatures, extra_headers, user_agent),
            body: self.body(event),
            signatures: signatures.to_owned(),
        }
    }

    fn headers(
        &self,
        event: &EventOnWire<'_>,
        attempt: &AttemptOnWire,
        timestamp: &str,
        signatures: &str,
        extra_headers: &[(String, String)],
        user_agent: &str,
    ) -> Vec<(String, String)> {
        let mut headers = Vec::with_capacity(2 + self.headers.len() + extra_headers.len());
        headers.push((CONTENT_TYPE.to_owned(), self.content_type.clone()));
        headers.push(("user-agent".to_owned(), user_agent.to_owned()));
        for (name, value) in &self.headers {
            let value = match value {
                Value::Event => event.r#type.to_owned(),
                Value::Id => event.id.to_owned(),
                Value::Timestamp => timestamp.to_owned(),
                Value::Attempt => attempt.number.to_string(),
                Value::Signatures if signatures.is_empty() => continue,
                Value::Signatures => signatures.to_owned(),
                Value::Fixed(value) => value.clone(),
            };
            headers.push((name.clone(), value));
        }
        headers.extend_from_slice(extra_headers);
        headers
    }
}

#[cfg(test)]
mod tests;
