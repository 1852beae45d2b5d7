//! Makes a large data file in minutes.
//!
//! The server itself has made the file: its schema, the endpoints, and one event for each endpoint, with whatever
//! became of that (delivered, failed, held, pending). Here those samples are taken out and written again as often
//! as is wanted, with the ids and times that the store would have given them, together with what the store keeps
//! beside them: the tables that it fills behind, their watermarks, the hourly counters, the health of the endpoints.
//! So a row looks exactly as the store writes it, whatever columns it has. `check.rs` compares the two.

mod behind;
pub mod check;
mod rows;
mod sample;
pub mod seed;

use std::path::Path;

use postrider::domain::ids;
use postrider::domain::time::UnixMs;
use rusqlite::Connection;

use behind::Behind;
use rows::Writer;
use sample::Samples;

/// Deliveries of a transaction.
const BATCH: i64 = 65_536;

/// How much there is to be, and when it happened.
#[derive(Debug, Clone, Copy)]
pub struct Fill {
    /// Events, each with the one delivery of its sample. The endpoints take turns.
    pub deliveries: i64,
    /// When the first one was accepted.
    pub since: UnixMs,
    /// When the last one was.
    pub until: UnixMs,
}

impl Fill {
    /// Fills a file that no process has open. Afterwards it is on disk.
    pub fn run(self, file: &Path) -> rusqlite::Result<()> {
        let connection = open(file)?;
        let samples = Samples::take(&connection)?;
        let mut events = Writer::new(&connection, "events", &["id", "timestamp", "created_at"])?;
        let mut deliveries = Writer::new(
            &connection,
            "deliveries",
            &["id", "event_id", "created_at", "delivered_at", "due_at"],
        )?;
        let mut attempts = Writer::new(&connection, "attempts", &["delivery_id", "started_at"])?;
        let mut behind = Behind::new(&connection, samples.all.len())?;
        let mut last = 0;
        for start in (0..self.deliveries).step_by(usize::try_from(BATCH).unwrap_or(usize::MAX)) {
            connection.execute_batch("BEGIN")?;
            for nth in start..self.deliveries.min(start + BATCH) {
                let at = self.moment(nth);
                let (which, sample) = samples.for_nth(nth);
                let event = ids::first_at(UnixMs(at)).max(last + 1);
                let delivery = event + 1;
                last = delivery;
                events.write(&sample.event, &[event, at, at])?;
                let (delivered, due) = (at, sample.due_at.saturating_add(nth));
                deliveries.write(&sample.delivery, &[delivery, event, at, delivered, due])?;
                for attempt in &sample.attempts {
                    attempts.write(attempt, &[delivery, at])?;
                }
                behind.add(which, sample, event, delivery, at);
            }
            behind.flush(&samples)?;
            connection.execute_batch("COMMIT")?;
        }
        behind.finish(&samples)?;
        drop((events, deliveries, attempts, behind));
        close(connection, file)
    }

    /// When the `nth` one was accepted.
    fn moment(self, nth: i64) -> i64 {
        let span = i128::from(self.until.0 - self.since.0);
        let share = span * i128::from(nth) / i128::from(self.deliveries.max(1));
        self.since.0 + i64::try_from(share).unwrap_or(0)
    }
}

/// A file that is lost if this process ends early: nothing is journaled, and all of it is synced once, at the end.
fn open(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    let settings = [
        ("journal_mode", "OFF"),
        ("locking_mode", "EXCLUSIVE"),
        ("synchronous", "OFF"),
        ("cache_size", "-262144"),
        ("temp_store", "MEMORY"),
    ];
    for (name, value) in settings {
        connection.pragma_update(None, name, value)?;
    }
    Ok(connection)
}

fn close(connection: Connection, file: &Path) -> rusqlite::Result<()> {
    connection.close().map_err(|(_, error)| error)?;
    let synced = std::fs::File::open(file).and_then(|file| file.sync_all());
    synced.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
