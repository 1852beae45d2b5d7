//! Accepting several events in one call.

use std::collections::HashSet;
use std::time::Duration;

use serde::Serialize;

use crate::clock::Stopwatch;
use crate::domain::invalid::Invalid;
use crate::domain::names::{EventType, IdempotencyKey, TenantName};
use crate::domain::time::UnixMs;
use crate::store::publish::{NewEvent, Published};
use crate::store::publish_batch::{BatchDone, BatchError, NewBatch};
use crate::store::{Answer, StoreError};

use super::Service;
use super::error::{Code, Error};
use super::events::{Publish, Wrong};
use super::scope::TenantScope;

/// Events of a batch at most.
pub const MAX_EVENTS: usize = 1_000;
/// Wrong fields that are told at most.
const MOST_ERRORS: usize = 100;
/// How long a batch is checked at most: as a rule it takes milliseconds. Each event has a bound of its own, which a
/// thousand of them together would stretch to minutes; what a batch costs in all is best told by the clock, because that
/// of patterns is as a rule far below its bound.
const MOST_CHECKING: Duration = Duration::from_secs(5);

/// The answer to a publish, of one event or of one in a batch.
#[derive(Debug, Serialize)]
pub struct Accepted<'a> {
    id: &'a str,
    r#type: &'a EventType,
    tenant: &'a TenantName,
    timestamp: UnixMs,
    created_at: UnixMs,
    deliveries: u32,
    /// Only in a batch: a single event says so in a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<[String; 1]>,
}

impl<'a> Accepted<'a> {
    /// The answer to a single event.
    pub fn of(published: &'a Published) -> Self {
        let tenant = &published.tenant;
        let warning = || [format!("the tenant {tenant} has no endpoint, so nobody receives this event")];
        Self {
            id: &published.id,
            r#type: &published.event_type,
            tenant,
            timestamp: published.timestamp,
            created_at: published.created_at,
            deliveries: published.deliveries,
            replayed: None,
            warnings: published.without_endpoints.then(warning),
        }
    }
}

/// The text of a batch's answer.
///
/// # Errors
/// A defect: texts and numbers can always be written.
pub fn batch_answer(published: &[Published]) -> Result<String, StoreError> {
    #[derive(Serialize)]
    struct All<'a> {
        data: Vec<Accepted<'a>>,
    }
    fn one(event: &Published) -> Accepted<'_> {
        Accepted { replayed: Some(event.replayed), ..Accepted::of(event) }
    }
    serde_json::to_string(&All { data: published.iter().map(one).collect() })
        .map_err(|error| StoreError::Internal(error.to_string()))
}

/// What is wrong with the events of a batch, and the code of it all: that of each fault, where they have the same.
#[derive(Debug, Default)]
struct Faults {
    code: Option<Code>,
    invalid: Invalid,
}

impl Faults {
    fn add(&mut self, index: usize, error: Error) {
        let code = error.code;
        self.code = Some(self.code.map_or(code, |known| if known == code { code } else { Code::Invalid }));
        let mut fields = Invalid(error.fields);
        if fields.is_empty() {
            fields.push(if code == Code::NotFound { "tenant" } else { "" }, error.detail);
        }
        self.invalid.merge_under(&format!("events[{index}]"), fields);
    }

    fn into_error(mut self) -> Result<(), Error> {
        let Some(code) = self.code else { return Ok(()) };
        if self.invalid.0.len() > MOST_ERRORS {
            let more = self.invalid.0.len() - MOST_ERRORS;
            self.invalid.0.truncate(MOST_ERRORS);
            self.invalid.push(
                "events",
                format!("have {more} more faults at least; the first {MOST_ERRORS} are named"),
            );
        }
        Err(Error { code, ..Error::from(self.invalid) })
    }
}

impl Service {
    /// Accepts events, all or none. The answer comes when all of them and their deliveries are on disk.
    ///
    /// # Errors
    /// What [`Service::publish`] refuses, each field with its event's index: at once, or in the answer.
    pub fn publish_batch(
        &self,
        scope: &TenantScope,
        events: Vec<Result<Publish<'_>, Wrong<'_>>>,
        idempotency: Option<(IdempotencyKey, [u8; 16])>,
    ) -> Result<Answer<BatchDone, BatchError>, Error> {
        let (mut faults, mut checked) = (Faults::default(), Vec::with_capacity(events.len()));
        let watch = Stopwatch::start();
        for (index, event) in events.into_iter().enumerate() {
            if let Some(late) = late(watch.elapsed()) {
                faults.add(index, late);
                break;
            }
            match event
                .map_err(|wrong| self.all_wrong(wrong))
                .and_then(|event| self.check_event(scope, event))
            {
                Ok(event) => checked.push((index, event)),
                Err(error) => faults.add(index, error),
            }
            if faults.invalid.0.len() > MOST_ERRORS {
                break;
            }
        }
        find_twice(&checked, &mut faults);
        faults.into_error()?;
        let events: Vec<NewEvent> = checked.into_iter().map(|(_, event)| event).collect();
        Ok(self.store.publish_batch(NewBatch::new(events, idempotency), batch_answer))
    }
}

/// What is said of an event whose turn comes after so long.
fn late(after: Duration) -> Option<Error> {
    let message = || {
        format!(
            "and the events after it were not checked: those before took {} s against the schemas of their types; send them \
             in smaller batches",
            MOST_CHECKING.as_secs()
        )
    };
    (after > MOST_CHECKING).then(|| Error::field("data", message()))
}

/// Own ids stand once in a batch.
fn find_twice(events: &[(usize, NewEvent)], faults: &mut Faults) {
    let mut seen = HashSet::with_capacity(events.len());
    for (index, event) in events {
        if let Some(id) = &event.own_id
            && !seen.insert((&event.tenant, id))
        {
            faults.add(*index, Error::field("id", "is there twice in this batch; leave out one of the two"));
        }
    }
}

impl From<BatchError> for Error {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Refused(refused) => {
                let mut faults = Faults::default();
                for (index, error) in refused {
                    faults.add(index, error.into());
                }
                faults.into_error().err().unwrap_or_else(|| Self::new(Code::Internal, ""))
            }
            BatchError::KeyReused => crate::store::publish::PublishError::KeyReused.into(),
            BatchError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_takes_long_to_check_is_refused_at_the_event_that_is_too_late() {
        assert!(late(MOST_CHECKING).is_none());
        let mut faults = Faults::default();
        faults.add(17, late(MOST_CHECKING + Duration::from_millis(1)).unwrap());
        let refused = faults.into_error().unwrap_err();
        assert_eq!((refused.code, refused.fields[0].field.as_str()), (Code::Invalid, "events[17].data"));
        assert!(refused.fields[0].message.contains("smaller batches"), "{:?}", refused.fields);
    }
}
