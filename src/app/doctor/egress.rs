//! The way out: names, the guard, TCP, TLS and HTTP to one receiver, as a delivery goes.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::cli::Doctor;
use crate::config::Config;
use crate::domain::ids::EndpointId;
use crate::domain::target::{Target, TargetRules};
use crate::domain::time::UnixMs;
use crate::domain::verifying::span;
use crate::sender::{Answer, HeaderName, HeaderValue, Lookup, LookupError, Phases, Request, SystemLookup};

use super::report::Report;

/// A name that exists and belongs to nobody (RFC 2606).
const NAME: &str = "example.com";
/// How long names and the whole request may take.
const NAME_PATIENCE: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(15);
/// A clock that differs so much from a receiver's.
const WARNING_SECONDS: i64 = 30;
const ERROR_SECONDS: i64 = 240;

/// Looks at the resolver, and at a receiver if one was named.
pub(super) fn look(doctor: &Doctor, now: UnixMs, report: &mut Report) {
    let Some(url) = &doctor.url else {
        names(report);
        return;
    };
    match &doctor.config {
        Ok(config) => receiver(config, url, now, report),
        Err(_) => {
            report.warn("egress", "not tried: the configuration cannot be used", "see the line `config`");
        }
    }
}

/// Whether the resolver answers. A lookup cannot be cut off, so it has a thread of its own.
fn names(report: &mut Report) {
    let (answer, answered) = channel();
    std::thread::spawn(move || {
        // Nobody waits any more where it took too long.
        let _late = answer.send(SystemLookup.lookup(NAME));
    });
    let todo = "see /etc/resolv.conf; deliveries to names fail as long as this is so. `--url URL` tries one of yours";
    match answered.recv_timeout(NAME_PATIENCE) {
        Ok(Ok(addresses)) => report.ok("dns", format!("{NAME} has {} addresses", addresses.len())),
        Ok(Err(LookupError::NoSuchName)) => report.warn("dns", format!("the resolver knows no {NAME}"), todo),
        Ok(Err(LookupError::Temporary(why))) => {
            report.warn("dns", format!("{NAME} could not be resolved: {why}"), todo);
        }
        Err(_) => {
            report.warn("dns", format!("no answer about {NAME} within {} s", NAME_PATIENCE.as_secs()), todo);
        }
    }
}

/// Sends a POST of `{}`, as a delivery is sent, and tells of each phase.
fn receiver(config: &Config, url: &str, now: UnixMs, report: &mut Report) {
    let target = match Target::parse(url, TargetRules { allow_http: config.allow_http }) {
        Ok(target) => target,
        Err(error) => {
            report.error(
                "egress",
                format!("the URL {error}"),
                "an endpoint with it would be refused as well",
            );
            return;
        }
    };
    let sender = match crate::app::sender(config, None, Arc::new(SystemLookup), 1) {
        Ok(sender) => sender,
        Err(error) => {
            report.error("egress", error.to_string(), "see the line `config`");
            return;
        }
    };
    let headers = [
        (HeaderName::from_static("content-type"), HeaderValue::from_static("application/json")),
        (HeaderName::from_static("user-agent"), HeaderValue::from_static("Postrider-doctor")),
    ];
    let request = Request {
        endpoint: EndpointId(0),
        revision: 0,
        target: &target,
        headers: &headers,
        body: b"{}",
        timeout: PATIENCE,
    };
    let sent = sender.send(&request);
    let host = target.host_header();
    let at = sent.address.map(|address| format!(" at {address}")).unwrap_or_default();
    let phases = phases(&sent.phases);
    match sent.result {
        Ok(answer) => {
            report.ok("egress", format!("{host}{at} answered {}: {phases}", answer.status));
            date(&answer, now, report);
        }
        Err(failure) => {
            let so_far = if phases.is_empty() { String::new() } else { format!(" (so far: {phases})") };
            let todo =
                "a delivery there fails in the same way; the phase that is missing is the one to look at";
            report.error("egress", format!("{host}{at}: {}{so_far}", failure.message), todo);
        }
    }
}

fn phases(phases: &Phases) -> String {
    let all = [
        ("dns", phases.dns),
        ("tcp", phases.connect),
        ("tls", phases.tls),
        ("http", phases.wait),
        ("body", phases.read),
    ];
    let told =
        all.iter().filter_map(|(name, took)| took.map(|took| format!("{name} {} ms", took.as_millis())));
    told.collect::<Vec<_>>().join(", ")
}

/// The receiver's clock, where it tells (RFC 9110, section 6.6.1).
fn date(answer: &Answer, now: UnixMs, report: &mut Report) {
    let header = answer.headers.iter().find(|(name, _)| name == "date").map(|(_, value)| value);
    let date = header
        .and_then(|value| std::str::from_utf8(value).ok())
        .and_then(|text| httpdate::parse_http_date(text).ok());
    let Some(since) = date.and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok()) else { return };
    let away = now.seconds() - i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    let where_it_is = if away < 0 { "behind" } else { "ahead of" };
    let says = format!("this clock is {} {where_it_is} the receiver's", span(away));
    let todo = "set the clock (`timedatectl`); receivers refuse signatures that are 5 minutes off";
    let size = away.abs();
    if size <= WARNING_SECONDS {
        report.ok("date", says);
    } else if size <= ERROR_SECONDS {
        report.warn("date", says, todo);
    } else {
        report.error("date", says, todo);
    }
}
