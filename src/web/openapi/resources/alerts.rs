//! Alerts, and the server that mail goes through.

use crate::domain::alert::mail::Security;
use crate::domain::alert::{Kind, NAME_MAX, Topic};
use crate::domain::ids::{AlertId, EndpointId};
use crate::domain::operator::{EMAIL_MAX, EMAIL_PATTERN};
use crate::domain::scope::Scope::Admin;
use crate::service::Code;
use crate::web::openapi::links::{FIRST, ID};
use crate::web::openapi::operation::{Operation, Parameter};
use crate::web::openapi::schema::{
    Field, Schema, count, flag, list_of, named, nullable, object, optional, pattern, required, text, time,
    whole, word,
};
use crate::web::openapi::words::{id, page, page_of, path, tenant};

use super::Resource;

const SHOWN: &str = r#"{"id":"alr_01m0e3tb0g008","name":"On call","kind":"slack","tenant":null,"conditions":["own_trouble","disk","endpoint_disabled"],"endpoint":null,"url":"•••","email":null,"enabled":true,"created_at":"2026-02-23T14:30:00.000Z","updated_at":"2026-02-23T14:30:00.000Z","last_sent_at":null,"last_error":null,"last_error_at":null,"next_try_at":null}"#;
const SERVER: &str = r#"{"host":"smtp.example.com","port":587,"security":"starttls","user":"postrider","password":"•••","from":"postrider@example.com"}"#;

/// See the module.
pub fn resource() -> Resource {
    Resource {
        name: "Alerts",
        about: "Whom this server tells when something is the matter: by an event to an endpoint, in Slack or Discord, or by \
                mail. News is collected for some minutes (setting `alert_collect_minutes`) and told in one message; \
                of an endpoint that flaps, beginning and end once a day.",
        operations: vec![
            list(),
            create(),
            get(),
            change(),
            delete(),
            test(),
            get_server(),
            put_server(),
            forget(),
        ],
        schemas: vec![
            ("NewAlert", object(new_fields())),
            ("AlertChange", object(common())),
            ("Alert", object(fields())),
            ("AlertTest", tested()),
            ("NewMailServer", new_server()),
            ("MailServer", server()),
        ],
    }
}

fn kind() -> Schema {
    word(Kind::ALL.map(Kind::as_str))
}

fn conditions() -> Schema {
    list_of(word(Topic::ALL.map(Topic::as_str))).items(1, 2 * Topic::ALL.len())
}

fn email() -> Schema {
    pattern(EMAIL_PATTERN, 3, EMAIL_MAX)
}

fn common() -> Vec<Field> {
    vec![
        optional("name", text().length(1, NAME_MAX), "What people call it."),
        optional(
            "conditions",
            conditions(),
            "What it is about; all by default. Of one tenant: its endpoints'.",
        ),
        optional("endpoint", id(EndpointId::PATTERN), "Where it goes, for the kind `webhook`."),
        optional(
            "url",
            text().length(1, 2_048),
            "Where it goes, for `slack` and `discord`. `•••` keeps it in a change.",
        ),
        optional("email", email(), "Where it goes, for `email`."),
        optional("enabled", flag(), "Whether it is sent at all."),
    ]
}

fn new_fields() -> Vec<Field> {
    let own = [
        required("kind", kind(), "How it reaches somebody."),
        optional("tenant", tenant(), "Only about the endpoints of this tenant."),
    ];
    own.into_iter().chain(common()).collect()
}

fn fields() -> Vec<Field> {
    vec![
        required("id", id(AlertId::PATTERN), "`alr_…`."),
        required("name", text(), "What people call it."),
        required("kind", kind(), "How it reaches somebody."),
        nullable("tenant", tenant(), "The tenant whose endpoints it is about; null: everything."),
        required("conditions", conditions(), "What it is about."),
        nullable("endpoint", id(EndpointId::PATTERN), "The endpoint that it goes to."),
        nullable("url", text(), "`•••` in the place of the URL that it goes to."),
        nullable("email", text(), "The address that it goes to."),
        required("enabled", flag(), "Whether it is sent at all."),
        required("created_at", time(), "When it was made."),
        required("updated_at", time(), "When it was last changed."),
        nullable("last_sent_at", time(), "When a message was last sent."),
        nullable("last_error", text(), "Why the last try failed; null: it did not."),
        nullable("last_error_at", time(), "When that was."),
        nullable("next_try_at", time(), "When it is tried again."),
    ]
}

fn tested() -> Schema {
    object([
        required("success", flag(), "Whether it was taken."),
        required("duration_ms", count(), "How long that took."),
        nullable("error", text(), "Why it was not, in a line that a person can act on."),
    ])
}

fn security() -> Schema {
    word(Security::ALL.map(Security::as_str))
}

