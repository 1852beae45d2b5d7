//! What the order of the calls says by itself, without a cut.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::load::{Number, number};
use super::promises::Promise;
use super::record::Recording;
use super::steps::{Act, Phase, Step};

/// Bytes before each page in the WAL; those from 4 to 8 are not zero where the page ends a transaction.
const FRAME_HEAD: usize = 24;

fn is_wal(path: &Path) -> bool {
    path.to_string_lossy().ends_with("-wal")
}

/// Events on their way through the WAL, by number.
#[derive(Default)]
struct Wal {
    /// Written; the transaction goes on.
    open: BTreeSet<Number>,
    /// The next page ends the transaction.
    ends: bool,
    /// Written to the end of their transaction.
    whole: BTreeSet<Number>,
    /// What a sync that has not returned covers, by its call.
    syncs: BTreeMap<usize, BTreeSet<Number>>,
    synced: BTreeSet<Number>,
}

impl Wal {
    fn step(&mut self, step: &Step) {
        match (&step.act, step.phase) {
            (Act::Write { path, data, .. }, Phase::Has) if is_wal(path) => self.write(data),
            (Act::Sync { path }, Phase::Begins) if is_wal(path) => {
                self.syncs.insert(step.call, std::mem::take(&mut self.whole));
            }
            (Act::Sync { path }, Phase::Has) if is_wal(path) => {
                self.synced.append(&mut self.syncs.remove(&step.call).expect("a sync that began"));
            }
            _ => {}
        }
    }

    fn write(&mut self, data: &[u8]) {
        if data.len() == FRAME_HEAD {
            self.ends = data[4..8] != [0; 4];
            return;
        }
        let text = String::from_utf8_lossy(data);
        let marks = text.match_indices("event-").filter_map(|(at, _)| number(&text[at..]));
        self.open.extend(marks.filter(|number| !self.synced.contains(number)));
        if std::mem::take(&mut self.ends) {
            self.whole.append(&mut self.open);
        }
    }
}

/// How many 202s came after a sync of the WAL that began when the event's transaction had been written, and returned
/// before the first byte of the answer; else the first that did not.
pub(super) fn answers_after_syncs(
    steps: &[Step],
    promises: &[(usize, Promise)],
    events: &BTreeMap<String, Number>,
) -> Result<usize, String> {
    let mut wal = Wal::default();
    let (mut at, mut count) = (0, 0);
    for (said, promise) in promises {
        while at < *said {
            wal.step(&steps[at]);
            at += 1;
        }
        let Promise::Event { id, .. } = promise else { continue };
        // Nobody has read the answer, so nobody knows which event it is.
        let Some(number) = events.get(id) else { continue };
        if !wal.synced.contains(number) {
            return Err(format!("event {id} was acknowledged before it was synced"));
        }
        count += 1;
    }
    Ok(count)
}

/// Names that were made, each of which was synced with its folder before the next answer.
pub(super) fn made_and_synced(recording: &Recording) -> Vec<PathBuf> {
    let steps = &recording.steps;
    let mut names = BTreeSet::new();
    let mut made = Vec::new();
    for (at, step) in steps.iter().enumerate().filter(|(_, step)| step.phase == Phase::Has) {
        let new = match &step.act {
            Act::Open { path } | Act::MakeFolder { path } => names.insert(path).then_some(path),
            Act::Rename { from, to } => {
                names.remove(from);
                names.insert(to).then_some(to)
            }
            Act::Remove { path } => {
                names.remove(path);
                None
            }
            _ => None,
        };
        // These say nothing that outlives the process.
        let passing = |path: &&PathBuf| {
            ["-shm", "-journal", ".lock", ".new"].iter().any(|end| path.to_string_lossy().ends_with(end))
        };
        let Some(path) = new.filter(|path| !passing(path)) else { continue };
        let answer = recording.promises.iter().map(|(said, _)| *said).find(|said| *said > at);
        let answer = answer.expect("an answer after each file that is made");
        assert!(
            is_synced(&steps[at..answer], path.parent().expect("a folder")),
            "{} is not synced",
            path.display()
        );
        made.push(path.clone());
    }
    made
}

/// Whether a sync of the folder began and returned in these steps.
fn is_synced(steps: &[Step], folder: &Path) -> bool {
    let of_folder = |step: &&Step| matches!(&step.act, Act::Sync { path } if path == folder);
    let mut begun = BTreeSet::new();
    steps.iter().filter(of_folder).any(|step| match step.phase {
        Phase::Begins => !begun.insert(step.call),
        Phase::Has => begun.contains(&step.call),
    })
}
