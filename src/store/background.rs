//! Turns of long work besides: replays.

use super::tx::Kept;
use super::writer::{Run, Writer};

impl Kept {
    /// Something was committed: what waited for that may go on.
    pub(super) fn look_again(&mut self) {
        self.replays.look_again();
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
    }
}
