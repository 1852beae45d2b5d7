//! What stops the program.

use std::fmt;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

/// Why the program stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// SIGTERM or SIGINT, by name.
    Signal(&'static str),
    /// Something in this process has asked for it.
    Asked,
}

impl Reason {
    /// Whether a person or a process manager wants it.
    pub fn is_signal(self) -> bool {
        matches!(self, Self::Signal(_))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signal(name) => name,
            Self::Asked => "asked to",
        })
    }
}

/// The signals that stop it. Asked for before anybody is told that it runs, so that none kills it from then on.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on they are waited for.
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for a reason to stop.
    pub(super) async fn wait(&mut self, stop: &Notify) -> Reason {
        tokio::select! {
            _ = self.terminate.recv() => Reason::Signal("SIGTERM"),
            _ = self.interrupt.recv() => Reason::Signal("SIGINT"),
            () = stop.notified() => Reason::Asked,
        }
    }
}
