//! Whether a signature holds, as a receiver finds out; and if it does not, why.
//!
//! [`verify`] knows no scheme: what a format signs, and under which headers, it asks a [`Wire`]. If no signature
//! fits the body, it tries the [`rewrite`]s that happen on the way through other people's programs, and tells.

mod reason;
pub mod rewrite;
mod standard;

use std::fmt;

pub use self::reason::{Reason, span};
use self::rewrite::rewrites;
pub use self::standard::Standard;
use super::secret::Secret;

/// How old or how far ahead a signed time may be, in seconds, as in the libraries of Standard Webhooks.
pub const TOLERANCE_SECONDS: i64 = 300;

/// A request as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// Names, in any case, and values.
    pub headers: &'a [(String, String)],
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// What the headers of a request claim.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims<'a> {
    /// The id as it is signed, where the format has one.
    pub id: &'a str,
    /// The time as it is signed, in unix seconds; none in a format that sends none.
    pub timestamp: Option<&'a str>,
    /// The signatures, as the scheme writes them.
    pub signatures: Vec<&'a str>,
}

/// What a request says of its event, where it says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// The event's id.
    pub id: Option<String>,
    /// The event's type.
    pub event_type: Option<String>,
    /// The event's data, as the text of its JSON.
    pub data: Option<String>,
}

/// A format, seen from a receiver. Adding one is one implementation.
pub trait Wire: fmt::Debug + Send + Sync {
    /// Reads a secret, or a public key, as a person has it.
    ///
    /// # Errors
    /// What it must be; without the secret itself.
    fn secret(&self, text: &str) -> Result<Secret, String>;

    /// What the headers claim.
    ///
    /// # Errors
    /// Every header that is missing or malformed.
    fn claims<'a>(&self, headers: &'a [(String, String)]) -> Result<Claims<'a>, Vec<Reason>>;

    /// Whether one of the signatures is `secret`'s over `body`.
    fn is_signed_by(&self, secret: &Secret, claims: &Claims<'_>, body: &[u8]) -> bool;

    /// The keys of the envelope, in the order in which they are sent.
    fn keys(&self) -> Vec<String>;

    /// The event that a request is about, whether it is signed or not.
    fn named(&self, request: Received<'_>) -> Named;
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Which of the secrets has signed the request as it is.
    pub signed_by: Option<usize>,
    /// How old the signed time is, in seconds; below zero if it lies ahead. None where a format sends no time.
    pub age_seconds: Option<i64>,
    /// Everything that is wrong. Empty: it holds.
    pub reasons: Vec<Reason>,
}

impl Verdict {
    /// Whether a receiver should accept the request.
    pub fn holds(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// Judges a request at the time `now_seconds`, whose signed time may be `tolerance_seconds` away.
pub fn verify(
    wire: &dyn Wire,
    request: Received<'_>,
    secrets: &[Secret],
    now_seconds: i64,
    tolerance_seconds: i64,
) -> Verdict {
    let claims = match wire.claims(request.headers) {
        Ok(claims) => claims,
        Err(reasons) => return Verdict { reasons, ..Verdict::default() },
    };
    let mut reasons = Vec::new();
    let signed_by = secrets.iter().position(|secret| wire.is_signed_by(secret, &claims, request.body));
    if signed_by.is_none() {
        reasons.push(why_unsigned(wire, &claims, request.body, secrets));
    }
    let age_seconds =
        claims.timestamp.and_then(|text| text.parse::<i64>().ok()).map(|at| now_seconds.saturating_sub(at));
    if let Some(age) = age_seconds.filter(|age| age.saturating_abs() > tolerance_seconds) {
        reasons.push(Reason::Age { age_seconds: age, tolerance_seconds });
    }
    Verdict { signed_by, age_seconds, reasons }
}

fn why_unsigned(wire: &dyn Wire, claims: &Claims<'_>, body: &[u8], secrets: &[Secret]) -> Reason {
    let signed = |body: &[u8]| secrets.iter().any(|secret| wire.is_signed_by(secret, claims, body));
    match rewrites(body, &wire.keys()).find(|rewrite| signed(&rewrite.body)) {
        Some(rewrite) => Reason::Rewritten(rewrite.says),
        None => Reason::NoMatch { secrets: secrets.len() },
    }
}

/// The only value of a header, whatever the case of its name.
///
/// # Errors
/// It is missing, or there more than once.
pub fn header<'a>(headers: &'a [(String, String)], name: &str) -> Result<&'a str, Reason> {
    let mut found = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    let value = found.next().ok_or_else(|| Reason::Missing(name.to_owned()))?;
    match found.next() {
        None => Ok(value.1.trim()),
        Some(_) => {
            Err(Reason::Malformed { header: name.to_owned(), says: "is there more than once".to_owned() })
        }
    }
}
