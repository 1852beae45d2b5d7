//! How far something long is: a line on a terminal's standard error that is written over and over.

use std::io::{self, Write};

/// Letters of a bar.
const BAR: u64 = 24;

/// A line that shows how far it is, and goes when this is dropped. On anything but a terminal it is never there.
#[derive(Debug)]
pub struct Progress {
    out: bool,
    dirty: bool,
}

impl Progress {
    /// A line that shows nothing yet. `out`: standard error is a terminal.
    pub fn new(out: bool) -> Self {
        Self { out, dirty: false }
    }

    /// Shows this text, which has no line feeds.
    pub fn show(&mut self, text: &str) {
        if self.out {
            Self::write(&format!("\r{text}\u{1b}[K"));
            self.dirty = true;
        }
    }

    /// Shows a bar: `done` of `all`.
    pub fn bar(&mut self, done: u64, all: u64, text: &str) {
        self.show(&format!("{} {text}", bar(done, all)));
    }

    /// A terminal that has gone is no reason to stop the work.
    fn write(text: &str) {
        let mut errors = io::stderr().lock();
        let _gone = errors.write_all(text.as_bytes()).and_then(|()| errors.flush());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.dirty {
            Self::write("\r\u{1b}[K");
        }
    }
}

fn bar(done: u64, all: u64) -> String {
    let full = done.min(all) * BAR / all.max(1);
    let count = |letters: u64| usize::try_from(letters).unwrap_or_default();
    format!("[{}{}]", "#".repeat(count(full)), ".".repeat(count(BAR - full)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills() {
        assert_eq!(bar(0, 0), "[........................]");
        assert_eq!(bar(6, 12), "[############............]");
        assert_eq!(bar(13, 12), "[########################]");
    }

    #[test]
    fn nothing_is_written_where_no_terminal_is() {
        let mut progress = Progress::new(false);
        progress.bar(1, 2, "half");
        assert!(!progress.dirty);
    }
}
