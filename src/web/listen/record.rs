//! What was received, for a test suite that asks: `GET /received`, `GET /received/count`, `DELETE /received`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::domain::matching::Pattern;
use crate::domain::time::UnixMs;
use crate::service::Code;
use crate::web::problem::Problem;
use crate::web::query::{self, Query};

use super::Listener;
use super::entry::Entry;

/// Requests that are kept; the oldest go first.
pub const KEPT_REQUESTS: usize = 10_000;
/// Bytes that are kept, roughly, whatever the number of requests.
pub const KEPT_BYTES: usize = 64 * 1024 * 1024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Record(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
    /// Those that had to go since the last `DELETE`.
    dropped: u64,
}

/// Which ones are asked for.
struct Wanted {
    event_type: Option<Pattern>,
    since: Option<UnixMs>,
}

impl Record {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a request, and drops the oldest while there are too many.
    pub(super) fn push(&self, entry: Arc<Entry>) {
        let mut kept = self.lock();
        kept.bytes += entry.size();
        kept.entries.push_back(entry);
        while kept.entries.len() > KEPT_REQUESTS || kept.bytes > KEPT_BYTES {
            let Some(oldest) = kept.entries.pop_front() else { break };
            kept.bytes -= oldest.size();
            kept.dropped += 1;
        }
    }

    /// The ones that are wanted, the oldest first.
    fn find(&self, wanted: &Wanted) -> (Vec<Arc<Entry>>, u64) {
        let kept = self.lock();
        let found = kept.entries.iter().filter(|entry| wanted.has(entry)).cloned().collect();
        (found, kept.dropped)
    }

    fn clear(&self) {
        *self.lock() = Kept::default();
    }
}

impl Wanted {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let mut query = Query::of(request);
        let wanted = Self {
            event_type: query.parsed("type", Pattern::parse),
            since: query.parsed("since", UnixMs::parse),
        };
        query.finish()?;
        Ok(wanted)
    }

    fn has(&self, entry: &Entry) -> bool {
        let event_type = entry.r#type.as_deref();
        self.event_type.as_ref().is_none_or(|wanted| event_type.is_some_and(|known| wanted.matches(known)))
            && self.since.is_none_or(|since| entry.received_at >= since)
    }
}

/// The calls, where something is recorded.
pub(super) fn routes(config: &mut ServiceConfig) {
    let received = web::resource("/received").route(web::get().to(list)).route(web::delete().to(clear));
    config.service(received.default_service(web::to(no_method))).service(
        web::resource("/received/count").route(web::get().to(count)).default_service(web::to(no_method)),
    );
}

async fn list(listener: Data<Listener>, request: HttpRequest) -> HttpResponse {
    answer(&listener, |record| {
        let (found, _) = record.find(&Wanted::of(&request)?);
        let text = Problem::or_json(&found.iter().map(|entry| &**entry).collect::<Vec<&Entry>>())?;
        Ok(HttpResponse::Ok().content_type("application/json").body(text))
    })
}

async fn count(listener: Data<Listener>, request: HttpRequest) -> HttpResponse {
    answer(&listener, |record| {
        let (found, dropped) = record.find(&Wanted::of(&request)?);
        Ok(HttpResponse::Ok().json(json!({ "count": found.len(), "dropped": dropped })))
    })
}

async fn clear(listener: Data<Listener>, request: HttpRequest) -> HttpResponse {
    answer(&listener, |record| {
        query::none(&request)?;
        record.clear();
        Ok(HttpResponse::NoContent().finish())
    })
}

async fn no_method(listener: Data<Listener>, request: HttpRequest) -> HttpResponse {
    let methods = if request.path().ends_with("/count") { "GET" } else { "GET, DELETE" };
    let detail = format!("this path answers {methods}; with --record webhooks have to go to another one");
    let mut answer = Problem::new(Code::MethodNotAllowed, detail).answer(&listener.ids.next().to_string());
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    answer
}

fn answer(listener: &Listener, call: impl FnOnce(&Record) -> Result<HttpResponse, Problem>) -> HttpResponse {
    let record = listener.record.as_ref().ok_or_else(|| Problem::internal("nothing is recorded"));
    record.and_then(call).unwrap_or_else(|problem| problem.answer(&listener.ids.next().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::format::Format;
    use crate::web::listen::entry::Incoming;

    fn entry(event_type: &str, at: i64, padding: usize) -> Arc<Entry> {
        let body = format!("{{\"type\":\"{event_type}\",\"data\":\"{}\"}}", "x".repeat(padding)).into_bytes();
        let (method, path) = ("POST".to_owned(), "/".to_owned());
        let incoming = Incoming { method, path, headers: Vec::new(), body, at: UnixMs(at) };
        Arc::new(Entry::of(&incoming, &Format::standard(), &[]))
    }

    fn types(record: &Record, wanted: &Wanted) -> Vec<String> {
        record.find(wanted).0.iter().filter_map(|entry| entry.r#type.clone()).collect()
    }

    #[test]
    fn they_are_found_by_type_and_time_in_the_order_in_which_they_came() {
        let record = Record::default();
        for (event_type, at) in [("a.b", 1), ("c", 2), ("a.d", 3)] {
            record.push(entry(event_type, at, 1));
        }
        let all = Wanted { event_type: None, since: None };
        assert_eq!(types(&record, &all), ["a.b", "c", "a.d"]);
        let below = Wanted { event_type: Pattern::parse("a.*").ok(), since: None };
        assert_eq!(types(&record, &below), ["a.b", "a.d"]);
        let late = Wanted { event_type: Pattern::parse("a.*").ok(), since: Some(UnixMs(3)) };
        assert_eq!(types(&record, &late), ["a.d"]);
        record.clear();
        assert!(types(&record, &all).is_empty());
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_or_they_are_too_large_and_that_is_told() {
        let all = Wanted { event_type: None, since: None };
        let record = Record::default();
        for at in 0..=i64::try_from(KEPT_REQUESTS).unwrap() {
            record.push(entry("a", at, 1));
        }
        let (found, dropped) = record.find(&all);
        assert_eq!((found.len(), dropped, found[0].received_at), (KEPT_REQUESTS, 1, UnixMs(1)));

        let record = Record::default();
        for at in 0..40 {
            record.push(entry("a", at, 1024 * 1024));
        }
        let (found, dropped) = record.find(&all);
        assert!(dropped > 0 && found.len() + usize::try_from(dropped).unwrap() == 40);
        assert!(found.iter().map(|entry| entry.size()).sum::<usize>() <= KEPT_BYTES);
        record.clear();
        assert_eq!(record.find(&all).1, 0);
    }
}
