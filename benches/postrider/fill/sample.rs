//! What the store has written for the one event of each endpoint.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::rows::{self, Values};

/// An endpoint, and what is to be repeated for it.
pub(super) struct Sample {
    pub(super) endpoint: i64,
    pub(super) tenant: i64,
    pub(super) event: Values,
    pub(super) delivery: Values,
    /// When the delivery is due, if it waits.
    pub(super) due_at: i64,
    pub(super) attempts: Vec<Values>,
    /// What its outcomes have added to the counters of their hour.
    pub(super) hour: Option<Values>,
}

/// The samples, in the order of the endpoints.
pub(super) struct Samples {
    pub(super) all: Vec<Sample>,
}

/// What holds events and deliveries, and nothing else.
const EMPTIED: [&str; 9] = [
    "events",
    "deliveries",
    "attempts",
    "endpoint_deliveries",
    "tenant_deliveries",
    "tenant_events",
    "event_keys",
    "hourly",
    "hourly_totals",
];

impl Samples {
    /// Takes the samples out of the file: no event is left in it.
    pub(super) fn take(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare(
            "SELECT d.id, d.event_id, d.endpoint_id, d.tenant_id, d.due_at FROM deliveries d ORDER BY d.endpoint_id",
        )?;
        let mut found = statement.query([])?;
        let mut all: Vec<Sample> = Vec::new();
        while let Some(row) = found.next()? {
            let (delivery, event, endpoint): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            assert!(
                all.last().is_none_or(|before| before.endpoint != endpoint),
                "each endpoint has one sample"
            );
            all.push(Sample {
                endpoint,
                tenant: row.get(3)?,
                event: one(connection, "events", "id = ?1", event)?,
                delivery: one(connection, "deliveries", "id = ?1", delivery)?,
                due_at: row.get::<_, Option<i64>>(4)?.unwrap_or(0),
                attempts: rows::read(connection, "attempts", "delivery_id = ?1 ORDER BY number", [delivery])?,
                hour: rows::read(connection, "hourly", "endpoint_id = ?1", [endpoint])?.pop(),
            });
        }
        assert!(!all.is_empty(), "a file without a sample cannot be filled");
        let keys: i64 = connection.query_row("SELECT count(*) FROM event_keys", [], |row| row.get(0))?;
        assert_eq!(keys, 0, "samples have neither ids of their own nor idempotency keys");
        for table in EMPTIED {
            connection.execute(&format!("DELETE FROM {table}"), [])?;
        }
        Ok(Self { all })
    }

    /// Whose turn it is.
    pub(super) fn for_nth(&self, nth: i64) -> (usize, &Sample) {
        let which = usize::try_from(nth).unwrap_or(0) % self.all.len();
        (which, &self.all[which])
    }
}

fn one(connection: &Connection, table: &str, condition: &str, key: i64) -> rusqlite::Result<Values> {
    rows::read(connection, table, condition, [key])?.pop().ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// A whole number, or 0.
pub(super) fn number(value: &Value) -> i64 {
    match value {
        Value::Integer(number) => *number,
        _ => 0,
    }
}
