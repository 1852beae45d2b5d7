//! What the writer does where there is time: a turn of whatever takes long.

use std::time::Duration;

use crate::clock::Stopwatch;

use super::cleanup::Cleaning;
use super::error::StoreError;
use super::writer::{PATIENCE_IN_TROUBLE, Run, Writer};

/// While there is always something to write, background turns come this far apart.
const TURN_EVERY: Duration = Duration::from_millis(25);

impl Writer {
    /// One turn of what takes long, when nobody waits or nobody had to give way for a while.
    pub(super) fn background(&mut self, run: &mut Run) {
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
            run.cleaning = self.shared.next_cleanup().map(Cleaning::new);
        }
        let Some(mut cleaning) = run.cleaning.take() else { return };
        let result = cleaning.turn(&mut self.desk());
        self.after_turn(run, "the cleanup", &result);
        match result {
            Ok(false) => run.cleaning = Some(cleaning),
            Ok(true) => {
                if let Some(checkpoints) = &mut self.kept.checkpoints {
                    // Only now the file itself becomes smaller.
                    checkpoints.copy_now(&self.connection);
                }
                cleaning.finish();
            }
            Err(error) => cleaning.fail(&mut self.desk(), error),
        }
    }

    pub(super) fn after_turn<T>(&mut self, run: &mut Run, what: &str, result: &Result<T, StoreError>) {
        let Err(error) = result else { return };
        tracing::error!(%error, what, "work that goes in turns could not go on");
        if error.is_passing() {
            self.desk().pause(&error.to_string());
            self.begin_trouble(run);
        } else {
            run.resting = true;
        }
    }
}
