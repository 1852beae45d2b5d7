//! Replays of an endpoint: started, watched, canceled.

use crate::domain::ids::{EndpointId, ReplayId};
use crate::domain::invalid::Invalid;
use crate::domain::matching::Subscription;
use crate::domain::names::TenantName;
use crate::domain::replay::Replayed;
use crate::domain::time::UnixMs;
use crate::store::audit::{Actor, Audited};
use crate::store::endpoints::EndpointRow;
use crate::store::idempotent::Idempotency;
use crate::store::replays::{NewReplay, ReplayRow};
use crate::store::{Answer, Listed, Tx};

use super::Service;
use super::error::{Code, Error};
use super::lookup::{find_endpoint, live_endpoint};
use super::once::{Told, json, once};
use super::replay_view::ReplayView;
use super::scope::TenantScope;

/// What a caller asks for, each field read and not yet judged.
#[derive(Debug, Clone)]
pub struct ReplayDraft {
    /// Accepted from this time on.
    pub since: UnixMs,
    /// And before this; `None`: until now.
    pub until: Option<UnixMs>,
    /// What is sent again.
    pub status: Replayed,
    /// Patterns of event types; `None`: all.
    pub events: Option<Vec<String>>,
    /// Only count.
    pub dry_run: bool,
}

impl ReplayDraft {
    /// Every wrong field.
    pub fn wrong(&self) -> Invalid {
        let mut invalid = Invalid::new();
        if self.until.is_some_and(|until| until <= self.since) {
            invalid.push("until", "must be later than since, or absent for now");
        }
        match self.events.as_deref() {
            None => {}
            Some([]) => invalid.push("events", "must hold a pattern of event types, or be absent for all"),
            Some(patterns) => {
                if let Err(wrong) = Subscription::parse(patterns, None) {
                    invalid.merge(wrong);
                }
            }
        }
        invalid
    }
}

/// An event that is to be delivered again.
#[derive(Debug)]
pub struct ReplayEvent {
    /// Its id, ours or the publisher's own.
    pub id: String,
    /// Where an own id is looked up.
    pub tenant: Option<TenantName>,
    /// To this endpoint, by id or handle; absent: to all that match now.
    pub endpoint: Option<String>,
    /// The idempotency key of the call.
    pub idempotency: Option<Idempotency>,
}

/// Which replays a list shows.
#[derive(Debug, Default)]
pub struct ReplayQuery {
    /// Of this endpoint, by id or handle.
    pub endpoint: Option<String>,
    /// Of this tenant; absent: of all that the caller may see.
    pub tenant: Option<TenantName>,
    /// Below this one, which was the last of the page before.
    pub before: Option<ReplayId>,
    /// Rows at most.
    pub limit: usize,
}

impl Service {
    /// Starts a replay of an endpoint. It goes on in the background.
    ///
    /// # Errors
    /// In the answer: `invalid`, `not_found`, `replay_running`, `not_replayable` (the endpoint is disabled),
    /// `idempotency_key_reused`.
    pub fn replay_endpoint(
        &self,
        scope: &TenantScope,
        text: &str,
        tenant: Option<&TenantName>,
        draft: ReplayDraft,
        idempotency: Option<Idempotency>,
    ) -> Answer<Told, Error> {
        let wrong = draft.wrong();
        if !wrong.is_empty() {
            return Answer::ready(Err(wrong.into()));
        }
        let (scope, text, tenant) = (scope.clone(), text.to_owned(), tenant.cloned());
        self.store.write(move |tx| {
            let row = live_endpoint(tx, &scope, &text, tenant.as_ref())?;
            once(tx, row.tenant_id, idempotency.as_ref(), |tx| start(tx, &scope, &row, draft))
        })
    }

    /// A replay. Blocks.
    ///
    /// # Errors
    /// `not_found`.
    pub fn replay(&self, scope: &TenantScope, id: &str) -> Result<ReplayView, Error> {
        let known = parse(id)?;
        let row = self.store.read::<_, Error>(|reader| Ok(reader.replay(known)?))?;
        let row = row.filter(|row| scope.sees(&row.tenant)).ok_or_else(|| not_found(id))?;
        Ok(self.show_replay(row))
    }

