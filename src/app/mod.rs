//! Floor 4: what wires everything together, and the order in which it starts and stops.
//!
//! Up: data directory, lock, key, listener, store (migrations), service, dispatcher, web. Down: web (no more
//! calls), dispatcher (what is in flight finishes or is cut), store (what waits is written), socket, lock.
//! The program and the tests start the same [`Application`].

mod backup;
mod commands;
pub mod demo;
mod descriptors;
mod doctor;
mod error;
mod files;
mod health;
mod listening;
pub mod logging;
mod manager;
mod restore;
mod signals;

use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use tokio::net::TcpSocket;
use tokio::sync::Notify;

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigError, Environment, Flags, become_owner, console_at};
use crate::dispatcher::{Courier, Dispatcher};
use crate::domain::address::{AllowedNet, Policy};
use crate::domain::target::TargetRules;
use crate::random::{Random, SystemRandom};
use crate::sender::{EgressProxy, Lookup, Sender, SenderConfig, SystemLookup};
use crate::service::{Error, Service};
use crate::store::handover::{Handover, NoHandover};
use crate::store::{Store, StoreConfig, StoreError};
use crate::web::server;
use crate::web::state::AppState;

pub use backup::run as back_up;
pub use commands::run as run_command;
pub use doctor::run as doctor;
pub use error::StartError;
pub use health::run as health;
pub use listening::{run as receive, verify};
use manager::{Manager, Watch};
pub use restore::run as restore;
pub use signals::Reason;
use signals::Signals;

/// How long calls in flight may go on after the stop began.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// What comes from outside the program. Tests bring their own.
pub struct World {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Who knows the addresses of names.
    pub lookup: Arc<dyn Lookup>,
    /// Wraps what carries requests; the program does not.
    pub courier: fn(Arc<Sender>) -> Arc<dyn Courier>,
}

impl World {
    /// The machine.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn real() -> Result<Self, StartError> {
        let random =
            SystemRandom::new().map_err(|error| StartError::System(format!("no randomness: {error}")))?;
        Ok(Self {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(random),
            lookup: Arc::new(SystemLookup),
            courier: |sender| sender,
        })
    }
}

/// A server that is about to run.
pub struct Application {
    address: SocketAddr,
    web: Server,
    service: Arc<Service>,
    dispatcher: Arc<Dispatcher>,
    stop: Arc<Notify>,
    signals: Signals,
    /// Who is told that it is ready, well and stopping.
    manager: Option<Manager>,
    // Declared last, dropped last: the file is closed before another process may open it.
    files: files::Files,
}

