//! Which endpoints are being tested: one test at a time each, and so many in all, because tests go beside all
//! queues and caps.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::ids::EndpointId;
use crate::service::Error;
use crate::service::error::Code;

/// Tests at a time over all endpoints.
const MOST: usize = 32;

/// The tests under way. Its clones are the same.
#[derive(Debug, Clone, Default)]
pub(in crate::service) struct TestsRunning(Arc<Mutex<HashSet<EndpointId>>>);

/// A test under way, until it is dropped.
#[derive(Debug)]
pub(super) struct TestSlot {
    running: TestsRunning,
    endpoint: EndpointId,
}

impl TestsRunning {
    /// Begins a test.
    pub(super) fn begin(&self, endpoint: EndpointId) -> Result<TestSlot, Error> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = |what: String| Err(Error::new(Code::TooManyTests, what));
        if running.contains(&endpoint) {
            return refused(format!("a test of {endpoint} is under way; wait for its answer"));
        }
        if running.len() >= MOST {
            return refused(format!("{MOST} tests are under way; wait for one of them"));
        }
        running.insert(endpoint);
        Ok(TestSlot { running: self.clone(), endpoint })
    }
}

impl Drop for TestSlot {
    fn drop(&mut self) {
        self.running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.endpoint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_tested_once_at_a_time() {
        let running = TestsRunning::default();
        let slot = running.begin(EndpointId(1)).unwrap();
        assert_eq!(running.begin(EndpointId(1)).unwrap_err().code, Code::TooManyTests);
        drop(slot);
        assert!(running.begin(EndpointId(1)).is_ok());
    }

    #[test]
    fn so_many_tests_run_in_all() {
        let running = TestsRunning::default();
        let slots: Vec<_> = (0..32).map(|id| running.begin(EndpointId(id)).unwrap()).collect();
        let refused = running.begin(EndpointId(99)).unwrap_err();
        assert_eq!((refused.code, refused.retry_after), (Code::TooManyTests, Some(1)));
        drop(slots);
        assert!(running.begin(EndpointId(99)).is_ok());
    }
}
