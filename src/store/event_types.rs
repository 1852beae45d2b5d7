//! The catalogue of event types: its rows, and what publishing needs of it in memory.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::limits::MAX_EVENT_TYPES;
use crate::domain::names::EventType;
use crate::domain::schema::Schema;
use crate::domain::time::UnixMs;

use super::Store;
use super::error::StoreError;
use super::reader::{Listed, Reader};
use super::tx::{DirectoryChange, Tx};

/// What publishing has to know of a type that is in the catalogue.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// It can be subscribed to, and only Postrider may publish it.
    pub reserved: bool,
    /// What its data has to fit, compiled.
    pub schema: Option<Arc<Schema>>,
}

/// All types in it. A snapshot.
pub type Catalogue = HashMap<EventType, Entry>;

/// The catalogue in force.
#[derive(Debug, Default)]
pub(super) struct EventTypes {
    catalogue: RwLock<Arc<Catalogue>>,
}

impl EventTypes {
    pub(super) fn replace(&self, catalogue: Catalogue) {
        *self.catalogue.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalogue);
    }

    /// One type is as this says from now on; `None`: it is not in the catalogue.
    pub(super) fn change(&self, name: EventType, entry: Option<Entry>) {
        let mut catalogue = self.catalogue.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = Catalogue::clone(&catalogue);
        match entry {
            Some(entry) => changed.insert(name, entry),
            None => changed.remove(&name),
        };
        *catalogue = Arc::new(changed);
    }
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventTypeRow {
    /// The type.
    pub name: EventType,
    /// What it means, for people.
    pub description: Option<String>,
    /// What it is shown under.
    pub group: Option<String>,
    /// Data as it may look: JSON text. Absent in a list.
    pub example: Option<String>,
    /// The schema of its data: JSON text. Absent in a list.
    pub schema: Option<String>,
    /// Whether there is one; in a list as well.
    pub has_schema: bool,
    /// Nobody may publish it.
    pub reserved: bool,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it was last changed.
    pub updated_at: UnixMs,
}

impl EventTypeRow {
    /// Whether a text in small letters is a part of what it is known by.
    fn holds(&self, text: &str) -> bool {
        let known = [Some(self.name.as_str()), self.group.as_deref(), self.description.as_deref()];
        known.into_iter().flatten().any(|known| super::lists::holds(known, text))
    }
}

const COLUMNS: &str =
    "name, description, group_name, example, schema, schema IS NOT NULL, reserved, created_at, updated_at";
/// The same without what may be long.
const LISTED: &str =
    "name, description, group_name, NULL, NULL, schema IS NOT NULL, reserved, created_at, updated_at";

fn row(row: &Row<'_>) -> rusqlite::Result<EventTypeRow> {
    Ok(EventTypeRow {
        name: super::lists::name(row, 0, EventType::parse)?,
        description: row.get(1)?,
        group: row.get(2)?,
        example: row.get(3)?,
        schema: row.get(4)?,
        has_schema: row.get(5)?,
        reserved: row.get(6)?,
        created_at: UnixMs(row.get(7)?),
        updated_at: UnixMs(row.get(8)?),
    })
}

/// Reads the whole catalogue. A schema that this version cannot compile any more is left out, with a line in the log:
/// a server that does not start would be worse.
pub(super) fn read_all(connection: &Connection) -> rusqlite::Result<Catalogue> {
    let mut statement = connection.prepare("SELECT name, reserved, schema FROM event_types")?;
    let rows = statement.query_map([], |row| {
        let name = super::lists::name(row, 0, EventType::parse)?;
        let text: Option<String> = row.get(2)?;
        let compiled = text.map(|text| Schema::compile(&text)).transpose().unwrap_or_else(|invalid| {
            tracing::error!(event_type = %name, %invalid, "the schema cannot be read any more; its data is not checked");
            None
        });
        Ok((name, Entry { reserved: row.get(1)?, schema: compiled.map(Arc::new) }))
    })?;
    rows.collect()
}

/// Where a page of the list starts: below this type, by the time at which it was made and then by name.
pub type EventTypeCursor = (UnixMs, String);

impl Reader<'_> {
    /// A type of the catalogue.
    pub fn event_type(&self, name: &EventType) -> Result<Option<EventTypeRow>, StoreError> {
        let found = self
            .connection()
            .prepare_cached(&format!("SELECT {COLUMNS} FROM event_types WHERE name = ?1"))?
            .query_row([name.as_str()], row)
            .optional()?;
        Ok(found)
    }

    /// Whether the catalogue has as many types as it may.
    pub fn has_all_event_types(&self) -> Result<bool, StoreError> {
        let most = i64::try_from(MAX_EVENT_TYPES).unwrap_or(i64::MAX);
        let count = self.count_up_to(
            "SELECT 1 FROM event_types INDEXED BY event_types_by_age WHERE created_at >= ?1 LIMIT ?2",
            &[i64::MIN, most],
        )?;
        Ok(count == most)
    }

    /// Types, the newest first, without example and schema. With `search`, a text in small
    /// letters, those whose name, group or description holds it.
    pub fn event_types(
        &self,
        search: Option<&str>,
        before: Option<&EventTypeCursor>,
        limit: usize,
    ) -> Result<Listed<EventTypeRow, EventTypeCursor>, StoreError> {
        let (at, name) = before.map_or((i64::MAX, ""), |(at, name)| (at.0, name.as_str()));
        let mut statement = self.connection().prepare_cached(&format!(
            "SELECT {LISTED} FROM event_types INDEXED BY event_types_by_age WHERE (created_at, name) < (?1, ?2)
             ORDER BY created_at DESC, name DESC"
        ))?;
        // They are read one by one, and no further than the page goes: SQLite knows capital letters of ASCII alone.
        let asked = |row: &rusqlite::Result<EventTypeRow>| match (row, search) {
            (Ok(row), Some(text)) => row.holds(text),
            _ => true,
        };
        let rows = statement.query_map(params![at, name], row)?.filter(asked).take(limit + 1);
        let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(super::lists::cut(rows, limit, |row| (row.created_at, row.name.to_string())))
    }
}

impl Tx<'_> {
    /// Makes or replaces a type; in force with the commit. `schema`: that of the row, compiled.
    pub fn put_event_type(
        &mut self,
        row: &EventTypeRow,
        schema: Option<Arc<Schema>>,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "INSERT INTO event_types (name, description, group_name, example, schema, reserved, created_at, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (name) DO UPDATE SET description = excluded.description, group_name = excluded.group_name,
                     example = excluded.example, schema = excluded.schema, reserved = excluded.reserved,
                     updated_at = excluded.updated_at",
            )?
            .execute(params![
                row.name.as_str(),
                row.description,
                row.group,
                row.example,
                row.schema,
                row.reserved,
                row.created_at.0,
                row.updated_at.0,
            ])?;
        let entry = Entry { reserved: row.reserved, schema };
        self.gathered.directory.push(DirectoryChange::EventType(row.name.clone(), Some(entry)));
        Ok(())
    }

    /// Takes a type out of the catalogue; in force with the commit.
    pub fn delete_event_type(&mut self, name: &EventType) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("DELETE FROM event_types WHERE name = ?1")?
            .execute([name.as_str()])?;
        self.gathered.directory.push(DirectoryChange::EventType(name.clone(), None));
        Ok(())
    }
}

impl Store {
    /// The catalogue of event types in force.
    pub fn event_types(&self) -> Arc<Catalogue> {
        Arc::clone(&self.shared.event_types.catalogue.read().unwrap_or_else(PoisonError::into_inner))
    }
}
