//! A request and its answer, side by side.

use crate::service::render::Detail;
use crate::store::outcome::{AttemptRecord, PhasesMs};
use crate::web::ui::shown::{self, Body, ShownHeaders};

/// Characters that a page has room for of a URL, and of what went wrong.
const URL: usize = 300;
const ERROR: usize = 500;

/// The last attempt of a delivery.
pub(super) struct Exchange {
    /// The delivery.
    pub(super) delivery: String,
    /// Where it went.
    pub(super) url: Option<String>,
    /// What was sent, but for credentials.
    pub(super) request_headers: ShownHeaders,
    /// As it was sent; `None`: the data was deleted since.
    pub(super) request_body: Option<Body>,
    /// The record of it.
    pub(super) record: AttemptRecord,
    /// What came back.
    pub(super) answer_headers: ShownHeaders,
    /// What went wrong.
    pub(super) error: Option<String>,
    /// At most 2 KB.
    pub(super) answer_body: Body,
}

impl Exchange {
    /// `None`: no attempt was made.
    pub(super) fn of(detail: Detail) -> Option<Self> {
        let attempt = detail.attempts.into_iter().next_back()?;
        let record = attempt.row.record;
        Some(Self {
            delivery: detail.row.id.to_string(),
            url: attempt.url.as_deref().map(|url| shown::short(url, URL)),
            request_headers: attempt.request_headers.as_ref().map(ShownHeaders::of).unwrap_or_default(),
            request_body: detail.request_body.map(|body| Body::of(body.as_bytes(), false)),
            answer_headers: ShownHeaders::of(&attempt.response_headers),
            answer_body: Body::of(&record.response_body, false),
            error: record.error.as_deref().map(|error| shown::short(error, ERROR)),
            record,
        })
    }

    /// Whether it was taken.
    pub(super) fn is_success(&self) -> bool {
        self.record.error.is_none()
    }

    /// The parts of its duration that are known, as the page of a delivery calls them.
    pub(super) fn phases(&self) -> Vec<(&'static str, String)> {
        let PhasesMs { dns, connect, tls, wait, read } = self.record.phases;
        let named = [("dns", dns), ("connect", connect), ("tls", tls), ("wait", wait), ("read", read)];
        let known = named.into_iter().filter_map(|(name, ms)| Some((name, shown::duration(ms?))));
        known.collect()
    }

    /// How long it took in all.
    pub(super) fn duration(&self) -> String {
        shown::duration(self.record.duration_ms)
    }
}
