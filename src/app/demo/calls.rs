//! What the demonstration asks of its own server: the calls of the API that everybody makes, through its socket.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::Request;
use crate::cli::output;
use crate::cli::socket::Client;
use crate::config::socket_path;
use crate::domain::time::UnixMs;

use super::cast::{NEW, OLD, Role, TENANTS, TYPES};

/// The server in this process.
pub(super) struct Server(Client);

impl Server {
    /// The server on this data directory.
    pub(super) fn on(data: &Path) -> Self {
        Self(Client::new(&socket_path(data)))
    }

    /// Makes a call with a body; its answer.
    ///
    /// # Errors
    /// A sentence; the server may have been stopped meanwhile.
    fn call(&self, method: &'static str, path: &str, body: &Value) -> Result<Value, String> {
        self.ask(method, path, Some(body.to_string()))
    }

    fn ask(&self, method: &'static str, path: &str, body: Option<String>) -> Result<Value, String> {
        let path = format!("/api/v1{path}");
        let request = Request { method, path, idempotency_key: None, body };
        let answer = self.0.request(&request).map_err(|error| error.to_string())?;
        match answer.status {
            200..300 => Ok(answer.body),
            status => Err(output::problem(status, &answer.body)),
        }
    }

    /// Publishes these events.
    pub(super) fn publish(&self, events: &[Value]) -> Result<(), String> {
        self.call("POST", "/events/batch", &json!({ "events": events })).map(drop)
    }

    /// Whether the last one in this list (`backups`, `cleanups`) is of this time or later, and over, however it ended.
    pub(super) fn is_over(&self, list: &str, due: UnixMs) -> Result<bool, String> {
        let answer = self.ask("GET", &format!("/{list}?limit=1"), None)?;
        let newest = &answer["data"][0];
        let began = newest["started_at"].as_str().and_then(|text| UnixMs::parse(text).ok());
        Ok(began.is_some_and(|began| began >= due) && newest["ended_at"].is_string())
    }

    /// Tenants, the catalogue, and the endpoints that were there all the time; `port` is the receiver's.
    pub(super) fn set_the_scene(&self, port: u16) -> Result<(), String> {
        for (tenant, name) in TENANTS {
            self.call("PUT", &format!("/tenants/{tenant}"), &json!({ "name": name }))?;
        }
        for kind in &TYPES {
            let entry =
                json!({ "description": kind.description, "group": kind.group, "example": (kind.data)(17) });
            self.call("PUT", &format!("/event-types/{}", kind.name), &entry)?;
        }
        for role in &OLD {
            self.enter(role, port)?;
        }
        Ok(())
    }

    /// The endpoints that are new, and a replay of what the last of them has missed; that one's id.
    pub(super) fn enter_new(&self, port: u16, since: &str) -> Result<String, String> {
        let mut last = Value::Null;
        for role in &NEW {
            last = self.enter(role, port)?;
        }
        let id = last["id"].as_str().unwrap_or_default();
        self.call(
            "POST",
            &format!("/endpoints/{id}/replay"),
            &json!({ "since": since, "status": "missing" }),
        )?;
        Ok(id.to_owned())
    }

    /// Makes an endpoint; the answer.
    fn enter(&self, role: &Role, port: u16) -> Result<Value, String> {
        let (tenant, behaviour) = (role.tenant, role.behaviour);
        let mut endpoint = (role.fields)();
        endpoint["url"] = json!(format!("http://hooks.{tenant}.localhost:{port}/{behaviour}"));
        endpoint["tenant"] = json!(tenant);
        endpoint["events"] = json!(role.events);
        endpoint["description"] = json!(role.description);
        self.call("POST", "/endpoints", &endpoint)
    }
}
