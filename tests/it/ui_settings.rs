//! The console's page of settings: what they say, changes, the cleanup, room on the disk.

use std::time::Duration;

use serde_json::{Value, json};
use url::form_urlencoded;

use crate::support::app::TestApp;
use crate::support::console::{Console, holds, lacks, value};
use crate::support::receiver::Receiver;

const DAY: Duration = Duration::from_hours(24);

#[test]
fn every_setting_stands_there_with_its_default_and_its_range() {
    let app = TestApp::start();
    app.change_settings(&json!({ "retention_days": 7, "retry_schedule": [] }));
    let page = Console::admin(&app).page("/settings");
    for name in app.get("/settings").as_object().expect("settings").keys() {
        holds(&page, &[&format!("name=\"{name}\""), &format!("id=\"{name}-hint\"")]);
    }
    assert_eq!((value(&page, "retention_days"), value(&page, "retry_schedule")), ("7".into(), "none".into()));
    holds(
        &page,
        &[
            "Default: 30; 1 to 3,650.",
            "Default: 262,144; 1,024 to 1,048,576.",
            "Left on the disk",
            "There was none yet.",
            "<a href=\"#cleanup\">Cleanup</a>",
        ],
    );
}

#[test]
fn what_is_saved_is_in_force_and_what_is_wrong_stands_beside_its_field() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let wrong = [
        ("group", "failing"),
        ("retry_schedule", "5 min"),
        ("failing_after_failures", "0"),
        ("disable_after_hours", "1.5"),
    ];
    let page = console.refused("/settings", &wrong, 422);
    holds(
        &page,
        &[
            "3 things have to be mended",
            "id=\"retry_schedule-wrong\"",
            "Must be a whole number from 1 to 10,000.",
            "id=\"disable_after_hours-wrong\"",
            "value=\"5 min\"",
            "value=\"1.5\"",
            "name=\"retry_schedule\" type=\"text\" value=\"5 min\" autocomplete=\"off\" autofocus",
        ],
    );
    assert_eq!(page.matches(" autofocus").count(), 1, "the first one that is wrong is in view");
    assert_eq!(app.get("/settings")["failing_after_failures"], 5, "nothing was changed");
    let good = [("retry_schedule", "60, 300"), ("failing_after_failures", ""), ("strict_tenants", "true")];
    holds(&console.done("/settings", &good).1, &["saved and in force", "value=\"60, 300\""]);
    let now = app.get("/settings");
    assert_eq!((&now["retry_schedule"], &now["strict_tenants"]), (&json!([60, 300]), &json!(true)));
    assert_eq!(now["retention_days"], 30, "what the form does not hold stays");
}

#[test]
fn a_page_that_is_older_than_somebody_elses_change_does_not_undo_it() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let stale = value(&console.page("/settings"), "shown").replace("&#38;", "&");
    let held = stale.clone();
    let shown: Vec<_> = form_urlencoded::parse(held.as_bytes()).into_owned().collect();
    app.change_settings(&json!({ "retention_days": 31 }));
    let mut fields = vec![("group", "keeping"), ("shown", stale.as_str())];
    fields.extend(shown.iter().map(|(name, text)| match name.as_str() {
        "audit_retention_days" => ("audit_retention_days", "300"),
        name => (name, text.as_str()),
    }));
    let wrong: Vec<_> = fields.iter().map(|(name, text)| (*name, text.replace("300", "x"))).collect();
    let wrong: Vec<_> = wrong.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let page = console.refused("/settings", &wrong, 422);
    assert_eq!(value(&page, "shown").replace("&#38;", "&"), stale, "what was shown first is still known");
    let (to, page) = console.done("/settings", &fields);
    assert_eq!(to, "/settings#keeping");
    holds(&page, &["</h2>\n<p class=\"notice\" role=\"status\">The settings are saved", "value=\"31\""]);
    let now = app.get("/settings");
    assert_eq!((&now["retention_days"], &now["audit_retention_days"]), (&json!(31), &json!(300)));
    let last = app.list("/audit").remove(0);
    assert!(last["before"].get("retention_days").is_none(), "{last}");
}

#[test]
fn a_cleanup_by_hand_is_counted_first_and_then_seen_in_the_list() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    app.publish_many(0..3);
    app.settle();
    // A backup that falls due would be under way as well.
    app.change_settings(&json!({ "backup_schedule": "" }));
    app.advance(Duration::from_hours(25));
    let console = Console::admin(&app);
    let counting = [("older_than_days", "1"), ("what", "count")];
    let (to, page) = console.done("/settings/cleanup", &counting);
    assert_eq!(to, "/settings?older_than_days=1#cleanup");
    holds(
        &page,
        &[
            "<h2>Cleanup</h2>\n<p class=\"notice\" role=\"status\">3 deliveries and 3 events are older than 1 day and would be deleted.",
            "name=\"older_than_days\" type=\"number\" value=\"1\"",
        ],
    );
    let (to, page) = console.done("/settings/cleanup", &[("older_than_days", ""), ("what", "count")]);
    assert_eq!(to, "/settings#cleanup");
    holds(&page, &["0 deliveries and 0 events are older than the settings say and would be deleted."]);
    assert_eq!(app.list("/events").len(), 3);
    let (_, page) = console.done("/settings/cleanup", &[("older_than_days", "1"), ("what", "clean")]);
    holds(&page, &["The cleanup has begun."]);
    app.eventually("the end of the cleanup", |app| {
        let seen = app.get("/cleanups");
        let own = |row: &Value| row["by"] == "operator:ada@example.com" && row["ended_at"].is_string();
        let ended = seen["data"].as_array().expect("rows").iter().any(own);
        (ended && seen["running"].is_null() && seen["queued"] == 0).then_some(())
    });
    let page = console.page("/settings");
    holds(&page, &["status done", "operator:ada@example.com"]);
    lacks(&page, &["data-live", "class=\"number\">−"]);
    assert_eq!(app.list("/events").len(), 0);
    for wrong in ["0", "4000", "x"] {
        let page =
            console.refused("/settings/cleanup", &[("older_than_days", wrong), ("what", "clean")], 422);
        holds(&page, &["id=\"older_than_days-wrong\"", &format!("value=\"{wrong}\"")]);
        assert_eq!(page.matches(" autofocus").count(), 1);
    }
}

