//! What is found on the disk after the power came back, against what was promised.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use postrider::domain::ids::{EndpointId, EventId, KeyId};
use rusqlite::Connection;

use super::disk::Found;
use super::load::{data, key, number};
use super::promises::Promised;

/// Writes what was found into `to`, in place of `folder`, with the modes that all is made with.
pub(super) fn write_down(found: &Found, folder: &Path, to: &Path) {
    for (path, content) in found {
        let place = to.join(path.strip_prefix(folder).expect("all is in the folder"));
        match content {
            None => DirBuilder::new().mode(0o700).create(&place).expect("a folder"),
            Some(bytes) => {
                let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&place);
                file.and_then(|mut file| file.write_all(bytes)).expect("a file");
            }
        }
    }
}

/// Looks whether the database in `folder` is sound and holds what was promised; how many events it has, else the
/// first fault.
pub(super) fn check(folder: &Path, promised: &Promised) -> Result<usize, String> {
    let file = folder.join("postrider.db");
    if !file.exists() {
        return if promised.is_empty() { Ok(0) } else { Err("the file is gone".to_owned()) };
    }
    let database = Connection::open(&file).map_err(|error| error.to_string())?;
    check_database(&database, promised)
}

fn check_database(database: &Connection, promised: &Promised) -> Result<usize, String> {
    let text = |sql: &str| -> Result<String, String> {
        database.query_row(sql, [], |row| row.get(0)).map_err(|error| format!("{sql}: {error}"))
    };
    let sound = text("PRAGMA integrity_check")?;
    if sound != "ok" {
        return Err(sound);
    }
    if text("SELECT count(*) || '' FROM pragma_foreign_key_check")? != "0" {
        return Err("a row refers to one that is not there".to_owned());
    }
    if text("SELECT count(*) || '' FROM sqlite_schema")? == "0" {
        return if promised.is_empty() { Ok(0) } else { Err("there are no tables".to_owned()) };
    }
    let failed = |error: rusqlite::Error| error.to_string();
    check_endpoints(database, promised).map_err(failed)??;
    check_keys(database, promised).map_err(failed)??;
    let events = read_events(database).map_err(failed)?;
    check_events(&events, promised)?;
    Ok(events.len())
}

fn check_endpoints(database: &Connection, promised: &Promised) -> rusqlite::Result<Result<(), String>> {
    let mut query = database.prepare(
        "SELECT description FROM endpoints e JOIN endpoint_revisions USING (revision)
         WHERE e.id = ?1 AND endpoint_id = e.id AND EXISTS (SELECT 1 FROM endpoint_secrets s WHERE s.endpoint_id = e.id)",
    )?;
    for (id, promised) in &promised.endpoints {
        let number = EndpointId::parse(id).expect("an id").0;
        let found: Option<String> =
            rusqlite::OptionalExtension::optional(query.query_row([number], |row| row.get(0)))?;
        let Some(found) = found else { return Ok(Err(format!("endpoint {id} is lost"))) };
        let count = |text: &str| text.parse::<u64>().unwrap_or(0);
        if count(&found) < count(promised) {
            return Ok(Err(format!("endpoint {id}: change {promised} is lost, {found} is there")));
        }
    }
    Ok(Ok(()))
}

fn check_keys(database: &Connection, promised: &Promised) -> rusqlite::Result<Result<(), String>> {
    let mut query = database.prepare("SELECT count(*) FROM keys WHERE id = ?1")?;
    for id in &promised.keys {
        let number = KeyId::parse(id).expect("an id").0;
        if query.query_row([number], |row| row.get::<_, u32>(0))? != 1 {
            return Ok(Err(format!("key {id} is lost")));
        }
    }
    Ok(Ok(()))
}

struct Event {
    key: Option<String>,
    data: String,
    /// What its row says, and the rows that there are, of which so many are possible ones.
    deliveries: [u32; 3],
}

fn read_events(database: &Connection) -> rusqlite::Result<BTreeMap<String, Event>> {
    let mut query = database.prepare(
        "WITH counted AS MATERIALIZED (
             SELECT event_id, count(*) AS rows, count(*) FILTER (
                 WHERE state IN (0, 2) AND delivered_at IS NULL
                    OR state = 1 AND delivered_at IS NOT NULL AND attempts > 0
             ) AS possible FROM deliveries GROUP BY event_id)
         SELECT id, idempotency_key, data, deliveries, coalesce(rows, 0), coalesce(possible, 0)
         FROM events LEFT JOIN counted ON event_id = id",
    )?;
    let event = |row: &rusqlite::Row<'_>| {
        let deliveries = [row.get(3)?, row.get(4)?, row.get(5)?];
        Ok((EventId(row.get(0)?).to_string(), Event { key: row.get(1)?, data: row.get(2)?, deliveries }))
    };
    query.query_map([], event)?.collect()
}

fn check_events(events: &BTreeMap<String, Event>, promised: &Promised) -> Result<(), String> {
    let mut known = BTreeMap::new();
    for (id, event) in events {
        let [said, found, possible] = event.deliveries;
        let Some(number) = number(&event.data) else {
            // One of the old ones, which a cleanup deletes: deliveries first.
            if found > said || found != possible {
                return Err(format!(
                    "event {id}: {said} deliveries were made, {found} found, {possible} possible"
                ));
            }
            continue;
        };
        if said != found || found != possible {
            return Err(format!(
                "event {id}: {said} deliveries were made, {found} found, {possible} possible"
            ));
        }
        if event.data != data(number) || event.key.as_deref() != Some(key(number).as_str()) {
            return Err(format!("event {id} is not the one that was published"));
        }
        if let Some(other) = known.insert(number, id) {
            return Err(format!("{id} and {other} are the same event"));
        }
    }
    for (id, deliveries) in &promised.events {
        let Some(event) = events.get(id) else { return Err(format!("event {id} is lost")) };
        if event.deliveries[0] != *deliveries {
            return Err(format!("event {id} has {:?} deliveries instead of {deliveries}", event.deliveries));
        }
    }
    Ok(())
}
