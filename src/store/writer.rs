//! The one thread that writes.
//!
//! It takes whatever waits, runs it in one transaction, commits once and answers everyone: group commit. Then,
//! where there is time: pages for the dispatcher, a turn of a change to many rows, a turn of the cleanup, a
//! checkpoint. It sleeps when there is nothing to do.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::clock::Stopwatch;

use super::Shared;
use super::batch::Desk;
use super::checkpoint::Checkpoints;
use super::cleanup::Cleaning;
use super::handover::Handover;
use super::outcome::Outcome;
use super::queue::{Queue, Taken};
use super::tx::Kept;
use super::work::Work;

/// Items and bytes of a batch at most: what a commit that fails has to answer for.
const BATCH_ITEMS: usize = 1_024;
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// How long to wait before a failed commit, or a turn that failed, is tried again.
const PATIENCE_IN_TROUBLE: Duration = Duration::from_millis(500);
/// How often an idle writer looks at the clock: for jumps, and for the hourly mark.
const LOOK: Duration = Duration::from_mins(1);
/// Wall clock and uptime are noted this often.
const MARK: Duration = Duration::from_hours(1);
/// Pages that are read before the queue is looked at again; while somebody publishes it is one, of few rows.
const PAGES: usize = 4;
pub(super) const FEW_ROWS: usize = 64;
/// The longest that deliveries of a backlog wait for those who publish.
const LONGEST_REST: Duration = Duration::from_millis(5);
/// While there is always something to write, background turns come this far apart.
const TURN_EVERY: Duration = Duration::from_millis(25);

/// The writer, to be run on a thread of its own.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) shared: Arc<Shared>,
    pub(super) queue: Arc<Queue<Work>>,
    pub(super) handover: Arc<dyn Handover>,
    pub(super) kept: Kept,
    /// `None`: somebody else copies the WAL back.
    pub(super) checkpoints: Option<Checkpoints>,
}

/// What the loop keeps besides.
pub(super) struct Run {
    /// Outcomes of a commit that failed.
    again: Vec<Work>,
    trouble: bool,
    last_turn: Stopwatch,
    /// The last turn failed, and not because of the disk.
    resting: bool,
    next_mark: Duration,
    cleaning: Option<Cleaning>,
}

