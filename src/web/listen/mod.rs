//! The receiver for developers, `postrider listen`: takes requests at any path, verifies and shows them, and answers
//! as it was told to.
//!
//! - [`receive`]: one request. [`entry`]: what is known of it.
//! - [`behaviour`]: how it is answered.
//! - [`record`]: what is kept for a test suite, and the three calls that read it.
//! - [`screen`] and [`paint`]: how it looks, on a terminal and in a pipe.

pub mod behaviour;
mod entry;
mod paint;
mod receive;
mod record;
pub mod screen;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};

use crate::clock::Clock;
use crate::domain::format::Format;
use crate::domain::secret::Secret;
use crate::random::Random;

use self::behaviour::Behaviour;
use self::record::Record;
pub use self::record::{KEPT_BYTES, KEPT_REQUESTS};
use self::screen::Screen;
use super::request_id::RequestIds;

/// Bytes that the body of a request may have.
const MAX_BODY: usize = 8 * 1024 * 1024;
/// Requests at once, about: more than one server sends to one endpoint.
const CONNECTIONS: usize = 512;
/// Seconds that requests under way get when it is told to stop.
const STOP_PATIENCE_SECONDS: u64 = 1;

/// What it does with requests.
#[derive(Debug, Clone)]
pub struct Options {
    /// The format that they are in.
    pub format: Arc<Format>,
    /// The secrets of which one has signed them. None: nothing is verified.
    pub secrets: Vec<Secret>,
    /// How they are answered.
    pub behaviour: Behaviour,
    /// Whether they are kept for `/received`.
    pub record: bool,
}

/// What all requests share.
struct Listener {
    options: Options,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    ids: RequestIds,
    record: Option<Record>,
    screen: Arc<Screen>,
}

/// Starts to receive. Signals are the application's business.
///
/// # Errors
/// The listener cannot be used.
pub fn start(
    tcp: TcpListener,
    options: Options,
    screen: Arc<Screen>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> io::Result<Server> {
    let ids = RequestIds::new(&*random);
    let record = options.record.then(Record::default);
    let listener = Data::new(Listener { options, clock, random, ids, record, screen });
    let app = move || {
        let record = listener.record.is_some();
        App::new()
            .app_data(listener.clone())
            .app_data(web::PayloadConfig::new(MAX_BODY))
            .configure(|config| {
                if record {
                    record::routes(config);
                }
            })
            .default_service(web::to(receive::receive))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .max_connections(CONNECTIONS)
        .shutdown_timeout(STOP_PATIENCE_SECONDS)
        .disable_signals()
        .listen(tcp)?;
    Ok(server.run())
}
