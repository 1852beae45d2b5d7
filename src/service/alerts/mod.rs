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

use std::sync::{Mutex, OnceLock};

use crate::mail::Mailer;

pub use change::{AlertDraft, CheckedAlert};
pub use desk::AlertTested;
pub use mail_server::{MailServerDraft, MailServerView};
pub use view::AlertView;

/// What is kept in memory about alerts.
#[derive(Default)]
pub(super) struct Alerts {
    /// What could not be written down.
    unwritten: Mutex<look::Unwritten>,
    /// Tests that wait.
    desk: desk::Desk,
    /// Hands mail to the mail server.
    mailer: Mailer,
    /// Where people reach the console.
    console: OnceLock<String>,
}
