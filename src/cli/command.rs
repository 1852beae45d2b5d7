//! What the command line asks for, checked, and the API call that does it.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::config::Config;
use crate::domain::ids::KeyId;
use crate::domain::names::IdempotencyKey;

use super::demo::Demo;
use super::listen::Listen;
use super::verify::Verify;

/// One thing to do.
#[derive(Debug, Clone)]
pub enum Command {
    /// Run the server until it is told to stop.
    Serve(Box<Config>),
    /// Something that a running server does, or this process if none runs.
    Admin {
        /// The data directory of the server; not opened yet.
        data: PathBuf,
        /// What to do.
        command: AdminCommand,
    },
    /// Show a server at work, with everything that it needs.
    Demo(Demo),
    /// Ask whether the server of this data directory is ready.
    Health {
        /// The data directory of the server.
        data: PathBuf,
    },
    /// Receive webhooks for a developer, until it is told to stop.
    Listen(Box<Listen>),
    /// Judge a captured request.
    Verify(Verify),
}

/// What can be done with admin rights from the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminCommand {
    /// Make an API key. Scopes and tenant are checked where the key is made.
    CreateKey {
        /// What it is for.
        name: String,
        /// What it may do.
        scopes: Vec<String>,
        /// The one tenant that it is bound to.
        tenant: Option<String>,
    },
    /// List the API keys.
    ListKeys,
    /// Revoke one.
    RevokeKey {
        /// Which.
        id: KeyId,
    },
    /// Delete what is old.
    Cleanup {
        /// Instead of what the settings say.
        older_than: Option<Duration>,
        /// Only count.
        dry_run: bool,
    },
    /// Publish an event.
    Send {
        /// The body of the call: JSON, checked where it is published.
        event: String,
        /// Makes a repetition harmless.
        idempotency_key: Option<IdempotencyKey>,
    },
}

/// One call of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, `DELETE`.
    pub method: &'static str,
    /// From `/api/v1` on.
    pub path: String,
    /// The value of `Idempotency-Key`.
    pub idempotency_key: Option<IdempotencyKey>,
    /// JSON, if there is a body.
    pub body: Option<String>,
}

impl Request {
    fn new(method: &'static str, path: String, body: Option<&Value>) -> Self {
        Self { method, path, idempotency_key: None, body: body.map(Value::to_string) }
    }
}

impl AdminCommand {
    /// The call that does it, for [`super::socket::Client`]. A list is this call again with `cursor` of the last answer.
    pub fn request(&self, cursor: Option<&str>) -> Request {
        match self {
            Self::CreateKey { name, scopes, tenant } => {
                let body = json!({ "name": name, "scopes": scopes, "tenant": tenant });
                Request::new("POST", "/api/v1/keys".to_owned(), Some(&body))
            }
            Self::ListKeys => {
                let query = match cursor {
                    Some(cursor) => format!("limit=250&cursor={}", percent_encoded(cursor)),
                    None => "limit=250".to_owned(),
                };
                Request::new("GET", format!("/api/v1/keys?{query}"), None)
            }
            Self::RevokeKey { id } => Request::new("DELETE", format!("/api/v1/keys/{id}"), None),
            Self::Cleanup { older_than, dry_run } => {
                let body =
                    json!({ "older_than_seconds": older_than.map(|d| d.as_secs()), "dry_run": dry_run });
                Request::new("POST", "/api/v1/cleanups".to_owned(), Some(&body))
            }
            Self::Send { event, idempotency_key } => Request {
                method: "POST",
                path: "/api/v1/events".to_owned(),
                idempotency_key: idempotency_key.clone(),
                body: Some(event.clone()),
            },
        }
    }

    /// The flag that names its data directory: `--data` of `send` is the event's.
    pub fn data_flag(&self) -> &'static str {
        match self {
            Self::Send { .. } => "--data-dir",
            _ => "--data",
        }
    }

    /// Whether it makes sense on a data directory that holds no database yet: a first key does.
    pub fn may_create_database(&self) -> bool {
        matches!(self, Self::CreateKey { .. })
    }
}

fn percent_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_become_calls_of_the_api() {
        let create =
            AdminCommand::CreateKey { name: "ci".into(), scopes: vec!["admin".into()], tenant: None };
        let body = json!({ "name": "ci", "scopes": ["admin"], "tenant": null });
        assert_eq!(create.request(None), Request::new("POST", "/api/v1/keys".into(), Some(&body)));

        let revoke = AdminCommand::RevokeKey { id: KeyId(1) }.request(None);
        assert_eq!((revoke.method, revoke.path.as_str()), ("DELETE", "/api/v1/keys/key_0000000000001"));

        let cleanup = AdminCommand::Cleanup { older_than: Some(Duration::from_mins(1)), dry_run: false };
        let body = json!({ "older_than_seconds": 60, "dry_run": false });
        assert_eq!(cleanup.request(None).body, Some(body.to_string()));
    }

    #[test]
    fn a_list_goes_on_from_its_cursor() {
        assert_eq!(AdminCommand::ListKeys.request(None).path, "/api/v1/keys?limit=250");
        assert_eq!(
            AdminCommand::ListKeys.request(Some("a b&c")).path,
            "/api/v1/keys?limit=250&cursor=a+b%26c"
        );
    }
}
