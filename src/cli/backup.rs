//! `postrider backup` as it is typed, and what it prints.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::output::Output;

/// What stands below the help.
pub(super) const HELP: &str = "\
The copy is consistent and checked, and nobody but you may read it (0600). Without FILE it goes into backups/ of the
data directory. Signing secrets in it are encrypted: keep a copy of secret.key, apart from it.

With --with-key the copy holds secret.key as well: one file is all that a new machine needs. Whoever has it can read all
secrets and sign as you do. Carry it over a safe way, restore it, and delete it.

Examples:
  postrider backup
  postrider backup --compress /mnt/usb/postrider.db.gz
  postrider backup --compress - | ssh backup@elsewhere 'cat > postrider.db.gz'
  postrider backup --with-key - | ssh new-machine postrider restore -";

/// Flags of `postrider backup`.
#[derive(Debug, Args)]
pub(super) struct BackupFlags {
    /// Where it goes: a new file, or - for standard output [default: into backups/ of the data directory]
    #[arg(value_name = "FILE|-")]
    target: Option<String>,
    /// Compress it, as gzip does
    #[arg(long)]
    compress: bool,
    /// Put secret.key into it as well, to move to another machine
    #[arg(long)]
    with_key: bool,
    /// Print what was made as JSON
    #[arg(long)]
    json: bool,
    /// The server's data directory [default: ./postrider-data, or without one /var/lib/postrider]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<String>,
}

/// Where a backup goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Into the folder of backups.
    Folder,
    /// To a new file.
    File(PathBuf),
    /// To standard output.
    Output,
}

/// A backup that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The data directory; not opened yet.
    pub data: PathBuf,
    /// Where it goes.
    pub target: Target,
    /// Whether it is compressed.
    pub compress: bool,
    /// Whether it carries the key.
    pub with_key: bool,
    /// Whether the answer is JSON.
    pub json: bool,
}

impl BackupFlags {
    /// What the flags mean.
    ///
    /// # Errors
    /// A sentence that says what is allowed.
    pub(super) fn read(self, data: PathBuf) -> Result<Backup, String> {
        let target = match self.target.as_deref() {
            None => Target::Folder,
            Some("-") => Target::Output,
            Some(path) => Target::File(path.into()),
        };
        match target {
            Target::Folder if self.with_key => {
                Err("--with-key needs a FILE, or - for standard output: a backup that \
                                                    holds the key is not left among the others"
                    .to_owned())
            }
            Target::Output if self.json => {
                Err("--json is printed to standard output, where the backup goes already: give a FILE"
                    .to_owned())
            }
            Target::Output if std::io::stdout().is_terminal() => {
                Err("a backup is not written to a terminal: give a FILE, or a pipe after -".to_owned())
            }
            target => {
                let Self { compress, with_key, json, .. } = self;
                Ok(Backup { data, target, compress, with_key, json })
            }
        }
    }
}

/// A backup that was made; `path`: where it is, unless it went to standard output.
pub(crate) fn made(backup: &Value, path: Option<&std::path::Path>, options: &Backup) -> Output {
    let mut remark = vec!["Made a backup and checked it.".to_owned()];
    if options.with_key {
        remark.push(
            "It holds secret.key: whoever has it can read all secrets. Delete it when it is restored."
                .to_owned(),
        );
    } else {
        remark.push("It does not hold secret.key: keep a copy of that, apart from it.".to_owned());
    }
    let result = match path {
        None => String::new(),
        Some(path) if options.json => {
            let mut shown = backup.clone();
            shown["path"] = path.to_string_lossy().into();
            format!("{shown:#}")
        }
        Some(path) => path.display().to_string(),
    };
    let remark = if options.json { String::new() } else { remark.join("\n") };
    Output { remark, ..Output::of(result) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(target: Option<&str>, with_key: bool, json: bool) -> Result<Backup, String> {
        let target = target.map(str::to_owned);
        BackupFlags { target, compress: false, with_key, json, data: None }.read("data".into())
    }

    #[test]
    fn a_backup_with_the_key_is_not_left_among_the_others() {
        assert!(read(None, true, false).unwrap_err().contains("needs a FILE"));
        assert_eq!(read(Some("a.db"), true, true).unwrap().target, Target::File("a.db".into()));
        assert_eq!(read(None, false, false).unwrap().target, Target::Folder);
        assert!(read(Some("-"), false, true).is_err());
    }
}
