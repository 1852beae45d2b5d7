//! Whether a filled file is one that the store could have written.
//!
//! One server publishes a few hundred events. A second one publishes one for each endpoint, and the rest of its file
//! is filled. Then both files hold the same rows, but for ids, times and signatures, and both servers say the same.

use std::collections::BTreeMap;
use std::path::Path;

use postrider::clock::{Clock, SystemClock};
use rusqlite::Connection;
use serde_json::Value;

use super::seed::Seed;
use super::{Fill, rows};
use crate::Fallible;
use crate::bench::Bench;
use crate::server::{Server, Start};

const ENDPOINTS: usize = 12;
const TENANTS: usize = 3;
const EACH: usize = 25;

/// Compares the two.
///
/// # Errors
/// What differs, or anything that kept it from being compared.
pub fn run(bench: &Bench) -> Fallible<()> {
    let (by_store, by_fill) = (bench.folder()?, bench.folder()?);
    let file = |folder: &Path| folder.join("data/postrider.db");
    seed(bench, by_store.path(), EACH)?;
    seed(bench, by_fill.path(), 1)?;
    let until = SystemClock::new().wall();
    let since = postrider::domain::time::UnixMs(until.0 - 60_000);
    Fill { deliveries: i64::try_from(ENDPOINTS * EACH)?, since, until }.run(&file(by_fill.path()))?;
    same("the file", &facts(&file(by_store.path()))?, &facts(&file(by_fill.path()))?)?;
    same("the API", &told(by_store.path())?, &told(by_fill.path())?)
}

fn seed(bench: &Bench, folder: &Path, each: usize) -> Fallible<()> {
    let server = Start::on(folder).start()?;
    let seed = Seed::plant(&server, &bench.receiver, ENDPOINTS, TENANTS)?;
    seed.publish(&server, &bench.receiver, each)?;
    server.stop()
}

fn same(what: &str, store: &[String], fill: &[String]) -> Fallible<()> {
    if let Some((stored, filled)) = store.iter().zip(fill).find(|(stored, filled)| stored != filled) {
        return Err(
            format!("{what} as the store makes it:\n  {stored}\nand as it is filled:\n  {filled}").into()
        );
    }
    if store.len() == fill.len() {
        return Ok(());
    }
    Err(format!("{what}: the store makes {} lines, the filling {}", store.len(), fill.len()).into())
}

/// What is in a file, a line for each kind of row and how many there are.
fn facts(file: &Path) -> Fallible<Vec<String>> {
    let connection = Connection::open(file)?;
    let mut facts = Vec::new();
    for table in ["events", "deliveries", "attempts", "endpoint_health", "idempotent_answers", "event_keys"] {
        facts.extend(kinds(&connection, table)?);
    }
    facts.extend(hours(&connection)?);
    for condition in SOUND {
        let broken: i64 =
            connection.query_row(&format!("SELECT count(*) FROM {condition}"), [], |row| row.get(0))?;
        if broken > 0 {
            return Err(format!("{}: {broken} rows of {condition}", file.display()).into());
        }
    }
    let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    facts.push(integrity);
    Ok(facts)
}

/// What no file of the store holds.
const SOUND: [&str; 9] = [
    "deliveries d LEFT JOIN events e ON e.id = d.event_id WHERE e.id IS NULL OR d.id <> e.id + 1",
    "events WHERE id >> 20 <> created_at",
    "deliveries d JOIN events e ON e.id = d.event_id WHERE d.created_at <> e.created_at",
    "attempts a LEFT JOIN deliveries d ON d.id = a.delivery_id WHERE d.id IS NULL OR a.started_at < d.created_at",
    "pragma_foreign_key_check",
    "deliveries d LEFT JOIN endpoint_deliveries i ON i.endpoint_id = d.endpoint_id AND i.delivery_id = d.id
     WHERE (i.delivery_id IS NULL) <> (d.id > (SELECT coalesce(max(value), 0) FROM meta WHERE name = 'filled_deliveries'))",
    "deliveries d LEFT JOIN tenant_deliveries i ON i.tenant_id = d.tenant_id AND i.delivery_id = d.id
     WHERE (i.delivery_id IS NULL) <> (d.id > (SELECT coalesce(max(value), 0) FROM meta WHERE name = 'filled_deliveries'))",
    "events e LEFT JOIN tenant_events i ON i.tenant_id = e.tenant_id AND i.event_id = e.id
     WHERE (i.event_id IS NULL) <> (e.id > (SELECT coalesce(max(value), 0) FROM meta WHERE name = 'filled_events'))",
    "(SELECT endpoint_id, delivery_id AS id FROM endpoint_deliveries UNION ALL SELECT tenant_id, delivery_id
      FROM tenant_deliveries UNION ALL SELECT tenant_id, event_id - 1 FROM tenant_events)
     WHERE id NOT IN (SELECT id FROM deliveries) AND id + 1 NOT IN (SELECT id FROM events)",
];

