//! Sending one event to one endpoint now, to see what it answers.

use std::sync::{Arc, Weak};

use serde::Serialize;

use crate::domain::ids::DeliveryId;
use crate::domain::invalid::Invalid;
use crate::domain::json;
use crate::domain::names::{EventType, TenantName};
use crate::domain::outcome::Fact;
use crate::service::error::Code;
use crate::service::{Error, Service, TenantScope};
use crate::store::audit::Audited;
use crate::store::handover::Job;
use crate::store::outcome::Outcome;
use crate::store::test_event::TestEvent;
use crate::store::{Answer, Promise, Reader, Store, StoreError, Tx};

use super::read::EndpointRef;
use super::tests_running::{TestSlot, TestsRunning};

/// The type of the event when none is given.
pub const TEST_TYPE: &str = "webhook.test";
/// Its data when none is given.
const TEST_DATA: &str = r#"{"test":true,"message":"This is a test from Postrider. Nothing has happened."}"#;

/// What a test is to send; nothing in it is checked.
#[derive(Debug, Clone, Default)]
pub struct TestDraft {
    /// The type; `webhook.test` by default.
    pub event_type: Option<String>,
    /// The JSON text of the data; by default the example of the type in the catalogue, else a sample.
    pub data: Option<String>,
}

impl TestDraft {
    /// Every wrong field, but for the data, which may only be too long.
    pub fn wrong(&self) -> Invalid {
        let mut invalid = Invalid::new();
        if let Some(text) = &self.event_type {
            invalid.check("type", EventType::parse(text));
        }
        invalid
    }
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestResult {
    /// A 2xx.
    pub success: bool,
    /// The status of the answer.
    pub status_code: Option<u16>,
    /// How long it took.
    pub duration_ms: u32,
    /// One line that a person can act on.
    pub error: Option<String>,
    /// The first 2 KB of the answer's body.
    pub response_body: Option<String>,
    /// The delivery that it is recorded as.
    pub delivery_id: DeliveryId,
}

/// A test under way. Dropped, it goes on and is recorded all the same.
#[must_use = "nobody learns what came of the test"]
pub struct Testing {
    begun: Answer<(), Error>,
    done: Answer<TestResult, Error>,
}

impl Testing {
    /// Waits for the outcome, which is on disk then.
    ///
    /// # Errors
    /// `not_found`, `too_many_tests`, or why it could not be recorded.
    pub async fn finished(self) -> Result<TestResult, Error> {
        self.begun.await?;
        self.done.await
    }
}

impl Service {
    /// Sends a test to an endpoint, whatever it subscribes to, enabled or not.
    ///
    /// # Errors
    /// `invalid` or `too_large` for what is to be sent; the others when waiting ([`Testing::finished`]).
    pub fn test_endpoint(
        &self,
        scope: &TenantScope,
        text: &str,
        tenant: Option<&TenantName>,
        draft: &TestDraft,
    ) -> Result<Testing, Error> {
        let (event_type, data) = self.check_test(draft)?;
        let (promise, done) = Promise::new();
        let plan = Plan {
            scope: scope.clone(),
            endpoint: EndpointRef::new(text, tenant),
            event_type,
            data,
            running: self.tests.clone(),
            store: Arc::downgrade(&self.store),
            promise,
        };
        Ok(Testing { begun: self.store.write(move |tx| plan.begin(tx)), done })
    }

    /// What a test of this type sends if no data is given: the example of the type in the catalogue, else a sample.
    /// Blocks.
    ///
    /// # Errors
    /// `invalid` for what is no type.
    pub fn test_sample(&self, _scope: &TenantScope, event_type: Option<&str>) -> Result<String, Error> {
        let known = EventType::parse(event_type.unwrap_or(TEST_TYPE));
        let known = known.map_err(|message| Error::field("type", message))?;
        self.store.read(|reader| Ok(sample(reader, &known)?.to_string()))
    }

    /// The type of an event that is tried, and its data if it is given.
    pub(in crate::service) fn check_test(
        &self,
        draft: &TestDraft,
    ) -> Result<(EventType, Option<Arc<str>>), Error> {
        let mut invalid = Invalid::new();
        let event_type = draft.event_type.as_deref().unwrap_or(TEST_TYPE);
        let event_type = invalid.check("type", EventType::parse(event_type));
        let data = draft.data.as_deref();
        let limit = self.store.directory().settings().data_limit_bytes;
        if let Some(data) = data.filter(|data| data.len() > limit as usize) {
            let length = data.len();
            return Err(Error::new(Code::TooLarge, format!("data may have {limit} bytes and has {length}")));
        }
        if let Some(data) = data {
            invalid.check("data", json::check(data));
        }
        match event_type {
            Some(event_type) if invalid.is_empty() => Ok((event_type, data.map(Arc::from))),
            _ => Err(invalid.into()),
        }
    }
}

/// A test that is about to begin.
struct Plan {
    scope: TenantScope,
    endpoint: EndpointRef,
    event_type: EventType,
    data: Option<Arc<str>>,
    running: TestsRunning,
    store: Weak<Store>,
    promise: Promise<TestResult, Error>,
}

impl Plan {
    /// Writes the event down and hands it to the dispatcher.
    fn begin(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let row = self.endpoint.find(tx, &self.scope)?;
        let data = match self.data {
            Some(data) => data,
            None => sample(tx, &self.event_type)?,
        };
        let slot = self.running.begin(row.id)?;
        let route =
            tx.route(row.id).ok_or_else(|| StoreError::Internal(format!("{} has no parsed form", row.id)))?;
        tx.audit(Audited {
            actor: self.scope.actor(),
            action: "endpoint.test",
            target: row.id.to_string(),
            tenant_id: Some(row.tenant_id),
            before: None,
            after: Some(serde_json::json!({ "type": self.event_type })),
        })?;
        let (store, promise, tenant_id) = (self.store, self.promise, row.tenant_id);
        let event = TestEvent { event_type: self.event_type, data };
        tx.send_test(event, route, move |job, outcome| {
            if let Some(store) = store.upgrade() {
                store.write_for(promise, move |tx| record(tx, &job, &outcome, tenant_id, slot));
            }
        })?;
        Ok(())
    }
}

/// What is sent when the caller gives no data: the example of the type, if the catalogue has one.
pub(in crate::service) fn sample(reader: &Reader<'_>, event_type: &EventType) -> Result<Arc<str>, Error> {
    let example = reader.event_type(event_type)?.and_then(|row| row.example);
    Ok(example.as_deref().unwrap_or(TEST_DATA).into())
}

/// Writes down what came of it; the next test may begin.
fn record(
    tx: &mut Tx<'_>,
    job: &Job,
    outcome: &Outcome,
    tenant_id: i64,
    _slot: TestSlot,
) -> Result<TestResult, Error> {
    if tx.stored_event(job.payload.event)?.is_none() {
        // The tenant was deleted meanwhile, with all that it had.
        return Err(Error::not_found("endpoint", outcome.endpoint));
    }
    let delivery_id = tx.record_test(outcome, job, tenant_id)?;
    let attempt = &outcome.attempt;
    let body = || String::from_utf8_lossy(&attempt.response_body).into_owned();
    Ok(TestResult {
        success: outcome.fact == Fact::Delivered,
        status_code: attempt.status_code,
        duration_ms: attempt.duration_ms,
        error: attempt.error.clone(),
        response_body: attempt.status_code.map(|_| body()),
        delivery_id,
    })
}
