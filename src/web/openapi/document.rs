//! The document: OpenAPI 3.1, made of what the resources say.

use crate::domain::scope::Scope;
use crate::service::{Code, Error, Kind};
use crate::web::problem::{self, status};

use super::json::{Json, Name, example, list, object};
use super::operation::{Access, Answer, Operation, Parameter, Place};
use super::resources::Resource;
use super::schema::{self, Schema, count, list_of, required, text, word};

/// The name of the only security scheme.
const KEY: &str = "key";
/// The id of a request, in examples.
const REQUEST: &str = "3f9c2a7b10d4e685";

const ABOUT: &str = "Webhook delivery in one process. Every call below `/api/v1` takes a key: \
    `Authorization: Bearer pr_…`. Unknown fields and parameters are refused by name; in a create absent and `null` mean \
    the same, in a PATCH absent keeps and `null` resets. Where all fields are optional, the body may be left out. \
    Failures are `application/problem+json` (RFC 9457) with a stable `code`, and name every wrong field at once. Two are \
    not listed with the calls: 404 `unknown_path` for a path that is none of these, and 405 `method_not_allowed` for a \
    method that a path does not take; `Allow` names those that it takes. After \
    a 429 or a 503 repeat the request when `Retry-After` says, with the same `Idempotency-Key` where there is one.";

/// The whole document.
pub fn build(resources: &[Resource]) -> Json {
    let info = object([
        ("title", Json::from("Postrider")),
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("description", ABOUT.into()),
        (
            "license",
            object([
                ("name", Json::from("MIT OR Apache-2.0")),
                ("identifier", env!("CARGO_PKG_LICENSE").into()),
            ]),
        ),
    ]);
    let tag = |resource: &Resource| {
        object([("name", Json::from(resource.name)), ("description", resource.about.into())])
    };
    object([
        ("openapi", Json::from("3.1.0")),
        ("info", info),
        ("servers", Json::List(vec![object([("url", Json::from("/"))])])),
        ("tags", Json::List(resources.iter().map(tag).collect())),
        ("paths", paths(resources)),
        ("components", components(resources)),
    ])
}

fn paths(resources: &[Resource]) -> Json {
    let mut paths: Vec<(Name, Json)> = Vec::new();
    for resource in resources {
        for operation in &resource.operations {
            let method = operation.method.to_ascii_lowercase();
            let written = (Name::from(method), written(resource.name, operation));
            match paths.iter_mut().find(|(path, _)| path == operation.path) {
                Some((_, Json::Object(methods))) => methods.push(written),
                _ => paths.push((operation.path.into(), Json::Object(vec![written]))),
            }
        }
    }
    Json::Object(paths)
}

fn written(tag: &'static str, operation: &Operation) -> Json {
    let mut members = vec![
        ("operationId", Json::from(operation.id)),
        ("tags", list([tag])),
        ("summary", operation.summary.into()),
        ("description", description(operation).into()),
        ("security", security(operation.access)),
    ];
    if !operation.parameters.is_empty() {
        members.push(("parameters", Json::List(operation.parameters.iter().map(parameter).collect())));
    }
    if let Some(body) = &operation.body {
        let content = media("application/json", &body.schema, &body.example);
        members
            .push(("requestBody", object([("required", Json::from(body.required)), ("content", content)])));
    }
    let answers = operation.answers.iter().map(|answer| (answer.status.to_string(), written_answer(answer)));
    let refused = refusals(operation).into_iter().map(|(status, codes)| {
        let name = format!("#/components/responses/{}", response_name(&codes));
        (status.to_string(), object([("$ref", Json::from(name))]))
    });
    members.push(("responses", object(answers.chain(refused))));
    object(members)
}

/// What there is to know, and what a key needs.
pub fn description(operation: &Operation) -> String {
    let access = match operation.access {
        Access::Everybody => "Needs no key.".to_owned(),
        Access::Scope(Scope::Admin) => "Needs the scope `admin`.".to_owned(),
        Access::Scope(scope) => format!("Needs the scope `{scope}`, or `admin`."),
    };
    if operation.about.is_empty() { access } else { format!("{} {access}", operation.about) }
}

fn security(access: Access) -> Json {
    match access {
        Access::Everybody => Json::List(Vec::new()),
        Access::Scope(scope) => Json::List(vec![object([(KEY, list([scope.as_str()]))])]),
    }
}

fn parameter(parameter: &Parameter) -> Json {
    let mut members = vec![
        ("name", Json::from(parameter.name)),
        ("in", parameter.place.as_str().into()),
        ("required", (parameter.place == Place::Path).into()),
        ("description", parameter.about.into()),
        ("schema", parameter.schema.0.clone()),
    ];
    if parameter.example != Json::Null {
        members.push(("example", parameter.example.clone()));
    }
    object(members)
}

