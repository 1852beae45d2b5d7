//! One delivery with all that is known of its attempts. Requests are not stored as text: they are rendered again,
//! from the event and from what each attempt kept.

use std::sync::Arc;

use crate::domain::format::{AttemptOnWire, EventOnWire, Format};
use crate::domain::headers::CustomHeaders;
use crate::domain::target::{Target, TargetRules};
use crate::store::Reader;
use crate::store::attempts::AttemptRow;
use crate::store::deliveries::DeliveryRow;
use crate::store::events::StoredEvent;
use crate::store::revisions::Revision;

use super::error::Error;

/// Names and values in their order.
pub type Headers = Vec<(String, String)>;

/// Bytes of bodies at most that are shown with attempts, which may be many.
const MOST_BODIES: usize = 4 * 1024 * 1024;

/// A delivery and its attempts.
#[derive(Debug)]
pub struct Detail {
    /// The delivery.
    pub row: DeliveryRow,
    /// What its last attempt has sent, or the first one would send now. `None`: the event's data was deleted, or
    /// the endpoint is gone without a trace.
    pub request_body: Option<String>,
    /// Its attempts, the first one first.
    pub attempts: Vec<ShownAttempt>,
}

/// An attempt with its request.
#[derive(Debug)]
pub struct ShownAttempt {
    /// As it is stored.
    pub row: AttemptRow,
    /// Where it went.
    pub url: Option<String>,
    /// As they were sent, but for the values of the endpoint's own, which are credentials.
    pub request_headers: Option<Headers>,
    /// What it has sent, where that is not the delivery's `request_body`, because the format was another, and as long as
    /// these are 4 MB at most in all.
    pub request_body: Option<String>,
    /// As they came, as far as they were kept.
    pub response_headers: Headers,
}

/// Gathers what is known of a delivery.
pub(super) fn detail(reader: &Reader<'_>, row: DeliveryRow) -> Result<Detail, Error> {
    let event = reader.stored_event(row.event)?;
    let mut rendering =
        Rendering { reader, row: &row, event: event.as_ref(), revision: None, told: None, room: MOST_BODIES };
    let attempts = reader.attempts(row.id)?;
    if let Some(last) = attempts.last() {
        rendering.read_revisions(last.record.revision, last.record.format_revision)?;
    }
    let request_body = rendering.body()?;
    rendering.told.clone_from(&request_body);
    let attempts =
        attempts.into_iter().map(|attempt| rendering.attempt(attempt)).collect::<Result<_, Error>>()?;
    Ok(Detail { row, request_body, attempts })
}

/// The request of one attempt: where it went, its headers, its body. `None`: the event's data was deleted, or what
/// shaped the request is gone.
pub(super) fn request(
    reader: &Reader<'_>,
    row: &DeliveryRow,
    attempt: AttemptRow,
) -> Result<Option<(String, Headers, String)>, Error> {
    let event = reader.stored_event(row.event)?;
    let mut rendering =
        Rendering { reader, row, event: event.as_ref(), revision: None, told: None, room: usize::MAX };
    let shown = rendering.attempt(attempt)?;
    Ok(shown
        .url
        .zip(shown.request_headers)
        .zip(shown.request_body)
        .map(|((url, headers), body)| (url, headers, body)))
}

struct Rendering<'a> {
    reader: &'a Reader<'a>,
    row: &'a DeliveryRow,
    event: Option<&'a StoredEvent>,
    /// The revisions of endpoint and format that were read last: most attempts have the same.
    revision: Option<Revisions>,
    /// The body that the delivery is shown with.
    told: Option<String>,
    /// Bytes of other bodies that there is room for.
    room: usize,
}

/// What shaped a request.
struct Revisions {
    endpoint: Revision,
    format_revision: i64,
    /// `None`: it is gone.
    format: Option<Arc<Format>>,
}

