//! The headers that a format signs with, and what is wrong with those of a request: all of it at once.

use super::{Reason, header};
use crate::domain::format::Format;
use crate::domain::format::definition::Over;

/// Everything that is wrong with the headers before anybody looks at the signature.
pub(super) fn unmet(format: &Format, headers: &[(String, String)]) -> Vec<Reason> {
    let rules = &format.definition().signature;
    let Some(signature) = &rules.header else { return Vec::new() };
    let mut reasons = Vec::new();
    // The id may stand in the body alone; then there is no header to miss.
    let id = &format.definition().headers.id;
    if rules.over == Some(Over::IdTimestampBody) && !rules.prefix.contains("{id}") {
        reasons.extend(id.iter().filter_map(|name| header(headers, name).err()));
    }
    if let Some(name) = timestamp_header(format) {
        reasons.extend(header(headers, name).and_then(|text| seconds(name, text)).err());
    }
    reasons.extend(header(headers, signature).and_then(|text| long_enough(format, signature, text)).err());
    reasons
}

/// The time that a header of its own claims.
pub(super) fn timestamp(format: &Format, headers: &[(String, String)]) -> Option<i64> {
    header(headers, timestamp_header(format)?).ok()?.parse().ok()
}

/// The header whose time is signed; none if it stands with the signature, or is not signed.
fn timestamp_header(format: &Format) -> Option<&str> {
    let rules = &format.definition().signature;
    let signed = rules.over.is_some_and(|over| over != Over::Body) && !rules.prefix.contains("{timestamp}");
    format.definition().headers.timestamp.as_deref().filter(|_| signed)
}

fn seconds(name: &str, text: &str) -> Result<(), Reason> {
    if text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<i64>().is_ok() {
        return Ok(());
    }
    let says = format!("must be unix seconds such as 1771857000, and is {text:?}");
    Err(Reason::Malformed { header: name.to_owned(), says })
}

/// Every signature of a scheme has the same length: what is shorter holds none.
fn long_enough(format: &Format, name: &str, text: &str) -> Result<(), Reason> {
    let scheme = format.scheme();
    let signer = scheme.make([0; 32]).and_then(|secret| scheme.signer(&secret).ok().flatten());
    let Some(sample) = signer.map(|signer| signer.sign(&[b""])) else { return Ok(()) };
    if text.len() >= sample.len() {
        return Ok(());
    }
    let says = format!("holds no signature, which would look like {sample}, and is {text:?}");
    Err(Reason::Malformed { header: name.to_owned(), says })
}
