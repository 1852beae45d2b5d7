//! What all scenarios share: the options, the disk, the receiver, and the ceilings of this machine.

use tempfile::TempDir;

use crate::Fallible;
use crate::arguments::Options;
use crate::ceilings::{self, Ceilings};
use crate::place::Place;
use crate::receiver::Receiver;
use crate::row::{Limit, Row};

/// The memory that a scenario may take whose own line names no figure, in megabytes: must and aim.
const PEAK: (f64, f64) = (60.0, 40.0);

/// A scenario: a name for `--only`, a line for the help, and what gives its rows.
pub struct Scenario {
    /// One word.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Runs all rounds of it. Fails when something was lost, refused or sent twice.
    pub run: fn(&mut Bench) -> Fallible<Vec<Row>>,
}

/// See the module.
pub struct Bench {
    /// What the caller wants.
    pub options: Options,
    /// Where the files are.
    pub place: Place,
    /// Who receives.
    pub receiver: Receiver,
    ceilings: Option<Ceilings>,
    peaks: Vec<(&'static str, f64)>,
}

impl Bench {
    /// Finds the disk and starts the receiver.
    pub fn new(options: Options) -> Fallible<Self> {
        let place = Place::find()?;
        Ok(Self { options, place, receiver: Receiver::start()?, ceilings: None, peaks: Vec::new() })
    }

    /// One of two values: for a full run, or for `--quick`.
    pub fn pick<T>(&self, full: T, quick: T) -> T {
        if self.options.quick { quick } else { full }
    }

    /// Runs a round as often as it was asked for; what each has given. Each is told its number, from 1.
    pub fn rounds<T>(&mut self, mut round: impl FnMut(&mut Self, usize) -> Fallible<T>) -> Fallible<Vec<T>> {
        (1..=self.options.rounds).map(|number| round(self, number)).collect()
    }

    /// A new directory for one server.
    pub fn folder(&self) -> Fallible<TempDir> {
        self.place.folder(self.options.keep)
    }

    /// The ceilings of this machine. What has to be found out once, such as the best number of threads, is.
    pub fn ceilings(&mut self) -> Fallible<&Ceilings> {
        let found = match self.ceilings.take() {
            Some(found) => found,
            None => Ceilings::find(self)?,
        };
        Ok(self.ceilings.insert(found))
    }

    /// R and S, now: measured before each round of full load.
    pub fn r_and_s(&mut self) -> Fallible<[f64; 2]> {
        Ok([self.r()?, self.s()?])
    }

    /// R, now: deliveries per second of ureq's stock connector, straight to the receiver.
    pub fn r(&mut self) -> Fallible<f64> {
        let seconds = self.pick(1.5, 0.3);
        let threads = self.ceilings()?.threads;
        ceilings::stock::per_second(self.receiver.address, threads, seconds)
    }

    /// S, now: lives of a delivery per second in the store, without HTTP.
    pub fn s(&mut self) -> Fallible<f64> {
        let seconds = self.pick(1.5, 0.3);
        ceilings::store::per_second(self.folder()?.path(), seconds)
    }

    /// The median time of one `fdatasync` of 4 KB, now, in milliseconds.
    pub fn sync_ms(&self) -> Fallible<f64> {
        ceilings::disk::sync_ms(self.folder()?.path())
    }

    /// Notes the most memory that a server has taken in a scenario whose own line names no figure.
    pub fn note_peak(&mut self, scenario: &'static str, megabytes: f64) {
        self.peaks.push((scenario, megabytes));
    }

    /// The rows that follow from all scenarios together.
    pub fn closing_rows(&self) -> Vec<Row> {
        let Some((scenario, most)) = self.peaks.iter().copied().max_by(|(_, a), (_, b)| a.total_cmp(b))
        else {
            return Vec::new();
        };
        let row = Row::new("memory: peak of every scenario that names no figure", "MB", vec![most]);
        let row = row.must(Limit::AtMost(PEAK.0)).aim(Limit::AtMost(PEAK.1));
        vec![row.note(format!("the most was in {scenario}"))]
    }
}

/// Bytes as megabytes of 1024 times 1024.
pub fn megabytes(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let bytes = bytes as f64;
    bytes / f64::from(1 << 20)
}

/// A count as a number to divide.
pub fn float(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let float = count as f64;
    float
}
