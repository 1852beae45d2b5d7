//! Reading a request's body, within limits of size, time and memory.

use std::rc::Rc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Bytes, Payload};
use futures_util::StreamExt;

use crate::service::Code;

use super::budget::Taken;
use super::fields::Fields;
use super::flow::Flow;
use super::problem::Problem;
use super::query;
use super::state::AppState;

/// How long a whole body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// Room that is made at once for pieces of a body that are still to come.
const ROOM: usize = 64 * 1024;

/// Room for the small calls that are not about events.
pub const SMALL: usize = 64 * 1024;

/// Reads a body of at most `limit` bytes of JSON.
///
/// `optional`: all fields of the call are, so an empty body without `Content-Type` is allowed too, and comes back
/// empty.
///
/// # Errors
/// 413 with the limit, 415 for anything that does not say that it is JSON, 408 after 10 s, 503 when too many bodies
/// are being read, 400 when the body is cut.
pub async fn read(
    request: &HttpRequest,
    payload: Payload,
    limit: usize,
    optional: bool,
) -> Result<Bytes, Problem> {
    Ok(read_and_keep(request, payload, limit, optional).await?.0)
}

/// Refuses whatever comes with a call that takes neither fields nor parameters.
///
/// # Errors
/// As [`read`]; 400 with what is not known.
pub async fn nothing(request: &HttpRequest, payload: Payload) -> Result<(), Problem> {
    query::none(request)?;
    let body = read(request, payload, SMALL, true).await?;
    Fields::parse_optional(&body)?.finish()
}

/// The same for a body that may be large and is worked on for a while: until what comes with it is dropped, it counts
/// among those that are being read.
///
/// # Errors
/// As [`read`].
pub async fn read_and_keep(
    request: &HttpRequest,
    payload: Payload,
    limit: usize,
    optional: bool,
) -> Result<(Bytes, Taken), Problem> {
    let json = media_type(request.headers())?;
    if !json && !optional {
        return Err(not_json());
    }
    let (body, taken) = receive(request, payload, limit).await?;
    if json || body.is_empty() { Ok((body, taken)) } else { Err(not_json()) }
}

/// Reads the body of a form of the console, of at most `limit` bytes.
///
/// # Errors
/// As [`read`]; 415 for anything that is not `application/x-www-form-urlencoded`.
pub async fn read_form(request: &HttpRequest, payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    let value = request.headers().get(header::CONTENT_TYPE).map(header::HeaderValue::as_bytes);
    let essence = value.and_then(|value| value.split(|byte| *byte == b';').next()).unwrap_or_default();
    if !essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
        let detail = "send the form as a browser does: application/x-www-form-urlencoded";
        return Err(Problem::new(Code::UnsupportedMediaType, detail));
    }
    Ok(receive(request, payload, limit).await?.0)
}

/// The whole body, within its limits of size, time and memory.
async fn receive(request: &HttpRequest, payload: Payload, limit: usize) -> Result<(Bytes, Taken), Problem> {
    if content_length(request.headers()).is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    let state = AppState::of(request)?;
    let mut taken = state.bodies.open();
    let wanted = request.conn_data::<Rc<Flow>>().map(Flow::read_body);
    let reading = collect(payload, limit, &mut taken);
    let Ok(read) = actix_web::rt::time::timeout(PATIENCE, reading).await else {
        let detail = format!("the body has not arrived within {} s; send it again", PATIENCE.as_secs());
        return Err(Problem::new(Code::RequestTimeout, detail));
    };
    let body = read?;
    if let Some(wanted) = wanted {
        wanted.complete();
    }
    Ok((body, taken))
}

/// Joins the pieces. A body that came in one piece is not copied.
async fn collect(mut payload: Payload, limit: usize, taken: &mut Taken) -> Result<Bytes, Problem> {
    let mut joined = Joined::default();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|error| cut(&error))?;
        if joined.len() + piece.len() > limit {
            return Err(too_large(limit));
        }
        if !taken.add(piece.len()) {
            let detail = "too many large requests are being read at once; repeat this one";
            return Err(Problem::new(Code::Overloaded, detail));
        }
        joined.add(piece);
    }
    Ok(joined.whole())
}

/// The pieces of a body so far.
#[derive(Default)]
struct Joined {
    first: Bytes,
    all: Vec<u8>,
}

impl Joined {
    fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    fn add(&mut self, piece: Bytes) {
        if self.len() == 0 {
            self.first = piece;
            return;
        }
        let first = std::mem::take(&mut self.first);
        let more = first.len() + piece.len();
        if self.all.capacity() - self.all.len() < more {
            // Grown by doubling, a body takes up to twice the memory that is counted for it.
            self.all.reserve_exact(more.max(ROOM));
        }
        self.all.extend_from_slice(&first);
        self.all.extend_from_slice(&piece);
    }

    fn whole(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.into() }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the request says that its body is JSON; `false`: it says nothing.
fn media_type(headers: &HeaderMap) -> Result<bool, Problem> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(header::HeaderValue::as_bytes);
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"identity")) {
        let detail = "send the body without Content-Encoding; compressed bodies are not read";
        return Err(Problem::new(Code::UnsupportedMediaType, detail));
    }
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(false) };
    let value = value.to_str().map_err(|_| not_json())?;
    if is_json(value) { Ok(true) } else { Err(not_json()) }
}

/// `application/json`, or any type with the suffix `+json`, in UTF-8 if it says in what.
fn is_json(value: &str) -> bool {
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim_end().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    let json = essence == "application/json"
        || essence.split_once('/').is_some_and(|(_, kind)| kind.len() > 5 && kind.ends_with("+json"));
    json && charset.is_none_or(|charset| charset.eq_ignore_ascii_case("utf-8"))
}

fn not_json() -> Problem {
    let detail = "send the body as JSON in UTF-8, with Content-Type: application/json";
    Problem::new(Code::UnsupportedMediaType, detail)
}

fn too_large(limit: usize) -> Problem {
    Problem::new(Code::TooLarge, format!("the body of this call may have at most {limit} bytes"))
}

fn cut(error: &PayloadError) -> Problem {
    let detail = match error {
        PayloadError::EncodingCorrupted => "the chunks of the body are not those of HTTP/1.1; send it again",
        _ => "the body ended before it was complete; send it again",
    };
    Problem::new(Code::MalformedRequest, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_of_a_body_take_little_more_memory_than_they_are_counted_for() {
        let one = Bytes::from(vec![7; 100_000]);
        let mut joined = Joined::default();
        joined.add(one.clone());
        assert_eq!(joined.whole().as_ptr(), one.as_ptr(), "one piece is not copied");
        for size in [1, 1_000, 16 * 1024, ROOM + 1] {
            let (mut joined, mut wanted) = (Joined::default(), Vec::new());
            for n in 0..100_u8 {
                let piece = vec![n; size];
                wanted.extend_from_slice(&piece);
                joined.add(piece.into());
                assert_eq!(joined.len(), wanted.len());
                assert!(joined.all.capacity() <= joined.len() + ROOM, "{size}: {}", joined.all.capacity());
            }
            assert_eq!(joined.whole(), wanted);
        }
    }

    #[test]
    fn json_in_utf_8_is_read_whatever_its_suffix() {
        for good in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/cloudevents+json;charset=\"utf-8\"",
            "application/json; profile=x",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in ["", "text/json", "application/jsonx", "application/+json", "json", "text/plain", "a/json"]
        {
            assert!(!is_json(bad), "{bad}");
        }
        assert!(!is_json("application/json; charset=iso-8859-1"));
    }
}
