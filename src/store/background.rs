//! Turns of long work besides: replays, deletions of tenants, and of the answers to an event without data.

use super::tx::Kept;
use super::writer::{Run, Writer};

impl Kept {
    /// Something was committed: what waited for that may go on.
    pub(super) fn look_again(&mut self) {
        self.replays.look_again();
        self.deletions.look_again();
    }

    /// Whether there is a job that can go on.
    pub(super) fn has_jobs(&self) -> bool {
        self.replays.is_ready() || self.deletions.is_ready() || self.blankings.is_ready()
    }
}

impl Writer {
    /// One turn of each kind of job.
    pub(super) fn turn_jobs(&mut self, run: &mut Run) {
        if let Some(replay) = self.kept.replays.next() {
            let result = self.desk().background(|tx| tx.replay_turn(replay));
            self.after_turn(run, "a replay", &result);
            if let Ok(turn) = result {
                self.kept.replays.turned(replay, turn);
            }
        }
        if let Some(deletion) = self.kept.deletions.next() {
            // What is deleted is deleted from the tables filled behind as well, so these have to be complete.
            let before = std::mem::replace(&mut self.kept.fill_all, true);
            let result = self.desk().background(|tx| tx.tenant_deletion_turn(deletion));
            self.kept.fill_all = before;
            self.after_turn(run, "the deletion of a tenant", &result);
            if let Ok(turn) = result {
                self.kept.deletions.turned(deletion, turn);
            }
        }
        if let Some(event) = self.kept.blankings.next() {
            let result = self.desk().background(|tx| tx.blanking_turn(event));
            self.after_turn(run, "the deletion of an event's data", &result);
            if let Ok(turn) = result {
                self.kept.blankings.turned(event, turn);
            }
        }
    }
}
