//! Commands with admin rights: asked of the running server through its socket; where none runs, this process
//! takes the lock and answers itself, through the same socket and the same calls.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::cli::output::{self, Output};
use crate::cli::socket::{Client, SocketError};
use crate::cli::{AdminCommand, Answer};
use crate::config::{DataDir, socket_path};

use super::StartError;

/// How long an answer may take. A cleanup of a large file works for hours.
const PATIENCE: Duration = Duration::from_secs(60);
const CLEANUP_PATIENCE: Duration = Duration::from_hours(24);

/// Runs a command.
///
/// # Errors
/// A sentence that says what to do.
pub fn run(data: &Path, command: &AdminCommand) -> Result<Output, String> {
    let patience = if matches!(command, AdminCommand::Cleanup { .. }) { CLEANUP_PATIENCE } else { PATIENCE };
    let client = Client::new(&socket_path(data)).with_timeout(patience);
    match carry_out(&client, command) {
        Err(Failed::Socket(SocketError::NobodyListens { .. })) => {}
        Err(Failed::Socket(error)) => return Err(error.to_string()),
        Err(Failed::Refused(message)) => return Err(message),
        Ok(output) => return Ok(output),
    }
    if !command.may_create_database() {
        DataDir::open_existing(data).map_err(|error| error.to_string())?;
    }
    with_own_server(data, || carry_out(&client, command)).map_err(|error| error.to_string())?.map_err(
        |failed| match failed {
            Failed::Socket(error) => error.to_string(),
            Failed::Refused(message) => message,
        },
    )
}

enum Failed {
    Socket(SocketError),
    Refused(String),
}

/// Makes the calls of a command and puts the answers into words.
fn carry_out(client: &Client, command: &AdminCommand) -> Result<Output, Failed> {
    match command {
        AdminCommand::CreateKey { .. } => Ok(output::key_created(&call(client, command, None)?)),
        AdminCommand::RevokeKey { id } => {
            call(client, command, None)?;
            Ok(output::key_revoked(id))
        }
        AdminCommand::Cleanup { dry_run, .. } => {
            Ok(output::cleanup_done(&call(client, command, None)?, *dry_run))
        }
        AdminCommand::ListKeys => {
            let mut keys = Vec::new();
            let mut cursor: Option<String> = None;
            loop {
                let page = call(client, command, cursor.as_deref())?;
                keys.extend(page.get("data").and_then(Value::as_array).into_iter().flatten().cloned());
                cursor = page.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
                if cursor.is_none() {
                    return Ok(output::key_table(&keys));
                }
            }
        }
    }
}

fn call(client: &Client, command: &AdminCommand, cursor: Option<&str>) -> Result<Value, Failed> {
    let Answer { status, body } = client.request(&command.request(cursor)).map_err(Failed::Socket)?;
    if (200..300).contains(&status) { Ok(body) } else { Err(Failed::Refused(output::problem(status, &body))) }
}

/// Runs `work` while this process answers on the socket.
fn with_own_server<T: Send>(data: &Path, work: impl FnOnce() -> T + Send) -> Result<T, StartError> {
    let (ready, started) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let server = scope.spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let (web, service, files) = super::local_only(data)?;
                let _ = ready.send(web.handle());
                let ended = web.await;
                service.store().close();
                files.remove_socket();
                ended.map_err(|error| StartError::System(error.to_string()))
            })
        });
        let Ok(handle) = started.recv() else {
            // The channel was dropped: it did not come to that.
            return match server.join() {
                Ok(Err(error)) => Err(error),
                _ => Err(StartError::System("the file could not be opened".to_owned())),
            };
        };
        let result = work();
        let stopping = handle.stop(false);
        drop(stopping);
        match server.join() {
            Ok(Ok(())) => Ok(result),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(StartError::System("the command's own server panicked".to_owned())),
        }
    })
}
