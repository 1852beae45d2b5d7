//! From flags to the parts of a request: path, query, body. What is given as JSON is passed on byte for byte.

use clap::ArgMatches;
use clap::parser::ValueSource;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Write as _;

use crate::domain::names::IdempotencyKey;
use crate::domain::time::UnixMs;
use crate::web::openapi::operation::{Operation, Parameter, Place};

use super::Call;
use super::flags::{self, of_field, of_parameter};
use super::kinds::{self, Kind};

/// Flags and their meaning.
pub(super) struct Reading<'a> {
    pub(super) call: &'static Call,
    pub(super) operation: &'static Operation,
    pub(super) matches: &'a ArgMatches,
    pub(super) now: UnixMs,
}

impl Reading<'_> {
    /// What was typed for this argument; nothing where the command has none of that id.
    fn typed(&self, id: &str) -> Option<Vec<String>> {
        let given = self.matches.try_get_raw(id).ok().flatten()?;
        if self.matches.value_source(id) != Some(ValueSource::CommandLine) {
            return None;
        }
        Some(given.map(|value| value.to_string_lossy().into_owned()).collect())
    }

    pub(super) fn one(&self, id: &str) -> Option<&str> {
        self.matches.try_get_one::<String>(id).ok().flatten().map(String::as_str)
    }

    pub(super) fn number(&self, id: &str) -> Option<usize> {
        let number = self.matches.try_get_one::<u32>(id).ok().flatten()?;
        usize::try_from(*number).ok()
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.matches.try_get_one::<bool>(id).ok().flatten().copied().unwrap_or_default()
    }

    fn parameters(&self, place: Place) -> impl Iterator<Item = &'static Parameter> {
        self.operation.parameters.iter().filter(move |parameter| parameter.place == place)
    }

    /// What it is about: the last of the path, or the first word.
    pub(super) fn subject(&self) -> String {
        let last =
            self.parameters(Place::Path).last().and_then(|parameter| self.one(&of_parameter(parameter.name)));
        let word = self.call.words.first().and_then(|word| self.one(&of_field(word)));
        last.or(word).unwrap_or_default().to_owned()
    }

    pub(super) fn path(&self) -> Result<String, String> {
        let mut path = self.operation.path.to_owned();
        for parameter in self.parameters(Place::Path) {
            let given = self.one(&of_parameter(parameter.name)).unwrap_or_default();
            if given.is_empty() || matches!(given, "." | "..") {
                return Err(format!("{} must not be empty", parameter.name.to_ascii_uppercase()));
            }
            path = path.replace(&format!("{{{}}}", parameter.name), &encoded(given));
        }
        let mut separator = '?';
        for parameter in self.parameters(Place::Query) {
            let Some(given) = self.typed(&of_parameter(parameter.name)) else { continue };
            let given = given.join(",");
            let given = match Kind::of(parameter.name, &parameter.schema.0) {
                Kind::Moment => kinds::moment(&given, self.now),
                _ => given,
            };
            // Writing to a String cannot fail.
            let _ = write!(path, "{separator}{}={}", parameter.name, encoded(&given));
            separator = '&';
        }
        Ok(path)
    }

    pub(super) fn idempotency_key(&self) -> Result<Option<IdempotencyKey>, String> {
        let given = self
            .parameters(Place::Header)
            .next()
            .and_then(|parameter| self.one(&of_parameter(parameter.name)));
        let key = given.map(IdempotencyKey::parse).transpose();
        key.map_err(|says| format!("--idempotency-key {says}"))
    }

    /// The body: what `--from` says, with the fields that have flags in their place.
    pub(super) fn body(&self) -> Result<Option<Body>, String> {
        let Some(body) = &self.operation.body else { return Ok(None) };
        let mut members: Vec<(String, String)> = Vec::new();
        if let Some(whole) = self.typed(flags::FROM) {
            let whole = Kind::Json.json("--from", &whole, self.now)?;
            let fields: Members = serde_json::from_str(&whole).map_err(|error| {
                format!("--from must be a JSON object with the fields of the call: {error}")
            })?;
            members = fields.0;
        }
        let mut from: Vec<String> = members.iter().map(|(name, _)| name.clone()).collect();
        let mut put = |name: &str, json: String| match members.iter_mut().find(|(known, _)| known == name) {
            Some((_, value)) => *value = json,
            None => members.push((name.to_owned(), json)),
        };
        for field in kinds::fields(&body.schema.0) {
            let Some(typed) = self.typed(&of_field(field.name)) else { continue };
            from.retain(|name| name != field.name);
            let flag = format!("--{}", flags::flag(self.call, field.name));
            put(field.name, Kind::of(field.name, field.schema).json(&flag, &typed, self.now)?);
        }
        for name in self.typed(flags::RESET).unwrap_or_default() {
            put(name.trim().replace('-', "_").as_str(), "null".to_owned());
        }
        let members = members.iter().map(|(name, json)| format!("{}:{json}", kinds::text(name)));
        Ok(Some(Body { json: format!("{{{}}}", members.collect::<Vec<_>>().join(",")), from }))
    }
}

/// A body as it is sent.
#[derive(Debug)]
pub(super) struct Body {
    /// Byte for byte what was given.
    pub(super) json: String,
    /// Its fields that `--from` gives.
    pub(super) from: Vec<String>,
}

/// Members of an object, in their order, each value byte for byte.
struct Members(Vec<(String, String)>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl<'de> serde::de::Visitor<'de> for Reads {
            type Value = Members;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut all = Vec::new();
                while let Some((name, value)) =
                    map.next_entry::<String, Box<serde_json::value::RawValue>>()?
                {
                    all.push((name, value.get().to_owned()));
                }
                Ok(Members(all))
            }
        }
        deserializer.deserialize_map(Reads)
    }
}

/// All but what RFC 3986, section 2.3, calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// For a part of a path or of a query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
