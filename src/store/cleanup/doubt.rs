//! Whether the wall clock can be believed when things are about to be deleted by their age.
//!
//! The file holds a mark of the wall clock, renewed every hour. A clock that is far ahead of it may be wrong, and
//! a cleanup by a wrong clock deletes everything. So it waits: for a day of uptime, or for a person's word.

use crate::domain::time::UnixMs;

/// How far ahead of the mark the clock may be.
const AHEAD_MS: i64 = 2 * 86_400_000;
/// How long a doubt lasts.
const PATIENCE_MS: i64 = 86_400_000;

/// The mark, and a doubt if there is one.
#[derive(Debug, Default)]
pub(in crate::store) struct Doubt {
    mark: Option<UnixMs>,
    /// Uptime of this process at which the doubt arose.
    since: Option<i64>,
}

impl Doubt {
    /// The mark that is in the file.
    pub(in crate::store) fn start(&mut self, mark: Option<UnixMs>) {
        self.mark = mark;
    }

    /// Looks at the clock.
    pub(in crate::store) fn look(&mut self, wall: UnixMs, process_ms: i64) {
        let ahead = self.mark.is_some_and(|mark| wall.0 - mark.0 > AHEAD_MS);
        match (ahead, self.since) {
            (false, _) => self.since = None,
            (true, None) => self.since = Some(process_ms),
            (true, Some(since)) if process_ms - since >= PATIENCE_MS => self.trust(wall),
            (true, Some(_)) => {}
        }
    }

    /// The clock is right, or is taken to be.
    pub(in crate::store) fn trust(&mut self, wall: UnixMs) {
        self.mark = Some(wall);
        self.since = None;
    }

    /// What to tell about it.
    pub(in crate::store) fn reason(&self) -> Option<String> {
        let mark = self.mark.filter(|_| self.since.is_some())?;
        Some(format!(
            "the clock is more than two days ahead of {mark}, when this database was last in use: the cleanup \
             waits for 24 hours, or until one by hand (`postrider cleanup`, or POST /api/v1/cleanups) says that the \
             clock is right"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn a_clock_far_ahead_is_doubted_for_a_day() {
        let mut doubt = Doubt::default();
        doubt.start(Some(UnixMs(100 * DAY)));
        doubt.look(UnixMs(102 * DAY), 0);
        assert_eq!(doubt.reason(), None);
        doubt.look(UnixMs(103 * DAY), 5);
        assert!(doubt.reason().is_some());
        doubt.look(UnixMs(104 * DAY), DAY);
        assert!(doubt.reason().is_some());
        doubt.look(UnixMs(104 * DAY + 10), DAY + 5);
        assert_eq!(doubt.reason(), None);
    }

    #[test]
    fn a_persons_word_or_a_clock_set_back_ends_the_doubt() {
        let mut doubt = Doubt::default();
        doubt.start(Some(UnixMs(100 * DAY)));
        doubt.look(UnixMs(200 * DAY), 0);
        doubt.look(UnixMs(100 * DAY), 1);
        assert_eq!(doubt.reason(), None);
        doubt.look(UnixMs(200 * DAY), 2);
        doubt.trust(UnixMs(200 * DAY));
        doubt.look(UnixMs(200 * DAY), 3);
        assert_eq!(doubt.reason(), None);
    }

    #[test]
    fn a_new_file_doubts_nothing() {
        let mut doubt = Doubt::default();
        doubt.look(UnixMs(100 * DAY), 0);
        assert_eq!(doubt.reason(), None);
    }
}
