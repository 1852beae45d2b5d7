//! Backups by the schedule, and how many are kept.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::TestApp;

use super::files;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Waits until `n` backups are over; the last of them.
#[track_caller]
fn backup(app: &TestApp, n: usize) -> Value {
    app.eventually(&format!("{n} backups"), |app| {
        let rows = app.list("/backups");
        (rows.len() >= n && rows.iter().all(|row| row["status"] != "running")).then(|| {
            assert_eq!(rows.len(), n, "{rows:?}");
            rows[0].clone()
        })
    })
}

#[test]
fn one_is_made_every_night_and_old_ones_go_once_there_is_a_new_one() {
    let app = TestApp::with_manual_clock();
    app.change_settings(&json!({ "backups_keep": 2 }));
    app.settle();
    // From half past two in the afternoon to half past two at night.
    app.advance(HOUR * 12);
    shows(&backup(&app, 1), &json!({ "by": "schedule", "status": "done", "compressed": true }));
    assert_eq!(files(&app.data()), ["postrider-20260224T023000Z.db.gz"]);
    app.advance(DAY);
    backup(&app, 2);
    app.advance(DAY);
    backup(&app, 3);
    let kept = ["postrider-20260225T023000Z.db.gz", "postrider-20260226T023000Z.db.gz"];
    assert_eq!(files(&app.data()), kept);
    std::fs::write(app.data().join("backups/letter.txt"), "mine").expect("a file");
    app.back_up();
    let mut all = vec!["letter.txt"];
    all.extend(kept);
    all.push("postrider-20260226T023000Z-by-hand.db.gz");
    all.sort_unstable();
    assert_eq!(files(&app.data()), all, "those made by hand push none of the schedule out");
}

#[test]
fn a_missed_one_is_made_up_after_a_start_and_none_is_made_where_none_is_wanted() {
    let mut app = TestApp::with_manual_clock();
    app.publish("a", &json!(1));
    app.stop();
    app.clock().advance(DAY);
    app.restart();
    app.settle();
    assert!(app.list("/backups").is_empty());
    app.advance(Duration::from_mins(6));
    backup(&app, 1);
    app.change_settings(&json!({ "backup_schedule": "" }));
    app.advance(DAY * 2);
    app.settle();
    assert_eq!(app.list("/backups").len(), 1);
    app.change_settings(&json!({ "backup_schedule": "0 12 * * *", "backup_compress": false }));
    // In steps, until it is seen: what has passed when the new schedule is noticed was not missed.
    let begun = app.eventually("a backup by the new schedule", |app| {
        app.advance(HOUR);
        app.list("/backups").into_iter().find(|row| row["compressed"] == false)
    });
    shows(&app.backup_ended(&begun), &json!({ "by": "schedule", "compressed": false }));
}
