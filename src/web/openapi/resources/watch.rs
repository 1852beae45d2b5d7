//! What is not below `/api/v1`: for those who watch the server or read about it.

use crate::domain::scope::Scope::MetricsRead;
use crate::service::Code;
use crate::web::openapi::operation::{Content, Operation};
use crate::web::openapi::schema::{Schema, any, map_of, object, required, text};

use super::Resource;

/// See the module.
pub fn resource() -> Resource {
    Resource {
        name: "The server",
        about: "For load balancers, process managers, Prometheus, and those who read.",
        operations: vec![alive(), ready(), metrics(), document(), docs(), docs_page()],
        schemas: Vec::new(),
    }
}

fn status(word: &'static str) -> Schema {
    object([required("status", text().with("const", word), "")])
}

fn alive() -> Operation {
    Operation::open("/healthz", "getHealth").says("Is it alive?", "").answers(
        200,
        "The process answers.",
        status("ok"),
        r#"{"status":"ok"}"#,
    )
}

fn ready() -> Operation {
    Operation::open("/readyz", "getReadiness")
        .says(
            "Can it accept and deliver?",
            "A 503 says what is in the way; with the code `not_delivering` events are accepted meanwhile.",
        )
        .answers(200, "It can.", status("ready"), r#"{"status":"ready"}"#)
        .fails([Code::Unavailable, Code::NotDelivering])
}

fn metrics() -> Operation {
    let content = Content {
        media_type: "text/plain",
        schema: text(),
        example: "# TYPE postrider_ready gauge\npostrider_ready 1\n".into(),
    };
    Operation::new("GET", "/metrics", "getMetrics", MetricsRead)
        .says("Metrics", "The text format of Prometheus.")
        .answers_as(200, "All series.", content)
}

fn document() -> Operation {
    Operation::open("/openapi.json", "getOpenApi").says("This reference as OpenAPI 3.1", "").answers(
        200,
        "The document.",
        map_of(any()),
        r#"{"openapi":"3.1.0"}"#,
    )
}

fn page(about: &'static str, operation: Operation) -> Operation {
    let content = Content { media_type: "text/html", schema: text(), example: "<!doctype html>".into() };
    operation.answers_as(200, about, content)
}

fn docs() -> Operation {
    page("The page.", Operation::open("/docs", "getDocs").says("This reference for people", ""))
}

fn docs_page() -> Operation {
    let names = crate::web::docs::PAGES.iter().map(|page| page.name);
    let name = crate::web::openapi::schema::word(names);
    let parameter = crate::web::openapi::words::path("page", name, "receiving", "The page's name.");
    page(
        "The page.",
        Operation::open("/docs/{page}", "getDocsPage")
            .says("A page of the documentation", "")
            .with([parameter]),
    )
}
