//! The HTTP server: HTTP/1.1 on one TCP port, and on the Unix socket for the commands of this machine.
//!
//! It is put together from the parts that `actix_web::HttpServer` is made of, because that one has no place for
//! our [`Connection`].

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol};
use actix_server::{GracefulShutdownSignal, ServerBuilder};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, map_config};
use actix_web::App;
use actix_web::dev::{AppConfig, Extensions, Server, ServiceFactory, fn_service};
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::auth::LocalUser;
use super::connection::{Connection, Patience};
use super::errors;
use super::state::AppState;

/// Threads that answer requests. They never wait for the disk.
const WORKERS: usize = 2;
/// Threads for each of them that read the database; there are four connections.
const READERS: usize = 4;
/// How long the head of a request may take to arrive.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection is kept without a request: longer than proxies keep theirs, so that none sends a request
/// into a connection that is being closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long what a client still sends is read after its request was answered without it.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
/// How long a client may take nothing of its answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);
/// Seconds that requests under way get at a stop.
const STOP_PATIENCE_SECONDS: u64 = 10;

const PATIENCE: Patience = Patience { head: HEAD_PATIENCE, rest: CLOSE_PATIENCE, answer: ANSWER_PATIENCE };

/// Starts to answer: on a port, on the Unix socket, or on both, so many connections at once; others wait until one
/// ends. Signals are the application's business; stop it by `Server::handle`.
///
/// # Errors
/// A listener cannot be used.
pub fn start(
    state: AppState,
    tcp: Option<TcpListener>,
    unix: Option<UnixListener>,
    connections: usize,
) -> io::Result<Server> {
    let state = Data::new(state);
    let builder = ServerBuilder::default()
        .workers(WORKERS)
        .worker_max_blocking_threads(READERS)
        .max_concurrent_connections(connections.div_ceil(WORKERS))
        .shutdown_timeout(STOP_PATIENCE_SECONDS)
        .disable_signals();
    let stop = builder.graceful_shutdown_signal();
    let builder = match unix {
        Some(unix) => {
            let (state, stop) = (state.clone(), stop.clone());
            builder.listen_uds("unix", unix, move || unix_service(&state, &stop))?
        }
        None => builder,
    };
    let builder = match tcp {
        Some(tcp) => builder.listen("tcp", tcp, move || tcp_service(&state, &stop))?,
        None => builder,
    };
    Ok(builder.run())
}

fn tcp_service(
    state: &Data<AppState>,
    stop: &GracefulShutdownSignal,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<>
{
    let http = http_service(state, stop, |_: &TcpStream, _| {});
    let state = state.clone();
    let accept = move |stream: TcpStream| {
        let state = state.clone();
        async move {
            // Answers are written whole; there is nothing to gather.
            stream.set_nodelay(true).map_err(DispatchError::Io)?;
            let peer = stream.peer_addr().ok();
            Ok((Connection::new(stream, &state, PATIENCE), Protocol::Http1, peer))
        }
    };
    fn_service(accept).and_then(http)
}

fn unix_service(
    state: &Data<AppState>,
    stop: &GracefulShutdownSignal,
) -> impl ServiceFactory<UnixStream, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<>
{
    let http = http_service(state, stop, note_local_user);
    let state = state.clone();
    let accept = move |stream: UnixStream| {
        let state = state.clone();
        async move { Ok((Connection::new(stream, &state, PATIENCE), Protocol::Http1, None)) }
    };
    fn_service(accept).and_then(http)
}

/// A connection as HTTP is spoken on it, with its protocol and its peer.
type Accepted<Io> = (Connection<Io>, Protocol, Option<SocketAddr>);

fn http_service<Io, F>(
    state: &Data<AppState>,
    stop: &GracefulShutdownSignal,
    connected: F,
) -> impl ServiceFactory<Accepted<Io>, Config = (), Response = (), Error = DispatchError, InitError = ()>
+ use<Io, F>
where
    Io: AsyncRead + AsyncWrite + Unpin + 'static,
    F: Fn(&Io, &mut Extensions) + 'static,
{
    let (state, stop) = (state.clone(), stop.clone());
    let app = App::new().app_data(state).wrap(from_fn(errors::problems)).configure(super::configure);
    HttpService::build()
        .graceful_shutdown_signal(move || {
            let stop = stop.clone();
            async move { stop.notified().await }
        })
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEAD_PATIENCE)
        .client_disconnect_timeout(CLOSE_PATIENCE)
        .on_connect_ext(move |connection: &Connection<Io>, data| {
            data.insert(connection.flow());
            connected(connection.get_ref(), data);
        })
        .finish(map_config(app.into_factory(), |()| AppConfig::default()))
}

/// Keeps who is at the other end of a Unix socket with the connection.
fn note_local_user(stream: &UnixStream, data: &mut Extensions) {
    match stream.peer_cred() {
        Ok(peer) => {
            data.insert(LocalUser(peer.uid()));
        }
        Err(error) => tracing::warn!(%error, "cannot tell who called on the Unix socket; it needs a key"),
    }
}
