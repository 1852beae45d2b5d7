//! Testing an endpoint, with a dispatcher that catches what it would send.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use postrider::domain::outcome::Fact;
use postrider::service::endpoints::{EndpointDraft, TestDraft, TestResult};
use postrider::service::{Code, Error, Patch};
use postrider::store::handover::Express;
use postrider::store::outcome::{AttemptRecord, Outcome, PhasesMs};

use crate::support::house::{House, START, all};

fn endpoint(house: &House, enabled: bool) -> String {
    let draft = EndpointDraft {
        url: Patch::Set("https://a.example/".to_owned()),
        enabled: Patch::Set(enabled),
        ..EndpointDraft::default()
    };
    let checked = house.service.check_endpoint(&all(), None, &draft).ok().unwrap();
    house.service.create_endpoint(checked).wait().ok().unwrap().endpoint.id.to_string()
}

/// Waits on this thread; what is waited for wakes it.
fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Thread(std::thread::Thread);
    impl std::task::Wake for Thread {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(std::sync::Arc::new(Thread(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Begins a test and waits until it is handed over.
fn begin(
    house: &House,
    id: &str,
    draft: &TestDraft,
) -> (impl Future<Output = Result<TestResult, Error>> + use<>, Vec<Express>) {
    let testing = house.service.test_endpoint(&all(), id, None, draft).unwrap();
    // What is written later is answered later, so by now the test is with the dispatcher, or was refused.
    house.service.store().write::<(), postrider::store::StoreError>(|_| Ok(())).wait().unwrap();
    (testing.finished(), house.catcher.tests())
}

fn answer(express: Express, status: u16) {
    let fact = if status == 200 {
        Fact::Delivered
    } else {
        Fact::Failed { timed_out: false, gone: status == 410, retry_after: None }
    };
    let attempt = AttemptRecord {
        revision: express.route.revision,
        format_revision: 0,
        started_at: START,
        duration_ms: 12,
        phases: PhasesMs::default(),
        address: None,
        signatures: String::new(),
        status_code: Some(status),
        error: (status != 200).then(|| format!("answered {status}")),
        response_headers: Vec::new(),
        response_body: b"thanks".to_vec(),
    };
    let (delivery, endpoint, round) = (express.job.delivery, express.job.endpoint, express.job.round);
    (express.done)(Outcome { delivery, endpoint, round, fact, jitter: 0, attempt });
}

#[test]
fn a_test_is_sent_to_a_disabled_endpoint_and_recorded() {
    let house = House::new();
    let id = endpoint(&house, false);
    let (testing, mut sent) = begin(&house, &id, &TestDraft::default());
    let express = sent.pop().unwrap();
    assert_eq!(express.job.payload.event_type.as_str(), "webhook.test");
    assert!(express.job.payload.data.contains("\"test\":true") && !express.route.enabled);
    let event = express.job.payload.event;
    answer(express, 200);
    let result = wait(testing).unwrap();
    assert!(result.success && result.error.is_none() && result.duration_ms == 12);
    assert_eq!((result.status_code, result.response_body.as_deref()), (Some(200), Some("thanks")));
    let stored = house.service.store().read(|reader| reader.stored_event(event)).unwrap().unwrap();
    assert_eq!(stored.deliveries, 0, "it matched nothing");
    let attempts = house.service.store().read(|reader| reader.attempts(result.delivery_id)).unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!(house.audited(1), ["endpoint.test"]);
}

#[test]
fn a_failed_test_does_not_count_for_health() {
    let house = House::new();
    let id = endpoint(&house, true);
    let draft = TestDraft { event_type: Some("a.b".to_owned()), data: Some("[ 1.0 ]".to_owned()) };
    let (testing, mut sent) = begin(&house, &id, &draft);
    let express = sent.pop().unwrap();
    assert_eq!((express.job.payload.event_type.as_str(), &*express.job.payload.data), ("a.b", "[ 1.0 ]"));
    answer(express, 410);
    let result = wait(testing).unwrap();
    assert_eq!(
        (result.success, result.status_code, result.error.as_deref()),
        (false, Some(410), Some("answered 410"))
    );
    let endpoint = house.service.endpoint(&all(), &id, None).unwrap();
    assert!(endpoint.endpoint.enabled && endpoint.endpoint.failure_count == 0);
}

#[test]
fn an_endpoint_is_tested_once_at_a_time_also_when_nobody_waits() {
    let house = House::new();
    let id = endpoint(&house, true);
    let (first, mut sent) = begin(&house, &id, &TestDraft::default());
    drop(first);
    let (second, none) = begin(&house, &id, &TestDraft::default());
    assert!(none.is_empty());
    let refused = wait(second).unwrap_err();
    assert_eq!((refused.code, refused.retry_after), (Code::TooManyTests, Some(1)));
    answer(sent.pop().unwrap(), 200);
    let (third, mut sent) = begin(&house, &id, &TestDraft::default());
    answer(sent.pop().unwrap(), 200);
    assert!(wait(third).unwrap().success);
}

#[test]
fn a_test_that_is_never_sent_says_so_and_lets_the_next_one_begin() {
    let house = House::new();
    let id = endpoint(&house, true);
    let (testing, sent) = begin(&house, &id, &TestDraft::default());
    drop(sent);
    assert_eq!(wait(testing).unwrap_err().code, Code::Stopping);
    let (_again, sent) = begin(&house, &id, &TestDraft::default());
    assert_eq!(sent.len(), 1);
}

#[test]
fn what_a_test_sends_is_checked() {
    let house = House::new();
    let id = endpoint(&house, true);
    let refused = |event_type: Option<&str>, data: Option<&str>| {
        let draft = TestDraft { event_type: event_type.map(str::to_owned), data: data.map(str::to_owned) };
        house.service.test_endpoint(&all(), &id, None, &draft).err().unwrap()
    };
    let fields = |error: Error| error.fields.into_iter().map(|error| error.field).collect::<Vec<_>>();
    assert_eq!(fields(refused(Some("a b"), Some("{"))), ["type", "data"]);
    assert_eq!(fields(refused(None, Some(&"[".repeat(65)))), ["data"]);
    assert_eq!(refused(None, Some(&format!("\"{}\"", "x".repeat(262_144)))).code, Code::TooLarge);
    let unknown = house.service.test_endpoint(&all(), "nobody", None, &TestDraft::default()).unwrap();
    assert_eq!(wait(unknown.finished()).unwrap_err().code, Code::NotFound);
}
