//! What the command line asks for, checked.

use std::path::PathBuf;

use crate::config::Config;
use crate::domain::names::IdempotencyKey;

use super::backup::Backup;
use super::calls::Wanted;
use super::demo::Demo;
use super::doctor::Doctor;
use super::listen::Listen;
use super::manual::Shell;
use super::restore::Restore;
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
    /// Copy the database.
    Backup(Backup),
    /// Put a backup in the place of the database.
    Restore(Restore),
    /// Receive webhooks for a developer, until it is told to stop.
    Listen(Box<Listen>),
    /// Judge a captured request.
    Verify(Verify),
    /// Look whether all is well.
    Doctor(Box<Doctor>),
    /// Print the description of the API.
    Openapi,
    /// Print what makes a shell complete commands.
    Completions(Shell),
    /// Print a manual page, or write all of them.
    Man {
        /// The command that it is about.
        command: Vec<String>,
        /// Where all are written.
        dir: Option<PathBuf>,
    },
}

/// What can be done with admin rights from the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminCommand {
    /// A call of the API.
    Call(Box<Wanted>),
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
    /// Sends JSON.
    pub fn post(path: impl Into<String>, body: &serde_json::Value) -> Self {
        Self { method: "POST", path: path.into(), idempotency_key: None, body: Some(body.to_string()) }
    }

    /// Reads something.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), idempotency_key: None, body: None }
    }
}
