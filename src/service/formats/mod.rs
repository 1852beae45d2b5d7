//! Formats: shown, made, changed, deleted, and tried without sending.

mod change;
mod preview;

use std::collections::HashMap;

use serde::Serialize;

use crate::domain::format::definition::{Definition, WHOLE};
use crate::domain::invalid::Invalid;
use crate::domain::time::UnixMs;
use crate::store::formats::FormatRow;
use crate::store::{Listed, StoreError};

use super::{Error, Service, TenantScope, ViewScope};

pub use preview::{Preview, PreviewDraft};

/// A format as the API and the console show it.
#[derive(Debug, Clone, Serialize)]
pub struct FormatView {
    /// What endpoints call it.
    pub name: String,
    /// Whether it comes with Postrider, and cannot be changed.
    pub built_in: bool,
    /// Counts its changes, from 1; 0 for one that is built in.
    pub revision: i64,
    /// When it was last changed.
    pub updated_at: Option<UnixMs>,
    /// What it says, with every field.
    #[serde(flatten)]
    pub definition: Definition,
}

impl From<FormatRow> for FormatView {
    fn from(row: FormatRow) -> Self {
        Self {
            name: row.format.name().to_owned(),
            built_in: row.updated_at.is_none(),
            revision: row.revision,
            updated_at: row.updated_at,
            definition: row.format.definition().clone(),
        }
    }
}

/// A format that was put.
#[derive(Debug, Clone)]
pub struct FormatPut {
    /// The format as it is now.
    pub format: FormatView,
    /// Whether it was not there before.
    pub made: bool,
}

/// What is wrong with a definition, named as where it is one field among others: `definition.signature.prefix`.
pub fn under_definition(wrong: Invalid) -> Invalid {
    let mut under = Invalid::new();
    for error in wrong.0 {
        let whole = error.field == WHOLE;
        let field = if whole { "definition".to_owned() } else { format!("definition.{}", error.field) };
        under.push(field, error.message);
    }
    under
}

impl Service {
    /// One format. Blocks.
    ///
    /// # Errors
    /// `not_found`.
    pub fn format(&self, _scope: &TenantScope, name: &str) -> Result<FormatView, Error> {
        self.find_format(name).map(FormatView::from)
    }

    /// Formats: those that are built in, then the others by name; behind the one of the name `after`, at most
    /// `limit`. With the name behind which the next page starts. With `search` (read by
    /// [`super::endpoints::search`]) those whose name holds it. Blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn formats(
        &self,
        _scope: &TenantScope,
        search: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listed<FormatView, String>, Error> {
        let listed = self.store.read::<_, StoreError>(|reader| reader.formats(search, after, limit))?;
        Ok(Listed { rows: listed.rows.into_iter().map(FormatView::from).collect(), next: listed.next })
    }

    /// How many endpoints of all tenants use each format, enabled or not.
    pub fn format_users(&self, _scope: &ViewScope) -> HashMap<String, usize> {
        let mut users = HashMap::new();
        for route in self.store.directory().all() {
            *users.entry(route.format.name().to_owned()).or_default() += 1;
        }
        users
    }

    fn find_format(&self, name: &str) -> Result<FormatRow, Error> {
        let row = self.store.read::<_, StoreError>(|reader| reader.format(name))?;
        row.ok_or_else(|| Error::not_found("format", name))
    }
}