/// The rows of a table, those that differ in ids, times and signatures only taken together.
fn kinds(connection: &Connection, table: &str) -> Fallible<Vec<String>> {
    let shown: Vec<_> = rows::columns(connection, table)?.iter().map(|column| shown(column)).collect();
    let line = shown.join(" || ' ' || ");
    let sql = format!(
        "SELECT '{table}: ' || count(*) || ' of ' || line FROM (SELECT {line} AS line FROM {table}) GROUP BY line ORDER BY line"
    );
    let mut statement = connection.prepare(&sql)?;
    let lines = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(lines)
}

/// What of a column is compared: an endpoint by its place among them, of what is never the same the type.
fn shown(column: &str) -> String {
    let varies = column == "id"
        || column == "timestamp"
        || (column.ends_with("_id") && column != "tenant_id")
        || ["_at", "_ms", "_up", "_until"].iter().any(|end| column.ends_with(end));
    match column {
        "endpoint_id" => "(SELECT count(*) FROM endpoints p WHERE p.id < endpoint_id)".to_owned(),
        // Whether a connection was kept decides which of an attempt's phases there are.
        "dns_ms" | "connect_ms" | "wait_ms" | "read_ms" => format!("'{column}'"),
        "signatures" => format!("'{column}=' || length({column})"),
        _ if varies => format!("'{column}=' || typeof({column})"),
        _ => format!("'{column}=' || quote({column})"),
    }
}

/// The counters, over all hours; the buckets of the latencies together, as those differ.
fn hours(connection: &Connection) -> Fallible<Vec<String>> {
    let columns = rows::columns(connection, "hourly")?;
    let is_bucket = |name: &String| name.strip_prefix('l').is_some_and(|rest| rest.parse::<u8>().is_ok());
    let (buckets, others): (Vec<_>, Vec<_>) = columns.into_iter().skip(2).partition(is_bucket);
    let sums: Vec<_> = others.iter().map(|name| format!("'{name}=' || sum({name})")).collect();
    let sql = format!(
        "SELECT 'hourly: ' || {} || ' ' || {} || ' in buckets ' || sum({}) FROM hourly GROUP BY endpoint_id ORDER BY endpoint_id",
        shown("endpoint_id"),
        sums.join(" || ' ' || "),
        buckets.join(" + "),
    );
    let mut statement = connection.prepare(&sql)?;
    let lines = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(lines)
}

/// What a server says about such a file: its lists, row by row.
fn told(folder: &Path) -> Fallible<Vec<String>> {
    let server = Start::on(folder).start()?;
    let endpoints = walk(&server, "/endpoints?")?;
    let mut names = BTreeMap::new();
    let mut lists = vec!["/endpoints?".to_owned(), "/events?".to_owned(), "/deliveries?".to_owned()];
    for (place, endpoint) in endpoints.iter().enumerate() {
        let id = endpoint["id"].as_str().ok_or("an endpoint without an id")?;
        names.insert(id.to_owned(), format!("endpoint {place}"));
        lists.push(format!("/endpoints/{id}/deliveries?"));
    }
    for status in ["pending", "retrying", "held", "delivered", "failed", "canceled"] {
        lists.push(format!("/deliveries?status={status}&"));
        lists.push(format!("/deliveries?tenant={}&status={status}&", super::seed::tenant(0)));
    }
    lists.push(format!("/events?tenant={}&", super::seed::tenant(1)));
    let mut lines = Vec::new();
    for list in lists {
        let rows = walk(&server, &list)?;
        lines.push(format!("{} rows", rows.len()));
        lines.extend(rows.into_iter().map(|row| plain(row, &names).to_string()));
    }
    server.stop()?;
    Ok(lines)
}

fn walk(server: &Server, list: &str) -> Fallible<Vec<Value>> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let mut page = server.get(&format!("{list}limit=100{cursor}"))?;
        rows.append(page["data"].as_array_mut().ok_or("a list without data")?);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(rows),
        }
    }
}

/// A value without what is never the same: ids and times.
fn plain(value: Value, names: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => match names.get(&text) {
            Some(name) => Value::String(name.clone()),
            None if postrider::domain::ids::looks_like_ours(&text) => "an id".into(),
            None if postrider::domain::time::UnixMs::parse(&text).is_ok() => "a time".into(),
            None => Value::String(text),
        },
        Value::Array(items) => items.into_iter().map(|item| plain(item, names)).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, field)| (name, plain(field, names))).collect()
        }
        other => other,
    }
}
