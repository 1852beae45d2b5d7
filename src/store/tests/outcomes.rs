//! Outcomes: what each fact makes of the rows.

use std::time::Duration;

use crate::clock::Clock as _;
use crate::domain::delivery::{HeldReason, State};
use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::outcome::Fact;
use crate::domain::retry_after::RetryAfter;
use crate::domain::time::UnixMs;
use crate::store::handover::{After, Pace};
use crate::store::times::SteadyMs;

use super::house::*;
use super::make::*;
use super::recorder::Told;

const TIMED_OUT: Fact = Fact::Failed { timed_out: true, gone: false, retry_after: None };

fn asked(delivery: u64, endpoint: u64) -> Fact {
    let (delivery, endpoint) = (Duration::from_secs(delivery), Duration::from_secs(endpoint));
    Fact::Failed { timed_out: false, gone: false, retry_after: Some(RetryAfter { delivery, endpoint }) }
}

/// A store with an endpoint of this schedule and one delivery.
fn with_schedule(schedule: &[u32]) -> (House, EndpointId, DeliveryId) {
    let mut house = House::new();
    let endpoint = house.endpoint_with("default", &["*"], |settings| {
        settings.retry_schedule = Some(schedule.to_vec());
    });
    let delivery = house.deliveries("a.b")[0];
    house.told.told();
    (house, endpoint, delivery)
}

fn settled(house: &House) -> Vec<After> {
    let after = |told| if let Told::Settled(_, after) = told { Some(after) } else { None };
    house.told.told().into_iter().filter_map(after).collect()
}

fn seconds_until(house: &House, due: SteadyMs) -> i64 {
    (due.0 - house.store.times().steady().0) / 1000
}

#[test]
fn a_success_is_delivered_with_all_that_came_with_it() {
    let (mut house, endpoint, delivery) = with_schedule(&[60]);
    house.clock.advance(HOUR);
    house.settle([outcome(delivery, endpoint, 1, Fact::Delivered)]);
    let row = house.row(delivery);
    assert_eq!((row.state, row.attempts, row.round), (State::Delivered, 1, 1));
    assert_eq!((row.delivered_at, row.status_code), (Some(house.clock.wall()), Some(200)));
    assert_eq!((row.response_body.as_deref(), row.error, row.due), (Some(&b"an answer"[..]), None, None));
    let attempts = house.read(|reader| reader.attempts(delivery));
    assert_eq!((attempts.len(), attempts[0].number, attempts[0].round), (1, 1, 1));
    assert_eq!(attempts[0].record.signatures, "v1,abc");
    assert_eq!((attempts[0].record.phases.wait, attempts[0].record.phases.dns), (Some(11), None));
    assert_eq!(settled(&house), [After::Over]);
}

