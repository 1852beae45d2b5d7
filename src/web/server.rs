//! The HTTP server: HTTP/1.1 on one TCP port, and on the Unix socket for the commands of this machine.

use std::any::Any;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use actix_web::dev::{Extensions, Server};
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use tokio::net::UnixStream;

use super::auth::LocalUser;
use super::errors;
use super::state::AppState;

/// Threads that answer requests. They never wait for the disk.
const WORKERS: usize = 2;
/// Threads for each of them that read the database; there are four connections.
const READERS: usize = 4;
/// How long the head of a request may take to arrive.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection is kept without a request.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Seconds that requests under way get at a stop.
const STOP_PATIENCE_SECONDS: u64 = 10;

/// Starts to answer. Signals are the application's business; stop it by `Server::handle`.
///
/// # Errors
/// A listener cannot be used.
pub fn start(state: AppState, tcp: TcpListener, unix: Option<UnixListener>) -> std::io::Result<Server> {
    let state = Data::new(state);
    let app = move || {
        App::new().app_data(state.clone()).wrap(from_fn(errors::problems)).configure(super::configure)
    };
    let server = HttpServer::new(app)
        .on_connect(note_local_user)
        .workers(WORKERS)
        .worker_max_blocking_threads(READERS)
        .client_request_timeout(HEAD_PATIENCE)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(STOP_PATIENCE_SECONDS)
        .disable_signals()
        .listen(tcp)?;
    let server = match unix {
        Some(unix) => server.listen_uds(unix)?,
        None => server,
    };
    Ok(server.run())
}

/// Keeps who is at the other end of a Unix socket with the connection.
fn note_local_user(connection: &dyn Any, data: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<UnixStream>() else { return };
    match stream.peer_cred() {
        Ok(peer) => {
            data.insert(LocalUser(peer.uid()));
        }
        Err(error) => tracing::warn!(%error, "cannot tell who called on the Unix socket; it needs a key"),
    }
}
