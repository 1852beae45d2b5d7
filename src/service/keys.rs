//! API keys: made, listed, revoked. A key's text is shown once and kept as a hash.

use serde::Serialize;

use crate::domain::ids::KeyId;
use crate::domain::invalid::Invalid;
use crate::domain::limits;
use crate::domain::names::TenantName;
use crate::domain::scope::{KeyText, Scopes};
use crate::domain::time::UnixMs;
use crate::store::audit::{Actor, Audited};
use crate::store::keys::{Key, NewKey};
use crate::store::{Answer, Listed, StoreError, Tx};

use super::error::Code;
use super::{AdminScope, Error, Service, ViewScope};

/// Characters of a key's text that are kept to tell keys apart.
const HINT: usize = 4;

/// A key as the API, the console and the command line show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyView {
    /// The record.
    pub id: KeyId,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// The tenant that it is bound to.
    pub tenant: Option<TenantName>,
    /// The last four characters of its text.
    pub hint: String,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it was last used, to the minute.
    pub last_used_at: Option<UnixMs>,
}

impl From<Key> for KeyView {
    fn from(key: Key) -> Self {
        Self {
            id: key.id,
            last_used_at: key.last_used_at(),
            name: key.name,
            scopes: key.scopes,
            tenant: key.tenant.map(|(_, name)| name),
            hint: key.hint,
            created_at: key.created_at,
        }
    }
}

/// Which keys a list shows.
#[derive(Debug, Clone, Default)]
pub struct KeyQuery {
    /// Those that are bound to this tenant; `None`: all.
    pub tenant: Option<TenantName>,
    /// Those whose name, id, tenant or last characters hold this text, as [`super::endpoints::search`] reads it.
    pub search: Option<String>,
}

/// A key that was made, with its text, this once. It has no `Debug`.
#[derive(Serialize)]
pub struct KeyMade {
    /// The record.
    #[serde(flatten)]
    pub view: KeyView,
    /// The text.
    pub key: String,
}

/// A key to be made. Nothing in it is checked.
#[derive(Debug, Clone, Default)]
pub struct KeyDraft {
    /// What people call it.
    pub name: String,
    /// Names of scopes.
    pub scopes: Vec<String>,
    /// The tenant that it is bound to.
    pub tenant: Option<String>,
}

impl KeyDraft {
    /// Every wrong field.
    pub fn wrong(&self) -> Invalid {
        check(self).err().unwrap_or_default()
    }
}

impl Service {
    /// Makes a key; valid with the answer.
    ///
    /// # Errors
    /// In the answer: `invalid` with every wrong field, `unknown_tenant`.
    pub fn create_key(&self, scope: &AdminScope, draft: &KeyDraft) -> Answer<KeyMade, Error> {
        let checked = match check(draft) {
            Ok(checked) => checked,
            Err(invalid) => return Answer::ready(Err(invalid.into())),
        };
        let text = KeyText::generate(crate::random::bytes(&**self.store.random()));
        let scope = scope.clone();
        self.store.write(move |tx| insert(tx, scope.actor(), checked, &text))
    }

    /// Keys, the newest first, below `before`; at most `limit`. Never their text. Blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn keys(
        &self,
        scope: &ViewScope,
        query: &KeyQuery,
        before: Option<KeyId>,
        limit: usize,
    ) -> Result<Listed<KeyView>, Error> {
        let Some(tenant_id) = self.list_tenant_id(&scope.all_tenants(), query.tenant.as_ref())? else {
            return Ok(Listed { rows: Vec::new(), next: None });
        };
        let (search, before) = (query.search.as_deref(), before.map(|id| id.0));
        let page =
            self.store.read::<_, StoreError>(|reader| reader.keys(tenant_id, search, before, limit))?;
        Ok(Listed { rows: page.rows.into_iter().map(KeyView::from).collect(), next: page.next })
    }

    /// Revokes a key. From the answer on, requests with it are refused.
    ///
    /// # Errors
    /// In the answer: `not_found`.
    pub fn revoke_key(&self, scope: &AdminScope, id: &str) -> Answer<(), Error> {
        let Some(key) = KeyId::parse(id) else { return Answer::ready(Err(Error::not_found("key", id))) };
        let scope = scope.clone();
        self.store.write(move |tx| {
            let Some(row) = tx.key(key)? else { return Err(Error::not_found("key", key)) };
            tx.delete_key(key)?;
            let (tenant_id, tenant) = row.tenant.unzip();
            Ok(tx.audit(Audited {
                actor: scope.actor(),
                action: "key.revoke",
                target: key.to_string(),
                tenant_id,
                before: Some(serde_json::json!({ "name": row.name, "scopes": row.scopes, "tenant": tenant })),
                after: None,
            })?)
        })
    }

    /// Registers the key that the environment brings at the first start, with every scope. Later, when a key
    /// was made before (and be it revoked), nothing happens and the answer is `None`.
    ///
    /// # Errors
    /// In the answer: `invalid` for the text.
    pub fn register_first_key(&self, text: &str) -> Answer<Option<KeyId>, Error> {
        let text = match KeyText::parse(text) {
            Ok(text) => text,
            Err(message) => return Answer::ready(Err(Error::field("POSTRIDER_API_KEY", message))),
        };
        self.store.write(move |tx| {
            if tx.had_keys()? {
                return Ok(None);
            }
            let checked =
                Checked { name: "POSTRIDER_API_KEY".to_owned(), scopes: Scopes::every(), tenant: None };
            insert(tx, &Actor::system(), checked, &text).map(|made| Some(made.view.id))
        })
    }
}