#[test]
fn a_cleanup_that_waits_for_a_word_is_told_and_gets_it() {
    let mut app = TestApp::with_manual_clock();
    app.stop();
    app.clock().advance(DAY * 10);
    app.restart();
    let console = Console::admin(&app);
    let page = console.page("/settings");
    holds(&page, &["No cleanup deletes anything for now.", "The clock is right: clean up now"]);
    console.done("/settings/cleanup", &[("what", "clean")]);
    lacks(&console.page("/settings"), &["No cleanup deletes anything"]);
}

#[test]
fn how_the_file_grows_is_told_after_a_day() {
    let mut app = TestApp::with_manual_clock();
    let console = Console::admin(&app);
    holds(&console.page("/settings"), &["less than a day is known"]);
    app.stop();
    for _ in 0..2 {
        app.clock().advance(DAY);
        app.restart();
        app.settle();
        app.stop();
    }
    app.restart();
    holds(&Console::admin(&app).page("/settings"), &["measured since", "Size of the file, day by day"]);
}

#[test]
fn a_backup_by_hand_is_begun_and_seen_in_the_list_with_its_size() {
    let app = TestApp::with_manual_clock();
    let console = Console::admin(&app);
    let page = console.page("/settings");
    holds(
        &page,
        &["The next one begins", "Back up now", "value=\"true\" checked", "name=\"backup_schedule\""],
    );
    let (to, page) = console.done("/settings/backup", &[]);
    assert_eq!(to, "/settings#backups");
    holds(&page, &["<h2>Backups</h2>\n<p class=\"notice\" role=\"status\">The backup has begun."]);
    let made = app.eventually("the end of the backup", |app| {
        app.list("/backups").pop().filter(|backup| backup["status"] != "running")
    });
    let file = made["file"].as_str().expect("a name");
    assert_eq!((&made["compressed"], &made["by"]), (&json!(false), &json!("operator:ada@example.com")));
    let page = console.page("/settings");
    holds(&page, &["status done", file, "operator:ada@example.com", " kB"]);
    lacks(&page, &["data-live", "not there any more"]);
    std::fs::remove_file(app.data().join("backups").join(file)).expect("a file");
    holds(&console.page("/settings"), &["not there any more"]);
    app.post("/backups", &json!({ "elsewhere": true })).expect(202);
    let taken = app.eventually("the end of the backup", |app| {
        app.list("/backups").into_iter().next().filter(|backup| backup["status"] == "done")
    });
    let file = taken["file"].as_str().expect("a name");
    std::fs::remove_file(app.data().join("backups").join(file)).expect("a file");
    let page = console.page("/settings");
    holds(&page, &["made to a file elsewhere"]);
    lacks(&page, &[file]);
    let id = made["id"].as_str().expect("an id");
    console.done(&format!("/settings/backup/{id}/cancel"), &[]);
    assert_eq!(app.list("/backups")[0]["status"], "done");
}

#[test]
fn backups_can_be_left_to_others() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let page = console.done("/settings", &[("backup_schedule", "none"), ("backup_compress", "false")]).1;
    assert_eq!(value(&page, "backup_schedule"), "none");
    holds(&page, &["None is made by a schedule."]);
    assert_eq!(
        (&app.get("/settings")["backup_schedule"], &app.get("/settings")["backup_compress"]),
        (&json!(""), &json!(false))
    );
    let page = console.refused("/settings", &[("backup_schedule", "never"), ("backups_keep", "0")], 422);
    holds(&page, &["id=\"backup_schedule-wrong\"", "Must be a whole number from 1 to 1,000."]);
}

#[test]
fn a_viewer_reads_them_and_changes_nothing() {
    let app = TestApp::start();
    let viewer = Console::viewer(&app);
    let page = viewer.page("/settings");
    holds(&page, &["Deliveries are kept for (days)", "<b>30</b>", "<b>are accepted</b>"]);
    lacks(
        &page,
        &[
            "action=\"/settings",
            "when they are saved",
            "Clean up now",
            "Back up now",
            "name=\"retention_days\"",
        ],
    );
    viewer.post("/settings", &[("retention_days", "1")]).expect(403);
    viewer.post("/settings/cleanup", &[("what", "clean")]).expect(403);
    viewer.post("/settings/backup", &[]).expect(403);
    assert_eq!(app.get("/settings")["retention_days"], 30);
}
