//! The one thread that writes.
//!
//! It takes whatever waits, runs it in one transaction, commits once and answers everyone: group commit. Then,
//! where there is time: pages for the dispatcher, a turn of a change to many rows, a turn of the cleanup, a
//! checkpoint. It sleeps when there is nothing to do.

use std::rc::Rc;
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
use super::unread::Unread;
use super::work::Work;

/// Items and bytes of a batch at most: what a commit that fails has to answer for.
const BATCH_ITEMS: usize = 1_024;
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// How long to wait before a failed commit, or a turn that failed, is tried again.
pub(super) const PATIENCE_IN_TROUBLE: Duration = Duration::from_millis(500);
/// How often an idle writer looks at the clock: for jumps, and for the hourly mark.
const LOOK: Duration = Duration::from_mins(1);
/// Wall clock and uptime are noted this often, whatever the clock does: a clock that goes ahead in steps would carry
/// the mark along, and never be doubted.
const MARK: Duration = Duration::from_hours(1);
/// Jumps that no transaction writes down with its own are written this far apart at least: a clock may jump all the
/// time.
const JUMPS_APART: Duration = Duration::from_mins(10);
/// Pages that are read before the queue is looked at again; while somebody publishes it is one, of few rows.
const PAGES: usize = 4;
pub(super) const FEW_ROWS: usize = 32;
/// The longest that deliveries of a backlog wait for those who publish.
const LONGEST_REST: Duration = Duration::from_millis(5);

/// A writer that has no thread yet.
pub(super) struct NewWriter {
    pub(super) connection: Connection,
    pub(super) shared: Arc<Shared>,
    pub(super) queue: Arc<Queue<Work>>,
    pub(super) handover: Arc<dyn Handover>,
    pub(super) kept: Kept,
}

impl NewWriter {
    /// The writer, on the thread that calls and no other.
    pub(super) fn here(self) -> Writer {
        let Self { connection, shared, queue, handover, kept } = self;
        Writer { connection: Rc::new(connection), shared, queue, handover, kept }
    }
}

/// The writer, on a thread of its own.
pub(super) struct Writer {
    /// A copy that is being made has it as well.
    pub(super) connection: Rc<Connection>,
    pub(super) shared: Arc<Shared>,
    pub(super) queue: Arc<Queue<Work>>,
    pub(super) handover: Arc<dyn Handover>,
    pub(super) kept: Kept,
}

/// What the loop keeps besides.
pub(super) struct Run {
    /// Outcomes of a commit that failed.
    again: Vec<Work>,
    pub(super) trouble: bool,
    pub(super) last_turn: Stopwatch,
    last_page: Stopwatch,
    /// The last turn failed, and not because of the disk.
    pub(super) resting: bool,
    next_mark: Duration,
    /// From when on a jump is written down by itself again.
    next_jump: Duration,
    pub(super) cleaning: Option<Cleaning>,
    unread: Unread,
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
            if let Some(job) = self.shared.backups.asked()
                && !self.copy_out(&mut run, &job)
            {
                break;
            }
        }
        self.stop(run);
    }

    /// What the loop starts with.
    pub(super) fn start(&self) -> Run {
        let now = self.shared.times.clock().monotonic();
        Run {
            again: Vec::new(),
            trouble: false,
            last_turn: Stopwatch::start(),
            last_page: Stopwatch::start(),
            resting: false,
            next_mark: now,
            next_jump: now,
            cleaning: None,
            unread: Unread::default(),
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
        self.look();
        self.batch(run, items);
        if !run.trouble {
            self.mark(run);
            let backlog = self.pages(run);
            self.background(run);
            let asked = self.queue.is_asked();
            if let Some(checkpoints) = &mut self.kept.checkpoints {
                checkpoints.when_grown(&self.connection, asked);
            }
            if backlog && self.queue.is_asked_lately() {
                // Half of the time of this thread, and with it of the processors, is for those who publish.
                self.queue.rest(turn.elapsed().min(LONGEST_REST));
            }
        }
        true
    }

    /// How long there is nothing to do unless something arrives; `None`: for ever.
    pub(super) fn patience(&self, run: &Run) -> Option<Duration> {
        if run.trouble {
            return Some(PATIENCE_IN_TROUBLE);
        }
        let busy = !self.kept.bulk.is_empty()
            || self.kept.unfilled.is_due()
            || self.kept.has_jobs()
            || run.cleaning.is_some()
            || self.shared.may_clean();
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
    pub(super) fn begin_trouble(&self, run: &mut Run) {
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

    /// Looks whether the wall clock has jumped, before anything is written by it.
    fn look(&self) {
        if let Some(offset) = self.shared.times.notice_jump() {
            tracing::warn!(
                offset_ms = offset,
                "the wall clock has jumped; retries wait as long as they would have"
            );
            self.handover.time_of_day_changed();
        }
    }

    /// Notes the time once an hour, and a jump of the wall clock that no transaction has taken with it.
    fn mark(&self, run: &mut Run) {
        let now = self.shared.times.clock().monotonic();
        if now >= run.next_mark {
            let marked = super::meta::mark(&self.connection, &self.shared);
            run.next_mark = now + if marked.is_ok() { MARK } else { LOOK };
            if let Err(error) = marked {
                tracing::warn!(%error, "the hourly mark could not be written");
            }
        } else if now >= run.next_jump && self.shared.is_offset_unwritten() {
            run.next_jump = now + JUMPS_APART;
            if let Err(error) = super::meta::write_offset(&self.connection, &self.shared) {
                tracing::warn!(%error, "a jump of the wall clock could not be written down");
            }
        }
    }

    /// Reads what the dispatcher wants to send next, if it is not told of it. Little at a time while somebody publishes,
    /// and not just when somebody waits, unless that goes on for long. Whether there was something to read.
    fn pages(&mut self, run: &mut Run) -> bool {
        if self.queue.is_asked() && run.last_page.elapsed() < LONGEST_REST {
            return false;
        }
        let read = self.read_pages(run);
        if read {
            run.last_page = Stopwatch::start();
        }
        read
    }

    fn read_pages(&mut self, run: &mut Run) -> bool {
        for nth in 0..PAGES {
            let Some((endpoint, mut plan)) = self.handover.wants_page() else { return nth > 0 };
            let asked = self.queue.is_asked_lately();
            if asked {
                plan.rows = plan.rows.min(FEW_ROWS);
            }
            match super::page::read(&self.connection, &self.shared, &*self.handover, endpoint, plan) {
                Ok(page) => {
                    if run.unread.read(endpoint, |id| self.shared.directory.route(id).is_some()) {
                        tracing::info!("due deliveries can be read again");
                    }
                    self.handover.paged(endpoint, Some(page));
                }
                Err(error) => {
                    if let Some(others) = run.unread.failed(endpoint, self.shared.times.process_ms()) {
                        tracing::error!(%endpoint, %error, others, "due deliveries could not be read; tried again");
                    }
                    self.handover.paged(endpoint, None);
                }
            }
            if asked {
                return true;
            }
        }
        true
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
        self.look();
        if let Err(error) = super::meta::mark(&self.connection, &self.shared) {
            tracing::warn!(%error, "the last mark could not be written");
        }
    }
}

/// An outcome that a stop found in the queue after its end: it is sent again at the next start.
pub(super) fn too_late(outcome: &Outcome) {
    tracing::warn!(delivery = %outcome.delivery, "its outcome came after the stop; it is sent again at the next start");
}
