//! What a receiver does with a request: whether one of its secrets signed it, and if not, why.

use std::fmt;

use super::Format;
use super::signature::Piece;
use crate::domain::signing::Checker;

/// How far the time of a request may lie from the receiver's, in seconds (Standard Webhooks 1.0 and Stripe: 5 minutes).
pub const TOLERANCE_SECONDS: i64 = 300;

/// A request that was made by who has the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Which of the secrets, from 0. `None`: the format does not sign, so that nothing is proved.
    pub secret: Option<usize>,
}

/// Why a request is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// A header is missing that the format sends with every signed request.
    MissingHeader(String),
    /// A header has no form that the format could have given it.
    Malformed(String),
    /// A secret is none of the format's scheme: which one, from 0, and what it has to be.
    BadSecret(usize, String),
    /// None of the signatures is one of the secrets over this body.
    NoMatch,
    /// The signature is right and the request is this many seconds old: it may have been sent again by somebody else.
    TooOld(i64),
    /// The signature is right and the request comes from this many seconds ahead of the receiver's clock.
    TooNew(i64),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingHeader(name) => write!(f, "the header {name} is missing"),
            Self::Malformed(name) => write!(f, "the header {name} does not have the form of this format"),
            Self::BadSecret(index, message) => write!(f, "secret {}: {message}", index + 1),
            Self::NoMatch => {
                f.write_str("no signature matches: the secret is another, or the body was changed on its way")
            }
            Self::TooOld(seconds) => {
                write!(f, "the request is {seconds} seconds old; {TOLERANCE_SECONDS} are allowed")
            }
            Self::TooNew(seconds) => {
                write!(
                    f,
                    "the request is {seconds} seconds ahead of this clock; {TOLERANCE_SECONDS} are allowed"
                )
            }
        }
    }
}

impl Format {
    /// Whether the request with these headers and this body is one of this format, signed with one of `secrets`: for
    /// `ed25519` public keys, else the secrets as shown. Names of headers are compared whatever their case. The age
    /// counts where the time is signed; `now_seconds` is the receiver's clock.
    ///
    /// # Errors
    /// The first reason to refuse it. The age is looked at last, so that it is named only for what is genuine.
    pub fn verify<S: AsRef<str>>(
        &self,
        headers: &[(String, String)],
        body: &[u8],
        secrets: &[S],
        now_seconds: i64,
    ) -> Result<Verified, Refused> {
        let Some(header) = &self.definition.signature.header else { return Ok(Verified { secret: None }) };
        let mut checkers = Vec::with_capacity(secrets.len());
        for (index, secret) in secrets.iter().enumerate() {
            let checker = self.scheme().checker(secret.as_ref());
            checkers.extend(checker.map_err(|message| Refused::BadSecret(index, message))?);
        }
        let value = find(headers, header)?;
        let parts = self.signature.take_apart(value).ok_or_else(|| Refused::Malformed(header.clone()))?;
        let needs = self.signature.needs();
        let from = |seen: Option<&str>, name: &Option<String>, needed: bool| match (seen, name, needed) {
            (_, _, false) => Ok(String::new()),
            (Some(seen), _, _) => Ok(seen.to_owned()),
            (None, Some(name), _) => find(headers, name).map(str::to_owned),
            (None, None, _) => self.id_in_body(body),
        };
        let timestamp = from(parts.timestamp, &self.definition.headers.timestamp, needs.timestamp)?;
        let id = from(parts.id, &self.definition.headers.id, needs.id)?;
        let secret = self.signature.over(&id, &timestamp, body, |message| {
            let signs = |checker: &Checker| {
                parts.signatures.iter().any(|signature| checker.accepts(message, signature))
            };
            checkers.iter().position(signs)
        });
        let secret = secret.ok_or(Refused::NoMatch)?;
        if needs.timestamp {
            check_age(&timestamp, now_seconds)?;
        }
        Ok(Verified { secret: Some(secret) })
    }

    /// The id where the envelope alone has it.
    fn id_in_body(&self, body: &[u8]) -> Result<String, Refused> {
        use super::definition::{EnvelopeRules, What};
        let malformed = || Refused::Malformed("(the body)".to_owned());
        let EnvelopeRules::Keys(keys) = &self.definition.envelope else { return Err(malformed()) };
        let key = keys.iter().find(|key| key.what == What::Id).ok_or_else(malformed)?;
        let value: serde_json::Value = serde_json::from_slice(body).map_err(|_| malformed())?;
        let found = key.path.split('.').try_fold(&value, |value, key| value.get(key));
        found.and_then(serde_json::Value::as_str).map(str::to_owned).ok_or_else(malformed)
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Result<&'a str, Refused> {
    let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str()).ok_or_else(|| Refused::MissingHeader(name.to_owned()))
}

fn check_age(timestamp: &str, now_seconds: i64) -> Result<(), Refused> {
    let at: i64 = timestamp.parse().map_err(|_| Refused::Malformed("(the time)".to_owned()))?;
    let age = now_seconds.saturating_sub(at);
    if age > TOLERANCE_SECONDS {
        return Err(Refused::TooOld(age));
    }
    if age < -TOLERANCE_SECONDS {
        return Err(Refused::TooNew(age.saturating_neg()));
    }
    Ok(())
}

/// A signature header, taken apart.
struct Parts<'a> {
    timestamp: Option<&'a str>,
    id: Option<&'a str>,
    signatures: Vec<&'a str>,
}

/// What is signed beside the body.
struct Needs {
    timestamp: bool,
    id: bool,
}

impl super::signature::Signature {
    fn needs(&self) -> Needs {
        use super::definition::Over;
        Needs { timestamp: self.over != Over::Body, id: self.over == Over::IdTimestampBody }
    }

    /// `None` if the prefix is not this one.
    fn take_apart<'a>(&self, value: &'a str) -> Option<Parts<'a>> {
        let (mut timestamp, mut id, mut rest) = (None, None, value);
        for piece in &self.prefix {
            let end = |allowed: fn(&char) -> bool| rest.chars().take_while(allowed).map(char::len_utf8).sum();
            match piece {
                Piece::Text(text) => rest = rest.strip_prefix(text.as_str())?,
                Piece::Timestamp => {
                    let (seen, after) = rest.split_at(end(char::is_ascii_digit));
                    (timestamp, rest) = (Some(seen), after);
                }
                Piece::Id => {
                    let (seen, after) =
                        rest.split_at(end(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')));
                    (id, rest) = (Some(seen), after);
                }
            }
        }
        let signatures = match &self.join {
            Some(join) => rest.split(join.as_str()).collect(),
            None => vec![rest],
        };
        Some(Parts { timestamp, id, signatures })
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
