//! Where requests are shown: a few lines each for a person at a terminal, one line of JSON for a program.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Notify;

use crate::domain::inert;

use super::entry::Entry;
use super::paint::Paint;

/// How requests look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// For a person, in colours or without.
    Terminal {
        /// Whether colours are wanted.
        colours: bool,
    },
    /// For a program.
    Lines,
}

/// See the module.
pub struct Screen {
    look: Look,
    out: Mutex<Box<dyn Write + Send>>,
    beside: Mutex<Box<dyn Write + Send>>,
    gone: Notify,
}

/// A line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    status: u16,
    duration_ms: u128,
}

impl Screen {
    /// Shows requests on `out`, and remarks that a program cannot read there on `beside`.
    pub fn new(look: Look, out: Box<dyn Write + Send>, beside: Box<dyn Write + Send>) -> Self {
        Self { look, out: Mutex::new(out), beside: Mutex::new(beside), gone: Notify::new() }
    }

    /// Notified when nobody reads any more.
    pub fn gone(&self) -> &Notify {
        &self.gone
    }

    /// Shows a request, and how it was answered after how long.
    pub(super) fn show(&self, entry: &Entry, status: u16, took: Duration) {
        let text = match self.look {
            Look::Lines => line(entry, status, took),
            Look::Terminal { colours } => lines(entry, status, took, Paint { colours }),
        };
        self.put(&text);
    }

    /// Tells a person something beside the requests.
    pub(super) fn remark(&self, sentence: &str) {
        let sentence = inert::line(sentence);
        match self.look {
            Look::Terminal { .. } => self.put(&format!("{sentence}\n\n")),
            Look::Lines => {
                let mut beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
                // Whoever has closed it does not want to know.
                let _ = writeln!(beside, "{sentence}");
            }
        }
    }

    fn put(&self, text: &str) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let written: io::Result<()> = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        if written.is_err() {
            self.gone.notify_one();
        }
    }
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen").field("look", &self.look).finish_non_exhaustive()
    }
}

fn line(entry: &Entry, status: u16, took: Duration) -> String {
    let line = Line { entry, status, duration_ms: took.as_millis() };
    let mut text = serde_json::to_string(&line).unwrap_or_else(|error| {
        // Texts and numbers: only a defect of ours could bring this about.
        serde_json::json!({ "error": error.to_string() }).to_string()
    });
    text.push('\n');
    text
}

fn lines(entry: &Entry, status: u16, took: Duration, paint: Paint) -> String {
    let time = entry.received_at.to_string();
    let time = time.get(11..23).unwrap_or(&time);
    let event_type = entry.r#type.as_deref().map_or_else(|| "no type".to_owned(), inert::line);
    let id = entry.id.as_deref().map_or_else(|| "no id".to_owned(), inert::line);
    let mut text = format!("{}  {}  {id}", paint.faint(time), paint.bold(&event_type));
    let answered = format!("{status} after {} ms", took.as_millis());
    let answered = if (200..300).contains(&status) { paint.good(&answered) } else { paint.bad(&answered) };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "  {} {}  {answered}", entry.method, inert::line(&entry.path));
    match entry.verified {
        None => text.push_str(&paint.faint("  not verified: give the endpoint's secret with --secret")),
        Some(true) => {
            let age = entry.age_seconds.map(|age| format!(", {age} s old")).unwrap_or_default();
            text.push_str(&paint.good(&format!("  verified{age}")));
        }
        Some(false) => {
            let reasons: Vec<_> = entry.reasons.iter().map(|reason| inert::line(reason)).collect();
            text.push_str(&paint.bad(&format!("  NOT VERIFIED: {}", reasons.join("; "))));
        }
    }
    text.push('\n');
    text.push_str(&paint.body(&entry.body));
    text.push('\n');
    text
}
