//! Floor 4: the command line. It reads what is asked for ([`Command`]), talks to a running server through its
//! socket ([`socket`]), and shows answers ([`output`]). Who runs the commands, and on what, is wired in `app`.

mod answer;
mod args;
pub mod chunked;
mod command;
pub mod duration;
pub mod output;
mod parse;
pub mod socket;

pub use answer::Answer;
pub use command::{AdminCommand, Command, Request};
pub use parse::{Refusal, parse, parse_from};
