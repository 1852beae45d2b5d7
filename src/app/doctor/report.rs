//! What was found, a line each, and how it is shown.

use std::fmt::Write as _;

use serde::Serialize;

use crate::cli::terminal::View;
use crate::domain::inert::inert;

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Grade {
    /// As it should be.
    Ok,
    /// It works, and somebody should look after it.
    Warning,
    /// It does not work, or will not for long.
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Finding {
    /// What.
    pub(super) check: &'static str,
    /// How it stands.
    pub(super) grade: Grade,
    /// In a sentence.
    pub(super) says: String,
    /// What to do; nothing where all is well.
    pub(super) todo: Option<String>,
}

/// All of them, in the order in which they were looked at.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Document<'a> {
    grade: Grade,
    version: &'static str,
    checks: &'a [Finding],
}

impl Report {
    pub(super) fn ok(&mut self, check: &'static str, says: impl Into<String>) {
        self.findings.push(Finding { check, grade: Grade::Ok, says: says.into(), todo: None });
    }

    pub(super) fn warn(&mut self, check: &'static str, says: impl Into<String>, todo: impl Into<String>) {
        let todo = Some(todo.into());
        self.findings.push(Finding { check, grade: Grade::Warning, says: says.into(), todo });
    }

    pub(super) fn error(&mut self, check: &'static str, says: impl Into<String>, todo: impl Into<String>) {
        let todo = Some(todo.into());
        self.findings.push(Finding { check, grade: Grade::Error, says: says.into(), todo });
    }

    /// The worst of all.
    pub(super) fn grade(&self) -> Grade {
        self.findings.iter().map(|finding| finding.grade).max().unwrap_or(Grade::Ok)
    }

    /// For programs.
    pub(super) fn json(&self) -> String {
        let document =
            Document { grade: self.grade(), version: env!("CARGO_PKG_VERSION"), checks: &self.findings };
        serde_json::to_string_pretty(&document).unwrap_or_default()
    }

    /// For people.
    pub(super) fn text(&self, view: View) -> String {
        let mut text = String::new();
        for Finding { check, grade, says, todo } in &self.findings {
            let (word, colour) = match grade {
                Grade::Ok => ("ok", 32),
                Grade::Warning => ("warning", 33),
                Grade::Error => ("error", 31),
            };
            let padded = format!("{word:<7}");
            let word = if view.colour { format!("\u{1b}[{colour}m{padded}\u{1b}[0m") } else { padded };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{word}  {check:<11}  {}", inert(says));
            if let Some(todo) = todo {
                let _ = writeln!(text, "{:>22}{}", "", inert(todo));
            }
        }
        let count = |grade| self.findings.iter().filter(|finding| finding.grade == grade).count();
        let (warnings, errors) = (count(Grade::Warning), count(Grade::Error));
        let all = self.findings.len();
        let _ =
            write!(text, "{all} looked at: {}, {}", counted(warnings, "warning"), counted(errors, "error"));
        text
    }
}

/// So many of something.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A number of bytes for people.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let (mut tenths, mut unit) = (bytes.saturating_mul(10) / 1024, 0);
    while tenths >= 10 * 1024 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::UnixMs;

    #[test]
    fn the_worst_counts_and_what_to_do_stands_below() {
        let mut report = Report::default();
        report.ok("disk", "12 GB free");
        assert_eq!(report.grade(), Grade::Ok);
        report.warn("backups", "there is none", "make one");
        report.error("folder", "a\u{1b}[2J", "b");
        assert_eq!(report.grade(), Grade::Error);
        let text = report.text(View::plain(UnixMs(0)));
        assert!(
            text.starts_with("ok       disk         12 GB free\nwarning  backups      there is none\n"),
            "{text}"
        );
        assert!(text.contains("\n                      make one\n") && !text.contains('\u{1b}'), "{text}");
        assert!(text.ends_with("3 looked at: 1 warning, 1 error"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!((&json["grade"], &json["checks"][1]["todo"]), (&"error".into(), &"make one".into()));
    }

    #[test]
    fn sizes_have_their_unit() {
        assert_eq!(
            (size(1023), size(1536), size(5 << 30)),
            ("1023 bytes".into(), "1.5 KB".into(), "5.0 GB".into())
        );
    }
}
