//! Floor 4: the command line. It reads what is asked for ([`Command`]), talks to a running server through its
//! socket or its URL ([`socket`]), and shows answers ([`output`]). Most commands are lines of a table ([`calls`]). Who runs the commands, and on what, is wired in `app`.
//! `listen`, `send` and `verify`, the tools for developers, have a file each with their flags and what these mean.

mod answer;
mod args;
mod backup;
pub mod calls;
pub mod chunked;
mod command;
mod demo;
mod doctor;
pub mod duration;
mod formats;
mod input;
mod listen;
pub mod manual;
pub mod output;
mod parse;
pub mod progress;
mod restore;
mod send;
pub mod socket;
mod table;
pub mod terminal;
mod verify;

pub use answer::Answer;
pub(crate) use backup::made as backup_made;
pub use backup::{Backup, Target};
pub use command::{AdminCommand, Command, Request};
pub use demo::Demo;
pub use doctor::Doctor;
pub use listen::Listen;
pub use parse::{Refusal, parse, parse_from};
pub use restore::Restore;
pub(crate) use restore::done as restored;
pub use verify::Verify;
