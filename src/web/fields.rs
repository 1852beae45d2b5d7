//! The fields of a JSON object, each read on its own, so that a caller learns of every wrong one at once.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeOwned, DeserializeSeed, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::domain::invalid::Invalid;
use crate::domain::json::{MAX_DEPTH, depth_within};
use crate::service::{Code, Patch};

use super::problem::Problem;

/// A request's object. Take the fields one by one, then [`Fields::finish`]: it fails with everything that was
/// wrong, fields that nobody asked for among it.
///
/// A field that stands there twice is refused: whoever wrote it meant one of the two.
#[derive(Debug)]
pub struct Fields<'a> {
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
    asked: Vec<&'static str>,
    invalid: Invalid,
}

impl<'a> Fields<'a> {
    /// Reads the object, without looking into its values.
    ///
    /// # Errors
    /// `malformed_json` when it is not UTF-8, not JSON, no object, or nests more than 64 deep.
    pub fn parse(body: &'a [u8]) -> Result<Self, Problem> {
        Self::parse_within(body, MAX_DEPTH)
    }

    /// The same where `data`, which may nest 64 deep itself, stands in so many objects and lists.
    ///
    /// # Errors
    /// As [`Fields::parse`].
    pub fn parse_around_data(body: &'a [u8], around: usize) -> Result<Self, Problem> {
        if depth_within(body, MAX_DEPTH + around).is_err() {
            let detail = format!(
                "`data` must not nest arrays and objects more than {MAX_DEPTH} deep, and the body not more than {}",
                MAX_DEPTH + around
            );
            return Err(Problem::new(Code::MalformedJson, detail));
        }
        Self::parse_within(body, MAX_DEPTH + around)
    }

    fn parse_within(body: &'a [u8], depth: usize) -> Result<Self, Problem> {
        let malformed = |detail: String| Problem::new(Code::MalformedJson, detail);
        let text = std::str::from_utf8(body).map_err(|error| {
            malformed(format!("the body is not UTF-8 from byte {} on", error.valid_up_to()))
        })?;
        depth_within(body, depth).map_err(|error| malformed(format!("the body {error}")))?;
        let members = serde_json::from_str::<Members<'a>>(text)
            .map_err(|error| malformed(format!("the body is not one JSON object: {error}")))?;
        Ok(Self { members: members.0, asked: Vec::with_capacity(8), invalid: Invalid::new() })
    }

    /// The same where all fields are optional: no body means no fields.
    ///
    /// # Errors
    /// As [`Fields::parse`].
    pub fn parse_optional(body: &'a [u8]) -> Result<Self, Problem> {
        Self::parse(if body.is_empty() { b"{}" } else { body })
    }

