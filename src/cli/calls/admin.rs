//! The table of commands, the rest of it: what belongs to the whole server.

use super::Ability::Long;
use super::Call;
use super::Shows::{Cleaned, Done, Key, One, Rows};

pub(super) const EVENT_TYPES: &[Call] = &[
    Call::new("list", "listEventTypes", Rows(&["name", "group", "description", "reserved"]))
        .example(&[("event-types list --search invoice", "those about invoices")]),
    Call::new("show", "getEventType", One(&[]))
        .example(&[("event-types show invoice.paid", "with its example and its schema")]),
    Call::new("set", "putEventType", One(&[])).example(&[
        (
            "event-types set invoice.paid --group billing --description 'An invoice was paid'",
            "make or replace",
        ),
        ("event-types set invoice.paid --schema @invoice.schema.json", "data has to fit this JSON Schema"),
    ]),
    Call::new("delete", "deleteEventType", Done("Deleted {}."))
        .asks("Delete the event type {}? Subscriptions and events stay.")
        .example(&[("event-types delete invoice.paid --yes", "without being asked")]),
];

pub(super) const FORMATS: &[Call] = &[
    Call::new("list", "listFormats", Rows(&["name", "built_in", "revision", "updated_at"]))
        .example(&[("formats list", "those that are built in, and yours")]),
    Call::new("show", "getFormat", One(&[]))
        .example(&[("formats show github --json", "to begin one of your own with")]),
    Call::new("set", "putFormat", One(&[]))
        .example(&[("formats set acme --from @acme.json", "make or replace, from a file with its JSON")]),
    Call::new("preview", "previewFormat", One(&[])).words(&["type"]).example(&[(
        "formats preview github order.paid --data '{\"order\": 17}'",
        "the exact request, unsent",
    )]),
    Call::new("delete", "deleteFormat", Done("Deleted {}."))
        .asks("Delete the format {}?")
        .example(&[("formats delete acme --yes", "not while endpoints use it")]),
];

pub(super) const TENANTS: &[Call] = &[
    Call::new("list", "listTenants", Rows(&["tenant", "name", "endpoint_limit", "created_at"]))
        .example(&[("tenants list --all", "all of them")]),
    Call::new("show", "getTenant", One(&[])).example(&[("tenants show acme", "with what it has and did")]),
    Call::new("set", "putTenant", One(&[]))
        .example(&[("tenants set acme --name 'Acme Inc.' --endpoint-limit 25", "make or replace")]),
    Call::new("delete", "deleteTenant", One(&[]))
        .asks("Delete the tenant {} with all its endpoints, keys, events and deliveries?")
        .example(&[("tenants delete acme --yes", "its data goes in the background")]),
    Call::new(
        "deletions",
        "listTenantDeletions",
        Rows(&["id", "tenant", "status", "events", "deliveries", "created_at", "ended_at"]),
    )
    .example(&[("tenants deletions", "how far they are")]),
];

pub(super) const KEYS: &[Call] = &[
    Call::new("create", "createKey", Key).example(&[
        (
            "keys create --name backend --scopes events:write,endpoints:write",
            "prints the key alone, this once",
        ),
        ("keys create --name acme --scopes events:write --tenant acme", "for one tenant"),
    ]),
    Call::new("list", "listKeys", Rows(&["id", "name", "scopes", "tenant", "created_at", "last_used_at"]))
        .example(&[("keys list", "never their text")]),
    Call::new("revoke", "revokeKey", Done("Revoked {}. Requests with it are refused from now on."))
        .only_ids_of("key")
        .example(&[("keys revoke key_01m0e3tb0g004", "at once")]),
];

pub(super) const OPERATORS: &[Call] = &[
    Call::new("list", "listOperators", Rows(&["id", "email", "role", "active", "pending", "last_seen_at"]))
        .example(&[("operators list", "who may sign in")]),
    Call::new("show", "getOperator", One(&[]))
        .example(&[("operators show op_01m0e3tb0g007", "everything about one")]),
    Call::new("invite", "inviteOperator", One(&[])).words(&["email"]).example(&[(
        "operators invite ada@example.com --role viewer",
        "the answer shows the link, this once",
    )]),
    Call::new("update", "changeOperator", One(&[]))
        .example(&[("operators update op_01m0e3tb0g007 --active=false", "may not sign in any more")]),
    Call::new("link", "makeOperatorLink", One(&[]))
        .example(&[("operators link ada@example.com", "for a new password")]),
];

pub(super) const SETTINGS: &[Call] = &[
    Call::new("show", "getSettings", One(&[])).example(&[("settings show", "those in force")]),
    Call::new("update", "changeSettings", One(&[])).example(&[
        ("settings update --retention-days 90", "what is not named stays"),
        ("settings update --reset retention_days", "back to the default"),
    ]),
];

pub(super) const AUDIT: &[Call] =
    &[Call::new("list", "listAudit", Rows(&["created_at", "actor", "action", "target", "tenant"]))
        .example(&[("audit list --action 'endpoint.*' --since 1d", "changes to endpoints since yesterday")])];

/// What it is about comes before the sentence: at a narrow terminal the rest is left out.
const ATTENDED: &[&str] =
    &["topic", "endpoint.id", "message", "endpoint.url", "endpoint.tenant", "since", "until"];

pub(super) const ATTENTION: Call = Call::new("attention", "getAttention", Rows(ATTENDED))
    .says("Say what needs a hand, the most urgent first")
    .example(&[("attention", "what needs a hand, the most urgent first")]);

pub(super) const CLEANUP: Call = Call::new("cleanup", "clean", Cleaned)
    .says("Delete what is older than the retention now, as the nightly cleanup does")
    .that(Long)
    .example(&[
        ("cleanup --older-than 30d --dry-run", "count what would be deleted"),
        ("cleanup", "as the nightly one does, now"),
    ]);
