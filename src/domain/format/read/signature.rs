//! `signature`: scheme, header, prefix, separator, and what is signed.

use crate::domain::format::definition::{EnvelopeRules, HeaderNames, OVER, Over, SignatureRules, What};
use crate::domain::format::scheme::{SCHEMES, Scheme, Shape};
use crate::domain::format::signature::{Piece, pieces};
use crate::domain::headers::check_value;
use crate::domain::invalid::Invalid;

use super::headers::check_name;
use super::object::Object;

/// Longest prefix, in characters.
const MAX_PREFIX: usize = 128;
/// Longest separator, in characters.
const MAX_JOIN: usize = 16;
/// What separates signatures in Standard Webhooks.
const STANDARD_JOIN: &str = " ";

pub(super) fn read(text: &str, invalid: &mut Invalid) -> Option<SignatureRules> {
    let mut object = Object::read("signature", text, invalid)?;
    let scheme = scheme(&mut object, invalid);
    let header = object.text("header", invalid);
    let header = header.filter(|name| invalid.check("signature.header", check_name(name)).is_some());
    let prefix = object.text("prefix", invalid).unwrap_or_default();
    check_prefix(&prefix, invalid);
    let join = object.text("join", invalid);
    if let Some(join) = &join {
        invalid.check("signature.join", check_join(join));
    }
    let over = object.word("over", OVER, invalid);
    let has_header = object.raw("header").is_some();
    object.finish(invalid);
    let mut rules = SignatureRules { scheme: scheme?, header, prefix, join, over };
    check_shape(&mut rules, has_header, invalid);
    Some(rules)
}

fn scheme(object: &mut Object, invalid: &mut Invalid) -> Option<&'static Scheme> {
    let known = || SCHEMES.map(|scheme| scheme.name).join(", ");
    let wrong = |message: String, invalid: &mut Invalid| {
        invalid.push("signature.scheme", message);
        None
    };
    match object.raw("scheme") {
        None => wrong(format!("is required and must be one of {}", known()), invalid),
        Some(raw) => {
            let name = serde_json::from_str::<String>(raw.get()).unwrap_or_default();
            Scheme::parse(&name).or_else(|| wrong(format!("must be one of {}", known()), invalid))
        }
    }
}

fn check_prefix(prefix: &str, invalid: &mut Invalid) {
    if prefix.chars().count() > MAX_PREFIX {
        invalid.push("signature.prefix", format!("must be at most {MAX_PREFIX} characters"));
    }
    // A blank at its end stands between two other characters of the header; at its beginning receivers cut it off.
    if prefix.starts_with(' ') {
        invalid.push("signature.prefix", "must not begin with a blank");
    } else {
        invalid.check("signature.prefix", check_value(prefix.trim_end_matches(' ').to_owned()));
    }
    for message in pieces(prefix).err().unwrap_or_default() {
        invalid.push("signature.prefix", message);
    }
}

fn check_join(join: &str) -> Result<(), String> {
    let visible = join.bytes().all(|b| b == b' ' || (b.is_ascii_graphic() && !b"{}".contains(&b)));
    let apart = join.bytes().any(|b| !b.is_ascii_alphanumeric() && !b"+/=".contains(&b));
    if (1..=MAX_JOIN).contains(&join.len()) && visible && apart {
        return Ok(());
    }
    Err(format!(
        "must be 1 to {MAX_JOIN} visible ASCII characters or blanks, without braces, one of them such as a comma \
         that no signature holds"
    ))
}

/// Checks what goes with the scheme, and fills in what it leaves to be said.
fn check_shape(rules: &mut SignatureRules, has_header: bool, invalid: &mut Invalid) {
    let name = rules.scheme.name;
    let mut refuse = |field: &str, is_there: bool, message: String| {
        if is_there {
            invalid.push(format!("signature.{field}"), message);
        }
    };
    match rules.scheme.shape {
        Shape::Unsigned => {
            let message = || format!("must be absent: the scheme {name} does not sign");
            refuse("header", has_header, message());
            refuse("prefix", !rules.prefix.is_empty(), message());
            refuse("join", rules.join.is_some(), message());
            refuse("over", rules.over.is_some(), message());
        }
        Shape::Standard => {
            let join = rules.join.as_deref().is_some_and(|join| join != STANDARD_JOIN);
            refuse(
                "prefix",
                !rules.prefix.is_empty(),
                format!("must be empty: the scheme {name} has its own"),
            );
            refuse("join", join, format!("must be a blank in the scheme {name}, or null"));
            let over = *rules.over.get_or_insert(Over::IdTimestampBody);
            let message = format!("must be id.timestamp.body: the scheme {name} signs nothing else");
            refuse("over", over != Over::IdTimestampBody, message);
        }
        Shape::Free => {
            rules.over.get_or_insert(Over::Body);
        }
    }
    if rules.scheme.shape != Shape::Unsigned {
        refuse("header", !has_header, format!("is required: the scheme {name} has to have one"));
    }
}

/// Whatever is signed has to be sent, so that the receiver can know it.
pub(super) fn check_sent(
    rules: &SignatureRules,
    headers: &HeaderNames,
    envelope: &EnvelopeRules,
    invalid: &mut Invalid,
) {
    let prefix = pieces(&rules.prefix).unwrap_or_default();
    let timed = headers.timestamp.is_some() || prefix.contains(&Piece::Timestamp);
    if matches!(rules.over, Some(Over::TimestampBody | Over::IdTimestampBody)) && !timed {
        invalid.push(
            "headers.timestamp",
            "must be set, or {timestamp} be in the prefix: the attempt's time is signed, and the receiver has to get it",
        );
    }
    let in_body = envelope.keys().iter().any(|key| key.what == What::Id);
    let named = headers.id.is_some() || prefix.contains(&Piece::Id) || in_body;
    if rules.over == Some(Over::IdTimestampBody) && !named {
        invalid.push(
            "headers.id",
            "must be set, or {id} be in the prefix, or envelope.id: the id is signed, and the receiver has to get it",
        );
    }
}
