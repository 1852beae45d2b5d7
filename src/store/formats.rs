//! Formats of a team's own, by revision; those that are built in are in the program.
//!
//! A revision is kept as long as an attempt refers to it, so that the exact request of an old attempt can be rendered
//! again. What endpoints send with is parsed once and shared.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::{OptionalExtension, params};

use crate::domain::format::{Format, builtin};
use crate::domain::ids::EndpointId;
use crate::domain::limits::MAX_FORMATS;
use crate::domain::names::FormatName;
use crate::domain::time::UnixMs;

use super::directory::Route;
use super::error::StoreError;
use super::lists;
use super::reader::{Listed, Reader};
use super::tx::Tx;

/// The revision of every format that is built in.
const BUILT_IN: i64 = 0;

/// A format as it is at present.
#[derive(Debug, Clone)]
pub struct FormatRow {
    /// The format, parsed.
    pub format: Arc<Format>,
    /// Its revision, from 1; 0 for one that is built in.
    pub revision: i64,
    /// When it became what it is; `None` for one that is built in.
    pub updated_at: Option<UnixMs>,
}

/// Formats that were parsed last, by name, each with the text that it was parsed from: a text that is another in the
/// file, even in a transaction that is not committed, is another format.
#[derive(Debug, Default)]
pub(super) struct Parsed(RwLock<HashMap<Box<str>, Known>>);

/// A definition, and what was made of it.
type Known = (Box<str>, Arc<Format>);