#[test]
fn a_failure_waits_by_the_schedule_and_the_last_one_is_final() {
    let (mut house, endpoint, delivery) = with_schedule(&[60, 300]);
    for wait in [60, 300] {
        house.settle([outcome(delivery, endpoint, 1, FAILED)]);
        let row = house.row(delivery);
        assert_eq!(row.state, State::Waiting);
        assert_eq!(seconds_until(&house, row.due.unwrap()), wait);
        assert_eq!(settled(&house), [After::Due(row.due.unwrap())]);
        assert!(house.due(endpoint).is_empty(), "not yet");
        house.clock.advance(Duration::from_secs(u64::try_from(wait).unwrap()));
        assert_eq!(house.due(endpoint), [delivery]);
    }
    house.settle([outcome(delivery, endpoint, 1, FAILED)]);
    let row = house.row(delivery);
    assert_eq!((row.state, row.attempts, row.due), (State::Failed, 3, None));
    assert_eq!((row.error.as_deref(), row.status_code), (Some("it failed"), Some(500)));
    assert_eq!(settled(&house), [After::Over]);
    let numbers: Vec<_> = house.read(|reader| reader.attempts(delivery)).iter().map(|a| a.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn the_schedule_of_the_settings_is_for_endpoints_without_their_own() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    let delivery = house.deliveries("a.b")[0];
    house.settle([outcome(delivery, endpoint, 1, FAILED)]);
    assert_eq!(seconds_until(&house, house.row(delivery).due.unwrap()), 5);
    house.settings(|settings| {
        settings.retry_schedule = crate::domain::retry::RetrySchedule::parse(&[7, 70]).unwrap();
    });
    let mut outcome = outcome(delivery, endpoint, 1, FAILED);
    outcome.jitter = u32::MAX;
    house.settle([outcome]);
    assert_eq!(seconds_until(&house, house.row(delivery).due.unwrap()), 77, "and a tenth on top");
}

#[test]
fn retry_after_postpones_the_delivery_and_pauses_the_endpoint() {
    let (mut house, endpoint, delivery) = with_schedule(&[60]);
    house.settle([outcome(delivery, endpoint, 1, asked(600, 90))]);
    assert_eq!(seconds_until(&house, house.row(delivery).due.unwrap()), 600);
    let pace = |house: &House| house.read(|reader| reader.endpoint(endpoint)).unwrap().health.pace();
    assert_eq!(seconds_until(&house, pace(&house).paused_until.unwrap()), 90);
    let told = house.told.told();
    assert!(told.contains(&Told::Pace(endpoint, pace(&house))), "{told:?}");
    // A shorter wish does not shorten it.
    let other = house.deliveries("a.b")[0];
    house.settle([outcome(other, endpoint, 1, asked(1, 1))]);
    assert_eq!(seconds_until(&house, house.row(other).due.unwrap()), 60);
    assert_eq!(seconds_until(&house, pace(&house).paused_until.unwrap()), 90);
    // What succeeds meanwhile was sent before, or by a person.
    house.settle([outcome(other, endpoint, 1, Fact::Delivered)]);
    assert_eq!(seconds_until(&house, pace(&house).paused_until.unwrap()), 90);
}

#[test]
fn trouble_of_our_own_uses_no_attempt_and_does_not_count_for_health() {
    let (mut house, endpoint, delivery) = with_schedule(&[]);
    for _ in 0..30 {
        house.settle([outcome(delivery, endpoint, 1, Fact::OurTrouble)]);
        let row = house.row(delivery);
        assert_eq!((row.state, row.attempts, row.error.as_deref()), (State::Waiting, 0, Some("it failed")));
        assert!((10..=60).contains(&seconds_until(&house, row.due.unwrap())));
    }
    let health = house.read(|reader| reader.endpoint(endpoint)).unwrap().health;
    assert_eq!(health, crate::store::health::HealthRow::default());
    assert_eq!(
        house.number("SELECT count(*) FROM attempts") + house.number("SELECT count(*) FROM hourly"),
        0
    );
    house.settle([outcome(delivery, endpoint, 1, Fact::Delivered)]);
    assert_eq!((house.row(delivery).error, house.row(delivery).attempts), (None, 1));
}

#[test]
fn three_timeouts_in_a_row_are_told_as_one_at_a_time_until_a_success() {
    let (mut house, endpoint, delivery) = with_schedule(&[1; 9]);
    let mut paces = Vec::new();
    for fact in [TIMED_OUT, TIMED_OUT, TIMED_OUT, FAILED, Fact::Delivered] {
        house.settle([outcome(delivery, endpoint, 1, fact)]);
        let pace = |told| if let Told::Pace(_, pace) = told { Some(pace) } else { None };
        paces.extend(house.told.told().into_iter().filter_map(pace));
    }
    let one = Pace { one_at_a_time: true, paused_until: None };
    assert_eq!(paces, [Pace::default(), Pace::default(), one, one, Pace::default()]);
    let pace = house.read(|reader| Ok(reader.paces()?.remove(&endpoint)));
    assert_eq!(pace, Some(Pace::default()));
}

#[test]
fn a_success_after_a_cancel_is_delivered_and_a_failure_stays_canceled() {
    let (mut house, endpoint, first) = with_schedule(&[60]);
    let second = house.deliveries("a.b")[0];
    house.other().execute("UPDATE deliveries SET state = 5", []).unwrap();
    house.settle([outcome(first, endpoint, 1, Fact::Delivered), outcome(second, endpoint, 1, FAILED)]);
    assert_eq!((house.state(first), house.state(second)), (State::Delivered, State::Canceled));
    assert_eq!(house.row(second).attempts, 1, "and is recorded");
    assert_eq!(settled(&house), [After::Over, After::Over]);
}

#[test]
fn an_outcome_of_an_older_round_changes_nothing_unless_it_is_a_success() {
    let (mut house, endpoint, delivery) = with_schedule(&[60]);
    house.other().execute("UPDATE deliveries SET round = 2", []).unwrap();
    house.settle([outcome(delivery, endpoint, 1, FAILED)]);
    let row = house.row(delivery);
    assert_eq!((row.state, row.round, row.attempts), (State::Ready, 2, 1));
    assert_eq!(
        house.number("SELECT round_attempts FROM deliveries"),
        0,
        "the new round has all its attempts"
    );
    assert_eq!(settled(&house), [After::Ready]);
    house.settle([outcome(delivery, endpoint, 1, Fact::Delivered)]);
    assert_eq!(house.state(delivery), State::Delivered);
    let rounds: Vec<_> = house.read(|reader| reader.attempts(delivery)).iter().map(|a| a.round).collect();
    assert_eq!(rounds, [1, 1]);
}

#[test]
fn an_outcome_without_its_row_is_no_error() {
    let (mut house, endpoint, delivery) = with_schedule(&[60]);
    let missing = DeliveryId(delivery.0 + 50);
    house.settle([outcome(missing, endpoint, 1, FAILED), outcome(delivery, endpoint, 1, Fact::Delivered)]);
    assert_eq!(house.state(delivery), State::Delivered);
    assert_eq!(settled(&house), [After::Over, After::Over]);
    assert_eq!(house.number("SELECT count(*) FROM attempts"), 1);
}

#[test]
fn an_outcome_for_a_deleted_endpoint_ends_its_delivery() {
    let (mut house, endpoint, first) = with_schedule(&[60]);
    let second = house.deliveries("a.b")[0];
    house.delete(endpoint);
    house.settle([outcome(first, endpoint, 1, FAILED), outcome(second, endpoint, 1, Fact::Delivered)]);
    assert_eq!((house.state(first), house.state(second)), (State::Canceled, State::Delivered));
}

#[test]
fn a_second_success_of_the_same_delivery_counts_as_an_attempt_only() {
    let (mut house, endpoint, delivery) = with_schedule(&[60]);
    house.settle([outcome(delivery, endpoint, 1, Fact::Delivered)]);
    let at = house.row(delivery).delivered_at;
    house.clock.advance(HOUR);
    house.settle([outcome(delivery, endpoint, 1, Fact::Delivered)]);
    assert_eq!((house.row(delivery).delivered_at, house.row(delivery).attempts), (at, 2));
    assert_eq!(house.number("SELECT sum(delivered) FROM hourly"), 1);
    assert_eq!(house.number("SELECT sum(attempts_ok) FROM hourly"), 2);
}

#[test]
fn an_answer_of_410_disables_the_endpoint_at_once_and_holds_what_is_pending() {
    let (mut house, endpoint, first) = with_schedule(&[]);
    let second = house.deliveries("a.b")[0];
    house.settle([outcome(first, endpoint, 1, GONE)]);
    let row = house.read(|reader| reader.endpoint(endpoint)).unwrap();
    assert!(!row.enabled);
    assert_eq!(row.disabled_reason, Some(crate::store::endpoints::DisabledReason::Gone));
    assert_eq!(row.disabled_at, Some(house.clock.wall()));
    for delivery in [first, second] {
        let row = house.row(delivery);
        assert_eq!((row.state, row.held_reason), (State::Held, Some(HeldReason::EndpointDisabled)));
    }
    assert_eq!((house.row(first).attempts, house.row(second).attempts), (1, 0));
    assert_eq!(house.deliveries("a.b").len(), 1, "new events wait for it");
    let told = house.told.told();
    assert!(
        told.contains(&Told::Route(endpoint, false)) && told.contains(&Told::Settled(first, After::Over))
    );
    let audit = house.number(
        "SELECT count(*) FROM audit WHERE actor = 'system' AND action = 'endpoint.disable' AND after LIKE '%gone%'",
    );
    assert_eq!(audit, 1);
}

#[test]
fn a_second_410_of_the_same_batch_does_not_disable_twice() {
    let (mut house, endpoint, first) = with_schedule(&[60]);
    let second = house.deliveries("a.b")[0];
    house.settle([outcome(first, endpoint, 1, GONE), outcome(second, endpoint, 1, GONE)]);
    assert_eq!((house.state(first), house.state(second)), (State::Held, State::Held));
    assert_eq!(house.number("SELECT count(*) FROM audit WHERE action = 'endpoint.disable'"), 1);
}

#[test]
fn hourly_counters_agree_with_the_rows() {
    let (mut house, endpoint, _) = with_schedule(&[60]);
    let facts = [Fact::Delivered, FAILED, TIMED_OUT, Fact::OurTrouble, asked(100, 0)];
    for round in 0..3 {
        house.publish_many("default", "a.b", 20);
        let due = house.due(endpoint);
        let outcomes: Vec<_> = due
            .iter()
            .enumerate()
            .map(|(n, id)| {
                let mut outcome = outcome(*id, endpoint, 1, facts[(n + round) % facts.len()]);
                outcome.attempt.duration_ms = u32::try_from(n * n * 40).unwrap();
                outcome
            })
            .collect();
        house.settle(outcomes);
        house.clock.advance(HOUR);
    }
    let sum = |column: &str| house.number(&format!("SELECT sum({column}) FROM hourly"));
    let count = |from: &str| house.number(&format!("SELECT count(*) FROM {from}"));
    assert!(count("hourly") >= 3 && count("deliveries WHERE state = 4") > 0);
    assert_eq!(sum("delivered"), count("deliveries WHERE state = 1"));
    assert_eq!(sum("failed"), count("deliveries WHERE state = 4"));
    assert_eq!(sum("attempts_ok"), count("attempts WHERE status_code = 200"));
    assert_eq!(sum("attempts_failed"), count("attempts WHERE status_code <> 200"));
    let columns: Vec<_> = (0..16).map(|n| format!("l{n}")).collect();
    assert_eq!(sum(&columns.join(" + ")), count("attempts"));
    let wall: UnixMs = house.clock.wall();
    assert_eq!(house.number("SELECT max(hour) FROM hourly"), wall.0 / 3_600_000 - 1);
    for column in ["delivered", "failed", "attempts_ok", "attempts_failed", "l0", "l7"] {
        let differs = format!("SELECT sum({column}) - (SELECT sum({column}) FROM hourly) FROM hourly_totals");
        assert_eq!(house.number(&differs), 0, "{column} of all endpoints together");
    }
    let counted = house.store.figures();
    assert_eq!(counted.delivered, sum("delivered").cast_unsigned());
    assert_eq!(counted.attempts_failed, sum("attempts_failed").cast_unsigned());
    assert_eq!(counted.events, count("events").cast_unsigned());
    let in_buckets: u64 = counted.attempts.bounded.iter().map(|(_, number)| number).sum();
    assert_eq!(in_buckets + counted.attempts.above, count("attempts").cast_unsigned());
}