impl Rendering<'_> {
    fn attempt(&mut self, row: AttemptRow) -> Result<ShownAttempt, Error> {
        self.read_revisions(row.record.revision, row.record.format_revision)?;
        let (request_headers, body) = self.request(&row)?.unzip();
        let request_body =
            body.flatten().filter(|body| self.told.as_ref() != Some(body) && body.len() <= self.room);
        self.room -= request_body.as_ref().map_or(0, String::len);
        let url = self.revision.as_ref().map(|revision| revision.endpoint.url.clone());
        let response_headers = parse_headers(&row.record.response_headers);
        Ok(ShownAttempt { row, url, request_headers, request_body, response_headers })
    }

    fn read_revisions(&mut self, number: i64, format_revision: i64) -> Result<(), Error> {
        let known =
            |known: &Revisions| known.endpoint.number == number && known.format_revision == format_revision;
        if self.revision.as_ref().is_some_and(known) {
            return Ok(());
        }
        self.revision = match self.reader.revision(self.row.endpoint, number)? {
            Some(endpoint) => {
                let format = self.reader.format_at(&endpoint.format, format_revision)?;
                Some(Revisions { endpoint, format_revision, format })
            }
            None => None,
        };
        Ok(())
    }

    /// What an attempt has sent; without the body where the event's data was deleted.
    fn request(&self, attempt: &AttemptRow) -> Result<Option<(Headers, Option<String>)>, Error> {
        let (Some(revisions), Some(event)) = (&self.revision, self.event) else { return Ok(None) };
        let (revision, Some(format)) = (&revisions.endpoint, &revisions.format) else { return Ok(None) };
        let masked: Headers = CustomHeaders::stored(revision.headers.clone())
            .masked()
            .map(|(name, mask)| (name.to_owned(), mask.to_owned()))
            .collect();
        let record = &attempt.record;
        let sent = AttemptOnWire { timestamp_seconds: record.started_at.seconds(), number: attempt.number };
        let agent = format!("Postrider/{}", self.reader.version_at(record.started_at)?);
        let public_id = event.public_id();
        let rendered = format.render_recorded(
            &on_wire_event(event, &public_id),
            &sent,
            &record.signatures,
            &masked,
            &agent,
        );
        let target = Target::parse(&revision.url, TargetRules { allow_http: true }).ok();
        let host = target.as_ref().map(Target::host_header);
        let length = event.blanked_at.is_none().then_some(rendered.body.len());
        let body = event.blanked_at.is_none().then(|| String::from_utf8_lossy(&rendered.body).into_owned());
        Ok(Some((on_wire(rendered.headers, host, length), body)))
    }

    /// The body, in the format of the last attempt, else of the endpoint as it is.
    fn body(&mut self) -> Result<Option<String>, Error> {
        let Some(event) = self.event.filter(|event| event.blanked_at.is_none()) else { return Ok(None) };
        if self.revision.is_none() {
            self.revision = match self.reader.endpoint(self.row.endpoint)? {
                Some(endpoint) => {
                    let present = self.reader.format(&endpoint.revision.format)?;
                    let format_revision = present.as_ref().map_or(0, |present| present.revision);
                    let format = present.map(|present| present.format);
                    Some(Revisions { endpoint: endpoint.revision, format_revision, format })
                }
                None => None,
            };
        }
        let Some(Revisions { format: Some(format), .. }) = &self.revision else { return Ok(None) };
        let body = format.body(&on_wire_event(event, &event.public_id()));
        Ok(Some(String::from_utf8_lossy(&body).into_owned()))
    }
}

/// Headers as they stand on the wire: names in lower case, those first that are the sender's.
pub(super) fn on_wire(rendered: Headers, host: Option<&str>, content_length: Option<usize>) -> Headers {
    let mut headers = Vec::with_capacity(rendered.len() + 2);
    headers.extend(content_length.map(|length| ("content-length".to_owned(), length.to_string())));
    headers.extend(host.map(|host| ("host".to_owned(), host.to_owned())));
    headers.extend(rendered.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)));
    headers
}

fn on_wire_event<'a>(event: &'a StoredEvent, public_id: &'a str) -> EventOnWire<'a> {
    EventOnWire {
        id: public_id,
        r#type: event.event_type.as_str(),
        timestamp: event.timestamp,
        tenant: event.tenant.as_str(),
        data: &event.data,
    }
}

/// Reads header lines as an attempt keeps them: `name: value` and a line feed for each. What is not UTF-8 is shown
/// with replacement characters; a last line that was cut before its colon is left out.
fn parse_headers(lines: &[u8]) -> Headers {
    let text = String::from_utf8_lossy(lines);
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().to_owned()))
    };
    text.split('\n').filter_map(header).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_header_lines_are_read_back_as_they_came() {
        let lines = b"content-type: text/plain\nset-cookie: a=b: c\r\nset-cookie: d\nx: \xff\nempty:\ncut-o";
        let expected = [
            ("content-type", "text/plain"),
            ("set-cookie", "a=b: c"),
            ("set-cookie", "d"),
            ("x", "\u{fffd}"),
            ("empty", ""),
        ];
        assert_eq!(parse_headers(lines), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(parse_headers(b"").is_empty());
    }
}
