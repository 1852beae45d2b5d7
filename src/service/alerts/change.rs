//! Making, changing and deleting alerts. A URL is judged as that of an endpoint, which may take 2 s: first a check that
//! blocks, then a write.

use crate::domain::alert::{Kind, parse_name, parse_topics};
use crate::domain::headers::MASK;
use crate::domain::ids::EndpointId;
use crate::domain::invalid::Invalid;
use crate::domain::names::TenantName;
use crate::domain::operator::Email;
use crate::service::patch::Patch;
use crate::service::{AdminScope, Error, Service, tenants};
use crate::store::alerts::{AlertFields, AlertRow};
use crate::store::audit::Audited;
use crate::store::{Answer, StoreError, Tx};

use super::view::{AlertView, find};

/// The fields of a create or a change as they came; nothing in it is checked. It may hold a credential, so it has no
/// `Debug`.
#[derive(Clone, Default)]
#[expect(missing_docs, reason = "the names are those of the API, whose reference explains them")]
pub struct AlertDraft {
    /// Fields that could not even be read.
    pub wrong: Invalid,
    pub name: Patch<String>,
    pub kind: Option<String>,
    pub tenant: Option<String>,
    pub conditions: Patch<Vec<String>>,
    pub endpoint: Patch<String>,
    pub url: Patch<String>,
    pub email: Patch<String>,
    pub enabled: Patch<bool>,
}

/// A draft that is checked, and ready to be written. `None`: it makes a new one.
pub struct CheckedAlert {
    scope: AdminScope,
    id: Option<String>,
    tenant: Option<TenantName>,
    fields: AlertFields,
    elsewhere: bool,
}

impl Service {
    /// Checks a new alert. Blocks, for up to 2 s when a name has to be resolved.
    ///
    /// # Errors
    /// `invalid` with every wrong field; `target_denied`.
    pub fn check_alert(&self, scope: &AdminScope, draft: &AlertDraft) -> Result<CheckedAlert, Error> {
        let mut invalid = draft.wrong.clone();
        let kind = if let Some(kind) = &draft.kind {
            invalid.check("kind", Kind::parse(kind))
        } else {
            invalid.push("kind", "is required: webhook, slack, discord or email");
            None
        };
        let tenant = draft.tenant.as_deref().map(TenantName::parse);
        let tenant = tenant.and_then(|tenant| invalid.check("tenant", tenant));
        let base = AlertFields {
            name: String::new(),
            kind: kind.unwrap_or(Kind::Email),
            tenant_id: None,
            topics: Vec::new(),
            endpoint: None,
            url: None,
            email: None,
            enabled: true,
        };
        let fields = self.apply(draft, base, kind, tenant.is_some(), true, &mut invalid);
        invalid.keep_first();
        let fields = invalid.into_result(fields)?;
        self.judge_url(&fields)?;
        Ok(CheckedAlert { scope: scope.clone(), id: None, tenant, fields, elsewhere: false })
    }

    /// Checks a change of an alert. Blocks as [`Service::check_alert`].
    ///
    /// # Errors
    /// `not_found`, and those of [`Service::check_alert`].
    pub fn check_alert_change(
        &self,
        scope: &AdminScope,
        id: &str,
        draft: &AlertDraft,
    ) -> Result<CheckedAlert, Error> {
        let row = self.store.read(|reader| find(reader, id))?;
        let mut invalid = draft.wrong.clone();
        let before = fields(&row);
        let applied =
            self.apply(draft, before.clone(), Some(row.kind), row.tenant.is_some(), false, &mut invalid);
        invalid.keep_first();
        let fields = invalid.into_result(applied)?;
        self.judge_url(&fields)?;
        let elsewhere =
            fields.url.is_some() || (fields.endpoint, &fields.email) != (before.endpoint, &before.email);
        Ok(CheckedAlert { scope: scope.clone(), id: Some(id.to_owned()), tenant: None, fields, elsewhere })
    }

    /// Makes or changes an alert.
    ///
    /// # Errors
    /// In the answer: `not_found`, `unknown_tenant`.
    pub fn save_alert(&self, checked: CheckedAlert) -> Answer<AlertView, Error> {
        self.store.write(move |tx| match &checked.id {
            None => insert(tx, &checked),
            Some(id) => update(tx, &checked, id),
        })
    }

    /// Deletes an alert, with all that it remembers.
    ///
    /// # Errors
    /// In the answer: `not_found`.
    pub fn delete_alert(&self, scope: &AdminScope, id: &str) -> Answer<(), Error> {
        let (scope, id) = (scope.clone(), id.to_owned());
        self.store.write(move |tx| {
            let row = find(tx, &id)?;
            tx.delete_alert(row.id)?;
            tx.audit(Audited {
                actor: scope.actor(),
                action: "alert.delete",
                target: id,
                tenant_id: row.tenant.as_ref().map(|(tenant, _)| *tenant),
                before: Some(json(&row.into())?),
                after: None,
            })?;
            Ok(())
        })
    }

