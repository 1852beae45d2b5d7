//! Very many endpoints that fail, and very many that did once.

use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;

use crate::support::app::{START, text};

use super::{DAY, World};

#[test]
fn a_night_with_many_dead_endpoints_is_one_message_that_names_the_first() {
    let world = World::new();
    world.chat(&json!({}));
    world.dead("acme", 500);
    world.look();
    assert_eq!(world.told(), [""; 0], "it is collected first");
    world.pass(Duration::from_mins(4));
    assert_eq!(world.told(), [""; 0]);
    world.pass(Duration::from_mins(1));
    let all = world.told();
    assert_eq!(all.len(), 1);
    let url = world.receiver.url("/dead/acme");
    let line = format!("- acme {url}: its last attempt has failed, since {START}\n");
    let (named, console) = (line.repeat(5), world.app.address());
    let expected = format!(
        "*Postrider: 500 endpoints are failing*\n500 endpoints are failing:\n{named}- and 495 more\n\nhttp://{console}"
    );
    assert_eq!(all[0], expected);
    world.pass(DAY);
    world.pass(DAY);
    assert_eq!(world.told().len(), 1, "endpoints that go on failing are told of once");
}

#[test]
fn a_night_in_which_one_endpoint_dies_after_the_other_is_few_messages() {
    let world = World::new();
    world.chat(&json!({}));
    for n in 0..80 {
        world.dead(&format!("t{n}"), 1);
        for _ in 0..6 {
            world.pass(Duration::from_mins(1));
        }
    }
    let messages = world.told().len();
    // Eight hours. All collected for five minutes would be eighty.
    assert!((8..=16).contains(&messages), "{messages}: {:#?}", world.told());
    let named = world.told().concat();
    assert!(named.contains("- t0 ") && named.contains("- and "), "{named}");
    // The server does not wait for that.
    world.app.change_settings(&json!({ "alert_disk_percent": 1 }));
    world.tell();
    assert_eq!(world.told().len(), messages + 1);
    assert!(world.last().contains("the disk is nearly full"), "{}", world.last());
}

#[test]
fn endpoints_that_failed_and_were_deleted_long_ago_hide_nobody() {
    let mut world = World::new();
    world.chat(&json!({}));
    let old = world.dead("acme", 1).remove(0);
    world.app.delete_endpoint(&old);
    world.app.stop();
    // As many more of them, with ids that come first.
    let file = Connection::open(world.app.data().join("postrider.db")).expect("a database");
    for table in ["endpoints", "endpoint_health"] {
        copy(&file, table, 5_000);
    }
    drop(file);
    world.app.restart();
    let failing = world.dead("globex", 2);
    world.tell();
    assert!(world.last().starts_with("*Postrider: 2 endpoints are failing*"), "{}", world.last());
    let seen = world.app.get("/attention");
    let rows = seen["data"].as_array().expect("rows").iter();
    let mut shown: Vec<_> = rows.map(|row| text(&row["endpoint"], "id")).collect();
    shown.sort_unstable();
    assert_eq!(shown, failing);
    let metrics = world.app.client.get("/metrics").expect(200);
    let line = "postrider_endpoints{health=\"failing\"} 2\n";
    assert!(metrics.text().contains(line), "{}", metrics.text());
}

/// Copies the only row of a table so many times, with small ids.
fn copy(file: &Connection, table: &str, times: u32) {
    let key = if table == "endpoints" { "id" } else { "endpoint_id" };
    let columns: Vec<String> = file
        .prepare(&format!("SELECT name FROM pragma_table_info('{table}') WHERE name <> '{key}'"))
        .and_then(|mut names| names.query_map([], |row| row.get(0))?.collect())
        .expect("the columns");
    let columns = columns.join(", ");
    let sql = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {times})
         INSERT INTO {table} ({key}, {columns}) SELECT i, {columns} FROM n, (SELECT * FROM {table} LIMIT 1)"
    );
    assert_eq!(file.execute(&sql, []).expect("copies"), times as usize);
}
