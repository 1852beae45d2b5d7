//! Alerts that leave the machine: the use cases around them.
//!
//! - `change`: making, changing and deleting. [`AlertView`]: what an alert looks like outside. `mail_server`: its own.
//! - `present`: what is the matter now. `compose`: news as a message. `send`: on its way, by each kind.
//! - `look`: once a minute all of them together; what was told is on disk, so that a restart repeats nothing.
//! - `desk`: tests, which somebody waits for.
//!
//! Looking and sending block, and happen on one thread, which the dispatcher has.

mod change;
mod compose;
mod desk;
mod look;
mod mail_server;
mod present;
mod send;
mod view;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use crate::domain::alert::Kind;
use crate::mail::Mailer;

pub use change::{AlertDraft, CheckedAlert};
pub use desk::AlertTested;
pub use mail_server::{MailServerDraft, MailServerView};
pub use view::AlertView;

/// What is kept in memory about alerts.
#[derive(Default)]
pub(super) struct Alerts {
    /// What could not be written down. A look holds it for as long as it sends, so that there is one look at a time; it is
    /// nobody else's, who would wait for minutes.
    unwritten: Mutex<look::Unwritten>,
    /// Tests that wait.
    desk: desk::Desk,
    /// Hands mail to the mail server.
    mailer: Mailer,
    /// Where people reach the console.
    console: OnceLock<String>,
    /// Messages since the start, in the order of [`Kind::ALL`]: those that were sent, and tries that failed.
    tries: [[AtomicU64; 2]; Kind::ALL.len()],
}

/// What came of the messages of a kind since the start. Tests do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertTries {
    /// How they go out.
    pub kind: Kind,
    /// Those that were sent; of `webhook`: whose event is on disk.
    pub sent: u64,
    /// Tries that failed. Each of a message counts.
    pub failed: u64,
}

impl Alerts {
    fn count(&self, kind: Kind, sent: bool) {
        self.tries[kind as usize][usize::from(!sent)].fetch_add(1, Ordering::Relaxed);
    }

    /// What came of the messages of each kind.
    pub(super) fn tries(&self) -> [AlertTries; Kind::ALL.len()] {
        Kind::ALL.map(|kind| {
            let [sent, failed] =
                self.tries[kind as usize].each_ref().map(|count| count.load(Ordering::Relaxed));
            AlertTries { kind, sent, failed }
        })
    }
}
