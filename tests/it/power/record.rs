//! A run of the real server under strace.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::receiver::Receiver;
use crate::support::server::{Server, Start};

use super::disk::Disk;
use super::load::{Number, PUBLISHERS};
use super::promises::{self, Promise};
use super::steps::{self, Step, TRACED};

/// What happened on a disk, from a state in which all was synced.
pub(super) struct Recording {
    /// The disk before the first step.
    pub(super) before: Disk,
    /// The data directory.
    pub(super) folder: PathBuf,
    pub(super) steps: Vec<Step>,
    /// What was said, each with the step before which nobody can know it.
    pub(super) promises: Vec<(usize, Promise)>,
    /// The number of each event by its id, as far as clients know.
    pub(super) events: BTreeMap<String, Number>,
    /// What the endpoints lead to.
    pub(super) _receiver: Receiver,
}

/// A recording that goes on.
pub(super) struct Recorder {
    temp: TempDir,
    before: Disk,
    steps: Vec<Step>,
    events: BTreeMap<String, Number>,
    pub(super) receiver: Receiver,
}

impl Recorder {
    /// Nothing is recorded yet. The data directory does not exist.
    pub(super) fn new() -> Self {
        let temp = tempfile::tempdir().expect("a temporary directory");
        Self {
            temp,
            before: Disk::default(),
            steps: Vec::new(),
            events: BTreeMap::new(),
            receiver: Receiver::start(),
        }
    }

    /// The data directory.
    pub(super) fn folder(&self) -> PathBuf {
        // As the system names it, which is what strace says.
        self.temp.path().canonicalize().expect("a folder").join("data")
    }

    /// Puts these files into the data directory, all synced, before anything is recorded.
    pub(super) fn begin_with(&mut self, files: &Path) {
        let folder = self.folder();
        copy(files, &folder);
        self.before = Disk::of(&folder);
    }

    /// Records the run of a server, which `run` brings to its end.
    pub(super) fn record(&mut self, run: impl FnOnce(Server, &Receiver) -> BTreeMap<String, Number>) {
        let trace = self.temp.path().join("trace");
        let (out, folder) = (trace.to_str().expect("a path in UTF-8"), self.folder());
        // `-D`: the server stays this test's own child. The longest text is a page of the database.
        let wrapper = [
            "strace",
            "-D",
            "-f",
            "--seccomp-bpf",
            "-q",
            "-y",
            "-s",
            "4200",
            "-o",
            out,
            "-e",
            TRACED,
            "-e",
            "signal=none",
        ];
        let server = Start::on(&folder).under(&wrapper).start();
        self.events.append(&mut run(server, &self.receiver));
        let calls = self.steps.last().map_or(0, |step| step.call + 1);
        let trace = fs::read_to_string(&trace).expect("the trace");
        // Calls of a later run have later numbers.
        self.steps.extend(steps::read(&trace, &folder).into_iter().map(|mut step| {
            step.call += calls;
            step
        }));
    }

    /// The whole. The trace holds all that clients were told, and few answers that nobody has read.
    pub(super) fn finish(self) -> Recording {
        let promises = promises::read(&self.steps);
        let answered: BTreeSet<&String> = promises
            .iter()
            .filter_map(|(_, promise)| match promise {
                Promise::Event { id, .. } => Some(id),
                _ => None,
            })
            .collect();
        let unseen: Vec<_> = self.events.iter().filter(|(id, _)| !answered.contains(id)).collect();
        assert!(unseen.is_empty(), "202s that are not in the trace: {unseen:?}");
        assert!(answered.len() <= self.events.len() + PUBLISHERS, "{} answers are unknown", answered.len());
        let folder = self.folder();
        let Self { before, steps, events, receiver, .. } = self;
        Recording { before, folder, steps, promises, events, _receiver: receiver }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type().expect("its type") {
            kind if kind.is_dir() => copy(&from, &to),
            kind if kind.is_file() => drop(fs::copy(&from, &to).expect("a file")),
            _ => {}
        }
    }
}
