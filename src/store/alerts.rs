//! Alerts: whom they reach, what they have told, and what came of it. The URL of one is a credential, and sealed.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};

use crate::domain::alert::told::{Key, Progress, Told};
use crate::domain::alert::{Kind, Topic};
use crate::domain::ids::{AlertId, EndpointId};
use crate::domain::names::TenantName;
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::lists;
use super::reader::{Listed, Reader};
use super::tx::Tx;

/// An alert as it is stored.
#[derive(Debug, Clone)]
pub struct AlertRow {
    /// The alert.
    pub id: AlertId,
    /// What people call it.
    pub name: String,
    /// How it reaches somebody.
    pub kind: Kind,
    /// The tenant that it is bound to: number and name.
    pub tenant: Option<(i64, TenantName)>,
    /// What it is about.
    pub topics: Vec<Topic>,
    /// The endpoint that it goes to.
    pub endpoint: Option<EndpointId>,
    /// The URL that it goes to, sealed.
    url: Option<Vec<u8>>,
    /// The address that it goes to.
    pub email: Option<String>,
    /// Whether it is sent at all.
    pub enabled: bool,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it was last changed.
    pub updated_at: UnixMs,
    /// How far its sending has come.
    pub progress: Progress,
    /// When a message was last sent.
    pub last_sent_at: Option<UnixMs>,
    /// Why the last one was not.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<UnixMs>,
}

/// What an alert is to be. All of it is checked. It may hold a credential, so it has no `Debug`.
#[derive(Clone)]
#[expect(missing_docs, reason = "the names are those of the row")]
pub struct AlertFields {
    pub name: String,
    pub kind: Kind,
    pub tenant_id: Option<i64>,
    pub topics: Vec<Topic>,
    pub endpoint: Option<EndpointId>,
    /// `None`: as it is.
    pub url: Option<String>,
    pub email: Option<String>,
    pub enabled: bool,
}

/// What came of a look at an alert.
#[derive(Debug, Clone, Default)]
pub struct AlertNoted {
    /// How far its sending has come.
    pub progress: Progress,
    /// What it has told from now on; `None` where a key is to be forgotten.
    pub told: BTreeMap<Key, Option<Told>>,
    /// A message was sent, or why it could not be.
    pub result: Option<Result<(), String>>,
    /// When.
    pub at: UnixMs,
    /// When the alert that was looked at was last changed: of one that was changed since, nothing is noted.
    pub seen: UnixMs,
}

const COLUMNS: &str = "a.id, a.name, a.kind, a.tenant_id, t.name, a.topics, a.endpoint_id, a.url, a.email, a.enabled, \
     a.created_at, a.updated_at, a.collecting_since, a.failures, a.next_try_at, a.last_sent_at, a.last_error, \
     a.last_error_at";

fn read_row(row: &Row<'_>) -> rusqlite::Result<AlertRow> {
    let tenant = match row.get::<_, Option<i64>>(3)? {
        None => None,
        Some(id) => Some((id, lists::name(row, 4, TenantName::parse)?)),
    };
    let topics = lists::name(row, 5, |text| text.split_whitespace().map(Topic::parse).collect())?;
    let at = |column: usize| row.get::<_, Option<i64>>(column).map(|at| at.map(UnixMs));
    Ok(AlertRow {
        id: AlertId(row.get(0)?),
        name: row.get(1)?,
        kind: lists::name(row, 2, Kind::parse)?,
        tenant,
        topics,
        endpoint: row.get::<_, Option<i64>>(6)?.map(EndpointId),
        url: row.get(7)?,
        email: row.get(8)?,
        enabled: row.get(9)?,
        created_at: UnixMs(row.get(10)?),
        updated_at: UnixMs(row.get(11)?),
        progress: Progress { collecting_since: at(12)?, failures: row.get(13)?, next_try_at: at(14)? },
        last_sent_at: at(15)?,
        last_error: row.get(16)?,
        last_error_at: at(17)?,
    })
}

