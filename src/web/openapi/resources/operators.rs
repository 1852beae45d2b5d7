//! Operators.

use crate::domain::ids::OperatorId;
use crate::domain::operator::{EMAIL_MAX, EMAIL_PATTERN, Role};
use crate::domain::scope::Scope::Admin;
use crate::service::Code;
use crate::web::openapi::links::{FIRST, ID};
use crate::web::openapi::operation::{Operation, Parameter};
use crate::web::openapi::schema::{
    Field, Schema, flag, named, nullable, object, optional, pattern, required, text, time, word,
};
use crate::web::openapi::words::{id, page, page_of, path, search};

use super::Resource;

const SHOWN: &str = r#"{"id":"op_01m0e3tb0g007","email":"ada@example.com","role":"viewer","active":true,"pending":true,"created_at":"2026-02-23T14:30:00.000Z","last_seen_at":null}"#;
const LINK: &str = "https://hooks.example.com/join/eXAMPLE-eXAMPLE-eXAMPLE-eXAMPLE-eXAMPLE-eXA";
const ENDS: &str = "2026-02-26T14:30:00.000Z";

/// What there is to do with an operator.
const OF_OPERATOR: [&str; 3] = ["getOperator", "changeOperator", "makeOperatorLink"];

/// See the module.
pub fn resource() -> Resource {
    Resource {
        name: "Operators",
        about: "A person who signs in to the console. An `admin` does everything; a `viewer` sees everything but \
                secrets, and changes nothing.",
        operations: vec![list(), invite(), get(), change(), link()],
        schemas: vec![
            ("NewOperator", new_operator()),
            ("OperatorChange", operator_change()),
            ("Operator", object(fields())),
            ("InvitedOperator", invited()),
            ("OperatorLink", operator_link()),
        ],
    }
}

fn role() -> Schema {
    word(Role::ALL.iter().map(|role| role.as_str()))
}

fn new_operator() -> Schema {
    let email = pattern(EMAIL_PATTERN, 3, EMAIL_MAX);
    object([
        required("email", email, "What they sign in with; kept in lower case."),
        required("role", role(), "What they may do."),
    ])
}

fn operator_change() -> Schema {
    object([
        optional("role", role(), "What they may do."),
        optional(
            "active",
            flag(),
            "Whether they may sign in. `false` ends their sessions and links at once.",
        ),
    ])
}

fn fields() -> Vec<Field> {
    vec![
        required("id", id(OperatorId::PATTERN), "`op_…`."),
        required("email", text(), "What they sign in with."),
        required("role", role(), "What they may do."),
        required("active", flag(), "Whether they may sign in."),
        required("pending", flag(), "Whether they were invited and have not set a password yet."),
        required("created_at", time(), "When they were made or invited."),
        nullable("last_seen_at", time(), "When they last did something, to the minute."),
    ]
}

fn invited() -> Schema {
    object(fields().into_iter().chain([
        required("link", text(), "The link that they set their password with, this once. It works once."),
        required("link_expires_at", time(), "When the link ends: after 72 hours."),
    ]))
}

fn operator_link() -> Schema {
    object([
        required("link", text(), "The link, this once. It works once."),
        required("expires_at", time(), "When it ends: after 72 hours."),
    ])
}

fn operator_id() -> Parameter {
    path("id", text(), "op_01m0e3tb0g007", "The operator's id, or the address that they sign in with.")
}

fn list() -> Operation {
    Operation::new("GET", "/api/v1/operators", "listOperators", Admin)
        .says("List operators", "")
        .with([search("ada", "Those whose address or id holds this text, in whatever case.")])
        .with(page("op_01m0e3tb0g007"))
        .answers(200, "A page.", page_of("Operator"), &format!("{{\"data\":[{SHOWN}],\"next_cursor\":null}}"))
        .leads_to_all(OF_OPERATOR, FIRST)
}

fn invite() -> Operation {
    let example = SHOWN.trim_end_matches('}');
    let example = format!("{example},\"link\":\"{LINK}\",\"link_expires_at\":\"{ENDS}\"}}");
    Operation::new("POST", "/api/v1/operators", "inviteOperator", Admin)
        .says(
            "Invite an operator",
            "The answer shows a link, this once; hand it over yourself, no mail is sent.",
        )
        .takes(named("NewOperator"), r#"{"email":"ada@example.com","role":"viewer"}"#)
        .answers(201, "They are pending until they use the link.", named("InvitedOperator"), &example)
        .leads_to_all(OF_OPERATOR, ID)
        .fails([Code::OperatorExists])
}

fn get() -> Operation {
    Operation::new("GET", "/api/v1/operators/{id}", "getOperator", Admin)
        .says("Get an operator", "")
        .with([operator_id()])
        .answers(200, "The operator.", named("Operator"), SHOWN)
        .leads_to_all(OF_OPERATOR, ID)
}

fn change() -> Operation {
    Operation::new("PATCH", "/api/v1/operators/{id}", "changeOperator", Admin)
        .says(
            "Change an operator",
            "What is absent stays. In force with the answer, also for the sessions that they have. The last active \
             admin stays one.",
        )
        .with([operator_id()])
        .takes(named("OperatorChange"), r#"{"role":"admin"}"#)
        .answers(200, "As they are now.", named("Operator"), SHOWN)
        .leads_to_all(OF_OPERATOR, ID)
        .fails([Code::LastAdmin])
}

fn link() -> Operation {
    let example = format!("{{\"link\":\"{LINK}\",\"expires_at\":\"{ENDS}\"}}");
    Operation::new("POST", "/api/v1/operators/{id}/link", "makeOperatorLink", Admin)
        .says(
            "Make a link for an operator",
            "With it they set a new password. Links that they had end; their password and their sessions stay until \
             it is used.",
        )
        .with([operator_id()])
        .answers(201, "The link.", named("OperatorLink"), &example)
        .fails([Code::OperatorInactive])
}
