//! One object of a definition, its fields taken one by one, each wrong one noted under its full name.

use serde_json::value::RawValue;

use crate::domain::format::definition::{WHOLE, Words};
use crate::domain::invalid::Invalid;
use crate::domain::members::Members;

/// An object of a definition. Absent and `null` mean the same.
pub(super) struct Object {
    field: String,
    members: Members,
    asked: Vec<&'static str>,
}

impl Object {
    /// Reads an object; notes what is none, and what is in it twice.
    pub(super) fn read(field: &str, text: &str, invalid: &mut Invalid) -> Option<Self> {
        let members = match serde_json::from_str::<Members>(text) {
            Ok(members) => members,
            Err(error) if field.is_empty() => {
                invalid.push(WHOLE, format!("must be one JSON object: {error}"));
                return None;
            }
            Err(_) => {
                invalid.push(field, "must be an object");
                return None;
            }
        };
        let object = Self { field: field.to_owned(), members, asked: Vec::new() };
        for (at, (key, _)) in object.members.0.iter().enumerate() {
            if object.members.0[..at].iter().any(|(before, _)| before == key) {
                invalid.push(object.name(key), "is there twice");
            }
        }
        Some(object)
    }

    /// The full name of a field.
    pub(super) fn name(&self, field: &str) -> String {
        if self.field.is_empty() { field.to_owned() } else { format!("{}.{field}", self.field) }
    }

    /// The JSON text of a field.
    pub(super) fn raw(&mut self, name: &'static str) -> Option<Box<RawValue>> {
        if !self.asked.contains(&name) {
            self.asked.push(name);
        }
        let found = self.members.0.iter().find(|(key, _)| key == name);
        found.map(|(_, raw)| raw.clone()).filter(|raw| raw.get() != "null")
    }

    /// A field that is a text.
    pub(super) fn text(&mut self, name: &'static str, invalid: &mut Invalid) -> Option<String> {
        let raw = self.raw(name)?;
        let text = serde_json::from_str(raw.get()).map_err(|_| "must be a text".to_owned());
        invalid.check(&self.name(name), text)
    }

    /// A field that is a text and must be there.
    pub(super) fn required_text(&mut self, name: &'static str, invalid: &mut Invalid) -> Option<String> {
        if self.raw(name).is_none() {
            invalid.push(self.name(name), "is required and must be a text");
            return None;
        }
        self.text(name, invalid)
    }

    /// A field that is one of a few words.
    pub(super) fn word<T: Copy>(
        &mut self,
        name: &'static str,
        words: &Words<T>,
        invalid: &mut Invalid,
    ) -> Option<T> {
        let text = self.text(name, invalid)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        found.or_else(|| {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            invalid.push(self.name(name), format!("must be one of {}", known.join(", ")));
            None
        })
    }

    /// All members, for an object whose keys are the caller's; of those that are there twice, which was noted, one.
    pub(super) fn into_members(self) -> Vec<(String, Box<RawValue>)> {
        let mut members: Vec<(String, Box<RawValue>)> = Vec::with_capacity(self.members.0.len());
        for member in self.members.0 {
            if members.iter().all(|(key, _)| *key != member.0) {
                members.push(member);
            }
        }
        members
    }

    /// Its keys that are among `names`, in the order given, once each.
    pub(super) fn order(&self, names: &[&'static str]) -> Vec<&'static str> {
        let mut order = Vec::new();
        for (key, _) in &self.members.0 {
            if let Some(name) = names.iter().find(|name| *name == key)
                && !order.contains(name)
            {
                order.push(*name);
            }
        }
        order
    }

    /// Notes the fields that nobody asked for.
    pub(super) fn finish(self, invalid: &mut Invalid) {
        for (key, _) in &self.members.0 {
            if !self.asked.iter().any(|asked| asked == key) {
                invalid.push(self.name(key), format!("is unknown; there are {}", self.asked.join(", ")));
            }
        }
    }
}
