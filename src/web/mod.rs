//! Floor 3: HTTP. The only actix; async stops here.
//!
//! - [`server`]: listeners, threads, timeouts. `connection`: how much is read ahead, and how long a slow client is
//!   waited for; `flow`: what requests tell it; `refusal`: what goes out when a head cannot be read.
//! - [`state`]: what handlers share. [`budget`]: memory in bytes.
//! - [`errors`] and [`problem`]: every answer of 400 and above, in one form; not each is logged.
//! - [`auth`]: who calls. [`client_address`]: from where.
//! - [`body`], [`fields`], [`query`]: reading requests, with every mistake named at once.
//! - [`listen`]: `postrider listen`, a server of its own that receives webhooks for developers.
//! - [`health`] and [`metrics`]: for those who watch the server.
//! - [`openapi`]: what there is to say about each call, as data. [`docs`]: the same as pages; [`assets`]: their style.
//! - `inert`: how every value gets into a page.
//! - [`ui`]: the console, a file for each page.
//! - [`api`]: the calls, one file for each resource. A handler extracts, calls one use case, and answers.

pub mod api;
pub mod assets;
pub mod auth;
pub mod body;
pub mod budget;
pub mod client_address;
mod connection;
pub mod demo;
pub mod docs;
pub mod errors;
pub mod fields;
mod flow;
pub mod health;
mod inert;
pub mod listen;
pub mod metrics;
pub mod openapi;
pub mod problem;
pub mod query;
mod refusal;
pub mod request_id;
pub mod server;
pub mod state;
pub mod ui;

#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};
use actix_web::{Route, guard};

/// A route that takes GET, and HEAD, which asks for the same without its body (RFC 9110, section 9.3.2).
fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// Registers all routes.
pub fn configure(config: &mut ServiceConfig) {
    health::routes(config);
    metrics::routes(config);
    openapi::routes(config);
    docs::routes(config);
    assets::routes(config);
    api::routes(config);
    ui::routes(config);
}
