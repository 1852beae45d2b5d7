//! Enabling, disabling and deleting an endpoint: at once for sending, in turns for the rows (`bulk`).

use rusqlite::{OptionalExtension, params};
use serde_json::{Map, Value};

use crate::domain::ids::EndpointId;

use super::audit::{Actor, Audited};
use super::bulk_kind::BulkKind;
use super::endpoints::{DisabledReason, EndpointRow};
use super::error::StoreError;
use super::handover::Change;
use super::tx::Tx;

impl Tx<'_> {
    /// Disables an endpoint. What is pending of it is held: for sending at once, in the rows in turns.
    pub fn disable_endpoint(
        &mut self,
        id: EndpointId,
        reason: DisabledReason,
        note: Option<&str>,
        actor: &Actor,
    ) -> Result<(), StoreError> {
        let after = [
            ("enabled", Value::from(false)),
            ("disabled_reason", reason.as_str().into()),
            ("disabled_note", note.into()),
        ];
        self.audit_state(id, actor, "endpoint.disable", &after)?;
        self.connection()
            .prepare_cached(
                "UPDATE endpoints SET enabled = 0, disabled_reason = ?2, disabled_note = ?3, disabled_at = ?4,
                     updated_at = ?4 WHERE id = ?1",
            )?
            .execute(params![id.0, reason.as_str(), note, self.now.0])?;
        self.start_bulk(id, BulkKind::Hold)?;
        self.reload_route(id)
    }

    /// Notes why an endpoint is disabled that is disabled already.
    pub fn note_disabled(&mut self, id: EndpointId, note: &str, actor: &Actor) -> Result<(), StoreError> {
        self.audit_state(id, actor, "endpoint.disable", &[("disabled_note", note.into())])?;
        self.connection()
            .prepare_cached("UPDATE endpoints SET disabled_note = ?2, updated_at = ?3 WHERE id = ?1")?
            .execute(params![id.0, note, self.now.0])?;
        Ok(())
    }

    /// An endpoint as this transaction has left it, with its health.
    pub fn changed_endpoint(&mut self, id: EndpointId) -> Result<Option<EndpointRow>, StoreError> {
        self.flush()?;
        self.endpoint(id)
    }

    /// Enables an endpoint and delivers (or discards) what was held for it.
    pub fn enable_endpoint(
        &mut self,
        id: EndpointId,
        deliver: bool,
        actor: &Actor,
    ) -> Result<(), StoreError> {
        let after = [
            ("enabled", Value::from(true)),
            ("disabled_reason", Value::Null),
            ("disabled_note", Value::Null),
            ("held", if deliver { "deliver" } else { "discard" }.into()),
        ];
        self.audit_state(id, actor, "endpoint.enable", &after)?;
        self.connection()
            .prepare_cached(
                "UPDATE endpoints SET enabled = 1, disabled_reason = NULL, disabled_note = NULL, disabled_at = NULL,
                     updated_at = ?2 WHERE id = ?1",
            )?
            .execute(params![id.0, self.now.0])?;
        let row = self.health(id)?;
        row.health = row.health.enabled();
        row.paused_until = None;
        let pace = row.pace();
        self.gathered.changes.push(Change::Pace(id, pace));
        self.start_bulk(id, if deliver { BulkKind::Release } else { BulkKind::Discard })?;
        self.reload_route(id)
    }

    /// Deletes an endpoint. What is pending of it is canceled; its deliveries stay until they are pruned.
    pub fn delete_endpoint(&mut self, id: EndpointId, actor: &Actor) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("UPDATE endpoints SET deleted_at = ?2, enabled = 0 WHERE id = ?1")?
            .execute(params![id.0, self.now.0])?;
        self.connection()
            .prepare_cached("DELETE FROM endpoint_secrets WHERE endpoint_id = ?1")?
            .execute([id.0])?;
        self.cancel_replays_of(id)?;
        self.start_bulk(id, BulkKind::Cancel)?;
        self.audit_deleted(id, actor)?;
        self.remove_route(id);
        Ok(())
    }

    fn audit_deleted(&mut self, id: EndpointId, actor: &Actor) -> Result<(), StoreError> {
        let Some(row) = self.endpoint(id)? else { return Ok(()) };
        let before = serde_json::json!({
            "url": row.revision.url, "uid": row.settings.uid, "description": row.settings.description,
            "events": row.settings.events,
        });
        let (target, tenant_id, before) = (id.to_string(), Some(row.tenant_id), Some(before));
        self.audit(Audited { actor, action: "endpoint.delete", target, tenant_id, before, after: None })
    }

    /// Notes what is about to differ from the row: of the fields of `after` those that do, before and after.
    fn audit_state(
        &mut self,
        id: EndpointId,
        actor: &Actor,
        action: &'static str,
        after: &[(&str, Value)],
    ) -> Result<(), StoreError> {
        let found: Option<(i64, bool, Option<String>, Option<String>)> = self
            .connection()
            .prepare_cached(
                "SELECT tenant_id, enabled, disabled_reason, disabled_note FROM endpoints WHERE id = ?1",
            )?
            .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?;
        let Some((tenant_id, enabled, reason, note)) = found else { return Ok(()) };
        let old =
            [("enabled", enabled.into()), ("disabled_reason", reason.into()), ("disabled_note", note.into())];
        let without = |fields: &[(&str, Value)], others: &[(&str, Value)]| {
            let differing = fields.iter().filter(|field| !others.contains(field));
            differing.map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<Map<_, _>>()
        };
        let (mut before, new) = (without(&old, after), without(after, &old));
        before.retain(|name, _| new.contains_key(name));
        let (target, tenant_id) = (id.to_string(), Some(tenant_id));
        let (before, after) = (Some(before.into()), Some(new.into()));
        self.audit(Audited { actor, action, target, tenant_id, before, after })
    }
}
