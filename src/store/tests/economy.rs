//! SQL statements for each event, which decide what the writer can do: a guard against decay.
//!
//! Two for an event with one delivery, three for its outcome, and a few for the whole batch. A change that needs one
//! more for each event costs a few percent of the writer's time; if it is worth that, say so here.

use std::collections::BTreeMap;

use crate::domain::ids::DeliveryId;
use crate::domain::outcome::Fact;
use crate::store::publish::Published;
use crate::store::queue::TOLD;

use super::house::House;
use super::make::outcome;
use super::trace::{taken, trace};

const EVENTS: usize = 100;

/// How often each statement ran, by its first words, and how many transactions there were.
fn ran() -> (BTreeMap<String, usize>, usize) {
    let mut counts = BTreeMap::new();
    for sql in taken().statements {
        let words: Vec<&str> = sql.split_whitespace().take(4).collect();
        *counts.entry(words.join(" ")).or_default() += 1;
    }
    let (begun, ended) = (counts.remove("BEGIN IMMEDIATE"), counts.remove("COMMIT"));
    assert_eq!(begun, ended, "{counts:?}");
    (counts, ended.unwrap_or_default())
}

#[test]
fn a_batch_is_one_commit_with_few_statements_for_each_event_and_each_outcome() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    let first = house.deliveries("a.b")[0];
    house.settle([outcome(first, endpoint, 1, Fact::Delivered)]);
    trace(house.connection());
    taken();
    let published = house.publish_many("default", "a.b", EVENTS);
    let (publishing, commits) = ran();
    assert_eq!(commits, 1, "{publishing:#?}");
    let delivery = |published: &Published| DeliveryId(published.event.0 + 1);
    let outcomes = published.iter().map(|event| outcome(delivery(event), endpoint, 1, Fact::Delivered));
    house.settle(outcomes);
    let (settling, commits) = ran();
    // Few at a time, as somebody has published just now.
    assert!(commits <= EVENTS.div_ceil(TOLD), "{settling:#?}");
    let sum = |counts: &BTreeMap<String, usize>| counts.values().sum::<usize>();
    println!("{publishing:#?} {settling:#?}");
    assert!(sum(&publishing) <= 2 * EVENTS + 5, "{publishing:#?}");
    assert!(sum(&settling) <= 3 * EVENTS + 5 * commits, "{settling:#?}");
}