    /// Replays, the newest first. Blocks.
    ///
    /// # Errors
    /// `not_found` for an endpoint or a tenant that is not there or that the key may not see.
    pub fn replays(&self, scope: &TenantScope, query: &ReplayQuery) -> Result<Listed<ReplayView>, Error> {
        let tenant = self.list_tenant_id(scope, query.tenant.as_ref())?;
        let page = self.store.read::<_, Error>(|reader| {
            let endpoint = match &query.endpoint {
                Some(id) => Some(find_endpoint(reader, scope, id, query.tenant.as_ref())?.id),
                None => None,
            };
            let Some(tenant_id) = tenant else { return Ok(Listed { rows: Vec::new(), next: None }) };
            Ok(reader.replays(endpoint, tenant_id, query.before, query.limit)?)
        })?;
        let rows = page.rows.into_iter().map(|row| self.show_replay(row)).collect();
        Ok(Listed { rows, next: page.next })
    }

    /// Ends a replay. What it has put on its way stays so; one that has ended stays as it is.
    ///
    /// # Errors
    /// `not_found`; in the answer as well.
    pub fn cancel_replay(&self, scope: &TenantScope, id: &str) -> Result<Answer<ReplayView, Error>, Error> {
        let (known, scope) = (parse(id)?, scope.clone());
        Ok(self.store.write(move |tx| {
            let absent = || not_found(&known.to_string());
            let row = tx.replay(known)?.filter(|row| scope.sees(&row.tenant)).ok_or_else(absent)?;
            let actor = scope.actor();
            if tx.cancel_replay(known, &format!("canceled by {}", actor.name))? {
                audit(tx, actor, "replay.cancel", &row, serde_json::json!({ "done": row.counts.done }))?;
            }
            let row = tx.replay(known)?.ok_or_else(absent)?;
            Ok(ReplayView::of(row, true))
        }))
    }

    fn show_replay(&self, row: ReplayRow) -> ReplayView {
        let route = self.store.directory().route(row.wanted.endpoint);
        ReplayView::of(row, route.is_some_and(|route| route.enabled))
    }
}

fn start(
    tx: &mut Tx<'_>,
    scope: &TenantScope,
    endpoint: &EndpointRow,
    draft: ReplayDraft,
) -> Result<String, Error> {
    if let Some(running) = tx.running_replay(endpoint.id)? {
        let detail = format!(
            "{running} is under way at {}; wait until it is done, or POST /api/v1/replays/{running}/cancel",
            endpoint.id
        );
        return Err(Error::new(Code::ReplayRunning, detail));
    }
    if !endpoint.enabled && !draft.dry_run {
        return Err(endpoint_disabled(endpoint.id));
    }
    let ReplayDraft { since, until, status: kind, events, dry_run } = draft;
    let wanted = NewReplay {
        endpoint: endpoint.id,
        tenant_id: endpoint.tenant_id,
        kind,
        since,
        until,
        events,
        dry_run,
    };
    let id = tx.start_replay(&wanted)?;
    let row = tx.replay(id)?.ok_or_else(|| not_found(&id.to_string()))?;
    let what = serde_json::json!({
        "endpoint": endpoint.id, "status": kind, "since": since, "until": until, "events": wanted.events,
        "dry_run": dry_run,
    });
    audit(tx, scope.actor(), "endpoint.replay", &row, what)?;
    json(&ReplayView::of(row, true))
}

/// That nothing is sent again to a disabled endpoint.
pub(super) fn endpoint_disabled(endpoint: EndpointId) -> Error {
    let detail =
        format!("the endpoint {endpoint} is disabled; POST /api/v1/endpoints/{endpoint}/enable first");
    Error::new(Code::NotReplayable, detail)
}

fn audit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: &'static str,
    row: &ReplayRow,
    after: serde_json::Value,
) -> Result<(), Error> {
    let (target, tenant_id) = (row.id.to_string(), Some(row.wanted.tenant_id));
    Ok(tx.audit(Audited { actor, action, target, tenant_id, before: None, after: Some(after) })?)
}

fn parse(id: &str) -> Result<ReplayId, Error> {
    ReplayId::parse(id).ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> Error {
    Error::not_found("replay", id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_of_a_replay_is_named() {
        let draft = ReplayDraft {
            since: UnixMs(5),
            until: Some(UnixMs(5)),
            status: Replayed::Failed,
            events: Some(vec!["a.b".to_owned(), "a..b".to_owned()]),
            dry_run: false,
        };
        let fields = |draft: &ReplayDraft| -> Vec<String> {
            draft.wrong().0.into_iter().map(|error| error.field).collect()
        };
        assert_eq!(fields(&draft), ["until", "events[1]"]);
        assert_eq!(
            fields(&ReplayDraft { until: None, events: Some(Vec::new()), ..draft.clone() }),
            ["events"]
        );
        assert!(fields(&ReplayDraft { until: Some(UnixMs(6)), events: None, ..draft }).is_empty());
    }
}
