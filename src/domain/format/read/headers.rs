//! The names of headers that a format sets, and constants under more of them.

use crate::domain::format::definition::{HeaderNames, SignatureRules};
use crate::domain::headers::{MAX_HEADERS, check_token, check_value, is_ours};
use crate::domain::invalid::Invalid;

use super::object::Object;

/// Longest name of a header, in bytes.
const MAX_NAME: usize = 64;
/// Longest constant, in bytes.
const MAX_VALUE: usize = 1024;
/// The only header of ours that a format may set.
pub(in crate::domain::format) const CONTENT_TYPE: &str = "content-type";

pub(super) fn read(text: &str, invalid: &mut Invalid) -> HeaderNames {
    let Some(mut object) = Object::read("headers", text, invalid) else { return HeaderNames::default() };
    let mut take = |name| {
        let text = object.text(name, invalid)?;
        invalid.check(&object.name(name), check_name(&text)).map(|()| text)
    };
    let names = HeaderNames {
        event: take("event"),
        id: take("id"),
        timestamp: take("timestamp"),
        attempt: take("attempt"),
    };
    object.finish(invalid);
    names
}

/// Headers about the connection or the bytes of the body, which a format cannot speak for.
const OF_TRANSPORT: [&str; 2] = ["content-encoding", "keep-alive"];
/// Headers whose values are credentials: a format is shown to every key that may read endpoints.
const CREDENTIALS: [&str; 6] =
    ["authorization", "cookie", "x-api-key", "api-key", "x-auth-token", "x-access-token"];

/// Whether a format may send a header of this name.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    check_token(name)?;
    if name.len() > MAX_NAME {
        return Err(format!("must be at most {MAX_NAME} characters"));
    }
    let lower = name.to_ascii_lowercase();
    if is_ours(&lower) || OF_TRANSPORT.contains(&lower.as_str()) {
        return Err("is a header that Postrider or the connection sets; choose another name".to_owned());
    }
    Ok(())
}

/// `fixed.headers`.
pub(super) fn read_fixed(text: &str, invalid: &mut Invalid) -> Vec<(String, String)> {
    let Some(object) = Object::read("fixed.headers", text, invalid) else { return Vec::new() };
    let mut headers = Vec::new();
    let members = object.into_members();
    if members.len() > MAX_HEADERS {
        invalid.push("fixed.headers", format!("must hold at most {MAX_HEADERS} headers"));
    }
    for (name, raw) in members {
        let value = serde_json::from_str::<String>(raw.get()).map_err(|_| "must be a text".to_owned());
        let checked = value.and_then(|value| check_fixed(&name, value));
        if let Some(value) = invalid.check(&format!("fixed.headers.{name}"), checked) {
            headers.push((name, value));
        }
    }
    headers
}

fn check_fixed(name: &str, value: String) -> Result<String, String> {
    if name.eq_ignore_ascii_case(CONTENT_TYPE) {
        let fits = is_json(&value.to_ascii_lowercase());
        return if fits {
            Ok(value)
        } else {
            Err("must be application/json or application/*+json".to_owned())
        };
    }
    check_name(name)?;
    if CREDENTIALS.contains(&name.to_ascii_lowercase().as_str()) {
        return Err("must not be in a format, which whoever reads endpoints may read: credentials belong in the headers of an \
                    endpoint"
            .to_owned());
    }
    if value.len() > MAX_VALUE {
        return Err(format!("must be at most {MAX_VALUE} bytes"));
    }
    check_value(value)
}

/// Whether a media type, in lower case, is one of JSON (RFC 6839, section 3.1); `charset=utf-8` may follow.
fn is_json(value: &str) -> bool {
    let (media_type, parameter) = value.split_once(';').unwrap_or((value, "charset=utf-8"));
    let subtype = media_type.strip_prefix("application/").unwrap_or_default();
    let name = subtype.strip_suffix("+json");
    let named = name.is_some_and(|name| {
        let known = |b: u8| b.is_ascii_alphanumeric() || b"!#$&^_.-".contains(&b);
        !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(known)
    });
    (subtype == "json" || named) && parameter.trim_start_matches(' ') == "charset=utf-8"
}

/// No two headers have one name, whatever its case.
pub(super) fn check_collisions(
    names: &HeaderNames,
    signature: Option<&SignatureRules>,
    fixed: &[(String, String)],
    invalid: &mut Invalid,
) {
    let mut taken: Vec<(String, String)> = Vec::new();
    let own = [
        ("headers.event", &names.event),
        ("headers.id", &names.id),
        ("headers.timestamp", &names.timestamp),
        ("headers.attempt", &names.attempt),
    ];
    let own = own.into_iter().map(|(field, name)| (field.to_owned(), name.as_deref()));
    let signature = signature.map(|rules| ("signature.header".to_owned(), rules.header.as_deref()));
    let fixed = fixed.iter().map(|(name, _)| (format!("fixed.headers.{name}"), Some(name.as_str())));
    for (field, name) in own.chain(signature).chain(fixed) {
        let Some(name) = name.map(str::to_ascii_lowercase) else { continue };
        match taken.iter().find(|(_, other)| *other == name) {
            Some((other, _)) => invalid.push(field, format!("must not be the header of {other} as well")),
            None => taken.push((field, name)),
        }
    }
}
