//! Replays of an endpoint, turn by turn, with restarts and kills between any two.

use crate::domain::ids::{DeliveryId, EndpointId, EventId, ReplayId};
use crate::domain::outcome::Fact;
use crate::domain::replay::Replayed;
use crate::store::publish::Published;
use crate::store::replays::{NewReplay, ReplayRow};

use super::house::*;
use super::make::*;
use super::recorder::Told;

impl House {
    /// Starts a replay of what is failed, from the first event on.
    pub(super) fn replay(&mut self, endpoint: EndpointId, change: impl FnOnce(&mut NewReplay)) -> ReplayId {
        let tenant_id = self.store.directory().route(endpoint).unwrap().tenant_id;
        let (kind, since) = (Replayed::Failed, START);
        let mut wanted =
            NewReplay { endpoint, tenant_id, kind, since, until: None, events: None, dry_run: false };
        change(&mut wanted);
        self.write(move |tx| tx.start_replay(&wanted))
    }

    fn replay_row(&self, id: ReplayId) -> ReplayRow {
        self.read(|reader| reader.replay(id)).unwrap()
    }

    /// Turns until a replay is over; what is ready meanwhile is delivered.
    pub(super) fn finish_replay(&mut self, id: ReplayId) -> ReplayRow {
        for _ in 0..2_000 {
            self.turn();
            let row = self.replay_row(id);
            if row.ended_at.is_some() {
                return row;
            }
            self.deliver(row.wanted.endpoint, Fact::Delivered);
        }
        panic!("{:?} does not end", self.replay_row(id));
    }

    /// Reports this of everything that is ready.
    pub(super) fn deliver(&mut self, endpoint: EndpointId, fact: Fact) -> usize {
        let jobs = self.page(endpoint, 250, 1 << 20).jobs;
        let count = jobs.len();
        self.settle(jobs.into_iter().map(|job| outcome(job.delivery, endpoint, job.round, fact)));
        count
    }

    /// Publishes, and reports this of all that is ready.
    pub(super) fn publish_and(
        &mut self,
        endpoint: EndpointId,
        event_type: &str,
        count: usize,
        fact: Fact,
    ) -> Vec<Published> {
        let published = self.publish_many("default", event_type, count);
        while self.deliver(endpoint, fact) > 0 {}
        published
    }

    fn ready(&self, endpoint: EndpointId) -> i64 {
        self.number(&format!(
            "SELECT count(*) FROM deliveries WHERE endpoint_id = {} AND state = 0",
            endpoint.0
        ))
    }

