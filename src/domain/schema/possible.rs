//! How much memory it may take to gather the violations of one event's data: never less than it does.
//!
//! The validator makes all violations before it gives the first one out, some hundred bytes each, and those of every
//! branch of `anyOf` besides. So data is walked together with its schema beforehand: each keyword counts that could
//! refuse a value of its type, and what is cheap to know (`type`, `required`) is counted exactly.

use serde_json::{Map, Value};

/// Bytes of a violation, without its path and the names it holds.
const VIOLATION: usize = 1_000;
/// Bytes of a name in a violation, beside its own.
const NAME: usize = 64;

/// Keywords that look at numbers alone.
const NUMBERS: [&str; 5] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
/// At texts alone.
const TEXTS: [&str; 4] = ["minLength", "maxLength", "contentEncoding", "contentMediaType"];
/// At lists alone.
const LISTS: [&str; 6] = ["minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains"];
/// At objects alone.
const OBJECTS: [&str; 2] = ["minProperties", "maxProperties"];

/// What may still be taken; `None` where it was not enough.
type Left = Option<()>;

struct Walk<'a> {
    root: &'a Value,
    bytes: usize,
    looks: usize,
    /// Bytes of the path to the value.
    path: usize,
}

/// Whether the violations that `data` may have of `schema`, which was judged, fit into so many bytes. `looks`: so many
/// keywords and names are looked at for it, and where they are not enough it does not.
pub(super) fn fit(schema: &Value, data: &Value, bytes: usize, looks: usize) -> bool {
    Walk { root: schema, bytes, looks, path: 0 }.schema(schema, data).is_some()
}

impl<'a> Walk<'a> {
    fn look(&mut self, times: usize) -> Left {
        self.looks = self.looks.checked_sub(times)?;
        Some(())
    }

    /// A violation that holds so many bytes of names.
    fn violation(&mut self, names: usize) -> Left {
        self.bytes = self.bytes.checked_sub(VIOLATION + self.path + names)?;
        Some(())
    }

    fn violation_if(&mut self, possible: bool) -> Left {
        if possible { self.violation(0) } else { Some(()) }
    }

    fn schema(&mut self, schema: &'a Value, value: &Value) -> Left {
        self.look(1)?;
        match schema {
            Value::Bool(false) => self.violation(0),
            Value::Object(keywords) => {
                keywords.iter().try_for_each(|(keyword, rule)| self.keyword(keywords, keyword, rule, value))
            }
            _ => Some(()),
        }
    }

    fn keyword(
        &mut self,
        keywords: &'a Map<String, Value>,
        keyword: &str,
        rule: &'a Value,
        value: &Value,
    ) -> Left {
        self.look(1)?;
        match (keyword, value) {
            ("type", _) => self.violation_if(!is_of(rule, value)),
            ("$ref", _) => match super::shape::target(self.root, rule) {
                Some(target) => self.schema(target, value),
                None => Some(()),
            },
            ("allOf", _) => self.each(rule, value),
            ("anyOf" | "oneOf", _) => {
                self.violation(0)?;
                self.each(rule, value)
            }
            ("then" | "else", _) => self.schema(rule, value),
            ("enum", _) => self.violation(0),
            // These hold what they are about.
            ("const" | "not", _) | ("pattern", Value::String(_)) => self.violation(weight(rule)),
            (keyword, value) if NUMBERS.contains(&keyword) => self.violation_if(value.is_number()),
            (keyword, value) if TEXTS.contains(&keyword) => self.violation_if(value.is_string()),
            (keyword, value) if LISTS.contains(&keyword) => self.violation_if(value.is_array()),
            (keyword, value) if OBJECTS.contains(&keyword) => self.violation_if(value.is_object()),
            (_, Value::Object(members)) => self.of_object(keywords, keyword, rule, members, value),
            (_, Value::Array(items)) => self.of_list(keyword, rule, items),
            _ => Some(()),
        }
    }

    fn each(&mut self, schemas: &'a Value, value: &Value) -> Left {
        schemas.as_array().into_iter().flatten().try_for_each(|schema| self.schema(schema, value))
    }

    fn member(&mut self, schema: &'a Value, name: &str, value: &Value) -> Left {
        let step = name.len() + 1;
        self.path += step;
        let walked = self.schema(schema, value);
        self.path -= step;
        walked
    }

