//! One attempt: render, sign, send, and what is to be told about it.

use std::time::Duration;

use crate::domain::format::{AttemptOnWire, EventOnWire, Rendered};
use crate::domain::outcome::Fact;
use crate::domain::retry_after;
use crate::domain::signing::Signer;
use crate::domain::time::UnixMs;
use crate::panics;
use crate::sender::{Answer, Failure, FailureKind, HeaderName, HeaderValue, Phases, Request, Sent};
use crate::store::directory::Route;
use crate::store::handover::{Express, Job};
use crate::store::outcome::{AttemptRecord, Outcome, PhasesMs};

use super::Started;

/// The `User-Agent` of all deliveries.
const USER_AGENT: &str = concat!("Postrider/", env!("CARGO_PKG_VERSION"));

/// Makes an attempt. `None`: the server's stop cut it.
///
/// A panic is an attempt that failed, and the thread lives on.
pub(super) fn run(started: &Started, job: &Job, route: &Route) -> Option<Outcome> {
    let at = started.service.store().times().wall();
    let made = panics::caught(|| {
        let (signatures, sent) = send(started, job, route, at);
        told(started, job, route, at, signatures, sent)
    });
    made.unwrap_or_else(|panic| {
        tracing::error!(delivery = %job.delivery, panic, "a delivery panicked; counted as a failed attempt");
        let sent = failed("a defect in Postrider ended this attempt; see its log".to_owned());
        told(started, job, route, at, String::new(), sent)
    })
}

/// What the store is to know of an attempt.
fn told(
    started: &Started,
    job: &Job,
    route: &Route,
    at: UnixMs,
    signatures: String,
    sent: Sent,
) -> Option<Outcome> {
    note_trouble(started, &sent);
    if matches!(&sent.result, Err(failure) if failure.kind == FailureKind::Stopped) {
        return None;
    }
    note_failure(job, &sent);
    let fact = fact(&sent.result, started.service.store().times().wall());
    // A system call: only where a wait may follow.
    let jitter = if fact == Fact::Delivered { 0 } else { started.service.store().random().u32() };
    let attempt = record(route, at, signatures, sent);
    Some(Outcome { delivery: job.delivery, endpoint: job.endpoint, round: job.round, fact, jitter, attempt })
}

/// For whoever asked for details: which delivery to look up, and what came. Answers of 2xx are no failure.
fn note_failure(job: &Job, sent: &Sent) {
    let (delivery, endpoint) = (job.delivery, job.endpoint);
    match &sent.result {
        Ok(answer) if (200..300).contains(&answer.status) => {}
        Ok(answer) => tracing::debug!(%delivery, %endpoint, status = answer.status, "an attempt failed"),
        Err(failure) => tracing::debug!(%delivery, %endpoint, kind = ?failure.kind, "an attempt failed"),
    }
}

/// Makes the only attempt of a test call.
pub(super) fn express(started: &Started, express: Express) {
    // One that a stop has cut is dropped; its caller's connection ends with the server.
    if let Some(outcome) = run(started, &express.job, &express.route) {
        (express.done)(outcome);
    }
}

fn failed(message: String) -> Sent {
    Sent {
        duration: Duration::ZERO,
        phases: Phases::default(),
        address: None,
        result: Err(Failure { kind: FailureKind::Blocked, message }),
    }
}

/// The signatures that were sent, and what came of it.
fn send(started: &Started, job: &Job, route: &Route, at: UnixMs) -> (String, Sent) {
    let target = match &route.target {
        Ok(target) => target,
        Err(message) => return (String::new(), failed(format!("the URL of the endpoint {message}"))),
    };
    if !target.is_https() && !started.service.rules().allow_http {
        let message = "http:// endpoints are not accepted any more; use https://, or start with --allow-http";
        return (String::new(), failed(message.to_owned()));
    }
    let rendered = render(job, route, at);
    let headers = match headers(&rendered) {
        Ok(headers) => headers,
        Err(name) => {
            return (String::new(), failed(format!("the header {name} cannot be sent; change its value")));
        }
    };
    let request = Request {
        endpoint: route.id,
        revision: route.revision,
        target,
        headers: &headers,
        body: &rendered.body,
        timeout: route.timeout,
    };
    let sent = started.courier.send(&request);
    (rendered.signatures, sent)
}

fn render(job: &Job, route: &Route, at: UnixMs) -> Rendered {
    let payload = &job.payload;
    let event = EventOnWire {
        id: &payload.public_id,
        r#type: payload.event_type.as_str(),
        timestamp: payload.timestamp,
        tenant: payload.tenant.as_str(),
        data: &payload.data,
    };
    let live = |end: Option<UnixMs>| end.is_none_or(|end| at < end);
    let signers: Vec<&Signer> = route
        .signers
        .iter()
        .filter(|live_signer| live(live_signer.expires_at))
        .map(|live_signer| &live_signer.signer)
        .collect();
    let attempt = AttemptOnWire { timestamp_seconds: at.seconds(), number: job.attempts + 1 };
    route.format.render(&event, &attempt, &signers, &route.headers, USER_AGENT)
}

/// Headers as the sender wants them; the name of one that cannot be sent.
fn headers(rendered: &Rendered) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let pair = |(name, value): &(String, String)| {
        let wrong = || name.clone();
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        Ok((parsed, HeaderValue::from_str(value).map_err(|_| wrong())?))
    };
    rendered.headers.iter().map(pair).collect()
}