    /// Applies a draft; what is wrong is noted. `kind`: `None` if that is wrong itself.
    fn apply(
        &self,
        draft: &AlertDraft,
        base: AlertFields,
        kind: Option<Kind>,
        of_tenant: bool,
        new: bool,
        invalid: &mut Invalid,
    ) -> AlertFields {
        let mut fields = base;
        match &draft.name {
            Patch::Keep if !new => {}
            Patch::Set(name) => fields.name = invalid.check("name", parse_name(name)).unwrap_or_default(),
            Patch::Keep | Patch::Reset => kind.map_or("", Kind::as_str).clone_into(&mut fields.name),
        }
        let topics = |names: Option<&[String]>| parse_topics(names, of_tenant);
        match &draft.conditions {
            Patch::Keep if !new => {}
            Patch::Set(names) => {
                fields.topics = invalid.check("conditions", topics(Some(names))).unwrap_or_default();
            }
            Patch::Keep | Patch::Reset => {
                fields.topics = invalid.check("conditions", topics(None)).unwrap_or_default();
            }
        }
        fields.enabled = draft.enabled.clone().apply(fields.enabled, true);
        if let Some(kind) = kind {
            self.address(draft, kind, new, &mut fields, invalid);
        }
        fields
    }

    /// Where it goes: the field of its kind, and no other.
    fn address(
        &self,
        draft: &AlertDraft,
        kind: Kind,
        new: bool,
        fields: &mut AlertFields,
        invalid: &mut Invalid,
    ) {
        let given = [("endpoint", &draft.endpoint), ("url", &draft.url), ("email", &draft.email)];
        for (name, value) in given {
            let own = name == kind.address_field();
            match value {
                Patch::Set(_) if !own => {
                    let message = format!("is not for {kind}, which goes to `{}`", kind.address_field());
                    invalid.push(name, message);
                }
                Patch::Keep | Patch::Reset if own && (new || *value == Patch::Reset) => {
                    invalid.push(name, format!("is required for {kind}"));
                }
                _ => {}
            }
        }
        if let (Kind::Webhook, Patch::Set(id)) = (kind, &draft.endpoint) {
            fields.endpoint = invalid.check("endpoint", self.live(id));
        }
        if let (Kind::Slack | Kind::Discord, Patch::Set(url)) = (kind, &draft.url) {
            match url.trim() {
                MASK if !new => {}
                url => fields.url = Some(url.to_owned()),
            }
        }
        if let (Kind::Email, Patch::Set(email)) = (kind, &draft.email) {
            let email = invalid.check("email", Email::parse(email.trim()));
            fields.email = email.map(|email| email.to_string());
        }
    }

    fn live(&self, id: &str) -> Result<EndpointId, String> {
        let known = EndpointId::parse(id.trim()).filter(|id| self.store.directory().route(*id).is_some());
        known
            .ok_or_else(|| "must be the id of an endpoint that is there, such as ep_01m0e3tb0g001".to_owned())
    }

    /// The rules are those of endpoints, and so are the words.
    fn judge_url(&self, fields: &AlertFields) -> Result<(), Error> {
        // That a name cannot be resolved just now is no reason to refuse it; a test tells.
        fields.url.as_deref().map_or(Ok(()), |url| self.check_target(url).map(drop))
    }
}

fn fields(row: &AlertRow) -> AlertFields {
    AlertFields {
        name: row.name.clone(),
        kind: row.kind,
        tenant_id: row.tenant.as_ref().map(|(id, _)| *id),
        topics: row.topics.clone(),
        endpoint: row.endpoint,
        url: None,
        email: row.email.clone(),
        enabled: row.enabled,
    }
}

fn insert(tx: &mut Tx<'_>, checked: &CheckedAlert) -> Result<AlertView, Error> {
    let tenant_id = match &checked.tenant {
        None => None,
        Some(name) => match tx.tenant(name)? {
            Some(tenant) => Some(tenant.id),
            None => Some(tenants::make_by_naming(tx, name)?),
        },
    };
    let id = tx.insert_alert(&AlertFields { tenant_id, ..checked.fields.clone() })?;
    let view: AlertView = find(tx, &id.to_string())?.into();
    tx.audit(Audited {
        actor: checked.scope.actor(),
        action: "alert.create",
        target: id.to_string(),
        tenant_id,
        before: None,
        after: Some(json(&view)?),
    })?;
    Ok(view)
}

fn update(tx: &mut Tx<'_>, checked: &CheckedAlert, id: &str) -> Result<AlertView, Error> {
    let row = find(tx, id)?;
    tx.update_alert(row.id, &checked.fields, checked.elsewhere)?;
    let tenant_id = row.tenant.as_ref().map(|(tenant, _)| *tenant);
    let (before, after): (AlertView, AlertView) = (row.into(), find(tx, id)?.into());
    let (old, new) = differing(json(&before)?, json(&after)?);
    tx.audit(Audited {
        actor: checked.scope.actor(),
        action: "alert.update",
        target: id.to_owned(),
        tenant_id,
        before: Some(old),
        after: Some(new),
    })?;
    Ok(after)
}

/// An alert as the audit log keeps it: what somebody has set, without what came of it. The URL is masked in the view.
fn json(view: &AlertView) -> Result<serde_json::Value, StoreError> {
    let mut value = serde_json::to_value(view).map_err(|error| StoreError::Internal(error.to_string()))?;
    if let Some(object) = value.as_object_mut() {
        for came_of_it in
            ["created_at", "updated_at", "last_sent_at", "last_error", "last_error_at", "next_try_at", "id"]
        {
            object.remove(came_of_it);
        }
    }
    Ok(value)
}

fn differing(old: serde_json::Value, new: serde_json::Value) -> (serde_json::Value, serde_json::Value) {
    let object = |value: serde_json::Value| match value {
        serde_json::Value::Object(object) => object,
        _ => serde_json::Map::new(),
    };
    let (old, new) = crate::service::settings::differing(object(old), object(new));
    (old.into(), new.into())
}
