//! What goes on while a person looks: events, one after the other.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::Notify;

use crate::app::Reason;

use super::calls::Server;
use super::cast;

/// From one event to the next.
const PACE: Duration = Duration::from_millis(700);

/// The stream of events.
pub(super) struct Stream {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<Result<(), String>>,
}

/// Begins it, with endpoints that are new, and a replay of what one of them has missed since then, whose page at `console` is
/// printed. `number` is the first event's. If the server takes no more, it is asked to stop.
///
/// # Errors
/// The system gives no thread.
pub(super) fn begin(
    server: Server,
    console: SocketAddr,
    port: u16,
    since: String,
    number: u64,
    stopper: Arc<Notify>,
) -> Result<Stream, String> {
    let (stop, ended) = mpsc::channel();
    let publish = move || {
        let replayed = server.enter_new(port, &since)?;
        println!("replay:  http://{console}/endpoints/{replayed}/replay, for some twenty seconds");
        for number in number.. {
            server.publish(&[cast::event(number)])?;
            if ended.recv_timeout(PACE) != Err(mpsc::RecvTimeoutError::Timeout) {
                break;
            }
        }
        Ok(())
    };
    let publish = move || publish().inspect_err(|_| stopper.notify_one());
    let thread = std::thread::Builder::new().name("demo".to_owned()).spawn(publish);
    Ok(Stream { stop, thread: thread.map_err(|error| error.to_string())? })
}

impl Stream {
    /// Ends it, after the server has stopped for this reason.
    ///
    /// # Errors
    /// Why the server took no more. That it did not while it stopped anyway is no reason.
    pub(super) fn end(self, reason: Reason) -> Result<(), String> {
        drop(self.stop);
        match self.thread.join() {
            Ok(Err(error)) if !reason.is_signal() => Err(format!("the stream of events has ended: {error}")),
            Ok(_) => Ok(()),
            Err(_) => Err("the stream of events has panicked".to_owned()),
        }
    }
}
