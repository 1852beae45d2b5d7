//! The page of the reference: what the resources say, for people.

use askama::Template;

use crate::domain::scope::Scope;
use crate::service::Code;
use crate::web::openapi::RESOURCES;
use crate::web::openapi::document::{description, problem_schema, refusals};
use crate::web::openapi::json::Json;
use crate::web::openapi::operation::{Access, Answer, Operation, Parameter, Place};
use crate::web::openapi::schema::Schema;
use crate::web::problem::status;

use super::Frame;

/// A line about a field or a parameter.
struct Row {
    name: String,
    needed: bool,
    kind: Kind,
    limits: String,
    about: String,
}

/// What something may be, in words, with the schema that explains it.
struct Kind {
    words: String,
    named: Option<String>,
}

struct Call {
    operation: &'static Operation,
    about: String,
    curl: String,
    parameters: Vec<Row>,
    fields: Vec<Row>,
    takes: Option<String>,
    answers: Vec<Shown>,
    refusals: Vec<(u16, Vec<Code>)>,
}

struct Shown {
    answer: &'static Answer,
    named: Option<String>,
    fields: Vec<Row>,
    example: Option<String>,
}

struct Section {
    name: &'static str,
    anchor: String,
    about: &'static str,
    calls: Vec<Call>,
    shapes: Vec<(&'static str, Vec<Row>)>,
}

#[derive(Template)]
#[template(path = "docs/reference.html")]
struct Reference {
    frame: Frame,
    sections: Vec<Section>,
    scopes: &'static [Scope],
    codes: Vec<(u16, Code)>,
    problem: Vec<Row>,
}

/// The whole page.
pub(super) fn render(frame: Frame) -> askama::Result<String> {
    let sections = RESOURCES.iter().map(|resource| Section {
        name: resource.name,
        anchor: format!("r-{}", resource.name.to_ascii_lowercase().replace(' ', "-")),
        about: resource.about,
        calls: resource.operations.iter().map(call).collect(),
        shapes: resource.schemas.iter().map(|(name, schema)| (*name, rows(schema))).collect(),
    });
    let codes = Code::ALL.iter().map(|code| (status(code.kind()).as_u16(), *code)).collect();
    let (sections, problem) = (sections.collect(), rows(&problem_schema()));
    Reference { frame, sections, scopes: Scope::ALL, codes, problem }.render()
}

fn call(operation: &'static Operation) -> Call {
    let body = operation.body.as_ref();
    Call {
        operation,
        about: description(operation),
        curl: curl(operation),
        parameters: operation.parameters.iter().map(parameter).collect(),
        takes: body.and_then(|body| kind(&body.schema.0).named),
        fields: body.map(|body| rows(&body.schema)).unwrap_or_default(),
        answers: operation.answers.iter().map(shown).collect(),
        refusals: refusals(operation),
    }
}

fn shown(answer: &'static Answer) -> Shown {
    let content = answer.content.as_ref();
    let example = content.map(|content| match content.example.text() {
        Some(text) => text.to_owned(),
        None => content.example.pretty(),
    });
    let named = content.and_then(|content| kind(&content.schema.0).named);
    let fields = content.filter(|_| named.is_none()).map(|content| rows(&content.schema)).unwrap_or_default();
    Shown { answer, named, fields, example }
}

fn parameter(parameter: &'static Parameter) -> Row {
    let place = parameter.place.as_str();
    Row {
        name: parameter.name.to_owned(),
        needed: parameter.place == Place::Path,
        kind: Kind { words: format!("{} in the {place}", kind(&parameter.schema.0).words), named: None },
        limits: limits(&parameter.schema.0),
        about: parameter.about.to_owned(),
    }
}

/// The fields of an object, those of objects in it after it, with full stops between the names.
fn rows(schema: &Schema) -> Vec<Row> {
    let mut rows = Vec::new();
    fill(&mut rows, "", &schema.0);
    rows
}

fn fill(rows: &mut Vec<Row>, before: &str, schema: &Json) {
    let needed = schema.get("required").map(Json::items).unwrap_or_default();
    for (name, field) in schema.get("properties").map(Json::members).unwrap_or_default() {
        let full = format!("{before}{name}");
        rows.push(Row {
            name: full.clone(),
            needed: needed.iter().any(|known| known.text() == Some(name)),
            kind: kind(field),
            limits: limits(field),
            about: field.get("description").and_then(Json::text).unwrap_or_default().to_owned(),
        });
        let inner = match field.get("items") {
            Some(items) => (format!("{full}[]."), items),
            None => (format!("{full}."), field),
        };
        fill(rows, &inner.0, inner.1);
        for one in field.get("anyOf").map(Json::items).unwrap_or_default() {
            fill(rows, &inner.0, one);
        }
    }
}

fn kind(schema: &Json) -> Kind {
    if let Some(reference) = schema.get("$ref").and_then(Json::text) {
        let name = reference.rsplit('/').next().unwrap_or_default().to_owned();
        return Kind { words: name.clone(), named: Some(name) };
    }
    if let Some(items) = schema.get("items") {
        let of = kind(items);
        let or_null = if may_be_null(schema) { " or null" } else { "" };
        return Kind { words: format!("list of {}{or_null}", of.words), named: of.named };
    }
    let each = |schemas: &[Json]| {
        let mut kinds: Vec<String> = schemas.iter().map(|schema| kind(schema).words).collect();
        kinds.dedup();
        kinds.join(" or ")
    };
    let words = match (schema.get("anyOf"), schema.get("type")) {
        (Some(any), _) => each(any.items()),
        (None, Some(Json::Text(name))) => plain(name, schema).to_owned(),
        (None, Some(Json::List(names))) => {
            let names: Vec<&str> =
                names.iter().filter_map(Json::text).map(|name| plain(name, schema)).collect();
            names.join(" or ")
        }
        _ => "any JSON".to_owned(),
    };
    Kind { words, named: None }
}

fn may_be_null(schema: &Json) -> bool {
    schema.get("type").is_some_and(|types| types.items().iter().any(|name| name.text() == Some("null")))
}

fn plain<'a>(name: &'a str, schema: &Json) -> &'a str {
    match name {
        "string" if schema.get("format").and_then(Json::text) == Some("date-time") => "time",
        "string" => "text",
        "integer" => "whole number",
        "boolean" => "true or false",
        other => other,
    }
}