    fn of_object(
        &mut self,
        keywords: &'a Map<String, Value>,
        keyword: &str,
        rule: &'a Value,
        members: &Map<String, Value>,
        value: &Value,
    ) -> Left {
        match (keyword, rule) {
            ("required", Value::Array(names)) => self.names(names, members),
            ("dependentRequired" | "dependencies" | "dependentSchemas", Value::Object(rules)) => {
                self.look(rules.len())?;
                rules.iter().filter(|(name, _)| members.contains_key(*name)).try_for_each(|(_, rule)| {
                    match rule {
                        Value::Array(names) => self.names(names, members),
                        // Draft 3's, which later ones pass over.
                        Value::String(_) => self.violation(0),
                        schema => self.schema(schema, value),
                    }
                })
            }
            ("properties", Value::Object(rules)) if members.len() < rules.len() => {
                self.look(members.len())?;
                members.iter().try_for_each(|(name, value)| match rules.get(name) {
                    Some(schema) => self.member(schema, name, value),
                    None => Some(()),
                })
            }
            ("properties", Value::Object(rules)) => {
                self.look(rules.len())?;
                rules.iter().try_for_each(|(name, schema)| match members.get(name) {
                    Some(value) => self.member(schema, name, value),
                    None => Some(()),
                })
            }
            // Which names match is not known here: any may.
            ("patternProperties", Value::Object(rules)) => rules.values().try_for_each(|schema| {
                members.iter().try_for_each(|(name, value)| self.member(schema, name, value))
            }),
            ("additionalProperties" | "unevaluatedProperties", schema) => {
                let known = keywords.get("properties").and_then(Value::as_object);
                let known = known.filter(|_| keyword == "additionalProperties");
                self.look(members.len())?;
                let others = || {
                    members.iter().filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)))
                };
                let at_once = keyword == "unevaluatedProperties" || schema.as_bool() == Some(false);
                if at_once && others().next().is_some() {
                    self.violation(others().map(|(name, _)| name.len() + NAME).sum())?;
                }
                others().try_for_each(|(name, value)| self.member(schema, name, value))
            }
            ("propertyNames", schema) => members.keys().try_for_each(|name| {
                // One violation in another.
                self.violation(name.len())?;
                self.schema(schema, &Value::from(name.as_str()))
            }),
            _ => Some(()),
        }
    }

    fn names(&mut self, names: &[Value], members: &Map<String, Value>) -> Left {
        self.look(names.len())?;
        let mut names = names.iter().filter_map(Value::as_str);
        names.try_for_each(
            |name| if members.contains_key(name) { Some(()) } else { self.violation(name.len()) },
        )
    }

    fn of_list(&mut self, keyword: &str, rule: &'a Value, items: &[Value]) -> Left {
        let mut items = items.iter().enumerate();
        match (keyword, rule) {
            ("items" | "prefixItems", Value::Array(schemas)) => {
                let mut pairs = items.zip(schemas);
                pairs.try_for_each(|((index, value), schema)| self.item(schema, index, value))
            }
            ("items" | "additionalItems" | "unevaluatedItems", schema) => {
                if keyword == "unevaluatedItems" {
                    self.violation(items.clone().map(|(_, value)| weight(value)).sum())?;
                }
                items.try_for_each(|(index, value)| self.item(schema, index, value))
            }
            _ => Some(()),
        }
    }

    fn item(&mut self, schema: &'a Value, index: usize, value: &Value) -> Left {
        self.member(schema, if index < 1_000 { "000" } else { "0000000" }, value)
    }
}

/// Bytes of a value and those in it, at most about.
fn weight(value: &Value) -> usize {
    NAME + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| name.len() + NAME + weight(value)).sum(),
        Value::Number(_) | Value::Bool(_) | Value::Null => 0,
    }
}

