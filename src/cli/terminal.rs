//! Who reads what a command prints: a person at a terminal, or a program.

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::tcgetwinsize;

use crate::clock::{Clock, SystemClock};
use crate::domain::time::UnixMs;

/// What a terminal has that does not say how wide it is.
const WIDTH: usize = 80;

/// How things are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Columns of the terminal; `None`: standard output is a file or a pipe, and nothing is cut or made relative.
    pub width: Option<usize>,
    /// Whether colours may be used.
    pub colour: bool,
    /// The time, for moments that are told by their distance.
    pub now: UnixMs,
}

impl View {
    /// For a program.
    pub fn plain(now: UnixMs) -> Self {
        Self { width: None, colour: false, now }
    }

    /// For whoever reads the standard output of this process.
    pub fn of_process() -> Self {
        let now = SystemClock::new().wall();
        let out = io::stdout();
        if !out.is_terminal() {
            return Self::plain(now);
        }
        let width = tcgetwinsize(&out).ok().map(|size| usize::from(size.ws_col)).filter(|width| *width > 0);
        // https://no-color.org: set and not empty.
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self { width: Some(width.unwrap_or(WIDTH)), colour, now }
    }
}

/// Whether standard error is a terminal, so that progress can be shown there.
pub fn shows_progress() -> bool {
    io::stderr().is_terminal()
}

/// Asks a person whether to go on, if there is one.
///
/// # Errors
/// A sentence: nobody can be asked, or the answer is no.
pub fn ask(question: &str) -> Result<(), String> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(format!("{question} Nobody can be asked here: say --yes if it is meant"));
    }
    let mut errors = io::stderr().lock();
    let asked = write!(errors, "{question} [y/N] ").and_then(|()| errors.flush());
    let mut answer = String::new();
    asked.and_then(|()| io::stdin().lock().read_line(&mut answer)).map_err(|error| error.to_string())?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err("nothing was done".to_owned()),
    }
}
