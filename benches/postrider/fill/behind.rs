//! What the store keeps beside events and deliveries: the tables that it fills behind, their watermarks, the
//! counters of each hour, and the health of the endpoints.

use rusqlite::types::Value;
use rusqlite::{Connection, Statement, params};

use super::rows::{self, Values, Writer};
use super::sample::{Sample, Samples, number};

const HOUR_MS: i64 = 3_600_000;

/// Gathers a batch, and writes it sorted, as the store does.
pub(super) struct Behind<'a> {
    connection: &'a Connection,
    endpoint_deliveries: Statement<'a>,
    tenant_deliveries: Statement<'a>,
    tenant_events: Statement<'a>,
    by_endpoint: Vec<(i64, i64)>,
    by_tenant: Vec<(i64, i64)>,
    events_by_tenant: Vec<(i64, i64)>,
    hour: i64,
    /// For each endpoint, how often its sample was repeated in this hour.
    in_hour: Vec<i64>,
    /// Hours that are over.
    hours: Vec<(i64, Vec<i64>)>,
    /// The same in all, with the times of the first and the last.
    whole: Vec<Whole>,
    last: (i64, i64),
}

#[derive(Clone, Copy, Default)]
struct Whole {
    times: i64,
    first_at: i64,
    last_at: i64,
}

impl<'a> Behind<'a> {
    pub(super) fn new(connection: &'a Connection, endpoints: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            endpoint_deliveries: connection
                .prepare("INSERT INTO endpoint_deliveries (endpoint_id, delivery_id) VALUES (?1, ?2)")?,
            tenant_deliveries: connection
                .prepare("INSERT INTO tenant_deliveries (tenant_id, delivery_id) VALUES (?1, ?2)")?,
            tenant_events: connection
                .prepare("INSERT INTO tenant_events (tenant_id, event_id) VALUES (?1, ?2)")?,
            by_endpoint: Vec::new(),
            by_tenant: Vec::new(),
            events_by_tenant: Vec::new(),
            hour: i64::MIN,
            in_hour: vec![0; endpoints],
            hours: Vec::new(),
            whole: vec![Whole::default(); endpoints],
            last: (0, 0),
        })
    }

    /// A sample was repeated.
    pub(super) fn add(&mut self, which: usize, sample: &Sample, event: i64, delivery: i64, at: i64) {
        self.by_endpoint.push((sample.endpoint, delivery));
        self.by_tenant.push((sample.tenant, delivery));
        self.events_by_tenant.push((sample.tenant, event));
        self.last = (event, delivery);
        let whole = &mut self.whole[which];
        if whole.times == 0 {
            whole.first_at = at;
        }
        whole.times += 1;
        whole.last_at = at;
        let hour = at.div_euclid(HOUR_MS);
        if hour != self.hour {
            self.end_hour();
            self.hour = hour;
        }
        self.in_hour[which] += 1;
    }

    fn end_hour(&mut self) {
        let empty = vec![0; self.in_hour.len()];
        if self.hour != i64::MIN {
            self.hours.push((self.hour, std::mem::replace(&mut self.in_hour, empty)));
        }
    }

    /// Writes what was gathered, in the open transaction.
    pub(super) fn flush(&mut self, samples: &Samples) -> rusqlite::Result<()> {
        insert(&mut self.endpoint_deliveries, &mut self.by_endpoint)?;
        insert(&mut self.tenant_deliveries, &mut self.by_tenant)?;
        insert(&mut self.tenant_events, &mut self.events_by_tenant)?;
        let mut writer = Writer::new(self.connection, "hourly", &[])?;
        for (hour, times) in self.hours.drain(..) {
            for (sample, times) in samples.all.iter().zip(times).filter(|(_, times)| *times > 0) {
                if let Some(template) = &sample.hour {
                    writer.write(&hours_of(template, hour, times), &[])?;
                }
            }
        }
        Ok(())
    }

    /// Writes what is known only at the end: watermarks and health.
    pub(super) fn finish(&mut self, samples: &Samples) -> rusqlite::Result<()> {
        self.end_hour();
        self.flush(samples)?;
        self.write_totals()?;
        let (event, delivery) = self.last;
        for (name, value) in [("filled_events", event), ("filled_deliveries", delivery)] {
            let sql =
                "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
            self.connection.execute(sql, params![name, value])?;
        }
        for (sample, whole) in samples.all.iter().zip(&self.whole) {
            self.write_health(sample, *whole)?;
        }
        Ok(())
    }

    /// The counters of all endpoints together.
    fn write_totals(&self) -> rusqlite::Result<()> {
        let columns = rows::columns(self.connection, "hourly_totals")?;
        let sums: Vec<_> = columns.iter().skip(1).map(|column| format!("sum({column})")).collect();
        let sql = format!(
            "INSERT INTO hourly_totals ({}) SELECT hour, {} FROM hourly GROUP BY hour",
            columns.join(", "),
            sums.join(", ")
        );
        self.connection.execute(&sql, [])?;
        Ok(())
    }

    /// Every repetition of a failure has failed, and every repetition of a success is a success.
    fn write_health(&self, sample: &Sample, whole: Whole) -> rusqlite::Result<()> {
        self.connection.execute(
            "UPDATE endpoint_health SET
                 failure_count = failure_count * ?2, timeouts_in_row = timeouts_in_row * ?2,
                 first_failure_at = iif(first_failure_at IS NULL, NULL, ?3),
                 last_failure_at = iif(last_failure_at IS NULL, NULL, ?4),
                 last_success_at = iif(last_success_at IS NULL, NULL, ?4)
             WHERE endpoint_id = ?1",
            params![sample.endpoint, whole.times, whole.first_at, whole.last_at],
        )?;
        Ok(())
    }
}

fn insert(statement: &mut Statement<'_>, pairs: &mut Vec<(i64, i64)>) -> rusqlite::Result<()> {
    pairs.sort_unstable();
    for pair in pairs.drain(..) {
        statement.execute(pair)?;
    }
    Ok(())
}

/// The counters of an hour in which the sample was repeated so often: endpoint, hour, then what is counted.
fn hours_of(template: &Values, hour: i64, times: i64) -> Values {
    let counted = template.iter().skip(2).map(|value| Value::Integer(number(value) * times));
    [template[0].clone(), Value::Integer(hour)].into_iter().chain(counted).collect()
}
