//! The items of a batch, run in its transaction; and what the writer itself adds at the end.

use crate::panics;

use super::error::{StoreError, is_environment};
use super::handover::Change;
use super::meta::{self, Meta};
use super::outcome::Outcome;
use super::publish::PublishError;
use super::tx::Tx;
use super::work::{PublishResult, Work};

/// Why a try failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// An item; the others can still be saved.
    #[error("an item of the batch failed")]
    Item,
    /// Disk, lock, space: nobody's fault, and everybody's.
    #[error("{0}")]
    Environment(String),
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        Self::Unavailable(trouble.to_string())
    }
}

impl Trouble {
    #[expect(clippy::needless_pass_by_value, reason = "is given to map_err")]
    pub(super) fn environment(error: rusqlite::Error) -> Self {
        Self::Environment(error.to_string())
    }

    fn of(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(reason) => Self::Environment(reason.clone()),
            _ => Self::Item,
        }
    }
}

/// Runs the items of a batch, one after the other.
pub(super) fn run_items(
    tx: &mut Tx<'_>,
    items: &mut [Work],
    results: &mut Vec<Option<PublishResult>>,
    careful: bool,
) -> Result<(), Trouble> {
    for item in items {
        let result = match item {
            Work::Publish(event, _) => Some(guarded(tx, careful, |tx| tx.publish(event))?),
            Work::Outcome(outcome) => {
                settle(tx, outcome, careful)?;
                None
            }
            Work::Task(task) => {
                task.run(tx).map_err(|error| Trouble::of(&error))?;
                if tx.is_over() {
                    return Err(Trouble::Environment("the disk failed during the transaction".to_owned()));
                }
                None
            }
        };
        results.push(result);
    }
    Ok(())
}

/// Runs a publish. A refusal (id taken) is a result; a failure of the store is trouble, unless it is careful.
fn guarded(
    tx: &mut Tx<'_>,
    careful: bool,
    work: impl FnOnce(&mut Tx<'_>) -> PublishResult,
) -> Result<PublishResult, Trouble> {
    let result =
        if careful { tx.savepoint(work) } else { panics::caught(|| work(tx)).map_err(|_| Trouble::Item)? };
    match &result {
        Err(PublishError::Store(error @ StoreError::Unavailable(_))) => Err(Trouble::of(error)),
        Err(PublishError::Store(_)) if !careful => Err(Trouble::Item),
        _ => Ok(result),
    }
}

/// Settles an outcome. One that cannot be written although the disk is well is a defect; it is logged and given
/// up, else it would come back for ever, and its delivery stays as it is.
fn settle(tx: &mut Tx<'_>, outcome: &Outcome, careful: bool) -> Result<(), Trouble> {
    let work = |tx: &mut Tx<'_>| tx.settle(outcome);
    let result = if careful {
        tx.savepoint(work)
    } else {
        panics::caught(|| work(tx)).map_err(|panic| {
            tracing::error!(panic, "writing an outcome panicked");
            Trouble::Item
        })?
    };
    match result {
        Ok(()) => Ok(()),
        Err(error @ StoreError::Unavailable(_)) => Err(Trouble::of(&error)),
        Err(_) if !careful => Err(Trouble::Item),
        Err(error) => {
            tracing::error!(delivery = %outcome.delivery, %error, "the outcome of an attempt could not be written");
            tx.gathered.changes.push(Change::Settled {
                delivery: outcome.delivery,
                endpoint: outcome.endpoint,
                after: super::handover::After::Due(tx.steady.plus(std::time::Duration::from_mins(1))),
            });
            Ok(())
        }
    }
}

/// What the writer itself adds to a transaction at its end.
pub(super) fn finish(tx: &mut Tx<'_>) -> Result<super::fill::Taken, Trouble> {
    let work = |tx: &mut Tx<'_>| -> Result<super::fill::Taken, rusqlite::Error> {
        tx.flush()?;
        tx.gathered.offset = meta::keep_offset(tx.connection(), tx.shared())?;
        if tx.shared().trouble().is_some() {
            // A transaction that writes nothing proves nothing.
            meta::set(tx.connection(), Meta::Uptime, tx.up_ms)?;
        }
        let unfilled = &tx.kept.unfilled;
        let wanted = unfilled.is_due() || (tx.kept.fill_all && !unfilled.is_empty());
        if wanted { unfilled.turn(tx.connection()) } else { Ok(super::fill::Taken::default()) }
    };
    work(tx).map_err(|error| {
        if !is_environment(&error) {
            tracing::error!(%error, "a transaction could not be finished");
        }
        Trouble::Environment(error.to_string())
    })
}