/// Words, ranges and lengths.
fn limits(schema: &Json) -> String {
    let mut all = Vec::new();
    let number = |name| schema.get(name).map(ToString::to_string);
    let words = schema.get("enum").map(Json::items).unwrap_or_default();
    let words: Vec<String> = words.iter().filter_map(Json::text).map(str::to_owned).collect();
    if !words.is_empty() {
        all.push(words.join(", "));
    }
    match (number("minimum"), number("maximum")) {
        (Some(least), Some(most)) => all.push(format!("{least} to {most}")),
        (Some(least), None) if least != "0" => all.push(format!("from {least}")),
        _ => {}
    }
    for (least, most, what) in [
        ("minLength", "maxLength", "characters"),
        ("minItems", "maxItems", "items"),
        ("", "maxProperties", "members"),
    ] {
        if let Some(most) = number(most) {
            let least = number(least).unwrap_or_else(|| "0".to_owned());
            all.push(format!("{least} to {most} {what}"));
        }
    }
    if let Some(default) = schema.get("default") {
        all.push(format!("default {default}"));
    }
    all.join("; ")
}

/// A call that can be pasted into a shell which knows `$POSTRIDER` and `$KEY`.
fn curl(operation: &Operation) -> String {
    let mut path = operation.path.to_owned();
    for parameter in &operation.parameters {
        let example = parameter.example.text().unwrap_or_default();
        path = path.replace(&format!("{{{}}}", parameter.name), example);
    }
    let method = if operation.method == "GET" { String::new() } else { format!("-X {} ", operation.method) };
    let mut text = format!("curl {method}\"$POSTRIDER{path}\"");
    if operation.access != Access::Everybody {
        text.push_str(" \\\n  -H \"Authorization: Bearer $KEY\"");
    }
    if let Some(body) = &operation.body {
        let body = body.example.pretty().replace('\'', "'\\''");
        text.push_str(" \\\n  -H 'Content-Type: application/json' \\\n  -d '");
        text.push_str(&body);
        text.push('\'');
    }
    text
}