/// Whether a value is of a type for certain.
fn is_of(types: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        _ => false,
    };
    types.as_array().map_or_else(|| is(types), |types| types.iter().any(is))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn bytes_of(schema: &Value, data: &Value) -> usize {
        (0..1_000).map(|n| n * VIOLATION).find(|bytes| fit(schema, data, *bytes, 1_000_000)).expect("few")
    }

    #[test]
    fn what_is_certain_is_not_counted_and_what_is_missing_is() {
        let schema = json!({
            "type": "object", "required": ["a", "b", "c"],
            "properties": { "a": { "type": "array", "items": { "type": "integer" } } },
        });
        assert_eq!(bytes_of(&schema, &json!({ "a": [1, 2, 3], "b": 1, "c": 1 })), 0);
        assert_eq!(bytes_of(&schema, &json!({ "a": [1, 2, 3] })), 3 * VIOLATION);
        assert_eq!(bytes_of(&schema, &json!({ "a": [1, "x", 3], "b": 1, "c": 1 })), 2 * VIOLATION);
        assert!(!fit(&schema, &json!({ "a": [1], "b": 1, "c": 1 }), 1_000_000, 5), "looks are bounded");
    }

    /// What the validator makes, with those in branches.
    fn made(error: &jsonschema::ValidationError<'_>) -> usize {
        use jsonschema::error::ValidationErrorKind as Kind;
        let branches = match error.kind() {
            Kind::AnyOf { context }
            | Kind::OneOfNotValid { context }
            | Kind::OneOfMultipleValid { context } => context.iter().flatten().map(made).sum(),
            Kind::PropertyNames { error } => made(error),
            _ => 0,
        };
        1 + branches
    }

    #[test]
    fn no_keyword_has_more_violations_than_are_counted() {
        let values = [
            json!({ "a": "x", "b": 1.5, "c": [1, "y", null] }),
            json!([{}, { "a": 1 }, [[]], 7, 7, "long text"]),
            json!("text"),
            json!(12.5),
            json!(null),
            json!(false),
        ];
        let schemas = [
            json!(false),
            json!({ "type": ["string", "null"] }),
            json!({ "enum": [1, [2]] }),
            json!({ "const": 3 }),
            json!({ "minimum": 50, "multipleOf": 7, "exclusiveMaximum": 1 }),
            json!({ "minLength": 50, "pattern": "^z", "maxLength": 1 }),
            json!({ "minItems": 9, "uniqueItems": true, "contains": { "const": "none" }, "maxItems": 1 }),
            json!({ "minProperties": 9, "maxProperties": 1, "required": ["p", "q"], "propertyNames": { "minLength": 9 } }),
            json!({ "properties": { "a": { "type": "null" } }, "additionalProperties": false }),
            json!({ "additionalProperties": { "type": "null" }, "patternProperties": { "a|b": false } }),
            json!({ "unevaluatedProperties": false, "unevaluatedItems": false }),
            json!({ "dependentRequired": { "a": ["x", "y"] }, "dependentSchemas": { "b": { "required": ["z"] } } }),
            json!({ "$schema": "http://json-schema.org/draft-07/schema#", "dependencies": { "a": ["x"], "b": false } }),
            json!({ "prefixItems": [false, { "type": "null" }], "items": { "type": "null" } }),
            json!({ "prefixItems": [true], "items": false }),
            json!({ "$schema": "http://json-schema.org/draft-07/schema#", "items": [true, false], "additionalItems": false }),
            json!({ "if": true, "then": { "const": 3 }, "else": { "const": 4 } }),
            json!({ "not": true }),
            json!({ "$ref": "#/$defs/a", "$defs": { "a": { "const": 3 } } }),
        ];
        let mut all = schemas.to_vec();
        for schema in &schemas[..18] {
            let mut bare = schema.clone();
            if let Some(members) = bare.as_object_mut()
                && members.remove("$schema").is_some()
            {
                continue;
            }
            all.extend([
                json!({ "anyOf": [bare, { "const": 9 }] }),
                json!({ "oneOf": [bare, bare] }),
                json!({ "allOf": [bare, bare] }),
                json!({ "items": bare, "additionalProperties": bare }),
            ]);
        }
        for schema in &all {
            let validator = jsonschema::validator_for(schema).expect("a schema");
            for value in &values {
                let made: usize = validator.iter_errors(value).map(|error| made(&error)).sum();
                let told = made == 0 || !fit(schema, value, made * VIOLATION - 1, 1_000_000);
                assert!(told, "{schema} of {value} has {made} violations");
            }
        }
    }
}