impl Application {
    /// Opens the data directory and starts everything but the answering of requests.
    ///
    /// Within an actix runtime, as [`Application::run_until_stopped`].
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn build(config: &Config, world: World) -> Result<Self, StartError> {
        let signals = Signals::listen().map_err(|error| StartError::System(error.to_string()))?;
        let files = files::open(&config.data, &*world.random)?;
        let tcp = listen(config.listen)?;
        let address =
            tcp.local_addr().map_err(|error| StartError::Listen { address: config.listen, error })?;
        let dispatcher = Dispatcher::new(config.delivery_threads, Arc::clone(&world.clock));
        let store =
            open_store(&files, &world, config.checkpoint, Arc::clone(&dispatcher) as Arc<dyn Handover>)?;
        let shares = descriptors::share(config.delivery_threads.into());
        let sender = Arc::new(sender(config, Some(address), Arc::clone(&world.lookup), shares.idle)?);
        let rules = TargetRules { allow_http: config.allow_http };
        let service = Arc::new(Service::new(store, Arc::clone(&sender), rules));
        service.set_console(config.reached_at(address));
        if let Some(key) = &config.first_start.api_key {
            let registered = service.register_first_key(key.expose()).await;
            registered.map_err(|error| first_key_failed(error, &service, &files))?;
        }
        if let Some(first) = &config.first_start.operator {
            let registered = service.register_first_operator(&first.email, first.password.expose()).await;
            registered.map_err(|error| first_key_failed(error, &service, &files))?;
        }
        files.begin_accepting()?;
        dispatcher
            .start(Arc::clone(&service), (world.courier)(sender))
            .map_err(|error| StartError::Store { path: files.dir.database(), error: error.into() })?;
        let state =
            AppState::new(Arc::clone(&service), config.trusted_proxy.clone(), config.reached_at(address));
        let unix = files.listen()?;
        let web = server::start(state, Some(tcp), Some(unix), shares.clients)
            .map_err(|error| StartError::System(error.to_string()))?;
        let stop = Arc::new(Notify::new());
        Ok(Self { address, web, service, dispatcher, stop, signals, manager: None, files })
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The use cases, for tests that look behind the API.
    pub fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// The dispatcher, for tests that wait until it has nothing to do.
    pub fn dispatcher(&self) -> &Arc<Dispatcher> {
        &self.dispatcher
    }

    /// Notified, it stops the application as SIGTERM does.
    pub fn stopper(&self) -> Arc<Notify> {
        Arc::clone(&self.stop)
    }

    /// Answers requests until SIGTERM, SIGINT or the stopper; then stops in order, and says which it was.
    ///
    /// # Errors
    /// The web server failed. Where it ends by itself all else stops as well: nobody could reach it, and whoever has
    /// started this process is to start it anew.
    pub async fn run_until_stopped(self) -> std::io::Result<Reason> {
        let Self { web, service, dispatcher, stop, mut signals, manager, files, .. } = self;
        let handle = web.handle();
        let mut web = actix_web::rt::spawn(web);
        let watch = match manager {
            Some(manager) => manager.ready(Arc::clone(&service), Arc::clone(&dispatcher))?,
            None => Watch::none(),
        };
        let ended = tokio::select! {
            reason = signals.wait(&stop) => {
                tracing::info!(%reason, "stopping");
                Ok(reason)
            }
            answered = &mut web => {
                tracing::error!("the web server has ended by itself; stopping");
                Err(answered)
            }
        };
        watch.stopping();
        service.readiness().set_stopping();
        // Both get the same ten seconds.
        let deliveries = actix_web::rt::task::spawn_blocking(move || dispatcher.stop(STOP_PATIENCE));
        let (reason, answered) = match ended {
            Ok(reason) => {
                handle.stop(true).await;
                (Ok(reason), web.await)
            }
            Err(answered) => (Err(std::io::Error::other("the web server has ended by itself")), answered),
        };
        if let Err(error) = deliveries.await {
            tracing::error!(%error, "the dispatcher could not be stopped");
        }
        service.store().close();
        files.remove_socket();
        tracing::info!("stopped");
        answered.map_err(std::io::Error::other)??;
        reason
    }
}

/// `postrider serve`: runs until it is told to stop.
///
/// # Errors
/// A sentence that says what to do.
pub fn serve(config: &Config) -> Result<(), String> {
    become_owner(&config.data).map_err(|error| error.to_string())?;
    let world = World::real().map_err(|error| error.to_string())?;
    logging::start(config.log_format, config.log_level, Arc::clone(&world.clock))
        .map_err(|error| error.to_string())?;
    actix_web::rt::System::new().block_on(async {
        let mut application = Application::build(config, world).await.map_err(|error| error.to_string())?;
        application.manager = service_manager();
        // For people, and for scripts that asked for port 0.
        let address = application.address();
        let (listens_on, reached_at) = (Config::listens_on(address), config.reached_at(address));
        println!("postrider listens on {listens_on}");
        if listens_on != reached_at {
            println!("people reach it at {reached_at}, through your reverse proxy");
        }
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            %address,
            data = %config.data.display(),
            "started"
        );
        if application.service().needs_setup() {
            // Beside the work: a disk that is full, or a file that is locked, is no reason not to begin it.
            actix_web::rt::spawn(print_setup_link(Arc::clone(application.service()), reached_at));
        }
        application.run_until_stopped().await.map_err(|error| error.to_string())?;
        Ok(())
    })
}

/// Who has started this process and wants to hear how it goes. One that cannot be reached is no reason not to serve.
fn service_manager() -> Option<Manager> {
    Manager::of(&Environment::of_process(), std::process::id()).unwrap_or_else(|error| {
        tracing::warn!(%error, "the service manager (NOTIFY_SOCKET) cannot be reached");
        None
    })
}

/// Prints the link for the first operator, and writes it nowhere else: whoever has it makes that operator.
async fn print_setup_link(service: Arc<Service>, reached_at: String) {
    match service.make_setup_link().await {
        Ok(link) => println!(
            "open this link within 30 minutes to make the first operator: {reached_at}{}",
            link.path()
        ),
        Err(error) => {
            tracing::warn!(%error, "no link for the first operator could be made; start the server again for one");
        }
    }
}