    /// The bytes of a field as they were sent; `null` is a value here.
    pub fn raw(&mut self, name: &'static str) -> Option<&'a RawValue> {
        self.asked.push(name);
        let mut found = self.members.iter().filter(|(member, _)| member == name);
        let value = found.next().map(|(_, raw)| *raw);
        if found.next().is_some() {
            self.invalid.push(name, "is there twice");
        }
        value
    }

    /// All fields, for a call whose use case knows their names and says what is wrong with them.
    ///
    /// # Errors
    /// `invalid`, with every field that is there twice, whose value cannot be kept, or that `check` finds wrong.
    pub fn all(
        mut self,
        check: impl FnOnce(&Map<String, Value>) -> Invalid,
    ) -> Result<Map<String, Value>, Problem> {
        let mut all = Map::new();
        for (name, raw) in &self.members {
            match serde_json::from_str(raw.get()) {
                Ok(value) => {
                    if all.insert(name.to_string(), value).is_some() {
                        self.invalid.push(name.as_ref(), "is there twice");
                    }
                }
                // Serde's own words may quote what the caller sent.
                Err(_) => self.invalid.push(name.as_ref(), "holds a number or a text that is out of range"),
            }
        }
        self.invalid.merge(check(&all));
        Ok(self.invalid.into_result(all)?)
    }

    /// Whether the field is there, as `null` or a value.
    pub fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(member, _)| member == name)
    }

    /// A field that must be there. `what` ends the message "must be …": "a text", "a whole number".
    pub fn required<T: DeserializeOwned>(&mut self, name: &'static str, what: &str) -> Option<T> {
        match self.patch(name, what) {
            Patch::Set(value) => Some(value),
            Patch::Keep | Patch::Reset => {
                self.missing(name, what);
                None
            }
        }
    }

    /// A field that may be absent or `null`, which mean the same.
    pub fn optional<T: DeserializeOwned>(&mut self, name: &'static str, what: &str) -> Option<T> {
        match self.patch(name, what) {
            Patch::Set(value) => Some(value),
            Patch::Keep | Patch::Reset => None,
        }
    }

    /// A field of a PATCH. A value of the wrong type is noted and counts as [`Patch::Keep`].
    pub fn patch<T: DeserializeOwned>(&mut self, name: &'static str, what: &str) -> Patch<T> {
        let Some(raw) = self.raw(name) else { return Patch::Keep };
        if raw.get() == "null" {
            return Patch::Reset;
        }
        if let Ok(value) = serde_json::from_str(raw.get()) {
            return Patch::Set(value);
        }
        // Serde's own words may quote what the caller sent, secrets included.
        self.invalid.push(name, format!("must be {what}"));
        Patch::Keep
    }

    /// A text that must be there and that `parse` accepts.
    pub fn required_text<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.required::<String>(name, "a text")?;
        self.invalid.check(name, parse(&text))
    }

    /// A text that may be absent or `null`, and that `parse` accepts.
    pub fn optional_text<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.optional::<String>(name, "a text")?;
        self.invalid.check(name, parse(&text))
    }

    /// Notes that a field is missing.
    pub fn missing(&mut self, name: &'static str, what: &str) {
        if !self.invalid.0.iter().any(|error| error.field == name) {
            self.invalid.push(name, format!("is required and must be {what}"));
        }
    }

    /// What is wrong so far, to be added to.
    pub fn invalid(&mut self) -> &mut Invalid {
        &mut self.invalid
    }

    /// Whether every field was as it must be and every field is known.
    ///
    /// # Errors
    /// `invalid`, with every wrong field.
    pub fn finish(self) -> Result<(), Problem> {
        self.finish_with(Invalid::new())
    }

    /// The same with what a use case has found.
    ///
    /// # Errors
    /// `invalid`, with every wrong field.
    pub fn finish_with(mut self, mut found: Invalid) -> Result<(), Problem> {
        // A field of the wrong type counts as absent, and need not be missed for that as well.
        found.0.retain(|error| !self.invalid.0.iter().any(|known| known.field == error.field));
        self.invalid.merge(found);
        for (member, _) in &self.members {
            if !self.asked.iter().any(|asked| asked == member) {
                let message = match self.asked.as_slice() {
                    [] => "is unknown; this call takes no fields".to_owned(),
                    asked => format!("is unknown; there are {}", asked.join(", ")),
                };
                self.invalid.push(member.as_ref(), message);
            }
        }
        Ok(self.invalid.into_result(())?)
    }

    /// The same, for what could be made of the fields if nothing was wrong.
    ///
    /// # Errors
    /// `invalid`, with every wrong field.
    pub fn done<T>(self, made: Option<T>) -> Result<T, Problem> {
        self.finish()?;
        // Nothing was wrong and yet nothing was made: a handler that dropped a field without a word.
        made.ok_or_else(|| Problem::internal("fields were right and nothing was made of them"))
    }
}

/// The members of an object in their order, with the text of each value.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> de::Deserialize<'de> for Members<'de> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::with_capacity(8);
        while let Some(name) = map.next_key_seed(Name)? {
            members.push((name, map.next_value::<&'de RawValue>()?));
        }
        Ok(Members(members))
    }
}

/// A key, borrowed unless it holds escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
#[path = "fields_tests.rs"]
mod tests;
