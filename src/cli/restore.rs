//! `postrider restore` as it is typed, and what it prints.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::output::Output;

/// What stands below the help.
pub(super) const HELP: &str = "\
FILE is a backup of `postrider backup`, compressed or not, or a database that Litestream has restored. It is checked before
anything is touched. What it replaces is kept in the folder replaced-TIME of the data directory.

Its secrets need the secret.key that it was made with: the one in the data directory, or the one that it carries
(backup --with-key). With another key nothing is restored.

What was pending in the backup may have been sent since. It is held until you say what becomes of it: in the console, or
with `postrider deliveries release`. With --pending send it is sent when the server starts: some of it for the second time,
unless the server of the backup had stopped before. Sessions of operators are ended.

Examples:
  postrider restore /var/lib/postrider/backups/postrider-20260223T023000Z.db.gz --data /var/lib/postrider
  ssh old-machine 'systemctl stop postrider; postrider backup --with-key - --data /var/lib/postrider' |
    postrider restore - --pending send --data /var/lib/postrider";

/// Flags of `postrider restore`.
#[derive(Debug, Args)]
pub(super) struct RestoreFlags {
    /// The backup, or - for standard input
    #[arg(value_name = "FILE|-")]
    file: String,
    /// What becomes of the deliveries that are pending in it: hold until you say so, or send when the server starts
    #[arg(long, value_enum, value_name = "hold|send", default_value_t = Pending::Hold, hide_possible_values = true)]
    pending: Pending,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
    /// The server's data directory; made if it is not there [default: ./postrider-data]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Pending {
    /// They are held until you say what becomes of them
    Hold,
    /// They are sent when the server starts
    Send,
}

/// A backup that is to be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restore {
    /// The data directory; not opened yet.
    pub data: PathBuf,
    /// The backup; `None`: standard input.
    pub file: Option<PathBuf>,
    /// Whether what is pending in it is held.
    pub hold: bool,
    /// Whether the answer is JSON.
    pub json: bool,
}

impl RestoreFlags {
    /// What the flags mean.
    pub(super) fn read(self, data: PathBuf) -> Restore {
        let file = (self.file != "-").then(|| self.file.into());
        Restore { data, file, hold: self.pending == Pending::Hold, json: self.json }
    }
}

/// What was restored: the figures, and where what was there is kept.
pub(crate) fn done(figures: &Value, json: bool) -> Output {
    if json {
        return Output::of(format!("{figures:#}"));
    }
    let number = |name: &str| figures.get(name).and_then(Value::as_u64).unwrap_or_default();
    let text = |name: &str| figures.get(name).and_then(Value::as_str);
    let mut lines = vec![format!(
        "Restored into {}. Its last entry is of {}.",
        text("data_dir").unwrap_or("-"),
        text("last_entry_at").unwrap_or("-")
    )];
    match (number("pending"), number("held")) {
        (0, _) => lines.push("Nothing was pending in it.".to_owned()),
        (pending, 0) => lines.push(format!("Deliveries that are pending and will be sent: {pending}.")),
        (_, held) => lines.push(format!(
            "Deliveries that were pending and are held now: {held}. When the server runs again, say what becomes of them: on the \
             console's overview, or with `postrider deliveries release deliver` or `discard`."
        )),
    }
    let figure = |name, says: &str| (number(name) > 0).then(|| format!("{says}: {}.", number(name)));
    lines.extend(figure("replays_canceled", "Replays that were under way and are canceled"));
    lines.extend(figure("sessions_ended", "Sessions of operators that were ended"));
    if text("secret_key") == Some("from_backup") {
        lines.push("secret.key is the one of the backup: keep a copy of it.".to_owned());
    }
    if let Some(kept) = text("replaced") {
        lines.push(format!("What was there is kept in {kept}."));
    }
    lines.push("Start the server again.".to_owned());
    Output::of(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_held_is_told_with_the_way_to_release_it() {
        let figures = json!({
            "last_entry_at": "2026-02-23T14:30:00.000Z", "pending": 3, "held": 3, "sessions_ended": 1,
            "replaced": "/srv/p/replaced-20260223T143000Z",
        });
        let said = done(&figures, false).result;
        assert!(
            said.contains("are held now: 3.") && said.contains("`postrider deliveries release deliver`"),
            "{said}"
        );
        assert!(said.contains("kept in /srv/p/replaced-") && !said.contains("Replays"), "{said}");
        let sent = done(&json!({ "pending": 3, "held": 0 }), false).result;
        assert!(sent.contains("will be sent: 3."), "{sent}");
    }
}
