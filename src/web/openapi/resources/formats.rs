//! Formats: how a delivery looks on the wire.

use crate::domain::format::definition::{BODIES, OVER, TENANT_FORMS, TIME_FORMS, Words};
use crate::domain::format::scheme::SCHEMES;
use crate::domain::headers::MAX_HEADERS;
use crate::domain::scope::Scope::{Admin, EndpointsRead};
use crate::service::Code;
use crate::web::openapi::json::Json;
use crate::web::openapi::links::NAME;
use crate::web::openapi::operation::{Operation, Parameter};
use crate::web::openapi::schema::{
    Field, Schema, any, count, either, flag, map_of, named, nullable, object, optional, required, sometimes,
    text, time, word,
};
use crate::web::openapi::words::{event_type, page, page_of, path, search};

use super::Resource;
use super::endpoint_fields::{format_name, own_secret};

const PUT: &str = r#"{"signature":{"scheme":"hmac-sha256-hex","header":"X-Acme-Signature","prefix":"sha256=","over":"body"},"headers":{"event":"X-Acme-Event","id":"X-Acme-Id"},"envelope":{"id":"id","type":"event","timestamp":{"key":"created_at","as":"rfc3339"},"data":"data.object"},"fixed":{"headers":{},"envelope":{"version":"1.0"}}}"#;
const SHOWN: &str = r#"{"name":"acme","built_in":false,"revision":1,"updated_at":"2026-02-23T14:30:00.000Z","signature":{"scheme":"hmac-sha256-hex","header":"X-Acme-Signature","prefix":"sha256=","join":null,"over":"body"},"headers":{"event":"X-Acme-Event","id":"X-Acme-Id","timestamp":null,"attempt":null},"envelope":{"id":"id","type":"event","timestamp":{"key":"created_at","as":"rfc3339"},"data":"data.object"},"fixed":{"headers":{},"envelope":{"version":"1.0"}},"body":"verbatim"}"#;

/// What there is to do with a format.
const OF_FORMAT: [&str; 3] = ["getFormat", "previewFormat", "deleteFormat"];

/// See the module.
pub fn resource() -> Resource {
    Resource {
        name: "Formats",
        about: "How a delivery looks on the wire: header names, signature scheme, envelope. `standard`, `github`, \
                `stripe` and `cloudevents` are built in, to use or to copy.",
        operations: vec![list(), get(), put(), delete(), preview(), preview_definition()],
        schemas: vec![("FormatDefinition", definition()), ("Format", shown()), ("Preview", previewed())],
    }
}

fn words<T>(words: &Words<T>) -> Schema {
    word(words.iter().map(|(name, _)| *name))
}

/// A key of the envelope: its text, or an object of it that may say in which form it is written.
fn key(forms: Option<Schema>) -> Schema {
    let name = required("key", text(), "The key; a full stop nests.");
    let form = forms.map(|forms| optional("as", forms, "The form that it is written in."));
    either([text(), object([name].into_iter().chain(form))])
}

fn definition() -> Schema {
    let signature = object([
        required("scheme", word(SCHEMES.map(|scheme| scheme.name)), "How an attempt is signed."),
        optional("header", text(), "The header that carries the signatures."),
        optional("prefix", text().or(""), "What stands before them; may hold `{timestamp}` and `{id}`."),
        optional("join", text(), "What stands between two; without it the header carries one, the newest."),
        optional("over", words(OVER), "What is signed."),
    ]);
    let keys = object([
        optional("id", key(None), "The event's id."),
        optional("type", key(None), "Its type."),
        optional("timestamp", key(Some(words(TIME_FORMS))), "Its time."),
        optional("tenant", key(Some(words(TENANT_FORMS))), "Its tenant."),
        optional("data", key(None), "Its data."),
    ]);
    let fixed = object([
        optional("headers", map_of(text()).at_most(MAX_HEADERS), "Names and values."),
        optional("envelope", map_of(any()), "Keys of the body and their values."),
    ]);
    object([
        required("signature", signature, "How an attempt is signed."),
        optional("headers", object(header_names(optional)), "The names of headers."),
        required(
            "envelope",
            either([keys, data_alone()]),
            "The body around the data, in this order; `data`: the data alone.",
        ),
        optional("fixed", fixed, "Constants."),
        optional(
            "body",
            words(BODIES).or("verbatim"),
            "`ecmascript`: as `JSON.stringify(JSON.parse(body))` writes it.",
        ),
    ])
}

fn data_alone() -> Schema {
    text().with("const", "data")
}

type Make = fn(&'static str, Schema, &'static str) -> Field;

fn header_names(field: Make) -> [Field; 4] {
    [
        field("event", text(), "The event's type."),
        field("id", text(), "The event's id."),
        field("timestamp", text(), "The attempt's time in unix seconds."),
        field("attempt", text(), "The attempt's number, from 1."),
    ]
}

