//! A file that is made ready to go on in the place of another one.

use std::path::Path;

use rusqlite::Connection;

use super::house::*;
use crate::store::audit::Actor;
use crate::store::restore::{Pending, Preparing, judge, prepare};

/// A copy of a store's file as a backup has it.
fn copy(house: &House, to: &Path) {
    house.other().execute("VACUUM INTO ?1", [to.to_str().unwrap()]).unwrap();
}

#[test]
fn ids_go_on_above_those_of_the_file_that_it_replaces_also_where_the_clock_went_back() {
    let mut house = House::new();
    house.endpoint("default", &["*"]);
    let pending = house.deliveries("a.b")[0];
    let saved = house.dir.path().join("saved.db");
    copy(&house, &saved);
    house.clock.advance(DAY);
    let last = house.deliveries("a.b")[0];
    let replaced = house.dir.path().join("replaced.db");
    copy(&house, &replaced);
    let (dir, clock) = house.close();
    let judged = judge(&saved).unwrap();
    assert!(judged.key_check.is_some() && judged.carried_key.is_none());
    clock.jump_wall(-86_400_000);
    let actor = Actor::cli(7);
    let how = Preparing {
        pending: Pending::Hold,
        now: START,
        actor: &actor,
        name: "saved.db",
        replaces: Some(&replaced),
    };
    let prepared = prepare(&saved, &how).unwrap();
    assert_eq!((prepared.pending, prepared.held), (1, 1));
    std::fs::rename(&saved, dir.path().join("postrider.db")).unwrap();
    let mut house = House::in_dir(dir, clock).unwrap();
    assert_eq!(house.state(pending), crate::domain::delivery::State::Held);
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself has one lifetime only")]
    let held = house.read(|reader| reader.held_back()).unwrap();
    assert_eq!((held.since, held.count, held.held_then, held.more), (START, 1, 1, false));
    assert!(
        house.deliveries("a.b")[0] > last,
        "whoever knows the ids of the lost ones meets no other by them"
    );
    assert_eq!(house.number("SELECT count(*) FROM audit WHERE action = 'backup.restore'"), 1);
}

#[test]
fn a_file_that_carries_its_key_is_told_and_the_key_leaves_no_trace() {
    let house = House::new();
    let saved = house.dir.path().join("saved.db");
    copy(&house, &saved);
    let key = [7; 32];
    assert!(crate::store::backup::add_key(&saved, [8; 32]).is_err(), "the key of another database");
    crate::store::backup::add_key(&saved, key).unwrap();
    let holds = |path: &Path| std::fs::read(path).unwrap().windows(32).any(|window| window == key);
    assert!(holds(&saved));
    assert_eq!(judge(&saved).unwrap().carried_key, Some(key));
    let actor = Actor::cli(7);
    let how =
        Preparing { pending: Pending::Send, now: START, actor: &actor, name: "saved.db", replaces: None };
    prepare(&saved, &how).unwrap();
    assert!(!holds(&saved));
    let names = |path: &Path| {
        let file = Connection::open(path).unwrap();
        let sql = "SELECT count(*) FROM meta WHERE name IN ('carried_key', 'restored')";
        file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(names(&saved), 0);
}
