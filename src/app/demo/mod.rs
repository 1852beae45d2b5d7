//! `postrider demo`: a server with some days of history, customers of all kinds, and a stream of events, in one process
//! and a folder that goes with it.
//!
//! The customers are one receiver (`web::demo`) under names that only this process resolves. [`past`] lives through the
//! history on a manual clock; then the same folder is opened on the real one, and [`present`] publishes.

mod calls;
mod cast;
mod folder;
mod past;
mod present;

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::cli::Demo;
use crate::clock::{Clock, ManualClock, SystemClock};
use crate::config::{Config, Environment, Flags};
use crate::domain::time::UnixMs;
use crate::random::SystemRandom;
use crate::sender::{Lookup, LookupError, SystemLookup};
use crate::web::demo::{self as receiver, Customers};

use super::{Application, World};
use calls::Server;
use folder::Folder;
use past::Past;

const DAY: Duration = Duration::from_hours(24);

/// Runs the demonstration until SIGINT or SIGTERM, and removes what it has made.
///
/// # Errors
/// A sentence that says what to do.
pub fn run(demo: &Demo) -> Result<(), String> {
    let random = SystemRandom::new().map_err(|error| format!("no randomness: {error}"))?;
    // Before days have passed in vain.
    let console = (Ipv4Addr::LOCALHOST, demo.port);
    drop(TcpListener::bind(console).map_err(|error| {
        format!("cannot listen on 127.0.0.1:{}: {error}; name another port with --port", demo.port)
    })?);
    let folder = Folder::make(demo.keep.as_deref(), &random)?;
    let played = actix_web::rt::System::new().block_on(play(demo, folder.path()));
    let removed = folder.remove();
    played.and(removed)
}

async fn play(demo: &Demo, data: &Path) -> Result<(), String> {
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
    let port = tcp.local_addr().map_err(|error| error.to_string())?.port();
    let customers = Arc::new(Customers::default());
    let receiver = receiver::start(tcp, Arc::clone(&customers)).map_err(|error| error.to_string())?;
    let ending = receiver.handle();
    actix_web::rt::spawn(receiver);

    customers.hurry(true);
    eprintln!("postrider demo: {} days pass; this takes some seconds", past::DAYS);
    let lived = live_through_the_past(data, port).await?;
    customers.hurry(false);
    if let Some(events) = lived {
        be_present(demo, data, port, events).await?;
    }
    ending.stop(false).await;
    Ok(())
}

/// How many events there were; `None`: somebody has had enough.
async fn live_through_the_past(data: &Path, port: u16) -> Result<Option<u64>, String> {
    let now = SystemClock::new().wall();
    let clock = ManualClock::new(now.minus(DAY * past::DAYS));
    let app = build(data, 0, Arc::new(clock.clone())).await?;
    let past = Past {
        clock,
        dispatcher: Arc::clone(app.dispatcher()),
        server: Server::on(data),
        port,
        stopper: app.stopper(),
    };
    let lived = actix_web::rt::task::spawn_blocking(move || past.live(now));
    let reason = app.run_until_stopped().await.map_err(|error| error.to_string())?;
    let lived = lived.await.map_err(|error| error.to_string())?;
    if reason.is_signal() { Ok(None) } else { lived.map(Some) }
}

async fn be_present(demo: &Demo, data: &Path, port: u16, events: u64) -> Result<(), String> {
    let clock = Arc::new(SystemClock::new());
    let yesterday: UnixMs = clock.wall().minus(DAY);
    let app = build(data, demo.port, clock).await?;
    let address = app.address();
    let link = app.service().make_setup_link().await.map_err(|error| error.to_string())?;
    println!("console: http://{address}/");
    println!("sign in: http://{address}{}", link.path());
    println!("data:    {}", data.display());
    eprintln!(
        "The link works once, for 30 minutes; email and password are yours to choose. Ctrl-C ends the demonstration."
    );
    let stream =
        present::begin(Server::on(data), address, port, yesterday.to_string(), events, app.stopper())?;
    let reason = app.run_until_stopped().await.map_err(|error| error.to_string())?;
    stream.end(reason)
}

async fn build(data: &Path, port: u16, clock: Arc<dyn Clock>) -> Result<Application, String> {
    let flags = Flags {
        data: Some(data.to_str().ok_or("the folder's path must be UTF-8")?.to_owned()),
        listen: Some(format!("127.0.0.1:{port}")),
        dev: true,
        delivery_threads: Some("64".to_owned()),
        ..Flags::default()
    };
    // Options of a server that runs on this machine are not meant for this one.
    let config = Config::read(flags, &Environment::of(&[])).map_err(|error| error.to_string())?;
    let world = World { clock, lookup: Arc::new(Names), ..World::real().map_err(|error| error.to_string())? };
    Application::build(&config, world).await.map_err(|error| error.to_string())
}

/// The customers' names are this machine, whatever its resolver thinks of `localhost`.
struct Names;

impl Lookup for Names {
    fn lookup(&self, name: &str) -> Result<Vec<IpAddr>, LookupError> {
        if name.ends_with(".localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into()]);
        }
        SystemLookup.lookup(name)
    }
}
