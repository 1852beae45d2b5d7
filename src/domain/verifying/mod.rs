//! Whether a signature holds, as a receiver finds out; and if it does not, why.
//!
//! [`verify`] knows no scheme: it asks the [`Format`]. If no signature fits the body, it tries the [`rewrite`]s that
//! happen on the way through other people's programs, and tells. [`named`] reads the event out of a request.

mod demands;
mod named;
mod reason;
pub mod rewrite;
#[cfg(test)]
mod tests;

use self::demands::unmet;
pub use self::named::{Named, named};
pub use self::reason::{Reason, span};
use self::rewrite::rewrites;
use super::format::Format;
use super::format::scheme::Taken;
pub use super::format::verify::TOLERANCE_SECONDS;
use super::format::verify::{Refused, Verified};
use super::secret::{PREFIX, Secret};

/// A request as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// Names, in any case, and values.
    pub headers: &'a [(String, String)],
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Which of the secrets has signed the request as it is.
    pub signed_by: Option<usize>,
    /// How old the signed time is, in seconds; below zero if it lies ahead. None where no time is signed.
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

/// Reads what a receiver has: the secret as it was shown or set, or the public key.
///
/// # Errors
/// What it must be; without the secret itself.
pub fn secret(format: &Format, text: &str) -> Result<Secret, String> {
    let (scheme, text) = (format.scheme(), text.trim());
    if !scheme.has_secrets() {
        return Err(format!("cannot be used with the format {}, which does not sign", format.name()));
    }
    match (scheme.checker(text), scheme.take(text)) {
        (Ok(_), _) if !text.is_empty() => Ok(Secret::stored(text)),
        (_, Ok(Taken::Secret(secret))) => Ok(secret),
        (Err(says), _) => Err(says),
        (Ok(_), _) => Err("must not be empty".to_owned()),
    }
}

/// Judges a request at the time `now_seconds`, whose signed time may be `tolerance_seconds` away.
pub fn verify(
    format: &Format,
    request: Received<'_>,
    secrets: &[Secret],
    now_seconds: i64,
    tolerance_seconds: i64,
) -> Verdict {
    let unmet = unmet(format, request.headers);
    if !unmet.is_empty() {
        return Verdict { reasons: unmet, ..Verdict::default() };
    }
    let judge =
        Judge { format, headers: request.headers, secrets: secrets.iter().map(Secret::expose).collect() };
    let mut verdict = match judge.signed(request.body) {
        Signed::By { secret, at } => {
            let age_seconds = at.map(|at| now_seconds.saturating_sub(at));
            Verdict { signed_by: secret, age_seconds, reasons: Vec::new() }
        }
        Signed::Not(Refused::NoMatch) => judge.why_not(request.body, now_seconds),
        Signed::Not(refused) => Verdict { reasons: vec![Reason::Refused(refused)], ..Verdict::default() },
    };
    if let Some(age_seconds) = verdict.age_seconds.filter(|age| age.saturating_abs() > tolerance_seconds) {
        verdict.reasons.push(Reason::Age { age_seconds, tolerance_seconds });
    }
    verdict
}

/// What a signature says, its age aside.
enum Signed {
    /// It is one of this secret's, made at this time if time is signed.
    By {
        secret: Option<usize>,
        at: Option<i64>,
    },
    Not(Refused),
}

/// Two moments so far apart that no request is fresh at both: a format says how far it is from one of them, unless it
/// signs no time.
const CLOCKS: [i64; 2] = [i64::MAX / 2, 0];

struct Judge<'a> {
    format: &'a Format,
    headers: &'a [(String, String)],
    secrets: Vec<&'a str>,
}

impl Judge<'_> {
    fn at(&self, now_seconds: i64, body: &[u8]) -> Result<Verified, Refused> {
        self.format.verify(self.headers, body, &self.secrets, now_seconds)
    }

    fn signed(&self, body: &[u8]) -> Signed {
        let mut signed_by = None;
        for clock in CLOCKS {
            let at = match self.at(clock, body) {
                Err(Refused::TooOld(age)) => clock.saturating_sub(age),
                Err(Refused::TooNew(ahead)) => clock.saturating_add(ahead),
                Err(refused) => return Signed::Not(refused),
                Ok(Verified { secret }) => {
                    signed_by = secret;
                    continue;
                }
            };
            return match self.at(at, body) {
                Ok(Verified { secret }) => Signed::By { secret, at: Some(at) },
                Err(refused) => Signed::Not(refused),
            };
        }
        Signed::By { secret: signed_by, at: None }
    }

    /// Whether the signature is over the body as it was before somebody wrote it again.
    fn why_not(&self, body: &[u8], now_seconds: i64) -> Verdict {
        if let Some((reason, at)) = self.other_spelling(body) {
            let age_seconds = at.map(|at| now_seconds.saturating_sub(at));
            return Verdict { signed_by: None, age_seconds, reasons: vec![reason] };
        }
        let shape = named::shape(self.format);
        let found = rewrites(body, &shape).find_map(|rewrite| match self.signed(&rewrite.body) {
            Signed::By { at, .. } => Some((rewrite.says, at)),
            Signed::Not(_) => None,
        });
        let (at, reason) = match found {
            Some((says, at)) => (at, Reason::Rewritten(says)),
            None => (
                demands::timestamp(self.format, self.headers),
                Reason::NoMatch { secrets: self.secrets.len() },
            ),
        };
        let age_seconds = at.map(|at| now_seconds.saturating_sub(at));
        Verdict { signed_by: None, age_seconds, reasons: vec![reason] }
    }

    /// Whether the signature is one of the secrets' with `whsec_` added or left out.
    fn other_spelling(&self, body: &[u8]) -> Option<(Reason, Option<i64>)> {
        let with = self.secrets.iter().map(|secret| (format!("{PREFIX}{secret}"), Reason::WithPrefix));
        let bare = self.secrets.iter().filter_map(|secret| secret.strip_prefix(PREFIX));
        let without = bare.map(|secret| (secret.to_owned(), Reason::WithoutPrefix));
        with.chain(without).find_map(|(secret, reason)| {
            let judge = Judge { format: self.format, headers: self.headers, secrets: vec![&secret] };
            match judge.signed(body) {
                Signed::By { at, .. } => Some((reason, at)),
                Signed::Not(_) => None,
            }
        })
    }
}

/// The only value of a header, whatever the case of its name.
///
/// # Errors
/// It is missing, or there more than once.
fn header<'a>(headers: &'a [(String, String)], name: &str) -> Result<&'a str, Reason> {
    let mut found = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    let value = found.next().ok_or_else(|| Reason::Missing(name.to_owned()))?;
    match found.next() {
        None => Ok(value.1.trim()),
        Some(_) => {
            Err(Reason::Malformed { header: name.to_owned(), says: "is there more than once".to_owned() })
        }
    }
}
