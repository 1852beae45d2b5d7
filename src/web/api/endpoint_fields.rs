//! The fields of an endpoint, from JSON to a draft. Only their types are looked at here.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::domain::invalid::Invalid;
use crate::domain::whole::Whole;
use crate::service::endpoints::EndpointDraft;
use crate::web::fields::Fields;

const TEXT: &str = "a text";
const WHOLE: &str = "a whole number";
const TEXTS: &str = "an object whose values are texts";

/// Reads all fields but `tenant`. What is wrong is noted in the draft, for the use case to add to.
pub fn draft(mut fields: Fields<'_>) -> EndpointDraft {
    let mut draft = EndpointDraft {
        wrong: Invalid::new(),
        url: fields.patch("url", TEXT),
        uid: fields.patch("uid", TEXT),
        events: fields.patch("events", "an array of texts"),
        description: fields.patch("description", TEXT),
        secret: fields.patch("secret", TEXT),
        enabled: fields.patch("enabled", "true or false"),
        filters: fields.patch::<Box<RawValue>>("filters", "an object").map(|raw| raw.get().to_owned()),
        headers: fields.patch::<Pairs>("headers", TEXTS).map(|pairs| pairs.0),
        format: fields.patch("format", TEXT),
        metadata: fields.patch::<Pairs>("metadata", TEXTS).map(|pairs| pairs.0),
        retry_schedule: fields
            .patch::<Vec<Whole>>("retry_schedule", "an array of whole numbers")
            .map(|steps| steps.iter().map(|step| step.0).collect()),
        timeout_seconds: fields.patch::<Whole>("timeout_seconds", WHOLE).map(|whole| whole.0),
        rate_limit: fields.patch::<Whole>("rate_limit", WHOLE).map(|whole| whole.0),
        max_in_flight: fields.patch::<Whole>("max_in_flight", WHOLE).map(|whole| whole.0),
        while_disabled: fields.patch("while_disabled", TEXT),
    };
    if let Err(problem) = fields.finish() {
        draft.wrong = Invalid(problem.0.fields);
    }
    draft
}

/// An object of texts, in its order. A name that is there twice is kept twice, and refused later.
#[derive(Debug, PartialEq, Eq)]
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;

        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(TEXTS)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(PairsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Patch;

    fn read(body: &str) -> EndpointDraft {
        draft(Fields::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn absent_null_and_given_are_told_apart() {
        let draft = read(
            r#"{"url":"https://a.example/","uid":null,"filters":{"n": 7.0},"headers":{"B":"1","A":"2"}}"#,
        );
        assert!(draft.wrong.is_empty());
        assert_eq!(draft.url, Patch::Set("https://a.example/".to_owned()));
        assert_eq!((draft.uid, draft.description), (Patch::Reset, Patch::Keep));
        assert_eq!(draft.filters, Patch::Set(r#"{"n": 7.0}"#.to_owned()), "numbers keep their form");
        let headers = [("B", "1"), ("A", "2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(draft.headers, Patch::Set(headers.to_vec()));
    }

    #[test]
    fn wrong_types_and_unknown_fields_are_all_noted() {
        let draft = read(
            r#"{"url":5,"events":"*","headers":{"A":1},"timeout_seconds":1.5,"enabled":"no","colour":1}"#,
        );
        let fields: Vec<_> = draft.wrong.0.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["url", "events", "enabled", "headers", "timeout_seconds", "colour"]);
    }
}
