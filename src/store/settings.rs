//! Settings: one row for each that differs from its default.

use std::sync::Arc;

use rusqlite::{Connection, params};

use crate::domain::settings::Settings;

use super::error::StoreError;
use super::tx::{DirectoryChange, Tx};

/// Reads all settings. A row that this version does not know, or cannot take any more, is passed over with a warning.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Settings> {
    let mut settings = Settings::default();
    let mut statement = connection.prepare("SELECT name, value FROM settings")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, text): (String, String) = (row.get(0)?, row.get(1)?);
        let taken = serde_json::from_str(&text)
            .map_err(|error| error.to_string())
            .and_then(|value| settings.set(&name, &value));
        if let Err(message) = taken {
            tracing::warn!(
                setting = name,
                message,
                "a setting in the file is not valid; its default is used"
            );
        }
    }
    Ok(settings)
}

impl Tx<'_> {
    /// Replaces the settings; in force with the commit.
    pub fn put_settings(&mut self, settings: Settings) -> Result<(), StoreError> {
        let text = |settings: &Settings| match serde_json::to_value(settings) {
            Ok(serde_json::Value::Object(all)) => Ok(all),
            other => Err(StoreError::Internal(format!("settings are no object: {other:?}"))),
        };
        let defaults = text(&Settings::default())?;
        for (name, value) in text(&settings)? {
            if defaults.get(&name) == Some(&value) {
                self.connection().prepare_cached("DELETE FROM settings WHERE name = ?1")?.execute([&name])?;
            } else {
                self.connection()
                    .prepare_cached(
                        "INSERT INTO settings (name, value) VALUES (?1, ?2)
                         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    )?
                    .execute(params![name, value.to_string()])?;
            }
        }
        self.gathered.directory.push(DirectoryChange::Settings(Arc::new(settings)));
        Ok(())
    }
}
