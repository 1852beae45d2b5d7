//! What is the matter with the server itself: its cleanup, its disk.

use std::process::Command;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;

use crate::names::namespace::inside;
use crate::support::app::text;

use super::{DAY, World};

#[test]
fn a_cleanup_that_fails_is_told_of_until_one_comes_to_its_end() {
    let world = World::new();
    world.chat(&json!({ "conditions": ["cleanup"] }));
    world.app.endpoint_at(&world.receiver, "/");
    world.app.publish("a.b", &json!(1));
    world.app.settle();
    world.app.change_settings(&json!({ "retention_days": 1 }));
    let file = Connection::open(world.app.data().join("postrider.db")).expect("a database");
    let plant =
        "CREATE TRIGGER planted BEFORE DELETE ON deliveries BEGIN SELECT RAISE(ABORT, 'planted'); END";
    file.execute_batch(plant).expect("a trigger");
    // The night of the next day but one: the first cleanup has nothing to delete.
    for (hours, night) in [(13, 1), (24, 2)] {
        world.app.advance(Duration::from_hours(hours));
        world.app.eventually("the cleanup", |app| {
            let rows = app.list("/cleanups");
            (rows.len() == night && rows[0]["ended_at"].is_string()).then_some(())
        });
    }
    world.tell();
    let told = world.last();
    assert!(told.starts_with("*Postrider: the cleanup does not work*"), "{told}");
    assert!(told.contains("- it ended early: ") && told.contains("planted"), "{told}");
    assert!(told.contains("; the next one goes on, since 2026-02-25T03:30:00.000Z"), "{told}");
    let seen = &world.app.get("/attention")["data"][0];
    assert_eq!(
        (&seen["topic"], &seen["since"]),
        (&json!("cleanup_fails"), &json!("2026-02-25T03:30:00.000Z"))
    );
    assert!(text(seen, "message").starts_with("the last cleanup failed: it ended early: "), "{seen}");
    // One that runs, or that a kill has cut, has not shown that it works.
    let begin = "INSERT INTO cleanups (id, started_at, by_whom) SELECT max(id) + 1, max(started_at) + 1, 'key:x' FROM cleanups";
    file.execute_batch(begin).expect("a row");
    world.tell();
    assert_eq!(world.told().len(), 1, "{:#?}", world.told());
    file.execute_batch("DROP TRIGGER planted").expect("no trigger");
    world.app.post("/cleanups", &json!({})).expect(200);
    world.tell();
    assert!(world.last().contains("The cleanup works again."), "{}", world.last());
    world.pass(DAY);
    assert_eq!(world.told().len(), 2);
    assert_eq!(world.app.get("/attention")["data"], json!([]));
}

#[test]
fn held_deliveries_are_told_of_days_before_the_cleanup_deletes_them() {
    let world = World::new();
    world.chat(&json!({ "conditions": ["held_expires"] }));
    let hold = |path: &str, tenant: &str| {
        let fields = json!({ "url": world.receiver.url(path), "tenant": tenant, "events": ["a.b"] });
        let endpoint = text(&world.app.create_endpoint(&fields), "id");
        world.app.disable(&endpoint);
        world.app.post("/events", &json!({ "type": "a.b", "data": 1, "tenant": tenant })).expect(202);
        world.app.settle();
        endpoint
    };
    // Of a week, half of which is more than three days.
    world.app.change_settings(&json!({ "retention_days": 7 }));
    let first = hold("/first", "acme");
    world.pass(Duration::from_hours(1));
    hold("/second", "globex");
    world.pass(DAY * 3);
    world.tell();
    assert_eq!(world.told(), [""; 0]);
    world.pass(Duration::from_hours(23));
    world.tell();
    let told = world.last();
    assert!(told.starts_with("*Postrider: held deliveries are about to be deleted*"), "{told}");
    let line = format!(
        "- acme {}: what is held grows too old: the cleanup deletes it (1 delivery, from 2026-03-03T03:30:00.000Z on); \
         enable the endpoint and deliver or discard it, or keep more (setting retention_days)",
        world.receiver.url("/first")
    );
    assert!(told.contains(&line), "{told}");
    world.pass(Duration::from_hours(2));
    world.tell();
    assert_eq!(world.told().len(), 1, "the same is told once a day");
    world.pass(DAY);
    world.tell();
    assert!(world.last().contains("; the same for 1 more, see the overview"), "{}", world.last());
    world.app.post(&format!("/endpoints/{first}/enable"), &json!({ "held": "deliver" })).expect(200);
    world.app.settle();
    world.app.change_settings(&json!({ "retention_days": 30 }));
    world.tell();
    let told = world.last();
    assert!(told.contains("No held deliveries are near their deletion now."), "{told}");
    assert_eq!(world.told().len(), 3);
    assert_eq!(world.receiver.received_on("/first").len(), 1);
}

#[test]
fn a_disk_that_is_full_within_days_at_its_growth_is_told_of() {
    // On a small disk of its own, in the place of all temporary files.
    inside("timeout:1", || {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64m", "none"]).arg(std::env::temp_dir());
        assert!(mount.status().expect("mount can be started").success(), "{mount:?}");
        let mut world = World::new();
        world.chat(&json!({ "conditions": ["disk"] }));
        world.app.change_settings(&json!({ "alert_disk_days": 7 }));
        world.tell();
        assert_eq!(world.told(), [""; 0], "nobody knows yet how it grows");
        world.app.stop();
        world.app.clock().advance(DAY);
        world.app.restart();
        for n in 0..60 {
            world.app.publish("a.b", &json!({ "n": n, "filling": "x".repeat(200_000) }));
        }
        world.tell();
        let told = world.last();
        assert!(told.starts_with("*Postrider: the disk is nearly full*"), "{told}");
        let day = told.split("- it is full at ").nth(1).and_then(|rest| rest.get(..10)).expect("a day");
        assert!(("2026-02-26"..="2026-03-03").contains(&day), "{told}");
        assert!(
            told.contains("if the database grows on as in the last week; make room, or keep less"),
            "{told}"
        );
        world.app.change_settings(&json!({ "alert_disk_days": 1 }));
        world.tell();
        assert!(world.last().contains("The disk has room again."), "{}", world.last());
        // After days in which it hardly grew it is far from full.
        world.app.change_settings(&json!({ "alert_disk_days": 7 }));
        world.pass(DAY * 6);
        world.tell();
        assert_eq!(world.told().len(), 2, "{:#?}", world.told());
    });
}
