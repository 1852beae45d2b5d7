//! What can be asked of the writer, and how it answers.

use super::answer::Reply;
use super::error::StoreError;
use super::outcome::Outcome;
use super::publish::{NewEvent, PublishError, Published};
use super::queue::Weight;
use super::tx::Tx;

/// A closure to run in a savepoint of the next transaction. It answers by itself, once told how that ended.
pub(super) trait Task: Send {
    /// Bytes that it keeps in the queue, roughly.
    fn weight(&self) -> usize;
    /// Runs the closure and keeps its result.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError>;
    /// The transaction is on disk, or it is certain that it is not.
    fn finish(self: Box<Self>, committed: Result<(), StoreError>);
}

/// An item of the writer's queue. The two hot kinds are data: they run without a savepoint, and again with one
/// if the batch fails.
pub(super) enum Work {
    /// Accept an event.
    Publish(Box<NewEvent>, Reply<Published, PublishError>),
    /// Write down what happened in an attempt.
    Outcome(Box<Outcome>),
    /// Anything else. Ends its batch, so that what follows sees what it changed in memory.
    Task(Box<dyn Task>),
}

impl Work {
    pub(super) fn is_task(&self) -> bool {
        matches!(self, Self::Task(_))
    }
}

impl Weight for Work {
    fn weight(&self) -> usize {
        match self {
            Self::Publish(event, _) => event.weight(),
            Self::Outcome(outcome) => outcome.weight(),
            Self::Task(task) => task.weight(),
        }
    }

    fn is_told(&self) -> bool {
        matches!(self, Self::Outcome(_))
    }
}

/// A [`Task`] made of a closure and the channel for its answer.
pub(super) struct Closure<F, T, E> {
    work: Option<F>,
    result: Option<Result<T, E>>,
    reply: Reply<T, E>,
    weight: usize,
}

/// What a closure weighs that keeps nothing large.
const LIGHT: usize = 1_024;

impl<F, T, E> Closure<F, T, E> {
    pub(super) fn new(work: F, reply: Reply<T, E>) -> Self {
        Self::weighing(LIGHT, work, reply)
    }

    /// One that keeps so many bytes.
    pub(super) fn weighing(weight: usize, work: F, reply: Reply<T, E>) -> Self {
        Self { work: Some(work), result: None, reply, weight }
    }
}

impl<F, T, E> Task for Closure<F, T, E>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn weight(&self) -> usize {
        self.weight
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let Some(work) = self.work.take() else { return Ok(()) };
        self.result = Some(tx.savepoint(work));
        Ok(())
    }

    fn finish(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match (committed, self.result) {
            // A refusal stands whether or not the transaction was committed: nothing of it was to remain.
            (_, Some(Err(error))) => Err(error),
            (Ok(()), Some(ok)) => ok,
            (Ok(()), None) => Err(E::from(StoreError::Stopping)),
            (Err(error), _) => Err(E::from(error)),
        };
        // A caller that has gone away does not need its answer.
        drop(self.reply.send(result));
    }
}

/// What came of a publish.
pub(super) type PublishResult = Result<Published, PublishError>;

/// Answers everyone. Outcomes of a failed transaction come back.
pub(super) fn answer(
    items: Vec<Work>,
    results: Vec<Option<PublishResult>>,
    failed: Option<&str>,
) -> Vec<Outcome> {
    let mut again = Vec::new();
    let unavailable = || StoreError::Unavailable(failed.unwrap_or_default().to_owned());
    let mut results = results.into_iter();
    for item in items {
        let result = results.next().flatten();
        match item {
            Work::Publish(_, reply) => send(reply, result, failed),
            Work::Outcome(outcome) if failed.is_some() => again.push(*outcome),
            Work::Outcome(_) => {}
            Work::Task(task) => task.finish(if failed.is_some() { Err(unavailable()) } else { Ok(()) }),
        }
    }
    again
}

fn send(reply: Reply<Published, PublishError>, result: Option<PublishResult>, failed: Option<&str>) {
    let result = match (failed, result) {
        (None, Some(result)) => result,
        (Some(reason), _) => Err(StoreError::Unavailable(reason.to_owned()).into()),
        (None, None) => Err(StoreError::Stopping.into()),
    };
    // A caller that has gone away does not need its answer.
    drop(reply.send(result));
}
