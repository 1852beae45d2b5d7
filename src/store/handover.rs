//! What the writer tells the dispatcher, and what it asks of it.
//!
//! The store does not know the dispatcher; it knows this trait. All calls come from the writer's thread: after
//! a commit with what the commit changed, and when there is time to read a page. So nothing can fall between a
//! page and a hand-over, and what a caller is told has always been told to the dispatcher before.

use std::sync::Arc;

use crate::domain::ids::{DeliveryId, EndpointId, EventId};
use crate::domain::names::{EventType, TenantName};
use crate::domain::time::UnixMs;

use super::directory::Route;
use super::times::SteadyMs;

/// An event as deliveries need it; shared by all of them.
#[derive(Debug)]
pub struct Payload {
    /// The event.
    pub event: EventId,
    /// Its public id: the caller's own, or the text of `event`.
    pub public_id: Arc<str>,
    /// Its type.
    pub event_type: EventType,
    /// Its tenant.
    pub tenant: TenantName,
    /// When it happened, as the publisher says, else when it was accepted.
    pub timestamp: UnixMs,
    /// The bytes of `data`, as they were published.
    pub data: Arc<str>,
}

impl Payload {
    /// Bytes that it takes in memory, roughly.
    pub fn weight(&self) -> usize {
        self.data.len() + 256
    }
}

/// A delivery that is due, with all that is needed to send it but the endpoint's settings.
#[derive(Debug, Clone)]
pub struct Job {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Where it goes.
    pub endpoint: EndpointId,
    /// The round that an attempt will be made in.
    pub round: u32,
    /// Attempts made so far, over all rounds.
    pub attempts: u32,
    /// Since when it could be sent: it was accepted, its retry fell due, or a person asked for it.
    pub ready_at: SteadyMs,
    /// What is sent.
    pub payload: Arc<Payload>,
}

/// What a commit means for a delivery that was known to the dispatcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Nothing more to do.
    Over,
    /// To be sent again at this time.
    Due(SteadyMs),
    /// Still to be sent, as soon as its turn comes.
    Ready,
}

/// What an endpoint's health asks of its pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pace {
    /// One request at a time: three timeouts in a row.
    pub one_at_a_time: bool,
    /// Nothing before this time: the endpoint asked for it with `Retry-After`.
    pub paused_until: Option<SteadyMs>,
}

/// A call of `POST /endpoints/{id}/test`: sent at once, beside all queues.
pub struct Express {
    /// What is sent. Its delivery is made with its outcome, so `job.delivery` is unused.
    pub job: Job,
    /// The endpoint as it is now, enabled or not.
    pub route: Arc<Route>,
    /// Who waits for the outcome.
    pub done: Box<dyn FnOnce(super::outcome::Outcome) + Send>,
}

/// Something that a commit changed. In the order of the transaction.
pub enum Change {
    /// An event was accepted, with these deliveries that are ready.
    Accepted(Arc<Payload>, Vec<(DeliveryId, EndpointId)>),
    /// An endpoint was made or changed.
    Route(Arc<Route>),
    /// An endpoint was deleted.
    Gone(EndpointId),
    /// The outcome of an attempt is on disk.
    Settled {
        /// The delivery.
        delivery: DeliveryId,
        /// Its endpoint.
        endpoint: EndpointId,
        /// What becomes of it.
        after: After,
    },
    /// The pace of an endpoint, after an outcome.
    Pace(EndpointId, Pace),
    /// A person canceled it, or it is held from now on: it is not to be sent any more.
    Withdrawn(DeliveryId, EndpointId),
    /// The data of this event was deleted: none of its deliveries is to be sent any more.
    Emptied(EventId),
    /// Rows of this endpoint became ready on disk.
    Ready(EndpointId),
    /// A person wants this delivery sent now, before all others of its endpoint and also during a pause.
    Urgent(Job),
    /// Send this now, beside all queues.
    Express(Express),
}

/// What a page may bring.
#[derive(Debug, Clone, Copy)]
pub struct PagePlan {
    /// Rows at most.
    pub rows: usize,
    /// Bytes of payload at most; one row always fits.
    pub bytes: usize,
}

/// What is due at an endpoint and was not known.
#[derive(Debug)]
pub struct Page {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// In the order in which they are to be sent.
    pub jobs: Vec<Job>,
    /// Whether this was all that is due now.
    pub complete: bool,
    /// When the next retry falls due; only with `complete`.
    pub next_due: Option<SteadyMs>,
}

/// How long a page may keep the writer from its queue.
pub const PAGE_ROWS: usize = 250;

/// The dispatcher as the writer sees it.
pub trait Handover: Send + Sync {
    /// These changes are on disk.
    fn committed(&self, changes: Vec<Change>);
    /// Whether a thread is sending this delivery now, or its outcome is not committed yet.
    fn in_flight(&self, delivery: DeliveryId) -> bool;
    /// The next endpoint that wants a page, if any.
    fn wants_page(&self) -> Option<(EndpointId, PagePlan)>;
    /// Whether the dispatcher has this delivery already.
    fn knows(&self, delivery: DeliveryId) -> bool;
    /// The page that was asked for. `None`: it could not be read, ask again later.
    fn paged(&self, endpoint: EndpointId, page: Option<Page>);
    /// Whether commits fail at present. Deliveries pause meanwhile: an outcome that cannot be recorded would
    /// be sent again for ever.
    fn unavailable(&self, reason: Option<&str>);
    /// The wall clock has jumped, or the settings are others: what waits for a time of day looks again.
    fn time_of_day_changed(&self);
}

/// For a store without a dispatcher: the command line on a file that no server has open.
#[derive(Debug)]
pub struct NoHandover;

impl Handover for NoHandover {
    fn committed(&self, _changes: Vec<Change>) {}
    fn in_flight(&self, _delivery: DeliveryId) -> bool {
        false
    }
    fn wants_page(&self) -> Option<(EndpointId, PagePlan)> {
        None
    }
    fn knows(&self, _delivery: DeliveryId) -> bool {
        false
    }
    fn paged(&self, _endpoint: EndpointId, _page: Option<Page>) {}
    fn unavailable(&self, _reason: Option<&str>) {}
    fn time_of_day_changed(&self) {}
}