fn shown() -> Schema {
    let signature = object([
        required("scheme", word(SCHEMES.map(|scheme| scheme.name)), "How an attempt is signed."),
        nullable("header", text(), "The header that carries the signatures."),
        required("prefix", text(), "What stands before them."),
        nullable("join", text(), "What stands between two."),
        nullable("over", words(OVER), "What is signed."),
    ]);
    let fixed = object([
        required("headers", map_of(text()), "Names and values."),
        required("envelope", map_of(any()), "Keys of the body and their values."),
    ]);
    object([
        required("name", format_name(), "What endpoints call it."),
        required("built_in", flag(), "Whether it cannot be changed."),
        required("revision", count(), "Counts its changes."),
        nullable("updated_at", time(), "When it was last changed."),
        required("signature", signature, "How an attempt is signed."),
        required("headers", object(header_names(nullable)), "The names of headers."),
        required("envelope", either([map_of(any()), data_alone()]), "The body around the data."),
        required("fixed", fixed, "Constants."),
        required("body", words(BODIES), "How the body is written."),
    ])
}

fn previewed() -> Schema {
    object([
        required("method", text().with("const", "POST"), "Always `POST`."),
        required("headers", super::super::words::headers(), "Without `host`."),
        required("body", text(), "The body, byte for byte."),
        sometimes("secret", text(), "The secret that was made for it."),
        sometimes("public_key", text(), "The public key that goes with the signature."),
    ])
}

fn name() -> Parameter {
    path("name", format_name(), "acme", "The format's name.")
}

fn list() -> Operation {
    Operation::new("GET", "/api/v1/formats", "listFormats", EndpointsRead)
        .says("List formats", "Those that are built in, then the others by name.")
        .with([search("git", "Those whose name holds this text, in whatever case.")])
        .with(page("formats:github"))
        .answers(
            200,
            "A page: those that are built in, then the others by name.",
            page_of("Format"),
            &format!("{{\"data\":[{SHOWN}],\"next_cursor\":null}}"),
        )
        .leads_to_all(["getFormat", "previewFormat"], &[("name", "$response.body#/data/0/name")])
}

fn get() -> Operation {
    Operation::new("GET", "/api/v1/formats/{name}", "getFormat", EndpointsRead)
        .says("Get a format", "")
        .with([name()])
        .answers(200, "The format.", named("Format"), SHOWN)
        .leads_to_all(OF_FORMAT, NAME)
}

fn put() -> Operation {
    Operation::new("PUT", "/api/v1/formats/{name}", "putFormat", Admin)
        .says(
            "Make or replace a format",
            "In force for the next attempt of each endpoint that uses it. There may be 1,000 besides those that are built in.",
        )
        .with([name()])
        .takes(named("FormatDefinition"), PUT)
        .answers(200, "It was there, and is replaced.", named("Format"), SHOWN)
        .leads_to_all(OF_FORMAT, NAME)
        .answers(201, "It was not there.", named("Format"), SHOWN)
        .leads_to_all(OF_FORMAT, NAME)
        .fails([Code::FormatBuiltIn, Code::FormatDoesNotFit, Code::FormatLimitReached])
}

fn delete() -> Operation {
    Operation::new("DELETE", "/api/v1/formats/{name}", "deleteFormat", Admin)
        .says("Delete a format", "Not while endpoints use it.")
        .with([name()])
        .answers_nothing("It is not there any more.")
        .fails([Code::FormatBuiltIn, Code::FormatInUse])
}

/// What a preview is made of.
fn sample() -> [Field; 3] {
    [
        required("type", event_type(), "The type of the event."),
        required("data", any(), "Its data."),
        optional("secret", own_secret(), "What to sign with; one is made when absent."),
    ]
}

const PREVIEWED: &str = r#"{"method":"POST","headers":{"content-type":"application/json","X-Acme-Event":"invoice.paid"},"body":"{}"}"#;

fn preview() -> Operation {
    let name = Parameter { example: Json::from("standard"), ..name() };
    Operation::new("POST", "/api/v1/formats/{name}/preview", "previewFormat", EndpointsRead)
        .says("Preview a format", "The exact request, headers and bytes, without sending it.")
        .with([name])
        .takes(object(sample()), r#"{"type":"invoice.paid","data":{"invoice":"in_17"}}"#)
        .answers(200, "The request.", named("Preview"), PREVIEWED)
}

fn preview_definition() -> Operation {
    let definition = required("definition", named("FormatDefinition"), "The format, as in a PUT.");
    let example = format!(r#"{{"definition":{PUT},"type":"invoice.paid","data":{{"invoice":"in_17"}}}}"#);
    Operation::new("POST", "/api/v1/formats/preview", "previewFormatDefinition", EndpointsRead)
        .says("Preview a format that is not made yet", "Nothing is written and nothing is sent.")
        .takes(object([definition].into_iter().chain(sample())), &example)
        .answers(200, "The request.", named("Preview"), PREVIEWED)
}
