//! API keys: hashed in the file, by hash in memory.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::ids::KeyId;
use crate::domain::names::TenantName;
use crate::domain::scope::Scopes;
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::last_use::LastUse;
use super::lists;
use super::meta::{self, Meta};
use super::reader::{Listed, Reader};
use super::tx::{DirectoryChange, Tx};

/// A key, without its text.
#[derive(Debug)]
pub struct Key {
    /// The record.
    pub id: KeyId,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// The tenant that it is bound to: number and name.
    pub tenant: Option<(i64, TenantName)>,
    /// The last characters of its text, to tell keys apart.
    pub hint: String,
    /// When it was made.
    pub created_at: UnixMs,
    hash: [u8; 32],
    /// At 0: never.
    last_used: LastUse,
}

impl Key {
    /// When it was last used, to the minute.
    pub fn last_used_at(&self) -> Option<UnixMs> {
        Some(self.last_used.get()).filter(|at| at.0 > 0)
    }

    /// Whether what names it holds a text in small letters.
    fn holds(&self, text: &str) -> bool {
        let holds = |name: &str| lists::holds(name, text);
        let tenant = self.tenant.as_ref().map(|(_, name)| name.as_str());
        holds(&self.name) || holds(&self.hint) || holds(&self.id.to_string()) || tenant.is_some_and(holds)
    }
}

/// Keys by the hash of their text.
pub(super) type KeyMap = HashMap<[u8; 32], Arc<Key>>;

/// All keys in memory.
#[derive(Debug, Default)]
pub struct Keys {
    map: RwLock<KeyMap>,
}

impl Keys {
    /// The key whose text has this hash. Looking up a SHA-256 tells nothing about the text by its timing.
    pub fn find(&self, hash: &[u8; 32]) -> Option<Arc<Key>> {
        self.map.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.map.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Notes that a key is used now. `true`: worth writing down ([`Tx::touch_key`]).
    pub fn touch(key: &Key, now: UnixMs) -> bool {
        key.last_used.touch(now)
    }

    pub(super) fn replace(&self, map: KeyMap) {
        *self.map.write().unwrap_or_else(PoisonError::into_inner) = map;
    }
}

const COLUMNS: &str =
    "k.id, k.name, k.hash, k.hint, k.scopes, k.tenant_id, t.name, k.created_at, k.last_used_at";

fn read_row(row: &Row<'_>) -> rusqlite::Result<Key> {
    let tenant = match row.get::<_, Option<i64>>(5)? {
        None => None,
        Some(id) => Some((id, lists::name(row, 6, TenantName::parse)?)),
    };
    let scopes = lists::name(row, 4, |text| {
        let words: Vec<&str> = text.split_whitespace().collect();
        Scopes::parse(&words).map_err(|invalid| invalid.to_string())
    })?;
    Ok(Key {
        id: KeyId(row.get(0)?),
        name: row.get(1)?,
        hash: row.get(2)?,
        hint: row.get(3)?,
        scopes,
        tenant,
        created_at: UnixMs(row.get(7)?),
        last_used: LastUse::at(row.get::<_, Option<i64>>(8)?.unwrap_or(0)),
    })
}

/// Reads all keys.
pub(super) fn read_all(connection: &Connection) -> rusqlite::Result<KeyMap> {
    let sql = format!("SELECT {COLUMNS} FROM keys k LEFT JOIN tenants t ON t.id = k.tenant_id");
    let mut statement = connection.prepare(&sql)?;
    let keys = statement.query_map([], read_row)?;
    keys.map(|key| key.map(|key| (key.hash, Arc::new(key)))).collect()
}

/// A key to be made.
#[derive(Debug)]
pub struct NewKey {
    /// What people call it.
    pub name: String,
    /// Hash of its text.
    pub hash: [u8; 32],
    /// The last characters of its text.
    pub hint: String,
    /// What it may do.
    pub scopes: Scopes,
    /// The tenant that it is bound to.
    pub tenant_id: Option<i64>,
}

impl Reader<'_> {
    /// Keys, the newest first, below `before`: those that are bound to a tenant, or all. With `search`, a text in small
    /// letters, those whose name, id, tenant or last characters hold it.
    pub fn keys(
        &self,
        tenant_id: Option<i64>,
        search: Option<&str>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Listed<Key>, StoreError> {
        let mut statement = self.connection().prepare_cached(&format!(
            "SELECT {COLUMNS} FROM keys k LEFT JOIN tenants t ON t.id = k.tenant_id
             WHERE k.id < ?1 ORDER BY k.id DESC"
        ))?;
        let rows = statement.query([before.unwrap_or(i64::MAX)])?;
        let passes = |key: &Key| {
            tenant_id.is_none_or(|id| key.tenant.as_ref().is_some_and(|(of, _)| *of == id))
                && search.is_none_or(|text| key.holds(text))
        };
        lists::walk(rows, limit, read_row, |key| key.id.0, passes)
    }

    /// A key by its record.
    pub fn key(&self, id: KeyId) -> Result<Option<Key>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM keys k LEFT JOIN tenants t ON t.id = k.tenant_id WHERE k.id = ?1");
        Ok(self.connection().prepare_cached(&sql)?.query_row([id.0], read_row).optional()?)
    }

    /// Whether any key was ever made, and be it that all are revoked by now.
    pub fn had_keys(&self) -> Result<bool, StoreError> {
        Ok(meta::get::<bool>(self.connection(), Meta::KeyMade)?.is_some())
    }
}

impl Tx<'_> {
    /// Makes a key. Valid with the commit. `None`: this very text is a key already.
    pub fn insert_key(&mut self, key: &NewKey) -> Result<Option<KeyId>, StoreError> {
        let id = KeyId(self.allot());
        let made = self
            .connection()
            .prepare_cached(
                "INSERT INTO keys (id, name, hash, hint, scopes, tenant_id, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (hash) DO NOTHING",
            )?
            .execute(params![
                id.0,
                key.name,
                key.hash,
                key.hint,
                key.scopes.to_string(),
                key.tenant_id,
                self.now.0
            ])?;
        if made == 0 {
            return Ok(None);
        }
        meta::set(self.connection(), Meta::KeyMade, true)?;
        self.keys_changed()?;
        Ok(Some(id))
    }

    /// Revokes a key, with the commit. `false`: there is no such key.
    pub fn delete_key(&mut self, id: KeyId) -> Result<bool, StoreError> {
        let deleted = self.connection().prepare_cached("DELETE FROM keys WHERE id = ?1")?.execute([id.0])?;
        if deleted > 0 {
            self.keys_changed()?;
        }
        Ok(deleted > 0)
    }

    /// Revokes all keys that are bound to a tenant, with the commit; how many there were.
    pub(super) fn delete_keys_of(&mut self, tenant_id: i64) -> Result<i64, StoreError> {
        let deleted = self
            .connection()
            .prepare_cached("DELETE FROM keys WHERE tenant_id = ?1")?
            .execute([tenant_id])?;
        if deleted > 0 {
            self.keys_changed()?;
        }
        Ok(i64::try_from(deleted).unwrap_or(i64::MAX))
    }

    /// Writes down when a key was last used.
    pub fn touch_key(&mut self, id: KeyId, at: UnixMs) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("UPDATE keys SET last_used_at = ?2 WHERE id = ?1")?
            .execute(params![id.0, at.0])?;
        Ok(())
    }

    fn keys_changed(&mut self) -> Result<(), StoreError> {
        let map = read_all(self.connection())?;
        self.gathered.directory.push(DirectoryChange::Keys(map));
        Ok(())
    }
}
