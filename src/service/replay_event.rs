//! One event delivered again.

use crate::domain::alert::form::EVENT_TYPE;
use crate::domain::ids::EventId;
use crate::store::audit::Audited;
use crate::store::matched::Matched;
use crate::store::{Answer, Tx};

use super::Service;
use super::error::{Code, Error};
use super::lookup::live_endpoint;
use super::once::{Told, json, once};
use super::replays::{ReplayEvent, endpoint_disabled};
use super::scope::TenantScope;

impl Service {
    /// Delivers an event again: to one endpoint, whatever that subscribes to, or to all that match now. Blocks until
    /// the event is found; the answer comes when the deliveries are on disk.
    ///
    /// # Errors
    /// `not_found`; in the answer as well, for the endpoint too; `not_replayable` (the data was deleted, the endpoint is
    /// disabled, or it is an alert), `idempotency_key_reused`.
    pub fn replay_event(
        &self,
        scope: &TenantScope,
        again: ReplayEvent,
    ) -> Result<Answer<Told, Error>, Error> {
        let found =
            self.store.read(|reader| self.find_event(reader, scope, &again.id, again.tenant.as_ref()))?;
        let to = if let Some(endpoint) = again.endpoint {
            To::One(endpoint)
        } else {
            let directory = self.store.directory();
            To::All(Matched::find(directory, &found.tenant, &found.event_type, &found.data))
        };
        let (scope, idempotency) = (scope.clone(), again.idempotency);
        Ok(self.store.write(move |tx| {
            once(tx, found.tenant_id, idempotency.as_ref(), |tx| deliver(tx, &scope, found.id, &to))
        }))
    }
}

/// Where it goes.
enum To {
    One(String),
    All(Matched),
}

fn deliver(tx: &mut Tx<'_>, scope: &TenantScope, id: EventId, to: &To) -> Result<String, Error> {
    // The cleanup may have been here since it was found.
    let event = tx.stored_event(id)?.ok_or_else(|| Error::not_found("event", id))?;
    if event.blanked_at.is_some() {
        let detail = format!("the data of {} was deleted; publish the event again", event.public_id());
        return Err(Error::new(Code::NotReplayable, detail));
    }
    if event.event_type.as_str() == EVENT_TYPE {
        let detail =
            "an alert is for one endpoint alone, and what it told is old by now; retry its delivery instead";
        return Err(Error::new(Code::NotReplayable, detail));
    }
    let (deliveries, endpoint) = match to {
        To::One(text) => {
            let endpoint = live_endpoint(tx, scope, text, Some(&event.tenant))?;
            if !endpoint.enabled {
                return Err(endpoint_disabled(endpoint.id));
            }
            tx.replay_event_to(&event, endpoint.id)?;
            (1, Some(endpoint.id))
        }
        To::All(matched) => (tx.replay_event(&event, matched)?, None),
    };
    tx.audit(Audited {
        actor: scope.actor(),
        action: "event.replay",
        target: event.public_id().to_string(),
        tenant_id: Some(event.tenant_id),
        before: None,
        after: Some(serde_json::json!({ "endpoint": endpoint, "deliveries": deliveries })),
    })?;
    json(&serde_json::json!({ "deliveries": deliveries }))
}