fn media(media_type: &'static str, schema: &Schema, example: &Json) -> Json {
    object([(media_type, object([("schema", schema.0.clone()), ("example", example.clone())]))])
}

fn written_answer(answer: &Answer) -> Json {
    let own = answer.headers.iter().map(|header| (header.name, header_of(header.about)));
    let headers = [("X-Request-Id", header_of("The request's id, under which the server's log knows it."))];
    let mut members =
        vec![("description", Json::from(answer.about)), ("headers", object(headers.into_iter().chain(own)))];
    if let Some(content) = &answer.content {
        members.push(("content", media(content.media_type, &content.schema, &content.example)));
    }
    if !answer.links.is_empty() {
        let link = |link: &super::operation::Link| {
            let parameters = object(link.found.iter().map(|(name, from)| (*name, Json::from(*from))));
            (
                link.operation,
                object([("operationId", Json::from(link.operation)), ("parameters", parameters)]),
            )
        };
        members.push(("links", object(answer.links.iter().map(link))));
    }
    object(members)
}

fn header_of(about: &'static str) -> Json {
    object([("description", Json::from(about)), ("schema", text().0)])
}

/// The statuses of an operation's failures, each with its codes.
pub fn refusals(operation: &Operation) -> Vec<(u16, Vec<Code>)> {
    let mut all: Vec<(u16, Vec<Code>)> = Vec::new();
    for code in operation.codes() {
        let status = status(code.kind()).as_u16();
        match all.iter_mut().find(|(known, _)| *known == status) {
            Some((_, codes)) => codes.push(code),
            None => all.push((status, vec![code])),
        }
    }
    all.sort_by_key(|(status, _)| *status);
    all
}

fn response_name(codes: &[Code]) -> String {
    codes.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(".")
}

fn components(resources: &[Resource]) -> Json {
    let own = resources.iter().flat_map(|resource| &resource.schemas);
    let schemas =
        own.map(|(name, schema)| (*name, schema.0.clone())).chain([("Problem", problem_schema().0)]);
    let mut responses: Vec<(Name, Json)> = Vec::new();
    for operation in resources.iter().flat_map(|resource| &resource.operations) {
        for (status, codes) in refusals(operation) {
            let name = response_name(&codes);
            if responses.iter().all(|(known, _)| *known != name) {
                responses.push((name.into(), refusal(status, &codes)));
            }
        }
    }
    let about = "`Authorization: Bearer pr_…`. The list of a call names the scope that its key needs; `admin` is enough for all.";
    let scheme =
        object([("type", Json::from("http")), ("scheme", "bearer".into()), ("description", about.into())]);
    object([
        ("schemas", object(schemas)),
        ("responses", Json::Object(responses)),
        ("securitySchemes", object([(KEY, scheme)])),
    ])
}

/// Every failure.
pub fn problem_schema() -> Schema {
    let wrong = schema::object([
        required("field", text(), "The field or the parameter, such as `events[3].type`."),
        required("message", text(), "What it may be."),
    ]);
    schema::object([
        required("type", text().with("format", "uri-reference"), "Where the code is explained."),
        required("title", text(), "The same words for every occurrence of the code."),
        required("status", count(), "The status."),
        required("detail", text(), "What happened and what to do."),
        required("code", word(Code::ALL.iter().map(|code| code.as_str())), "The case, stable over versions."),
        required("errors", list_of(wrong), "Every wrong field."),
        required("request_id", text(), "Under which the server's log says more."),
    ])
}

fn refusal(status: u16, codes: &[Code]) -> Json {
    let narrowed = object([
        ("status", object([("const", Json::from(u32::from(status)))])),
        ("code", object([("enum", list(codes.iter().map(|code| code.as_str())))])),
    ]);
    let schema = Json::List(vec![schema::named("Problem").0, object([("properties", narrowed)])]);
    let examples = codes.iter().map(|code| {
        let error = Error::new(*code, code.about());
        let value = example(&problem::document(&error, REQUEST));
        (code.as_str(), object([("summary", Json::from(code.title())), ("value", value)]))
    });
    let media = object([("schema", object([("allOf", schema)])), ("examples", object(examples))]);
    let about = codes.iter().map(|code| code.title()).collect::<Vec<_>>().join("; ");
    let mut headers = vec![("X-Request-Id", header_of("The request's id."))];
    match codes.first().map(|code| code.kind()) {
        Some(Kind::Unavailable | Kind::TooMany) => {
            headers.push(("Retry-After", header_of("Seconds to wait.")));
        }
        Some(Kind::Unauthorized) => headers.push(("WWW-Authenticate", header_of("`Bearer`."))),
        _ => {}
    }
    object([
        ("description", Json::from(about)),
        ("headers", object(headers)),
        ("content", object([("application/problem+json", media)])),
    ])
}
