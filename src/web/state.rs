//! What all handlers share.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use ipnet::IpNet;

use crate::domain::complaints::Complaints;
use crate::service::operators::LinkMade;
use crate::service::{Error, Service};

use super::budget::Budget;
use super::problem::Problem;
use super::request_id::RequestIds;
use super::ui::made::Made;
use super::ui::shelf::Shelf;

/// Bytes of bodies that are being read at once.
const BODIES: usize = 16 * 1024 * 1024;
/// Bytes of large answers that wait for their callers to read them.
const ANSWERS: usize = 16 * 1024 * 1024;
/// What has to be left of them before the database is read for another: so much that most fit in.
const ANSWER: usize = 4 * 1024 * 1024;
/// Bytes of long heads that are not complete.
const HEADS: usize = 8 * 1024 * 1024;

/// Many requests are refused at once, for one reason.
const COMPLAINTS_APART: Duration = Duration::from_secs(1);

/// One for the whole server, handed to every handler as `web::Data<AppState>`.
pub struct AppState {
    /// The use cases.
    pub service: Arc<Service>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxy: Vec<IpNet>,
    /// Where people reach the console, without a final slash: in links, and whether cookies can be `Secure`.
    pub public_url: String,
    pub(super) ids: RequestIds,
    pub(super) bodies: Budget,
    pub(super) answers: Budget,
    pub(super) heads: Budget,
    pub(super) complaints: Complaints,
    /// What waits to be shown once.
    pub(super) kept: Shelf,
    /// What forms have made.
    pub(super) made: Made,
}

impl AppState {
    /// That of the server which a request came to.
    ///
    /// # Errors
    /// A defect: a server without a state.
    pub(super) fn of(request: &HttpRequest) -> Result<&Data<Self>, Problem> {
        let state = request.app_data::<Data<Self>>();
        state.ok_or_else(|| Problem::internal("the server has no state"))
    }

    /// The state of a server that is about to start.
    pub fn new(service: Arc<Service>, trusted_proxy: Vec<IpNet>, public_url: String) -> Self {
        let ids = RequestIds::new(&**service.store().random());
        Self {
            service,
            trusted_proxy,
            public_url,
            ids,
            bodies: Budget::new(BODIES),
            answers: Budget::new(ANSWERS),
            heads: Budget::new(HEADS),
            complaints: Complaints::every(COMPLAINTS_APART),
            kept: Shelf::default(),
            made: Made::default(),
        }
    }

    /// Whether browsers reach the console by https.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The address of a one-time link.
    pub fn link(&self, link: &LinkMade) -> String {
        format!("{}{}", self.public_url, link.path())
    }

    /// The answer, as JSON, of a call that reads much, on a thread that may wait: to write a long list down takes
    /// longer than to find it, and other requests wait for their turn meanwhile. Not while answers that are not read
    /// fill the memory: there would be no room for this one.
    pub async fn answer(
        &self,
        work: impl FnOnce(&Service) -> Result<Vec<u8>, Problem> + Send + 'static,
    ) -> Result<HttpResponse, Problem> {
        if !self.answers.has(ANSWER) {
            return Err(Problem::too_many_answers());
        }
        let service = Arc::clone(&self.service);
        let text = web::block(move || work(&service)).await.map_err(|_| no_thread())??;
        Ok(HttpResponse::Ok().content_type("application/json").body(text))
    }

    /// Runs a use case that reads the database, on a thread that may wait.
    ///
    /// Writes do not need it: they answer with a future.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Service) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let service = Arc::clone(&self.service);
        match web::block(move || work(&service)).await {
            Ok(result) => result.map_err(Problem),
            Err(_) => Err(no_thread()),
        }
    }
}

fn no_thread() -> Problem {
    Problem::internal("a read has panicked, or the server is stopping")
}