/// Keeps `/readyz` up to date: what failed on our side, until something does not.
fn note_trouble(started: &Started, sent: &Sent) {
    let readiness = started.service.readiness();
    match &sent.result {
        Err(failure) if failure.kind == FailureKind::Stopped => {}
        Err(failure) if failure.kind.is_ours() => {
            let now = started.service.store().times().clock().monotonic();
            readiness.set_own_trouble(failure.message.clone(), now);
        }
        _ => readiness.clear_own_trouble(),
    }
}

/// What happened, as far as the delivery's fate depends on it. By status alone.
fn fact(result: &Result<Answer, Failure>, now: UnixMs) -> Fact {
    match result {
        Ok(answer) if (200..300).contains(&answer.status) => Fact::Delivered,
        Ok(answer) => {
            let asks = matches!(answer.status, 429 | 503);
            let value =
                answer.headers.iter().find(|(name, _)| asks && name.eq_ignore_ascii_case("retry-after"));
            let retry_after = value
                .and_then(|(_, value)| std::str::from_utf8(value).ok())
                .and_then(|value| retry_after::parse(value, now));
            Fact::Failed { timed_out: false, gone: answer.status == 410, retry_after }
        }
        Err(failure) if failure.kind.is_ours() => Fact::OurTrouble,
        Err(failure) => Fact::Failed { timed_out: failure.kind.is_timeout(), gone: false, retry_after: None },
    }
}

/// One line that a person can act on, for an answer that is no success.
fn refusal(answer: &Answer) -> Option<String> {
    let status = answer.status;
    Some(match status {
        200..=299 => return None,
        300..=399 => {
            format!("answered {status}: redirects are not followed; give the endpoint its final URL")
        }
        401 | 403 => format!(
            "answered {status}: the receiver refused the request; check its signature secret and its access rules"
        ),
        404 => "answered 404: nothing is at this path; check the endpoint's URL".to_owned(),
        410 => "answered 410: the receiver says that it is gone; the endpoint is disabled".to_owned(),
        429 => "answered 429: the receiver is getting too many requests; set a rate_limit".to_owned(),
        500.. => format!("answered {status}: the receiver failed; its own log says why"),
        _ => format!("answered {status}: the receiver did not accept the request"),
    })
}

fn record(route: &Route, at: UnixMs, signatures: String, sent: Sent) -> AttemptRecord {
    let ms = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    let phases = PhasesMs {
        dns: sent.phases.dns.map(ms),
        connect: sent.phases.connect.map(ms),
        tls: sent.phases.tls.map(ms),
        wait: sent.phases.wait.map(ms),
        read: sent.phases.read.map(ms),
    };
    let (status_code, error, response_headers, response_body) = match sent.result {
        Ok(answer) => (Some(answer.status), refusal(&answer), lines(&answer.headers), answer.body),
        Err(failure) => (None, Some(failure.message), Vec::new(), Vec::new()),
    };
    AttemptRecord {
        revision: route.revision,
        format_revision: route.format_revision,
        started_at: at,
        duration_ms: ms(sent.duration),
        phases,
        address: sent.address.map(|address| address.to_string()),
        signatures,
        status_code,
        error,
        response_headers,
        response_body,
    }
}

/// An answer's headers as they are stored: a line each.
fn lines(headers: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut lines =
        Vec::with_capacity(headers.iter().map(|(name, value)| name.len() + value.len() + 3).sum());
    for (name, value) in headers {
        lines.extend_from_slice(name.as_bytes());
        lines.extend_from_slice(b": ");
        lines.extend_from_slice(value);
        lines.push(b'\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(0);

    #[expect(clippy::unnecessary_wraps, reason = "as the sender returns it")]
    fn answer(status: u16, headers: &[(&str, &str)]) -> Result<Answer, Failure> {
        let headers =
            headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        Ok(Answer { status, headers, body: Vec::new() })
    }

    #[test]
    fn the_status_alone_decides() {
        for status in [200, 201, 204, 299] {
            assert_eq!(fact(&answer(status, &[]), NOW), Fact::Delivered);
        }
        for status in [101, 300, 302, 400, 404, 500, 999] {
            let failed = Fact::Failed { timed_out: false, gone: false, retry_after: None };
            assert_eq!(fact(&answer(status, &[("retry-after", "5")]), NOW), failed, "{status}");
        }
        assert!(matches!(fact(&answer(410, &[]), NOW), Fact::Failed { gone: true, .. }));
    }

    #[test]
    fn retry_after_counts_with_429_and_503() {
        for status in [429, 503] {
            let Fact::Failed { retry_after: Some(asked), .. } =
                fact(&answer(status, &[("Retry-After", "7")]), NOW)
            else {
                panic!("no wait")
            };
            assert_eq!(asked.delivery, Duration::from_secs(7));
        }
    }

    #[test]
    fn every_refusal_has_a_line_that_says_what_to_do() {
        for status in [100, 300, 400, 401, 404, 410, 429, 500, 503, 999] {
            let line = refusal(&answer(status, &[]).unwrap()).unwrap();
            assert!(line.contains(&status.to_string()) && !line.contains('\n'));
        }
    }
}
