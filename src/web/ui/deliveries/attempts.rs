//! A delivery's attempts: a timeline, and one of them in full.

use crate::domain::headers::MASK;
use crate::domain::inert;
use crate::domain::time::UnixMs;
use crate::service::curl::SentRequest;
use crate::service::render::{Detail, ShownAttempt};
use crate::store::outcome::PhasesMs;
use crate::web::ui::shown::{self, Body, ShownHeaders};
use crate::web::ui::weight::weight;

use super::advice::advice;

/// Attempts of a timeline.
const MOST: usize = 20;
/// Bytes of the page that a command takes which stands there itself.
const COMMAND: usize = 6 * 1024;
/// Characters of a URL that a page has room for; its endpoint's page has all of it.
pub(super) const URL: usize = 300;
/// Units of a bar's width.
const WIDTH: u32 = 1_000;

/// A part of an attempt's time.
pub(super) struct Phase {
    pub(super) name: &'static str,
    pub(super) x: u32,
    pub(super) width: u32,
    pub(super) length: String,
}

/// An attempt in the timeline.
pub(super) struct Line {
    pub(super) number: u32,
    pub(super) at: UnixMs,
    pub(super) status_code: Option<u16>,
    pub(super) error: Option<String>,
    pub(super) duration: String,
    pub(super) phases: Vec<Phase>,
    pub(super) chosen: bool,
}

/// Some attempts, the last one first.
pub(super) struct Timeline {
    pub(super) lines: Vec<Line>,
    /// Older attempts than these are below this number.
    pub(super) older: Option<u32>,
    /// Whether there are newer ones.
    pub(super) newer: bool,
}

impl Timeline {
    /// The last attempts, or the last ones below a number.
    pub(super) fn of(detail: &Detail, chosen: Option<u32>, below: Option<u32>) -> Self {
        let longest = detail.attempts.iter().map(|attempt| attempt.row.record.duration_ms).max().unwrap_or(0);
        let mut shown = detail
            .attempts
            .iter()
            .rev()
            .skip_while(|attempt| below.is_some_and(|below| attempt.row.number >= below))
            .peekable();
        let newest = shown.peek().map(|attempt| attempt.row.number);
        let lines: Vec<_> = shown.by_ref().take(MOST).map(|attempt| line(attempt, longest, chosen)).collect();
        let older = shown.peek().and_then(|_| lines.last()).map(|line| line.number);
        Self { newer: newest < detail.attempts.last().map(|last| last.row.number), older, lines }
    }
}

fn line(attempt: &ShownAttempt, longest: u32, chosen: Option<u32>) -> Line {
    let record = &attempt.row.record;
    Line {
        number: attempt.row.number,
        at: record.started_at,
        status_code: record.status_code,
        error: record.error.as_deref().map(shown::cause),
        duration: shown::duration(record.duration_ms),
        phases: phases(record.phases, longest),
        chosen: chosen == Some(attempt.row.number),
    }
}

/// One behind the other, on the scale of the longest attempt.
fn phases(ms: PhasesMs, longest: u32) -> Vec<Phase> {
    let all =
        [("dns", ms.dns), ("connect", ms.connect), ("tls", ms.tls), ("wait", ms.wait), ("read", ms.read)];
    let scaled = |ms: u32| {
        let share = u64::from(ms) * u64::from(WIDTH) / u64::from(longest.max(1));
        u32::try_from(share).unwrap_or(WIDTH).min(WIDTH)
    };
    let mut x = 0;
    let mut phases = Vec::new();
    for (name, ms) in all {
        let Some(ms) = ms else { continue };
        // What took less than a millisecond is seen as well.
        let width = scaled(ms).max(2);
        phases.push(Phase { name, x, width, length: shown::duration(ms) });
        x += width;
    }
    phases
}

/// One attempt in full.
pub(super) struct Chosen {
    pub(super) number: u32,
    pub(super) at: UnixMs,
    pub(super) duration: String,
    pub(super) url: Option<String>,
    pub(super) address: Option<String>,
    pub(super) status_code: Option<u16>,
    pub(super) error: Option<String>,
    pub(super) advice: &'static str,
    pub(super) request_headers: ShownHeaders,
    /// Whether values of these are credentials, which the command does not hold.
    pub(super) masked: bool,
    /// `None`: the data of the event was deleted, or what shaped the request is gone.
    pub(super) body: Option<Body>,
    pub(super) response_headers: ShownHeaders,
    pub(super) answer: Body,
    /// The command to send the same; `None`: there is none, or it is long, or holds what a page does not show as it is.
    pub(super) curl: Option<String>,
}

impl Chosen {
    pub(super) fn of(attempt: &ShownAttempt, request: Option<&SentRequest>, raw: bool) -> Self {
        let record = &attempt.row.record;
        let error = record.error.as_deref();
        let headers = request.map(|request| &request.headers).or(attempt.request_headers.as_ref());
        // What is copied has to be exact, so one that cannot be shown as it is comes as a file.
        let shows = |command: &String| weight(command) <= COMMAND && inert::inert(command) == *command;
        let curl = request.map(SentRequest::curl).filter(shows);
        Self {
            number: attempt.row.number,
            at: record.started_at,
            duration: shown::duration(record.duration_ms),
            url: attempt.url.as_deref().map(|url| shown::short(url, URL)),
            address: record.address.clone(),
            status_code: record.status_code,
            error: error.map(|error| shown::short(error, 500)),
            advice: error.map_or("", |error| advice(record.status_code, error)),
            masked: headers.is_some_and(|headers| headers.iter().any(|(_, value)| value == MASK)),
            request_headers: headers.map(ShownHeaders::of).unwrap_or_default(),
            body: request.map(|request| Body::of(request.body.as_bytes(), raw)),
            response_headers: ShownHeaders::of(&attempt.response_headers),
            answer: Body::of(&record.response_body, raw),
            curl,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_on_the_scale_of_the_longest_attempt() {
        let ms = PhasesMs { dns: Some(0), connect: Some(100), tls: None, wait: Some(300), read: Some(0) };
        let all = phases(ms, 800);
        let bars: Vec<_> = all.iter().map(|phase| (phase.name, phase.x, phase.width)).collect();
        assert_eq!(bars, [("dns", 0, 2), ("connect", 2, 125), ("wait", 127, 375), ("read", 502, 2)]);
        assert_eq!(all[2].length, "300 ms");
        assert_eq!(phases(PhasesMs { wait: Some(u32::MAX), ..ms }, 0)[2].width, WIDTH);
    }
}
