//! Commands: asked of the server that a URL names, or of the running one through its socket, with admin rights; where
//! none runs, this process takes the lock and answers itself, through a socket of its own and the same calls.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::cli::AdminCommand;
use crate::cli::calls::{Failed, Wanted, carry_out};
use crate::cli::output::Output;
use crate::cli::socket::{Client, SocketError};
use crate::cli::terminal::View;
use crate::clock::Stopwatch;
use crate::config::{DataDir, DataDirError, act_as_owner, socket_path};

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
    let AdminCommand::Call(wanted) = command;
    wanted.confirm()?;
    let view = View::of_process();
    let patience = if wanted.is_long() { CLEANUP_PATIENCE } else { PATIENCE };
    if let Some(remote) = &wanted.remote {
        let client = Client::remote(Arc::clone(remote)).with_timeout(patience);
        return carry_out(&client, wanted, view).map_err(Failed::into_sentence);
    }
    let how = if wanted.needs_server() { Alone::Never } else { Alone::OnDatabase };
    let (output, ran) = ask(data, wanted.data_flag(), how, |socket| {
        carry_out(&Client::new(socket).with_timeout(patience), wanted, view)
    })?;
    Ok(if ran { output } else { alone(wanted, output) })
}

/// Whether a command does its work where no server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alone {
    /// It takes a server, which sends something.
    Never,
    /// There has to be a database: a name that was mistyped makes none.
    OnDatabase,
}

/// Does `work` on the socket of the server that runs on this data directory, or of this process where none runs. What it
/// came to, and whether one runs. `flag` names the directory.
///
/// # Errors
/// A sentence that says what to do.
pub(super) fn ask<T: Send>(
    data: &Path,
    flag: &str,
    alone: Alone,
    work: impl Fn(&Path) -> Result<T, Failed> + Sync,
) -> Result<(T, bool), String> {
    let waiting = Stopwatch::start();
    loop {
        match work(&socket_path(data)) {
            Err(Failed::Socket(SocketError::NobodyListens { .. })) => {}
            answered => return answered.map(|done| (done, true)).map_err(Failed::into_sentence),
        }
        if alone == Alone::Never {
            return Err(format!(
                "no server runs on {}, and this is sent by one: start it with `postrider serve`, or name another \
                 with {flag} or --url",
                data.display()
            ));
        }
        match with_own_server(data, |socket| work(socket)) {
            Err(StartError::DataDir(DataDirError::Locked { .. }))
                if !waiting.left(LOCK_PATIENCE).is_zero() =>
            {
                std::thread::park_timeout(LOCK_LOOK);
            }
            Err(StartError::DataDir(error)) => return Err(error.told_of(flag)),
            Err(error) => return Err(error.to_string()),
            Ok(answered) => return answered.map(|done| (done, false)).map_err(Failed::into_sentence),
        }
    }
}

/// What is to be said where no server runs.
fn alone(wanted: &Wanted, mut output: Output) -> Output {
    if wanted.publishes() {
        output.remark.push_str("\nNo server runs on this data directory: the next one delivers it.");
    }
    output
}

/// Runs `work` while this process answers on the socket that `work` is given. Only who answers acts as the owner of the
/// folder: what root asked for goes where root may write.
fn with_own_server<T: Send>(data: &Path, work: impl FnOnce(&Path) -> T + Send) -> Result<T, StartError> {
    let (ready, started) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let server = scope.spawn(move || {
            act_as_owner(data)?;
            DataDir::open_existing(data)?;
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