fn new_server() -> Schema {
    object([
        required("host", text().length(1, 253), "Its name or address."),
        optional("port", whole(1, 65_535), "Its port; 587, 465 or 25 by `security`."),
        optional(
            "security",
            security(),
            "`starttls` (default), `tls` from the first byte on, or `none` for a server on this machine.",
        ),
        optional("user", text().length(1, 256), "Who signs in there."),
        optional("password", text().length(1, 256), "With what. `•••` keeps it, for the same host."),
        required("from", email(), "The address that mail comes from."),
    ])
}

fn server() -> Schema {
    object([
        required("host", text(), "Its name or address."),
        required("port", whole(1, 65_535), "Its port."),
        required("security", security(), "Whether the connection is encrypted."),
        nullable("user", text(), "Who signs in there."),
        nullable("password", text(), "`•••` where there is one; it is encrypted at rest."),
        required("from", text(), "The address that mail comes from."),
    ])
}

fn alert_id() -> Parameter {
    path("id", id(AlertId::PATTERN), "alr_01m0e3tb0g008", "The alert's id.")
}

fn list() -> Operation {
    Operation::new("GET", "/api/v1/alerts", "listAlerts", Admin)
        .says("List alerts", "")
        .with(page("alr_01m0e3tb0g008"))
        .answers(200, "A page.", page_of("Alert"), &format!("{{\"data\":[{SHOWN}],\"next_cursor\":null}}"))
        .leads_to("getAlert", FIRST)
}

fn create() -> Operation {
    Operation::new("POST", "/api/v1/alerts", "createAlert", Admin)
        .says(
            "Make an alert",
            "A URL is a credential: encrypted, and shown as `•••`. It is judged as that of an endpoint. An alert of the kind \
             `email` that is bound to a tenant is how a customer is told about their own endpoints.",
        )
        .takes(
            named("NewAlert"),
            r#"{"kind":"slack","name":"On call","url":"https://hooks.slack.com/services/T0/B0/eXAMPLE"}"#,
        )
        .answers(201, "It tells from now on.", named("Alert"), SHOWN)
        .leads_to("getAlert", ID)
        .leads_to("changeAlert", ID)
        .leads_to("testAlert", ID)
        .leads_to("deleteAlert", ID)
        .fails([Code::TargetDenied, Code::UnknownTenant])
}

fn get() -> Operation {
    Operation::new("GET", "/api/v1/alerts/{id}", "getAlert", Admin)
        .says("Get an alert", "With what came of it last.")
        .with([alert_id()])
        .answers(200, "The alert.", named("Alert"), SHOWN)
}

fn change() -> Operation {
    Operation::new("PATCH", "/api/v1/alerts/{id}", "changeAlert", Admin)
        .says("Change an alert", "What is absent stays; its kind and its tenant stay in any case.")
        .with([alert_id()])
        .takes(named("AlertChange"), r#"{"conditions":["disk","backup"]}"#)
        .answers(200, "As it is now.", named("Alert"), SHOWN)
        .fails([Code::TargetDenied])
}

fn delete() -> Operation {
    Operation::new("DELETE", "/api/v1/alerts/{id}", "deleteAlert", Admin)
        .says("Delete an alert", "")
        .with([alert_id()])
        .answers_nothing("Nobody is told any more.")
}

fn test() -> Operation {
    Operation::new("POST", "/api/v1/alerts/{id}/test", "testAlert", Admin)
        .says("Test an alert", "Sends a message that says that it is a test, now, enabled or not.")
        .with([alert_id()])
        .answers(
            200,
            "What came of it.",
            named("AlertTest"),
            r#"{"success":true,"duration_ms":84,"error":null}"#,
        )
        .fails([Code::TooManyTests])
}

fn get_server() -> Operation {
    Operation::new("GET", "/api/v1/mail-server", "getMailServer", Admin)
        .says("Get the mail server", "The one that alerts by mail go through. 404 where none is set.")
        .answers(200, "The server.", named("MailServer"), SERVER)
        .fails([Code::NotFound])
}

fn put_server() -> Operation {
    let wanted = SERVER.replace("•••", "eXAMPLE");
    Operation::new("PUT", "/api/v1/mail-server", "putMailServer", Admin)
        .says(
            "Set the mail server",
            "All of it: what is absent has its default. The password is encrypted at rest.",
        )
        .takes(named("NewMailServer"), &wanted)
        .answers(200, "In force.", named("MailServer"), SERVER)
}

fn forget() -> Operation {
    Operation::new("DELETE", "/api/v1/mail-server", "deleteMailServer", Admin)
        .says("Forget the mail server", "")
        .answers_nothing("It is forgotten, and its password.")
        .fails([Code::NotFound])
}
