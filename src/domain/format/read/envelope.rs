//! `envelope`: which keys there are, in which order, and no two in one place.

use serde_json::value::RawValue;

use crate::domain::format::definition::{EnvelopeRules, Key, TENANT_FORMS, TIME_FORMS, What, Words};
use crate::domain::invalid::Invalid;

use super::object::Object;

/// Deepest nesting of keys.
const MAX_KEYS: usize = 8;
/// Longest path of keys, in bytes.
const MAX_PATH: usize = 256;
/// Longest constant, in bytes of JSON.
const MAX_VALUE: usize = 4096;
/// Most constants.
const MAX_FIXED: usize = 50;
const NAMES: [&str; 5] = ["id", "type", "timestamp", "tenant", "data"];

pub(super) fn read(text: &str, invalid: &mut Invalid) -> Option<EnvelopeRules> {
    if text.starts_with('"') {
        if serde_json::from_str::<String>(text).is_ok_and(|word| word == "data") {
            return Some(EnvelopeRules::Data);
        }
        invalid.push("envelope", "must be an object of keys, or \"data\" for the data alone");
        return None;
    }
    let mut object = Object::read("envelope", text, invalid)?;
    let keys = object.order(&NAMES).into_iter().filter_map(|name| {
        let raw = object.raw(name)?;
        key(name, &raw, invalid)
    });
    let keys = keys.collect();
    for name in NAMES {
        // Named once more, so that an unknown one is told all that there are.
        object.raw(name);
    }
    object.finish(invalid);
    Some(EnvelopeRules::Keys(keys))
}

fn key(name: &'static str, raw: &RawValue, invalid: &mut Invalid) -> Option<Key> {
    let field = format!("envelope.{name}");
    let (path, what) = if raw.get().starts_with('{') {
        let mut object = Object::read(&field, raw.get(), invalid)?;
        let path = object.required_text("key", invalid);
        let what = match name {
            "timestamp" => What::Timestamp(form(&mut object, TIME_FORMS, invalid)),
            "tenant" => What::Tenant(form(&mut object, TENANT_FORMS, invalid)),
            _ => plain(name),
        };
        object.finish(invalid);
        (path?, what)
    } else {
        let path = serde_json::from_str(raw.get());
        let path = path.map_err(|_| "must be the text of a key, or {\"key\", \"as\"}".to_owned());
        (invalid.check(&field, path)?, plain(name))
    };
    invalid.check(&field, check_path(&path))?;
    Some(Key { what, path })
}

fn form<T: Copy + Default>(object: &mut Object, words: &Words<T>, invalid: &mut Invalid) -> T {
    object.word("as", words, invalid).unwrap_or_default()
}

fn plain(name: &str) -> What {
    match name {
        "id" => What::Id,
        "type" => What::Type,
        "timestamp" => What::Timestamp(super::super::definition::TimeForm::default()),
        "tenant" => What::Tenant(super::super::definition::TenantForm::default()),
        _ => What::Data,
    }
}

fn check_path(path: &str) -> Result<(), String> {
    let good = path.len() <= MAX_PATH
        && path.split('.').count() <= MAX_KEYS
        && path.split('.').all(|key| !key.is_empty())
        && !path.chars().any(char::is_control);
    good.then_some(()).ok_or_else(|| {
        format!(
            "must be 1 to {MAX_KEYS} keys of at most {MAX_PATH} bytes in all, none of them empty, with full stops between them"
        )
    })
}

/// `fixed.envelope`.
pub(super) fn read_fixed(text: &str, invalid: &mut Invalid) -> Vec<(String, String)> {
    let Some(object) = Object::read("fixed.envelope", text, invalid) else { return Vec::new() };
    let members = object.into_members();
    if members.len() > MAX_FIXED {
        invalid.push("fixed.envelope", format!("must hold at most {MAX_FIXED} keys"));
    }
    let mut fixed = Vec::new();
    for (path, raw) in members {
        let short = raw.get().len() <= MAX_VALUE;
        let checked = check_path(&path).and_then(|()| {
            short.then_some(()).ok_or_else(|| format!("must be at most {MAX_VALUE} bytes of JSON"))
        });
        if invalid.check(&format!("fixed.envelope.{path}"), checked).is_some() {
            fixed.push((path, raw.get().to_owned()));
        }
    }
    fixed
}

/// No two keys are in one place, or one in another.
pub(super) fn check_collisions(rules: &EnvelopeRules, fixed: &[(String, String)], invalid: &mut Invalid) {
    if matches!(rules, EnvelopeRules::Data) && !fixed.is_empty() {
        invalid.push("fixed.envelope", "must be empty: the data is sent alone");
        return;
    }
    let is_told = invalid.0.iter().any(|error| error.field.contains("envelope"));
    if matches!(rules, EnvelopeRules::Keys(keys) if keys.is_empty()) && fixed.is_empty() && !is_told {
        invalid.push(
            "envelope",
            "must name a key at least, such as {\"data\": \"data\"}, or be \"data\" for the data alone",
        );
    }
    let own = rules.keys().iter().map(|key| (format!("envelope.{}", key.what.name()), key.path.as_str()));
    let fixed = fixed.iter().map(|(path, _)| (format!("fixed.envelope.{path}"), path.as_str()));
    let mut taken: Vec<(String, &str)> = Vec::new();
    for (field, path) in own.chain(fixed) {
        match taken.iter().find(|(_, other)| *other == path || lies_in(path, other) || lies_in(other, path)) {
            Some((other, place)) if *place == path => {
                invalid.push(field, format!("must not be under the key of {other} as well"));
            }
            Some((other, place)) => {
                let message = format!("must not lead through, or into, the key {place} of {other}");
                invalid.push(field, message);
            }
            None => taken.push((field, path)),
        }
    }
}

fn lies_in(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'))
}