    /// Deliveries that were made later: what they repeat, by event.
    fn made_later(&self) -> Vec<(EventId, Option<DeliveryId>)> {
        self.read(|reader| {
            let sql = "SELECT event_id, replay_of FROM deliveries WHERE made = 1 ORDER BY id";
            let mut statement = reader.connection().prepare(sql)?;
            let rows = statement.query_map([], |row| {
                Ok((EventId(row.get(0)?), row.get::<_, Option<i64>>(1)?.map(DeliveryId)))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// An endpoint without retries.
pub(super) fn tired(house: &mut House, events: &[&str]) -> EndpointId {
    house.endpoint_with("default", events, |settings| settings.retry_schedule = Some(Vec::new()))
}

#[test]
fn what_failed_gets_a_new_round_in_the_same_delivery() {
    let mut house = House::new();
    let endpoint = tired(&mut house, &["*"]);
    house.publish_and(endpoint, "a.b", 5, FAILED);
    house.publish_and(endpoint, "x", 3, FAILED);
    house.publish_and(endpoint, "a.b", 2, Fact::Delivered);
    house.told.told();
    let id = house.replay(endpoint, |wanted| wanted.events = Some(vec!["a.*".to_owned()]));
    house.turn();
    let row = house.replay_row(id);
    assert_eq!((row.counts.examined, row.counts.matched, row.counts.done), (8, 5, 5));
    assert!(row.ended_at.is_some() && row.canceled.is_none());
    assert!(
        house.told.told().contains(&Told::Ready(endpoint)),
        "the dispatcher only learns that there is something"
    );
    let jobs = house.page(endpoint, 250, 1 << 20).jobs;
    assert_eq!(jobs.iter().map(|job| (job.round, job.attempts)).collect::<Vec<_>>(), [(2, 1); 5]);
    assert_eq!(house.number("SELECT count(*) FROM deliveries"), 10, "no new delivery");
}

#[test]
fn what_was_delivered_is_delivered_once_more_for_each_event() {
    let mut house = House::new();
    let endpoint = tired(&mut house, &["*"]);
    let published = house.publish_and(endpoint, "a", 3, Fact::Delivered);
    let first = |n: usize| DeliveryId(published[n].event.0 + 1);
    for _ in 0..3 {
        let id = house.replay(endpoint, |wanted| wanted.kind = Replayed::Delivered);
        let counts = house.finish_replay(id).counts;
        assert_eq!((counts.matched, counts.done), (3, 3), "what repeats another is not repeated again");
        while house.deliver(endpoint, Fact::Delivered) > 0 {}
    }
    let later = house.made_later();
    assert_eq!(later.len(), 9);
    assert!(
        later.iter().all(|(event, of)| (0..3).any(|n| published[n].event == *event && Some(first(n)) == *of))
    );
}

#[test]
fn what_never_had_a_delivery_here_and_matches_now_gets_one() {
    let mut house = House::new();
    let early = house.publish_many("default", "a.b", 2);
    house.publish_many("acme", "a.b", 2);
    let endpoint = house.endpoint("default", &["x"]);
    house.publish_and(endpoint, "x", 2, Fact::Delivered);
    let late = house.publish_many("default", "a.b", 2);
    house.publish_many("default", "y", 2);
    house.write(move |tx| {
        tx.update_endpoint(endpoint, &endpoint_settings(&["a.*", "x"]))?;
        tx.reload_route(endpoint)
    });
    let dry = house.replay(endpoint, |wanted| (wanted.kind, wanted.dry_run) = (Replayed::Missing, true));
    let counts = house.finish_replay(dry).counts;
    assert_eq!((counts.examined, counts.matched, counts.done), (8, 4, 0));
    assert!(house.made_later().is_empty());
    let id = house.replay(endpoint, |wanted| wanted.kind = Replayed::Missing);
    assert_eq!(house.finish_replay(id).counts.done, 4);
    let expected: Vec<_> = early.iter().chain(&late).map(|published| (published.event, None)).collect();
    assert_eq!(house.made_later(), expected);
    let again = house.replay(endpoint, |wanted| wanted.kind = Replayed::Missing);
    assert_eq!(house.finish_replay(again).counts.done, 0);
}

#[test]
fn what_is_known_no_more_is_passed_over_and_counted() {
    let mut house = House::new();
    let endpoint = tired(&mut house, &["*"]);
    let published = house.publish_and(endpoint, "a", 4, Fact::Delivered);
    let (blank, pruned) = (published[1].event, published[2].event);
    house.write(move |tx| {
        tx.connection().execute("UPDATE events SET blanked = 1, data = '' WHERE id = ?1", [blank.0])?;
        Ok(tx.connection().execute("DELETE FROM deliveries WHERE event_id = ?1", [pruned.0])?)
    });
    let counts = |house: &mut House, kind| {
        let id = house.replay(endpoint, |wanted| wanted.kind = kind);
        let counts = house.finish_replay(id).counts;
        (counts.done, counts.blanked, counts.pruned)
    };
    assert_eq!(counts(&mut house, Replayed::Delivered), (2, 1, 0));
    assert_eq!(counts(&mut house, Replayed::Missing), (0, 0, 1));
}

#[test]
fn a_replay_is_about_the_time_of_acceptance_also_when_the_clock_goes_back() {
    let mut house = House::new();
    let endpoint = tired(&mut house, &["*"]);
    house.publish_and(endpoint, "a", 2, FAILED);
    house.clock.advance(HOUR);
    house.publish_and(endpoint, "a", 3, FAILED);
    house.clock.jump_wall(-7_200_000);
    house.publish_and(endpoint, "a", 4, FAILED);
    let mut count = |since: i64, until: Option<i64>| {
        let id = house.replay(endpoint, |wanted| {
            wanted.since = crate::domain::time::UnixMs(START.0 + since);
            wanted.until = until.map(|until| crate::domain::time::UnixMs(START.0 + until));
            wanted.dry_run = true;
        });
        house.finish_replay(id).counts.matched
    };
    assert_eq!(count(-7_200_000, None), 9);
    assert_eq!(count(0, None), 5);
    assert_eq!(count(1_800_000, None), 3);
    assert_eq!(count(-7_200_000, Some(0)), 4);
    assert_eq!(count(-7_200_000, Some(1_800_000)), 6);
}

#[test]
fn a_replay_of_many_keeps_few_ready_and_a_fresh_event_is_behind_these_alone() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["x"]);
    house.publish_many("default", "old", 2_000);
    house.write(move |tx| {
        tx.update_endpoint(endpoint, &endpoint_settings(&["*"]))?;
        tx.reload_route(endpoint)
    });
    let id = house.replay(endpoint, |wanted| wanted.kind = Replayed::Missing);
    for _ in 0..20 {
        house.turn();
    }
    assert!((200..=300).contains(&house.ready(endpoint)), "{}", house.ready(endpoint));
    let fresh = DeliveryId(house.publish(house.event("default", "fresh", "1")).unwrap().event.0 + 1);
    let mut before = 0;
    loop {
        let jobs = house.page(endpoint, 50, 1 << 20).jobs;
        if let Some(at) = jobs.iter().position(|job| job.delivery == fresh) {
            before += at;
            break;
        }
        before += jobs.len();
        house.settle(jobs.into_iter().map(|job| outcome(job.delivery, endpoint, job.round, Fact::Delivered)));
    }
    assert!(before <= 300, "{before} went before a fresh event");
    assert_eq!(house.finish_replay(id).counts.done, 2_000);
}

#[test]
fn a_replay_waits_while_its_endpoint_is_disabled_and_ends_with_it() {
    let mut house = House::new();
    let endpoint = tired(&mut house, &["*"]);
    house.publish_and(endpoint, "a", 500, FAILED);
    let id = house.replay(endpoint, |_| {});
    house.disable(endpoint);
    house.finish_bulk();
    let done = house.replay_row(id).counts.done;
    for _ in 0..10 {
        house.turn();
    }
    assert_eq!(house.replay_row(id).counts.done, done);
    house.enable(endpoint, false);
    house.finish_bulk();
    house.turn();
    house.turn();
    assert!(house.replay_row(id).counts.done > done);
    house.delete(endpoint);
    let row = house.replay_row(id);
    assert!(row.ended_at.is_some() && row.canceled.unwrap().contains("deleted"));
    house.finish_bulk();
    assert_eq!(house.ready(endpoint), 0, "what it had made ready is canceled");
}

#[test]
fn a_canceled_replay_makes_nothing_more() {
    let mut house = House::new();
    let endpoint = tired(&mut house, &["*"]);
    house.publish_and(endpoint, "a", 600, FAILED);
    let id = house.replay(endpoint, |_| {});
    assert!(house.write(move |tx| tx.cancel_replay(id, "enough")));
    assert!(!house.write(move |tx| tx.cancel_replay(id, "again")), "once is enough");
    let (row, ready) = (house.replay_row(id), house.ready(endpoint));
    assert!(row.counts.done < 600);
    house = house.crash();
    for _ in 0..5 {
        house.turn();
    }
    assert_eq!((house.replay_row(id), house.ready(endpoint)), (row, ready));
}

#[test]
fn old_replays_are_pruned_and_running_ones_are_not() {
    let mut house = House::new();
    let endpoint = tired(&mut house, &["*"]);
    let done = house.replay(endpoint, |_| {});
    house.finish_replay(done);
    house.disable(endpoint);
    let waiting = house.replay(endpoint, |_| {});
    house.clock.advance(DAY * 31);
    let mut answer = super::cleanup::cleanup(&house, super::cleanup::request(None, false));
    while let Err(again) = answer.try_take() {
        answer = again;
        house.turn();
    }
    assert_eq!(house.read(|reader| reader.replay(done)), None);
    assert_eq!(house.replay_row(waiting).ended_at, None);
}
