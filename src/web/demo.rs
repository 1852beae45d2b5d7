//! The customers of `postrider demo`: one receiver, whose path says how it behaves.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use serde_json::json;

/// Longer than any endpoint waits.
const FOR_EVER: Duration = Duration::from_mins(5);
/// Out of [`CYCLE`] requests in a row to the flapping one, so many fail.
const FAILING: u32 = 6;
const CYCLE: u32 = 16;
const STOP_PATIENCE_SECONDS: u64 = 0;

/// How they behave at present.
#[derive(Debug, Default)]
pub struct Customers {
    /// Days pass in seconds: nobody is slow.
    hurried: AtomicBool,
    requests: AtomicU32,
    flaps: AtomicU32,
}

impl Customers {
    /// Whether the slow ones are to answer at once.
    pub fn hurry(&self, hurried: bool) {
        self.hurried.store(hurried, Ordering::Relaxed);
    }

    async fn wait(&self, time: Duration) {
        if !self.hurried.load(Ordering::Relaxed) {
            actix_web::rt::time::sleep(time).await;
        }
    }

    /// 0.8 to 2.3 seconds, which is slow and no failure.
    fn slowness(&self) -> Duration {
        let turn = self.requests.fetch_add(1, Ordering::Relaxed);
        Duration::from_millis(800 + u64::from(turn * 37 % 16) * 100)
    }
}

/// Starts to receive.
///
/// # Errors
/// The listener cannot be used.
pub fn start(tcp: TcpListener, customers: Arc<Customers>) -> io::Result<Server> {
    let customers = Data::from(customers);
    let app = move || App::new().app_data(customers.clone()).default_service(web::to(receive));
    let server = HttpServer::new(app)
        .workers(1)
        .shutdown_timeout(STOP_PATIENCE_SECONDS)
        .disable_signals()
        .listen(tcp)?;
    Ok(server.run())
}

/// The first segment of the path is the behaviour.
async fn receive(customers: Data<Customers>, request: HttpRequest, _body: Bytes) -> HttpResponse {
    match request.path().split('/').nth(1).unwrap_or_default() {
        "slow" => {
            customers.wait(customers.slowness()).await;
            received()
        }
        "flapping" if customers.flaps.fetch_add(1, Ordering::Relaxed) % CYCLE < FAILING => {
            refused(StatusCode::SERVICE_UNAVAILABLE, "our database is restarting, come back later\n")
        }
        "failing" => refused(
            StatusCode::INTERNAL_SERVER_ERROR,
            "TypeError: Cannot read properties of undefined (reading 'id')\n    at /srv/app/webhooks.js:42:17\n",
        ),
        "gone" => refused(StatusCode::GONE, "this integration was removed\n"),
        "hanging" => {
            customers.wait(FOR_EVER).await;
            refused(StatusCode::GATEWAY_TIMEOUT, "the application behind has not answered\n")
        }
        _ => received(),
    }
}

fn received() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "received": true }))
}

fn refused(status: StatusCode, says: &'static str) -> HttpResponse {
    HttpResponse::build(status).content_type("text/plain; charset=utf-8").body(says)
}