fn words(topics: &[Topic]) -> String {
    topics.iter().map(|topic| topic.as_str()).collect::<Vec<_>>().join(" ")
}

fn purpose(id: AlertId) -> Vec<u8> {
    format!("url:{id}").into_bytes()
}

impl Reader<'_> {
    /// Alerts, the newest first, below `before`.
    pub fn alerts(&self, before: Option<i64>, limit: usize) -> Result<Listed<AlertRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(&format!(
            "SELECT {COLUMNS} FROM alerts a LEFT JOIN tenants t ON t.id = a.tenant_id
             WHERE a.id < ?1 ORDER BY a.id DESC LIMIT ?2"
        ))?;
        let most = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let rows = statement
            .query_map(params![before.unwrap_or(i64::MAX), most], read_row)?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(lists::cut(rows, limit, |alert| alert.id.0))
    }

    /// An alert.
    pub fn alert(&self, id: AlertId) -> Result<Option<AlertRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM alerts a LEFT JOIN tenants t ON t.id = a.tenant_id WHERE a.id = ?1"
        );
        Ok(self.connection().prepare_cached(&sql)?.query_row([id.0], read_row).optional()?)
    }

    /// The URL that an alert goes to.
    pub fn alert_url(&self, alert: &AlertRow) -> Result<Option<String>, StoreError> {
        let Some(sealed) = &alert.url else { return Ok(None) };
        let wrong =
            |error: &dyn std::fmt::Display| StoreError::Internal(format!("the URL of {}: {error}", alert.id));
        let plain = self.shared().vault.open(&purpose(alert.id), sealed).map_err(|error| wrong(&error))?;
        String::from_utf8(plain).map(Some).map_err(|_| wrong(&"it is not UTF-8"))
    }

    /// What an alert has told.
    pub fn told(&self, id: AlertId) -> Result<BTreeMap<Key, Told>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT topic, subject, told_at, ended FROM alerts_told WHERE alert_id = ?1 ORDER BY topic, subject",
        )?;
        let read = |row: &Row<'_>| {
            let key = Key { topic: lists::name(row, 0, Topic::parse)?, subject: row.get(1)? };
            Ok((key, Told { at: UnixMs(row.get(2)?), ended: row.get(3)? }))
        };
        let rows = statement.query_map([id.0], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Tx<'_> {
    fn seal_url(&self, id: AlertId, url: Option<&str>) -> Option<Vec<u8>> {
        let nonce = crate::random::bytes(&*self.shared().random);
        url.map(|url| self.shared().vault.seal(&purpose(id), url.as_bytes(), nonce))
    }

    /// Makes an alert.
    pub fn insert_alert(&mut self, alert: &AlertFields) -> Result<AlertId, StoreError> {
        let id = AlertId(self.allot());
        let url = self.seal_url(id, alert.url.as_deref());
        self.connection()
            .prepare_cached(
                "INSERT INTO alerts (id, name, kind, tenant_id, topics, endpoint_id, url, email, enabled, created_at,
                     updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)",
            )?
            .execute(params![
                id.0,
                alert.name,
                alert.kind.as_str(),
                alert.tenant_id,
                words(&alert.topics),
                alert.endpoint.map(|endpoint| endpoint.0),
                url,
                alert.email,
                alert.enabled,
                self.now.0
            ])?;
        Ok(id)
    }

    /// Changes an alert; its kind and its tenant stay. `elsewhere`: it goes to somebody else, who was told nothing yet.
    pub fn update_alert(
        &mut self,
        id: AlertId,
        alert: &AlertFields,
        elsewhere: bool,
    ) -> Result<(), StoreError> {
        let url = self.seal_url(id, alert.url.as_deref());
        self.connection()
            .prepare_cached(
                "UPDATE alerts SET name = ?2, topics = ?3, endpoint_id = ?4, url = coalesce(?5, url), email = ?6,
                     enabled = ?7, updated_at = ?8 WHERE id = ?1",
            )?
            .execute(params![
                id.0,
                alert.name,
                words(&alert.topics),
                alert.endpoint.map(|endpoint| endpoint.0),
                url,
                alert.email,
                alert.enabled,
                self.now.0
            ])?;
        if elsewhere {
            self.connection()
                .prepare_cached("DELETE FROM alerts_told WHERE alert_id = ?1")?
                .execute([id.0])?;
            self.connection()
                .prepare_cached(
                    "UPDATE alerts SET collecting_since = NULL, failures = 0, next_try_at = NULL, last_error = NULL,
                         last_error_at = NULL WHERE id = ?1",
                )?
                .execute([id.0])?;
        }
        Ok(())
    }

    /// Deletes an alert. `false`: there is none.
    pub fn delete_alert(&mut self, id: AlertId) -> Result<bool, StoreError> {
        let deleted =
            self.connection().prepare_cached("DELETE FROM alerts WHERE id = ?1")?.execute([id.0])?;
        Ok(deleted > 0)
    }

    /// Deletes all alerts that are bound to a tenant.
    pub(super) fn delete_alerts_of(&mut self, tenant_id: i64) -> Result<(), StoreError> {
        self.connection().prepare_cached("DELETE FROM alerts WHERE tenant_id = ?1")?.execute([tenant_id])?;
        Ok(())
    }

    /// Writes down what came of a test, and nothing else.
    pub fn note_alert_test(&mut self, id: AlertId, noted: &AlertNoted) -> Result<(), StoreError> {
        let Some(alert) = self.alert(id)? else { return Ok(()) };
        let noted = AlertNoted { progress: alert.progress, told: BTreeMap::new(), ..noted.clone() };
        self.note_alert(id, &noted)
    }

    /// Writes down what came of a look. An alert that is gone or was changed since is no error.
    pub fn note_alert(&mut self, id: AlertId, noted: &AlertNoted) -> Result<(), StoreError> {
        let Progress { collecting_since, failures, next_try_at } = noted.progress;
        let sent = matches!(noted.result, Some(Ok(()))).then_some(noted.at.0);
        let error = noted.result.as_ref().and_then(|result| result.as_ref().err());
        let found = self
            .connection()
            .prepare_cached(
                "UPDATE alerts SET collecting_since = ?2, failures = ?3, next_try_at = ?4,
                     last_sent_at = coalesce(?5, last_sent_at),
                     last_error = CASE WHEN ?6 THEN ?7 ELSE last_error END,
                     last_error_at = CASE WHEN ?6 THEN ?8 ELSE last_error_at END
                 WHERE id = ?1 AND updated_at = ?9",
            )?
            .execute(params![
                id.0,
                collecting_since.map(|at| at.0),
                failures,
                next_try_at.map(|at| at.0),
                sent,
                noted.result.is_some(),
                error,
                error.map(|_| noted.at.0),
                noted.seen.0
            ])?;
        if found == 0 {
            return Ok(());
        }
        for (key, told) in &noted.told {
            self.note_told(id, *key, *told)?;
        }
        Ok(())
    }

    fn note_told(&self, id: AlertId, key: Key, told: Option<Told>) -> Result<(), StoreError> {
        match told {
            None => self
                .connection()
                .prepare_cached(
                    "DELETE FROM alerts_told WHERE alert_id = ?1 AND topic = ?2 AND subject = ?3",
                )?
                .execute(params![id.0, key.topic.as_str(), key.subject])?,
            Some(told) => self
                .connection()
                .prepare_cached(
                    "INSERT INTO alerts_told (alert_id, topic, subject, told_at, ended) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (alert_id, topic, subject)
                     DO UPDATE SET told_at = excluded.told_at, ended = excluded.ended",
                )?
                .execute(params![id.0, key.topic.as_str(), key.subject, told.at.0, told.ended])?,
        };
        Ok(())
    }
}
