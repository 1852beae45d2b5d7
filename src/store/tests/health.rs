//! Health: when an endpoint is failing and when it is disabled.

use crate::domain::delivery::State;
use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::outcome::Fact;
use crate::store::endpoints::{DisabledReason, EndpointRow};
use crate::store::handover::Pace;

use super::house::*;
use super::make::*;
use super::recorder::Told;

fn look(house: &House, endpoint: EndpointId) -> EndpointRow {
    house.read(|reader| reader.endpoint(endpoint)).unwrap()
}

/// One endpoint whose deliveries are retried often enough, and one delivery.
fn house() -> (House, EndpointId, DeliveryId) {
    let mut house = House::new();
    let endpoint = house.endpoint_with("default", &["*"], |s| s.retry_schedule = Some(vec![60; 20]));
    let delivery = house.deliveries("a.b")[0];
    (house, endpoint, delivery)
}

fn fail(house: &mut House, endpoint: EndpointId, delivery: DeliveryId) {
    house.settle([outcome(delivery, endpoint, 1, FAILED)]);
}

#[test]
fn it_takes_ten_failures_and_120_hours_of_uptime() {
    let (mut house, endpoint, delivery) = house();
    for _ in 0..9 {
        fail(&mut house, endpoint, delivery);
    }
    house.clock.advance(HOUR * 121);
    assert!(look(&house, endpoint).enabled, "never by a timer");
    let health = look(&house, endpoint).health.health;
    assert_eq!((health.failure_count, health.first_failure_at), (9, Some(START)));
    assert!(health.is_failing(5));
    fail(&mut house, endpoint, delivery);
    let row = look(&house, endpoint);
    assert_eq!((row.enabled, row.disabled_reason), (false, Some(DisabledReason::Failing)));
    assert_eq!((house.state(delivery), house.row(delivery).attempts), (State::Held, 10));
    let audit = "SELECT count(*) FROM audit WHERE actor = 'system' AND after LIKE '%failing%' AND target = ";
    assert_eq!(house.number(&format!("{audit}'{endpoint}'")), 1);
}

#[test]
fn hours_in_which_the_server_was_down_and_jumps_of_the_clock_do_not_count() {
    let (mut house, endpoint, delivery) = house();
    fail(&mut house, endpoint, delivery);
    house.clock.advance(HOUR * 60);
    let (dir, clock) = house.close();
    clock.advance(DAY * 20);
    let mut house = House::in_dir(dir, clock).unwrap();
    house.clock.jump_wall(20 * 86_400_000);
    for _ in 0..12 {
        fail(&mut house, endpoint, delivery);
    }
    assert!(look(&house, endpoint).enabled);
    house.clock.advance(HOUR * 59);
    fail(&mut house, endpoint, delivery);
    assert!(look(&house, endpoint).enabled);
    house.clock.advance(HOUR * 2);
    fail(&mut house, endpoint, delivery);
    assert!(!look(&house, endpoint).enabled);
}

#[test]
fn a_success_starts_the_count_anew() {
    let (mut house, endpoint, delivery) = house();
    let other = house.deliveries("a.b")[0];
    for _ in 0..12 {
        fail(&mut house, endpoint, delivery);
    }
    house.clock.advance(HOUR * 200);
    house.settle([outcome(other, endpoint, 1, Fact::Delivered), outcome(delivery, endpoint, 1, FAILED)]);
    let row = look(&house, endpoint);
    assert!(row.enabled);
    assert_eq!(row.health.health.failure_count, 1);
}

#[test]
fn a_delivery_that_ended_failed_makes_it_failing_until_a_success() {
    let mut house = House::new();
    let endpoint = house.endpoint_with("default", &["*"], |settings| settings.retry_schedule = Some(vec![]));
    let [first, second] = [(); 2].map(|()| house.deliveries("a.b")[0]);
    fail(&mut house, endpoint, first);
    assert_eq!(house.state(first), State::Failed);
    assert!(look(&house, endpoint).health.health.is_failing(5));
    house.settle([outcome(second, endpoint, 1, Fact::Delivered)]);
    assert!(!look(&house, endpoint).health.health.is_failing(5));
}

#[test]
fn the_attempt_that_disables_and_is_the_last_of_its_delivery_fails_it() {
    let mut house = House::new();
    house.settings(|settings| (settings.disable_after_failures, settings.disable_after_hours) = (1, 0));
    let endpoint = house.endpoint_with("default", &["*"], |settings| settings.retry_schedule = Some(vec![]));
    let [first, second] = [(); 2].map(|()| house.deliveries("a.b")[0]);
    fail(&mut house, endpoint, first);
    assert!(!look(&house, endpoint).enabled);
    assert_eq!((house.state(first), house.state(second)), (State::Failed, State::Held));
}

#[test]
fn two_zeros_never_disable() {
    let (mut house, endpoint, delivery) = house();
    house.settings(|settings| (settings.disable_after_failures, settings.disable_after_hours) = (0, 0));
    for _ in 0..20 {
        house.clock.advance(DAY);
        fail(&mut house, endpoint, delivery);
    }
    assert!(look(&house, endpoint).enabled);
}

#[test]
fn enabling_counts_anew_and_ends_a_pause() {
    let (mut house, endpoint, delivery) = house();
    let timed_out = Fact::Failed {
        timed_out: false,
        gone: false,
        retry_after: crate::domain::retry_after::parse("3000", START),
    };
    house.settle([outcome(delivery, endpoint, 1, timed_out)]);
    assert!(look(&house, endpoint).health.paused_until.is_some());
    house.disable(endpoint);
    house.told.told();
    house.enable(endpoint, true);
    let row = look(&house, endpoint);
    assert!(row.enabled && row.disabled_reason.is_none() && row.disabled_at.is_none());
    assert_eq!((row.health.health.failure_count, row.health.health.first_failure_at), (0, None));
    assert_eq!(row.health.paused_until, None);
    assert!(house.told.told().contains(&Told::Pace(endpoint, Pace::default())), "and the dispatcher knows");
}
