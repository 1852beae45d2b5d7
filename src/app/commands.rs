//! Commands with admin rights: asked of the running server through its socket; where none runs, this process
//! takes the lock and answers itself, through a socket of its own and the same calls.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::cli::output::{self, Output};
use crate::cli::socket::{Client, SocketError};
use crate::cli::{AdminCommand, Answer};
use crate::clock::Stopwatch;
use crate::config::{DataDir, DataDirError, socket_path};

use super::StartError;

/// How long an answer may take. A cleanup of a large file works for hours.
const PATIENCE: Duration = Duration::from_mins(1);
const CLEANUP_PATIENCE: Duration = Duration::from_hours(24);

/// How long to wait for another process that has the lock and does not answer: a server that starts or stops, or
/// another command. Looked at this often, since nobody tells when it is done.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
const LOCK_LOOK: Duration = Duration::from_millis(20);

/// Runs a command.
///
/// # Errors
/// A sentence that says what to do.
pub fn run(data: &Path, command: &AdminCommand) -> Result<Output, String> {
    let patience = if matches!(command, AdminCommand::Cleanup { .. }) { CLEANUP_PATIENCE } else { PATIENCE };
    let client = |socket: &Path| Client::new(socket).with_timeout(patience);
    let waiting = Stopwatch::start();
    loop {
        match carry_out(&client(&socket_path(data)), command) {
            Err(Failed::Socket(SocketError::NobodyListens { .. })) => {}
            answered => return answered.map_err(Failed::into_sentence),
        }
        if !command.may_create_database() {
            DataDir::open_existing(data).map_err(|error| error.told_of(command.data_flag()))?;
        }
        match with_own_server(data, |socket| carry_out(&client(socket), command)) {
            Err(StartError::DataDir(DataDirError::Locked { .. }))
                if !waiting.left(LOCK_PATIENCE).is_zero() =>
            {
                std::thread::park_timeout(LOCK_LOOK);
            }
            Err(StartError::DataDir(error)) => return Err(error.told_of(command.data_flag())),
            Err(error) => return Err(error.to_string()),
            Ok(answered) => {
                return answered.map(|output| alone(command, output)).map_err(Failed::into_sentence);
            }
        }
    }
}

/// What is to be said where no server runs.
fn alone(command: &AdminCommand, mut output: Output) -> Output {
    if matches!(command, AdminCommand::Send { .. }) {
        output.remark.push_str("\nNo server runs on this data directory: the next one delivers it.");
    }
    output
}

enum Failed {
    Socket(SocketError),
    Refused(String),
}

impl Failed {
    fn into_sentence(self) -> String {
        match self {
            Self::Socket(error) => error.to_string(),
            Self::Refused(message) => message,
        }
    }
}

/// Makes the calls of a command and puts the answers into words.
fn carry_out(client: &Client, command: &AdminCommand) -> Result<Output, Failed> {
    match command {
        AdminCommand::CreateKey { .. } => Ok(output::key_created(&call(client, command, None)?.body)),
        AdminCommand::RevokeKey { id } => {
            call(client, command, None)?;
            Ok(output::key_revoked(id))
        }
        AdminCommand::Cleanup { dry_run, .. } => {
            Ok(output::cleanup_done(&call(client, command, None)?.body, *dry_run))
        }
        AdminCommand::Send { .. } => {
            let answer = call(client, command, None)?;
            Ok(output::event_accepted(&answer.body, answer.replayed))
        }
        AdminCommand::ListKeys => {
            let mut keys = Vec::new();
            let mut cursor: Option<String> = None;
            loop {
                let page = call(client, command, cursor.as_deref())?.body;
                keys.extend(page.get("data").and_then(Value::as_array).into_iter().flatten().cloned());
                cursor = page.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
                if cursor.is_none() {
                    return Ok(output::key_table(&keys));
                }
            }
        }
    }
}

fn call(client: &Client, command: &AdminCommand, cursor: Option<&str>) -> Result<Answer, Failed> {
    let answer = client.request(&command.request(cursor)).map_err(Failed::Socket)?;
    match answer.status {
        200..300 => Ok(answer),
        status => Err(Failed::Refused(output::problem(status, &answer.body))),
    }
}

/// Runs `work` while this process answers on the socket that `work` is given.
fn with_own_server<T: Send>(data: &Path, work: impl FnOnce(&Path) -> T + Send) -> Result<T, StartError> {
    let (ready, started) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let server = scope.spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let (web, service, files) = super::local_only(data)?;
                let _ = ready.send((web.handle(), files.dir.call_socket()));
                let ended = web.await;
                service.store().close();
                files.remove_socket();
                ended.map_err(|error| StartError::System(error.to_string()))
            })
        });
        let Ok((handle, socket)) = started.recv() else {
            // The channel was dropped: it did not come to that.
            return match server.join() {
                Ok(Err(error)) => Err(error),
                _ => Err(StartError::System("the file could not be opened".to_owned())),
            };
        };
        let result = work(&socket);
        let stopping = handle.stop(false);
        drop(stopping);
        match server.join() {
            Ok(Ok(())) => Ok(result),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(StartError::System("the command's own server panicked".to_owned())),
        }
    })
}
