//! Pages that cannot be read. Each is tried again every few seconds, for as long as the trouble lasts, and there may be
//! as many of them as endpoints: the log is told that it began, now and then that it lasts, and that it is over.

use std::collections::HashSet;
use std::time::Duration;

use crate::domain::complaints::Complaints;
use crate::domain::ids::EndpointId;

/// How far apart lines about one trouble are at least.
pub(super) const TOLD_EVERY: Duration = Duration::from_mins(10);

/// The endpoints whose last page could not be read.
#[derive(Debug)]
pub(super) struct Unread {
    failing: HashSet<EndpointId>,
    complaints: Complaints,
    told: bool,
}

impl Default for Unread {
    fn default() -> Self {
        Self { failing: HashSet::new(), complaints: Complaints::every(TOLD_EVERY), told: false }
    }
}

impl Unread {
    /// A page could not be read, so many milliseconds after the start. Whether that is told, and how many were not since
    /// the last.
    pub(super) fn failed(&mut self, endpoint: EndpointId, process_ms: i64) -> Option<u64> {
        self.failing.insert(endpoint);
        let others = self.complaints.count(process_ms);
        self.told |= others.is_some();
        others
    }

    /// A page was read. Whether it is told that the trouble is over. One that is deleted meanwhile is not waited for.
    pub(super) fn read(&mut self, endpoint: EndpointId, is_there: impl Fn(EndpointId) -> bool) -> bool {
        if self.failing.is_empty() {
            return false;
        }
        self.failing.retain(|one| *one != endpoint && is_there(*one));
        self.failing.is_empty() && std::mem::take(&mut self.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: EndpointId = EndpointId(1);
    const TWO: EndpointId = EndpointId(2);

    #[test]
    fn a_trouble_is_told_once_and_so_is_its_end() {
        let mut unread = Unread::default();
        assert!(!unread.read(ONE, |_| true));
        let told = [0, 5_000, 10_000].map(|ms| [unread.failed(ONE, ms), unread.failed(TWO, ms)]);
        assert_eq!(told.as_flattened(), [Some(0), None, None, None, None, None]);
        assert!(!unread.read(ONE, |_| true) && !unread.read(ONE, |_| true), "the other one is not over");
        assert!(unread.read(TWO, |_| true));
        assert!(!unread.read(TWO, |_| true));
    }

    #[test]
    fn an_endpoint_that_is_deleted_has_no_trouble_any_more() {
        let mut unread = Unread::default();
        assert!(unread.failed(ONE, 0).is_some());
        assert!(!unread.read(TWO, |_| true));
        assert!(unread.read(TWO, |id| id != ONE));
    }

    #[test]
    fn one_that_lasts_is_told_again_and_one_that_comes_and_goes_no_oftener() {
        let mut unread = Unread::default();
        let lines: Vec<_> = (0..1_000).filter_map(|n| unread.failed(ONE, n * 5_000)).collect();
        assert_eq!(lines, [0, 119, 119, 119, 119, 119, 119, 119, 119]);
        let mut unread = Unread::default();
        let lines = (0..1_000).map(|n| {
            let began = unread.failed(ONE, n * 5_000).is_some();
            usize::from(began) + usize::from(unread.read(ONE, |_| true))
        });
        assert_eq!(lines.sum::<usize>(), 18);
    }
}
