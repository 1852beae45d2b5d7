//! Schemas (JSON Schema 2020-12, as OpenAPI 3.1 uses it), built from the rules of the domain.

use super::json::{Json, Name, list, object as json_object};

/// A schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema(pub Json);

/// A field of an object.
#[derive(Debug, Clone)]
pub struct Field {
    name: &'static str,
    schema: Schema,
    required: bool,
}

fn of_type(name: &'static str) -> Schema {
    Schema(json_object([("type", Json::from(name))]))
}

/// Any text.
pub fn text() -> Schema {
    of_type("string")
}

/// A text that matches a pattern, of so many characters.
pub fn pattern(pattern: &'static str, least: usize, most: usize) -> Schema {
    text().length(least, most).with("pattern", pattern)
}

/// One of a few words.
pub fn word(words: impl IntoIterator<Item = &'static str>) -> Schema {
    text().with("enum", list(words))
}

/// A whole number, both ends included.
pub fn whole(least: u64, most: u64) -> Schema {
    count().with("minimum", least).with("maximum", most)
}

/// A whole number from 0 on.
pub fn count() -> Schema {
    of_type("integer").with("minimum", 0_u64)
}

/// A whole number of either sign.
pub fn integer() -> Schema {
    of_type("integer")
}

/// Any number.
pub fn number() -> Schema {
    of_type("number")
}

/// `true` or `false`.
pub fn flag() -> Schema {
    of_type("boolean")
}

/// Any JSON value.
pub fn any() -> Schema {
    Schema(Json::Object(Vec::new()))
}

/// A moment, RFC 3339.
pub fn time() -> Schema {
    text().with("format", "date-time")
}

/// A list.
pub fn list_of(items: Schema) -> Schema {
    of_type("array").with("items", items.0)
}

/// An object whose keys are the caller's.
pub fn map_of(values: Schema) -> Schema {
    of_type("object").with("additionalProperties", values.0)
}

/// A schema of the document, by name.
pub fn named(name: &str) -> Schema {
    Schema(json_object([("$ref", format!("#/components/schemas/{name}").into())]))
}

/// What one of these allows.
pub fn either(schemas: impl IntoIterator<Item = Schema>) -> Schema {
    Schema(json_object([("anyOf", Json::List(schemas.into_iter().map(|schema| schema.0).collect()))]))
}

/// A field that has to be there.
pub fn required(name: &'static str, schema: Schema, about: &'static str) -> Field {
    Field { name, schema: schema.about(about), required: true }
}

/// A field of a request that may be absent or null.
pub fn optional(name: &'static str, schema: Schema, about: &'static str) -> Field {
    Field { name, schema: schema.nullable().about(about), required: false }
}

/// A field of an answer that is always there and may be null.
pub fn nullable(name: &'static str, schema: Schema, about: &'static str) -> Field {
    Field { name, schema: schema.nullable().about(about), required: true }
}

/// A field of an answer that is there in some cases.
pub fn sometimes(name: &'static str, schema: Schema, about: &'static str) -> Field {
    Field { name, schema: schema.about(about), required: false }
}

/// An object of these fields and no others.
pub fn object(fields: impl IntoIterator<Item = Field>) -> Schema {
    let fields: Vec<Field> = fields.into_iter().collect();
    let needed: Vec<&'static str> =
        fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let properties = fields.into_iter().map(|field| (field.name, field.schema.0));
    let schema = of_type("object").with("properties", json_object(properties));
    let schema = if needed.is_empty() { schema } else { schema.with("required", list(needed)) };
    schema.with("additionalProperties", false)
}

impl Schema {
    /// With another keyword.
    pub fn with(mut self, keyword: &'static str, value: impl Into<Json>) -> Self {
        if let Json::Object(members) = &mut self.0 {
            let value = value.into();
            match members.iter_mut().find(|(name, _)| name == keyword) {
                Some((_, known)) => *known = value,
                None => members.push((keyword.into(), value)),
            }
        }
        self
    }

    /// Of so many characters.
    pub fn length(self, least: usize, most: usize) -> Self {
        let least = if least > 0 { self.with("minLength", least) } else { self };
        least.with("maxLength", most)
    }

    /// A list of so many items.
    pub fn items(self, least: usize, most: usize) -> Self {
        let least = if least > 0 { self.with("minItems", least) } else { self };
        least.with("maxItems", most)
    }

    /// An object of at most so many members.
    pub fn at_most(self, members: usize) -> Self {
        self.with("maxProperties", members)
    }

    /// With words about it.
    pub fn about(self, about: &'static str) -> Self {
        if about.is_empty() { self } else { self.with("description", about) }
    }

    /// With what counts when it is absent.
    pub fn or(self, default: impl Into<Json>) -> Self {
        self.with("default", default)
    }

    /// Or null.
    pub fn nullable(mut self) -> Self {
        let Json::Object(members) = &mut self.0 else { return self };
        let find = |members: &[(Name, Json)], name: &str| members.iter().position(|(known, _)| known == name);
        if let Some(at) = find(members, "enum")
            && let Json::List(words) = &mut members[at].1
        {
            words.push(Json::Null);
        }
        if let Some(at) = find(members, "type") {
            let own = std::mem::replace(&mut members[at].1, Json::Null);
            members[at].1 = Json::List(vec![own, "null".into()]);
            return self;
        }
        if let Some(at) = find(members, "anyOf")
            && let Json::List(schemas) = &mut members[at].1
        {
            schemas.push(of_type("null").0);
            return self;
        }
        // Without any of these it is a reference, or allows null anyway.
        if members.is_empty() { self } else { either([self, of_type("null")]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_names_what_it_needs_and_takes_nothing_else() {
        let schema = object([required("a", text(), "One."), optional("b", whole(1, 9), "Two.")]);
        assert_eq!(
            schema.0.to_string(),
            r#"{"type":"object","properties":{"a":{"type":"string","description":"One."},"b":{"type":["integer","null"],"minimum":1,"maximum":9,"description":"Two."}},"required":["a"],"additionalProperties":false}"#
        );
    }

    #[test]
    fn each_kind_of_schema_may_be_null() {
        assert_eq!(word(["x"]).nullable().0.to_string(), r#"{"type":["string","null"],"enum":["x",null]}"#);
        let reference = named("Thing").nullable().0.to_string();
        assert_eq!(reference, r##"{"anyOf":[{"$ref":"#/components/schemas/Thing"},{"type":"null"}]}"##);
        assert_eq!(either([text(), flag()]).nullable().0.get("anyOf").unwrap().items().len(), 3);
        assert_eq!(any().nullable(), any());
    }
}