impl Parsed {
    fn get(&self, name: &str, definition: &str) -> Result<Arc<Format>, StoreError> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, format)) = known.get(name).filter(|(text, _)| **text == *definition) {
            return Ok(Arc::clone(format));
        }
        drop(known);
        let format = Arc::new(parse(name, definition)?);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.into(), (definition.into(), Arc::clone(&format)));
        Ok(format)
    }

    fn forget(&self, name: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

fn parse(name: &str, definition: &str) -> Result<Format, StoreError> {
    Format::parse(name, definition)
        .map_err(|invalid| StoreError::Internal(format!("the format {name} cannot be read: {invalid}")))
}

fn built_in(format: &Arc<Format>) -> FormatRow {
    FormatRow { format: Arc::clone(format), revision: BUILT_IN, updated_at: None }
}

impl Reader<'_> {
    /// A format as it is at present.
    pub fn format(&self, name: &str) -> Result<Option<FormatRow>, StoreError> {
        if let Some(format) = builtin::find(name) {
            return Ok(Some(built_in(format)));
        }
        let found: Option<(i64, String, i64)> = self
            .connection()
            .prepare_cached(
                "SELECT revision, definition, created_at FROM formats INDEXED BY formats_present
                 WHERE name = ?1 AND replaced_after IS NULL",
            )?
            .query_row([name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((revision, definition, at)) = found else { return Ok(None) };
        let format = self.shared().formats.get(name, &definition)?;
        Ok(Some(FormatRow { format, revision, updated_at: Some(UnixMs(at)) }))
    }

    /// A format as it was in a revision. `None`: nothing refers to it any more.
    pub fn format_at(&self, name: &str, revision: i64) -> Result<Option<Arc<Format>>, StoreError> {
        if revision == BUILT_IN {
            return Ok(builtin::find(name).cloned());
        }
        let definition: Option<String> = self
            .connection()
            .prepare_cached("SELECT definition FROM formats WHERE name = ?1 AND revision = ?2")?
            .query_row(params![name, revision], |row| row.get(0))
            .optional()?;
        definition.map(|definition| parse(name, &definition).map(Arc::new)).transpose()
    }

    /// Formats as they are at present: those that are built in, then the others by name. Behind the one of the name
    /// `after`; at most `limit`. With `search`, a text in small letters, those whose name holds it.
    pub fn formats(
        &self,
        search: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listed<FormatRow, String>, StoreError> {
        let most = limit.saturating_add(1);
        let holds = |name: &str| search.is_none_or(|text| lists::holds(name, text));
        let own = after.filter(|name| builtin::find(name).is_none());
        let begin = match (own, after) {
            (Some(_), _) => builtin::all().len(),
            (None, Some(name)) => {
                builtin::all().iter().position(|format| format.name() == name).map_or(0, |at| at + 1)
            }
            (None, None) => 0,
        };
        let ours = builtin::all().iter().skip(begin).filter(|format| holds(format.name()));
        let mut rows: Vec<_> = ours.take(most).map(built_in).collect();
        let mut statement = self.connection().prepare_cached(
            "SELECT name FROM formats INDEXED BY formats_present
             WHERE replaced_after IS NULL AND name > ?1 ORDER BY name",
        )?;
        let names = statement.query_map([own.unwrap_or("")], |row| row.get::<_, String>(0))?;
        for name in names {
            let name = name?;
            if rows.len() == most {
                break;
            }
            if holds(&name) {
                rows.extend(self.format(&name)?);
            }
        }
        Ok(lists::cut(rows, limit, |row| row.format.name().to_owned()))
    }

    /// Whether there are as many formats as there may be, besides those that are built in.
    pub fn has_all_formats(&self) -> Result<bool, StoreError> {
        let most = i64::try_from(MAX_FORMATS).unwrap_or(i64::MAX);
        let count = self.count_up_to(
            "SELECT 1 FROM formats INDEXED BY formats_present
             WHERE replaced_after IS NULL AND name > '' LIMIT ?1",
            &[most],
        )?;
        Ok(count == most)
    }

    /// The live endpoints that use a format, enabled or not, the oldest first; `standard` is not asked for.
    pub fn endpoints_of_format(&self, name: &FormatName) -> Result<Vec<EndpointId>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT r.endpoint_id FROM endpoint_revisions r INDEXED BY endpoint_revisions_by_format
             CROSS JOIN endpoints e ON e.id = r.endpoint_id
             WHERE r.format = ?1 AND r.format <> 'standard' AND r.replaced_after IS NULL AND e.deleted_at IS NULL
             ORDER BY r.endpoint_id",
        )?;
        let ids = statement.query_map([name.as_str()], |row| row.get(0).map(EndpointId))?;
        Ok(ids.collect::<rusqlite::Result<Vec<_>>>()?)
    }
}

impl Tx<'_> {
    /// Writes a new revision of a format, made or changed; its definition was checked. Endpoints that use it are
    /// brought up to date by [`Tx::use_format`].
    pub fn put_format(&mut self, name: &FormatName, definition: &str) -> Result<FormatRow, StoreError> {
        self.retire_format(name)?;
        // Revisions of a format that was deleted and made again go on: old attempts may refer to the others.
        self.connection()
            .prepare_cached(
                "INSERT INTO formats (name, revision, definition, created_at)
                 SELECT ?1, coalesce(max(revision), 0) + 1, ?2, ?3 FROM formats WHERE name = ?1",
            )?
            .execute(params![name.as_str(), definition, self.now.0])?;
        self.format(name.as_str())?.ok_or_else(|| StoreError::Internal(format!("{name} was not written")))
    }

    /// Deletes a format that no endpoint uses; what old attempts refer to stays with them.
    pub fn delete_format(&mut self, name: &FormatName) -> Result<(), StoreError> {
        self.shared().formats.forget(name.as_str());
        self.retire_format(name)
    }

    /// The present revision becomes an old one.
    fn retire_format(&self, name: &FormatName) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "UPDATE formats INDEXED BY formats_present SET replaced_after = ?2
                 WHERE name = ?1 AND replaced_after IS NULL",
            )?
            .execute(params![name.as_str(), self.kept.last_id])?;
        Ok(())
    }

    /// Lets endpoints send with a format from their next attempt on. What was parsed of them otherwise is kept: there
    /// may be thousands. Where the scheme is another, their secrets are read again.
    pub fn use_format(&mut self, users: &[EndpointId], row: &FormatRow) -> Result<(), StoreError> {
        for id in users {
            match self.route(*id).filter(|route| route.format.scheme() == row.format.scheme()) {
                Some(route) => self.put_route(Arc::new(Route {
                    format: Arc::clone(&row.format),
                    format_revision: row.revision,
                    ..Route::clone(&route)
                })),
                None => self.reload_route(*id)?,
            }
        }
        Ok(())
    }
}
