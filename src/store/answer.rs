//! What a caller waits on while the writer works: awaited by the web floor, waited for by everyone else.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::error::StoreError;

/// The result of a write, once it is on disk (or once it is certain that it is not).
///
/// Await it, or block on [`Answer::wait`] outside async code.
#[must_use = "nobody learns whether the write succeeded"]
#[derive(Debug)]
pub struct Answer<T, E = StoreError> {
    receiver: oneshot::Receiver<Result<T, E>>,
}

/// The writer's end of an [`Answer`].
pub(super) type Reply<T, E = StoreError> = oneshot::Sender<Result<T, E>>;

/// Somebody's word for an [`Answer`] that comes at the end of several steps; the last one is
/// [`Store::write_for`](super::Store::write_for). Dropped, it is answered that the server is stopping.
#[derive(Debug)]
pub struct Promise<T, E = StoreError>(pub(super) Reply<T, E>);

impl<T, E: From<StoreError>> Promise<T, E> {
    /// A promise, and the answer that it will be kept with.
    pub fn new() -> (Self, Answer<T, E>) {
        let (reply, answer) = Answer::new();
        (Self(reply), answer)
    }
}

impl<T, E: From<StoreError>> Answer<T, E> {
    pub(super) fn new() -> (Reply<T, E>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self { receiver })
    }

    /// An answer that is known already.
    pub fn ready(result: Result<T, E>) -> Self {
        let (reply, answer) = Self::new();
        // The receiver is in `answer`, so this cannot fail.
        drop(reply.send(result));
        answer
    }

    /// The result, if it is known already; else this again.
    #[cfg(test)]
    pub(super) fn try_take(mut self) -> Result<Result<T, E>, Self> {
        match self.receiver.try_recv() {
            Ok(result) => Ok(result),
            Err(oneshot::error::TryRecvError::Empty) => Err(self),
            Err(oneshot::error::TryRecvError::Closed) => Ok(Err(E::from(StoreError::Stopping))),
        }
    }

    /// Blocks until the writer has answered. Not from async code.
    pub fn wait(self) -> Result<T, E> {
        self.receiver.blocking_recv().unwrap_or_else(|_| Err(E::from(StoreError::Stopping)))
    }
}

impl<T, E: From<StoreError>> Future for Answer<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receiver)
            .poll(cx)
            .map(|result| result.unwrap_or_else(|_| Err(E::from(StoreError::Stopping))))
    }
}