struct Checked {
    name: String,
    scopes: Scopes,
    tenant: Option<TenantName>,
}

fn check(draft: &KeyDraft) -> Result<Checked, Invalid> {
    let mut invalid = Invalid::new();
    invalid.check("name", limits::display_name(&draft.name));
    let scopes = invalid.absorb(Scopes::parse(&draft.scopes));
    let tenant = draft.tenant.as_deref().map(|name| invalid.check("tenant", TenantName::parse(name)));
    if let (Some(scopes), Some(_)) = (scopes, &tenant) {
        invalid.absorb(scopes.check_bound());
    }
    match scopes {
        Some(scopes) if invalid.is_empty() => {
            Ok(Checked { name: draft.name.clone(), scopes, tenant: tenant.flatten() })
        }
        _ => Err(invalid),
    }
}

fn insert(tx: &mut Tx<'_>, actor: &Actor, checked: Checked, text: &KeyText) -> Result<KeyMade, Error> {
    let Checked { name, scopes, tenant } = checked;
    let tenant_id = match &tenant {
        None => None,
        Some(name) => match tx.tenant(name)? {
            Some(row) => Some(row.id),
            None => Some(super::tenants::make_by_naming(tx, name)?),
        },
    };
    let key = text.expose();
    let hint = key.get(key.len().saturating_sub(HINT)..).unwrap_or_default().to_owned();
    let new = NewKey { name: name.clone(), hash: text.hash(), hint: hint.clone(), scopes, tenant_id };
    // 32 bytes at random, or the first key of an empty database.
    let repeated = "a new key has the text of another: this system's randomness repeats itself";
    let repeated = || Error { cause: Some(repeated.into()), ..Error::new(Code::Internal, "") };
    let id = tx.insert_key(&new)?.ok_or_else(repeated)?;
    let view = KeyView { id, name, scopes, tenant, hint, created_at: tx.now, last_used_at: None };
    tx.audit(Audited {
        actor,
        action: "key.create",
        target: id.to_string(),
        tenant_id,
        before: None,
        after: Some(serde_json::json!({ "name": view.name, "scopes": scopes, "tenant": view.tenant })),
    })?;
    Ok(KeyMade { view, key: key.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(name: &str, scopes: &[&str], tenant: Option<&str>) -> Vec<String> {
        let draft = KeyDraft {
            name: name.to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            tenant: tenant.map(str::to_owned),
        };
        check(&draft).err().unwrap_or_default().0.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn every_wrong_field_of_a_key_is_named() {
        assert_eq!(fields("", &["events"], Some("a b")), ["name", "scopes[0]", "tenant"]);
        assert_eq!(fields("ci", &[], None), ["scopes"]);
    }

    #[test]
    fn a_bound_key_has_no_scope_over_all_tenants() {
        assert_eq!(fields("ci", &["admin"], Some("acme")), ["scopes"]);
        assert_eq!(fields("ci", &["events:read", "metrics:read"], Some("acme")), ["scopes"]);
        assert!(fields("ci", &["events:read"], Some("acme")).is_empty());
        assert!(fields("ci", &["admin"], None).is_empty());
    }
}