impl Writer {
    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let clock = Arc::clone(self.shared.times.clock());
        let queue = Arc::clone(&self.queue);
        clock.on_move(Arc::new(move || queue.nudge()));
        Checkpoints::watch(&self.connection);
        let mut run = self.start();
        loop {
            let patience = self.patience(&run);
            if !self.once(&mut run, patience) {
                break;
            }
        }
        self.stop(run);
    }

    /// What the loop starts with.
    pub(super) fn start(&self) -> Run {
        Run {
            again: Vec::new(),
            trouble: false,
            last_turn: Stopwatch::start(),
            resting: false,
            next_mark: self.shared.times.clock().monotonic(),
            cleaning: None,
        }
    }

    /// Once around: a batch, then what there is time for. `false`: the queue is closed and empty.
    pub(super) fn once(&mut self, run: &mut Run, patience: Option<Duration>) -> bool {
        let max = BATCH_ITEMS.saturating_sub(run.again.len()).max(1);
        let items = match self.queue.take(patience, max, BATCH_BYTES, Work::is_task) {
            Taken::Closed => return false,
            Taken::Items(items) => items,
        };
        let turn = Stopwatch::start();
        self.batch(run, items);
        if !run.trouble {
            self.mark(run);
            let backlog = self.pages();
            self.background(run);
            if let Some(checkpoints) = &mut self.checkpoints {
                checkpoints.when_grown(&self.connection);
            }
            if backlog && self.queue.is_asked_lately() {
                // Half of the time of this thread, and with it of the processors, is for those who publish.
                self.queue.rest(turn.elapsed().min(LONGEST_REST));
            }
        }
        true
    }

    fn patience(&self, run: &Run) -> Option<Duration> {
        if run.trouble {
            return Some(PATIENCE_IN_TROUBLE);
        }
        let busy = !self.kept.bulk.is_empty()
            || self.kept.unfilled.is_due()
            || self.kept.has_jobs()
            || run.cleaning.is_some()
            || self.shared.cleanups.is_waiting();
        if (busy && !run.resting) || self.handover.wants_page().is_some() {
            return Some(Duration::ZERO);
        }
        if busy {
            return Some(run.last_turn.left(PATIENCE_IN_TROUBLE));
        }
        let clock = self.shared.times.clock();
        let due = run.next_mark.min(clock.monotonic() + LOOK);
        clock.sleep_until(due)
    }

    fn batch(&mut self, run: &mut Run, items: Vec<Work>) {
        let mut batch = std::mem::take(&mut run.again);
        batch.extend(items);
        if batch.is_empty() && !run.trouble {
            return;
        }
        let done = self.desk().run(batch);
        self.kept.look_again();
        run.again = done.again.into_iter().map(|outcome| Work::Outcome(Box::new(outcome))).collect();
        match (&done.failed, run.trouble) {
            (Some(reason), false) => {
                tracing::error!(%reason, "nothing can be written; events are refused and deliveries pause until it can");
                self.begin_trouble(run);
            }
            (None, true) => {
                tracing::info!("the database can be written again");
                run.trouble = false;
                self.shared.set_trouble(None);
                self.handover.unavailable(None);
                self.set_lock_patience(super::connection::WRITER_PATIENCE);
            }
            _ => {}
        }
    }

    /// From now on it is only tried whether something can be written again.
    fn begin_trouble(&self, run: &mut Run) {
        run.trouble = true;
        // Who was waiting has waited long enough, and tries follow each other.
        self.set_lock_patience(Duration::ZERO);
    }

    /// How long a lock of another program is waited for.
    fn set_lock_patience(&self, patience: Duration) {
        if let Err(error) = self.connection.busy_timeout(patience) {
            tracing::warn!(%error, "the wait for locks could not be changed");
        }
    }

    pub(super) fn desk(&mut self) -> Desk<'_> {
        Desk {
            connection: &self.connection,
            shared: &self.shared,
            handover: &*self.handover,
            kept: &mut self.kept,
        }
    }

    /// Notes the time once an hour, and at once when the wall clock has jumped.
    fn mark(&mut self, run: &mut Run) {
        let times = &self.shared.times;
        let due = times.clock().monotonic() >= run.next_mark;
        let jumped = times.notice_jump().is_some();
        if !due && !jumped {
            return;
        }
        match super::meta::mark(&self.connection, &self.shared) {
            Ok(()) => run.next_mark = self.shared.times.clock().monotonic() + MARK,
            Err(error) => {
                tracing::warn!(%error, "the hourly mark could not be written");
                run.next_mark = self.shared.times.clock().monotonic() + LOOK;
            }
        }
    }

    /// Reads what the dispatcher wants to send next, if it is not told of it. Little at a time while somebody publishes.
    /// Whether there was something to read.
    fn pages(&mut self) -> bool {
        for nth in 0..PAGES {
            let Some((endpoint, mut plan)) = self.handover.wants_page() else { return nth > 0 };
            let asked = self.queue.is_asked_lately();
            if asked {
                plan.rows = plan.rows.min(FEW_ROWS);
            }
            match super::page::read(&self.connection, &self.shared, &*self.handover, endpoint, plan) {
                Ok(page) => self.handover.paged(endpoint, Some(page)),
                Err(error) => {
                    tracing::error!(%endpoint, %error, "due deliveries could not be read");
                    self.handover.paged(endpoint, None);
                }
            }
            if asked {
                return true;
            }
        }
        true
    }

    /// One turn of what takes long, when nobody waits or nobody had to give way for a while.
    fn background(&mut self, run: &mut Run) {
        let (_, waiting) = self.queue.load();
        let least = if run.resting { PATIENCE_IN_TROUBLE } else { TURN_EVERY };
        if (waiting > 0 || run.resting) && run.last_turn.elapsed() < least {
            return;
        }
        run.resting = false;
        if self.kept.unfilled.is_due() {
            // What a transaction writes at its end is all that is wanted.
            let result = self.desk().background(|_| Ok(true));
            self.after_turn(run, "filling list indexes", &result);
        }
        if let Some(endpoint) = self.kept.bulk.next() {
            let result = self.desk().background(|tx| tx.bulk_turn(endpoint));
            self.after_turn(run, "a change to many deliveries", &result);
            if let Ok(true) = result {
                self.kept.bulk.finished(endpoint);
                self.kept.look_again();
            }
        }
        self.turn_jobs(run);
        self.clean(run);
        run.last_turn = Stopwatch::start();
    }

    /// One turn of a cleanup.
    fn clean(&mut self, run: &mut Run) {
        if run.cleaning.is_none() {
            run.cleaning = self.shared.cleanups.next().map(Cleaning::new);
        }
        let Some(mut cleaning) = run.cleaning.take() else { return };
        let result = cleaning.turn(&mut self.desk());
        self.after_turn(run, "the cleanup", &result);
        match result {
            Ok(false) => run.cleaning = Some(cleaning),
            Ok(true) => {
                if let Some(checkpoints) = &mut self.checkpoints {
                    // Only now the file itself becomes smaller.
                    checkpoints.copy_now(&self.connection);
                }
                cleaning.finish();
            }
            Err(error) => cleaning.fail(&mut self.desk(), error),
        }
    }

    pub(super) fn after_turn<T>(&mut self, run: &mut Run, what: &str, result: &Result<T, super::StoreError>) {
        let Err(error) = result else { return };
        tracing::error!(%error, "{what} could not go on");
        if error.is_passing() {
            self.desk().pause(&error.to_string());
            self.begin_trouble(run);
        } else {
            run.resting = true;
        }
    }

    /// What a clean stop leaves: the outcomes that can still be written, and a mark.
    pub(super) fn stop(mut self, mut run: Run) {
        if !run.again.is_empty() {
            self.batch(&mut run, Vec::new());
        }
        let lost = run.again.len();
        if lost > 0 {
            tracing::error!(
                outcomes = lost,
                "could not be written; these deliveries are sent again at the next start"
            );
        }
        self.shared.cleanups.close();
        if let Some(cleaning) = run.cleaning {
            cleaning.fail(&mut self.desk(), super::StoreError::Stopping);
        }
        if let Err(error) = super::meta::mark(&self.connection, &self.shared) {
            tracing::warn!(%error, "the last mark could not be written");
        }
    }
}

/// An outcome that a stop found in the queue after its end: it is sent again at the next start.
pub(super) fn too_late(outcome: &Outcome) {
    tracing::warn!(delivery = %outcome.delivery, "its outcome came after the stop; it is sent again at the next start");
}
