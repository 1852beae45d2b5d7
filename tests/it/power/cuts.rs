//! Cuts the power at chosen moments of a recording, and looks at what is left.

use std::borrow::Cow;
use std::path::Path;

use postrider::random::{Random, SeededRandom};
use tempfile::TempDir;

use crate::support::app::KEY;
use crate::support::client::Client;
use crate::support::process::{self, PATIENCE};
use crate::support::server::{LISTENS, Start};

use super::check;
use super::luck::Luck;
use super::promises::{Promise, Promised};
use super::record::Recording;
use super::steps::{Act, Step};

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) cuts: usize,
    /// Cuts after which the server was started.
    pub(super) starts: usize,
    /// Events that were promised at the cuts, and those that were found, in all.
    pub(super) promised: usize,
    pub(super) found: usize,
}

/// See the module.
pub(super) struct Cutter<'a> {
    recording: &'a Recording,
    /// As they were recorded, unless a test says otherwise.
    pub(super) steps: Cow<'a, [Step]>,
    pub(super) promises: Cow<'a, [(usize, Promise)]>,
    random: SeededRandom,
}

/// Moments for cuts, in order: some anywhere, and some among what happens rarely. A cut at `n` is before step `n`.
pub(super) fn draw_cuts(recording: &Recording, count: usize) -> Vec<usize> {
    let random = SeededRandom::new(1);
    let steps = &recording.steps;
    let is_of = |step: &Step, end: &str| match &step.act {
        Act::Write { path, .. } | Act::Truncate { path, .. } | Act::Sync { path } => {
            path.to_string_lossy().ends_with(end)
        }
        _ => false,
    };
    let first_answer = recording.promises.first().map_or(0, |(step, _)| *step);
    let mut kinds: Vec<Vec<usize>> = vec![
        (0..steps.len()).collect(),
        // The beginning, in which all files are made.
        (0..first_answer).collect(),
        (0..steps.len()).filter(|at| is_of(&steps[*at], ".db-wal")).collect(),
        // Checkpoints.
        (0..steps.len()).filter(|at| is_of(&steps[*at], ".db")).collect(),
        (0..steps.len())
            .filter(|at| {
                matches!(
                    steps[*at].act,
                    Act::Remove { .. } | Act::Rename { .. } | Act::Truncate { .. } | Act::Open { .. }
                )
            })
            .collect(),
    ];
    kinds.retain(|kind| !kind.is_empty());
    let mut cuts: Vec<usize> = (0..count)
        .map(|number| {
            let kind = &kinds[number % kinds.len()];
            kind[random.u32() as usize % kind.len()] + (random.u32() % 2) as usize
        })
        .collect();
    cuts.sort_unstable();
    cuts
}

impl<'a> Cutter<'a> {
    pub(super) fn new(recording: &'a Recording) -> Self {
        Self {
            recording,
            steps: Cow::Borrowed(&recording.steps),
            promises: Cow::Borrowed(&recording.promises),
            random: SeededRandom::new(2),
        }
    }

    /// Cuts at each of these moments, which are in order. After `starts` of them the real server starts on what is
    /// left. The first fault ends it.
    pub(super) fn cut(&self, cuts: &[usize], starts: usize) -> Result<Tally, String> {
        let mut disk = self.recording.before.clone();
        let mut tally = Tally::default();
        let mut done = 0;
        for (number, cut) in cuts.iter().enumerate() {
            while done < *cut {
                disk.step(&self.steps[done]);
                done += 1;
            }
            let luck = Luck::draw(&self.random);
            let at = |fault: &str| {
                let next = self.steps.get(*cut).map(|step| step.act.to_string());
                format!(
                    "cut {number}, {luck:?}, before step {cut} of {} ({next:?}): {fault}",
                    self.steps.len()
                )
            };
            let promised = Promised::before(*cut, &self.promises);
            let found = disk.after_power_loss(luck, &self.random);
            let temp = temporary();
            let folder = temp.path().join("data");
            check::write_down(&found, &self.recording.folder, &folder);
            if number * starts / cuts.len() != (number + 1) * starts / cuts.len() {
                start_and_deliver(&folder).map_err(|fault| at(&fault))?;
                tally.starts += 1;
            }
            let events = check::check(&folder, &promised).map_err(|fault| at(&fault))?;
            tally.cuts += 1;
            tally.promised += promised.events.len();
            tally.found += events;
        }
        Ok(tally)
    }
}

/// The server starts on what is left, and delivers all that waits.
fn start_and_deliver(folder: &Path) -> Result<(), String> {
    let mut process = Start::on(folder).spawn();
    let Some(address) = process.line(LISTENS) else {
        return Err(process.wait_for_end(PATIENCE).err);
    };
    let client = Client::tcp(address.parse().expect("an address")).with_key(KEY);
    client.get("/readyz").expect(200);
    process::until("nothing to be pending", PATIENCE, || {
        let pending = client.get("/api/v1/deliveries?status=pending&limit=1").expect(200).json();
        pending["data"].as_array().expect("a list").is_empty().then_some(())
    });
    process.signal("TERM");
    let ended = process.wait_for_end(PATIENCE);
    if ended.status.success() { Ok(()) } else { Err(ended.err) }
}

/// In memory where the system has such a place: what is rebuilt need not be on a disk.
fn temporary() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    made.expect("a temporary directory")
}
