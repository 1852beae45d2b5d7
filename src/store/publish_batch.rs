//! Accepting several events in one call: all or none, in one savepoint. Each is accepted as a single one is
//! (`publish`).

use super::error::StoreError;
use super::idempotent::{Answered, Idempotency};
use super::publish::{NewEvent, PublishError, Published};
use super::tx::Tx;

/// Refusals that are told at most.
const MOST_REFUSALS: usize = 100;

/// Events to be accepted together. All of it is checked already.
#[derive(Debug)]
pub struct NewBatch {
    events: Vec<NewEvent>,
    idempotency: Option<Idempotency>,
}

/// What came of a batch.
#[derive(Debug)]
pub enum BatchDone {
    /// All events are on disk, in their order.
    Accepted(Vec<Published>),
    /// It was accepted before, with the same idempotency key: the answer that was given then.
    Before(String),
}

/// Why nothing of a batch was accepted.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// These events are refused, by their index; the first hundred.
    #[error("events are refused")]
    Refused(Vec<(usize, PublishError)>),
    /// The idempotency key came with another request before.
    #[error("the idempotency key came with another request")]
    KeyReused,
    /// Nothing to do with the events.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for BatchError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl NewBatch {
    /// A batch, with the idempotency key of the whole and a hash of the request. The key is the first event's tenant's,
    /// and stands in that event's row as that of a single event does: it then holds for either call.
    pub fn new(mut events: Vec<NewEvent>, idempotency: Option<Idempotency>) -> Self {
        if let Some(first) = events.first_mut() {
            first.idempotency.clone_from(&idempotency);
        }
        Self { events, idempotency }
    }

    /// Bytes in the queue.
    pub(super) fn weight(&self) -> usize {
        self.events.iter().map(NewEvent::weight).sum()
    }
}

impl Tx<'_> {
    /// Accepts a batch, or finds that it was accepted before.
    ///
    /// # Errors
    /// Every event that is refused, up to a hundred. Nothing of the batch may remain then.
    pub fn publish_batch(
        &mut self,
        batch: &NewBatch,
        answer: fn(&[Published]) -> Result<String, StoreError>,
    ) -> Result<BatchDone, BatchError> {
        if let Some(before) = self.batch_before(batch)? {
            return Ok(BatchDone::Before(before));
        }
        let (mut published, mut refused) = (Vec::with_capacity(batch.events.len()), Vec::new());
        for (index, event) in batch.events.iter().enumerate() {
            match self.publish(event) {
                Ok(event) => published.push(event),
                Err(PublishError::Store(error)) => return Err(error.into()),
                Err(PublishError::KeyReused) => return Err(BatchError::KeyReused),
                Err(error) => refused.push((index, error)),
            }
            if refused.len() == MOST_REFUSALS {
                break;
            }
        }
        if !refused.is_empty() {
            return Err(BatchError::Refused(refused));
        }
        self.remember(batch, &published, answer)?;
        Ok(BatchDone::Accepted(published))
    }

    /// The answer that the same call was given before.
    fn batch_before(&self, batch: &NewBatch) -> Result<Option<String>, BatchError> {
        let (Some(idempotency), Some(first)) = (&batch.idempotency, batch.events.first()) else {
            return Ok(None);
        };
        let Some(tenant_id) = self.tenant_id(&first.tenant)? else { return Ok(None) };
        match self.answered_before(tenant_id, idempotency)? {
            Answered::Before(answer) => Ok(Some(answer)),
            Answered::Otherwise => Err(BatchError::KeyReused),
            Answered::Never => Ok(None),
        }
    }

    fn remember(
        &mut self,
        batch: &NewBatch,
        published: &[Published],
        answer: fn(&[Published]) -> Result<String, StoreError>,
    ) -> Result<(), BatchError> {
        let (Some(idempotency), Some(first)) = (&batch.idempotency, batch.events.first()) else {
            return Ok(());
        };
        let Some(tenant_id) = self.tenant_id(&first.tenant)? else { return Ok(()) };
        self.write_answer(tenant_id, idempotency, &answer(published)?)?;
        Ok(())
    }
}
