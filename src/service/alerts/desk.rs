//! Tests of alerts: asked for by a call, which waits, and made by the thread that looks at alerts.

use std::collections::VecDeque;
use std::sync::{Mutex, OnceLock, PoisonError};

use serde::Serialize;

use crate::clock::Stopwatch;
use crate::domain::alert::message::Message;
use crate::domain::ids::AlertId;
use crate::service::{AdminScope, Code, Error, Service};
use crate::store::alerts::{AlertNoted, AlertRow};
use crate::store::audit::Audited;
use crate::store::{Answer, Promise};

use super::send::MailState;
use super::view::find;

/// Tests that may wait.
const MOST: usize = 8;

/// Wakes the thread that makes the tests.
type Waker = Box<dyn Fn() + Send + Sync>;

/// Tests that wait for their turn.
#[derive(Default)]
pub(super) struct Desk {
    waiting: Mutex<VecDeque<Waiting>>,
    waker: OnceLock<Waker>,
}

struct Waiting {
    scope: AdminScope,
    alert: AlertRow,
    promise: Promise<AlertTested, Error>,
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertTested {
    /// Whether it was taken.
    pub success: bool,
    /// How long that took.
    pub duration_ms: u64,
    /// Why it was not, in a line that a person can act on.
    pub error: Option<String>,
}

impl Service {
    /// From now on this wakes the thread that looks at alerts. The first one stays.
    pub fn watch_alerts(&self, waker: Waker) {
        // A second dispatcher on the same use cases does not start.
        drop(self.alerts.desk.waker.set(waker));
    }

    /// Where people reach the console, for messages.
    pub fn set_console(&self, url: String) {
        drop(self.alerts.console.set(url));
    }

    /// Sends a message that says that it is a test, enabled or not; the answer comes when it is taken or refused. Blocks
    /// for a moment.
    ///
    /// # Errors
    /// `not_found`, `too_many_tests`.
    pub fn test_alert(&self, scope: &AdminScope, id: &str) -> Result<Answer<AlertTested, Error>, Error> {
        let alert = self.store.read(|reader| find(reader, id))?;
        let (promise, answer) = Promise::new();
        let desk = &self.alerts.desk;
        let mut waiting = desk.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MOST {
            let detail = format!("{MOST} tests of alerts wait; wait for one of them");
            return Err(Error::new(Code::TooManyTests, detail));
        }
        // Where nobody looks at alerts, nobody tests them: the promise is dropped, and the call says so.
        if let Some(waker) = desk.waker.get() {
            waiting.push_back(Waiting { scope: scope.clone(), alert, promise });
            drop(waiting);
            waker();
        }
        Ok(answer)
    }

    /// Whether a test waits.
    pub fn has_alert_tests(&self) -> bool {
        !self.alerts.desk.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Makes the tests that wait. Blocks as long as sending takes. A test finds out by itself whether the mail server
    /// answers, since that is what somebody wants to know.
    pub fn make_alert_tests(&self) {
        loop {
            let next = self.alerts.desk.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(Waiting { scope, alert, promise }) = next else { return };
            let watch = Stopwatch::start();
            let console = self.alerts.console.get().filter(|_| alert.tenant.is_none()).cloned();
            let message = Message::test(console);
            let result = self.send_alert(&alert, &message, &mut MailState::default());
            let tested = AlertTested {
                success: result.is_ok(),
                duration_ms: u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX),
                error: result.clone().err(),
            };
            self.record_test(scope, &alert, result, tested, promise);
        }
    }

    fn record_test(
        &self,
        scope: AdminScope,
        alert: &AlertRow,
        result: Result<(), String>,
        tested: AlertTested,
        promise: Promise<AlertTested, Error>,
    ) {
        let id: AlertId = alert.id;
        let tenant_id = alert.tenant.as_ref().map(|(tenant, _)| *tenant);
        // What is collected and what was told stays as it is: a test is no news.
        let at = self.store.times().wall();
        let noted = AlertNoted { result: Some(result), at, seen: alert.updated_at, ..AlertNoted::default() };
        self.store.write_for(promise, move |tx| {
            tx.note_alert_test(id, &noted)?;
            tx.audit(Audited {
                actor: scope.actor(),
                action: "alert.test",
                target: id.to_string(),
                tenant_id,
                before: None,
                after: Some(serde_json::json!({ "success": tested.success })),
            })?;
            Ok(tested)
        });
    }
}