/// Connections that may wait for being accepted: the standard library's 128 are soon full, and a client whose
/// connection finds no place tries again only after a second. The system may allow fewer.
const BACKLOG: u32 = 4096;

/// Takes an address, without listening yet.
fn bind(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let bound = || bind(address)?.listen(BACKLOG)?.into_std();
    bound().map_err(|error| StartError::Listen { address, error })
}

fn open_store(
    files: &files::Files,
    world: &World,
    checkpoints: bool,
    handover: Arc<dyn Handover>,
) -> Result<Arc<Store>, StartError> {
    let path = files.dir.database();
    let config = StoreConfig {
        path: path.clone(),
        backups: files.dir.backups(),
        vault: Arc::clone(&files.vault),
        clock: Arc::clone(&world.clock),
        random: Arc::clone(&world.random),
        checkpoints,
        handover,
    };
    Store::open(config).map_err(|error| StartError::Store { path, error })
}

fn sender(
    config: &Config,
    own: Option<SocketAddr>,
    lookup: Arc<dyn Lookup>,
    idle_connections: usize,
) -> Result<Sender, StartError> {
    let allow = config.allow_net.iter().map(|(net, port)| AllowedNet { net: *net, port: *port }).collect();
    let egress_proxy = config.egress_proxy.as_ref().map(|proxy| {
        let authorization = proxy.authorization.as_ref().map(|value| value.expose().to_owned());
        EgressProxy::new(&proxy.host, proxy.port, authorization)
    });
    let policy = Policy { allow, own: own.into_iter().collect() };
    let (extra_ca, hanging_names) = (config.extra_ca.clone(), usize::from(config.delivery_threads / 2));
    Sender::new(SenderConfig { policy, egress_proxy, extra_ca, lookup, idle_connections, hanging_names })
        .map_err(StartError::System)
}

/// Connections of the command that such a server is there for.
const OWN_CALLS: usize = 16;

/// A server without a port and without deliveries: for a command on a file that no server has open. It answers
/// on a Unix socket only, so that commands have one way to go.
pub(crate) fn local_only(data: &std::path::Path) -> Result<(Server, Arc<Service>, files::Files), StartError> {
    let world = World::real()?;
    let files = files::open(data, &*world.random)?;
    let variables = Environment::of_process();
    let refused = |error: ConfigError| StartError::System(error.to_string());
    // What endpoints may be is said by variables here; what `serve` is started with is not known.
    let flags = Flags { data: Some(data.to_string_lossy().into_owned()), ..Flags::default() };
    let config = Config::read(flags, &variables).map_err(refused)?;
    let reached_at = console_at(&variables).map_err(refused)?;
    let store = open_store(&files, &world, config.checkpoint, Arc::new(NoHandover))?;
    let sender = sender(&config, None, Arc::clone(&world.lookup), OWN_CALLS)?;
    let rules = TargetRules { allow_http: config.allow_http };
    let service = Arc::new(Service::new(store, Arc::new(sender), rules));
    files.begin_accepting()?;
    let unix: UnixListener = files.listen_for_own_call()?;
    let state = AppState::new(Arc::clone(&service), Vec::new(), reached_at);
    let web = server::start(state, None, Some(unix), OWN_CALLS)
        .map_err(|error| StartError::System(error.to_string()))?;
    Ok((web, service, files))
}

/// The first key is the first thing that is written: a disk that fails there is to be told as such.
fn first_key_failed(error: Error, service: &Service, files: &files::Files) -> StartError {
    match service.store().trouble() {
        Some(reason) => {
            StartError::Store { path: files.dir.database(), error: StoreError::Unavailable(reason).into() }
        }
        None => StartError::FirstKey(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_server_that_ends_by_itself_ends_the_program_with_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let flags = Flags {
            data: Some(data.to_str().unwrap().to_owned()),
            listen: Some("127.0.0.1:0".to_owned()),
            ..Flags::default()
        };
        let config = Config::read(flags, &Environment::of(&[])).unwrap();
        let ended = actix_web::rt::System::new().block_on(async {
            let application = Application::build(&config, World::real().unwrap()).await.unwrap();
            let handle = application.web.handle();
            actix_web::rt::spawn(async move { handle.stop(false).await });
            application.run_until_stopped().await
        });
        assert!(ended.is_err_and(|error| error.to_string().contains("ended by itself")));
        // All else has stopped in order.
        assert!(!data.join("postrider.sock").exists());
    }
}
