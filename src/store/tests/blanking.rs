//! Deleting the data of an event that has more deliveries than a turn does, with restarts and kills between any two turns.

use proptest::prelude::*;

use crate::domain::delivery::State;
use crate::domain::ids::{DeliveryId, EndpointId, EventId};
use crate::domain::outcome::Fact;
use crate::store::audit::Actor;

use super::house::*;
use super::make::*;
use super::recorder::Told;

/// Rows of the file that have yet to be done.
const OPEN: &str = "SELECT count(*) FROM deliveries WHERE state IN (0, 2, 3)";
const ANSWERS: &str =
    "SELECT count(*) FROM attempts WHERE response_body IS NOT NULL OR response_headers IS NOT NULL";

/// An event with `many` deliveries, half of them made later, in the states that an endpoint leaves them in: delivered,
/// to be tried again, held, and ready. An endpoint of the last kind comes first.
struct Wide {
    event: EventId,
    ready: EndpointId,
    ids: Vec<DeliveryId>,
}

fn wide(house: &mut House, many: usize) -> Wide {
    let endpoints: Vec<_> = (0..4).map(|_| house.endpoint("default", &["wide"])).collect();
    let published = house.publish(house.event("default", "wide", "\"personal\"")).unwrap();
    let event = published.event;
    let receivers = endpoints.clone();
    house.write(move |tx| {
        let event = tx.stored_event(event)?.unwrap();
        (4..many).try_for_each(|n| tx.replay_event_to(&event, receivers[n % 4]))
    });
    for (endpoint, fact) in endpoints[1..3].iter().zip([Fact::Delivered, FAILED]) {
        loop {
            let jobs = house.page(*endpoint, many, 1 << 20).jobs;
            if jobs.is_empty() {
                break;
            }
            house.settle(jobs.into_iter().map(|job| outcome(job.delivery, *endpoint, job.round, fact)));
        }
    }
    house.disable(endpoints[3]);
    house.finish_bulk();
    let ids = house.read(|reader| reader.deliveries_of_event(event, 4, None, many)).rows;
    let ids: Vec<_> = ids.into_iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), many);
    Wide { event, ready: endpoints[0], ids }
}

impl House {
    fn blank(&mut self, event: EventId) {
        self.write(move |tx| {
            let event = tx.stored_event(event)?.unwrap();
            tx.blank_event(&event, &Actor::system())
        });
    }

    /// The same of one that was sent again very often before, to the end.
    pub(super) fn blank_replayed(&mut self, event: EventId, to: EndpointId) {
        self.write(move |tx| {
            let event = tx.stored_event(event)?.unwrap();
            (0..400).try_for_each(|_| tx.replay_event_to(&event, to))
        });
        self.blank(event);
        self.finish_blanking();
    }

    fn finish_blanking(&mut self) {
        for _ in 0..100 {
            if self.number("SELECT count(*) FROM blankings") == 0 {
                return;
            }
            self.turn();
        }
        panic!("it does not end");
    }
}

#[test]
fn what_was_promised_holds_before_the_rows_have_followed() {
    let mut house = House::new();
    let Wide { event, ready, ids } = wide(&mut house, 800);
    house.told.told();
    house.blank(event);
    assert!(house.number(OPEN) > 100 && house.number(ANSWERS) > 100, "most is still to be done");
    assert!(house.told.told().contains(&Told::Emptied(event)));
    for id in &ids {
        let row = house.row(*id);
        assert!(matches!(row.state, State::Canceled | State::Delivered), "{row:?}");
        assert_eq!((row.response_body, row.due, row.held_reason), (None, None, None));
        let attempts = house.read(|reader| reader.attempts(*id));
        assert!(attempts.iter().all(|attempt| attempt.record.response_headers.is_empty()));
        assert!(attempts.iter().all(|attempt| attempt.record.response_body.is_empty()));
    }
    assert_eq!(house.due(ready), []);
    house.finish_blanking();
    assert_eq!((house.number(OPEN), house.number(ANSWERS)), (0, 0));
    let log = std::fs::read(house.path().with_extension("db-wal")).unwrap_or_default();
    assert!(!log.windows(9).any(|bytes| bytes == b"an answer"), "older copies of the pages are gone as well");
}

#[test]
fn an_outcome_that_comes_before_its_turn_is_judged_as_after_it() {
    let mut house = House::new();
    let Wide { event, ready, ids } = wide(&mut house, 800);
    // The newest two that are ready: their turn comes last.
    let mut last = ids.iter().filter(|id| house.row(**id).endpoint == ready);
    let (failed, delivered) = (*last.next().unwrap(), *last.next().unwrap());
    house.blank(event);
    house.settle([outcome(failed, ready, 1, FAILED), outcome(delivered, ready, 1, Fact::Delivered)]);
    assert!(house.number(OPEN) > 0);
    for (id, state) in [(failed, State::Canceled), (delivered, State::Delivered)] {
        assert_eq!((house.state(id), house.row(id).attempts), (state, 1));
        let kept = format!("SELECT count(response_body) FROM attempts WHERE delivery_id = {}", id.0);
        assert_eq!(house.number(&kept), 0);
    }
}

#[test]
fn few_deliveries_are_done_with_the_answer() {
    let mut house = House::new();
    let Wide { event, .. } = wide(&mut house, 40);
    house.told.told();
    house.blank(event);
    assert_eq!((house.number(OPEN), house.number(ANSWERS)), (0, 0));
    assert_eq!(house.number("SELECT count(*) FROM blankings"), 0);
    assert!(!house.told.told().contains(&Told::Emptied(event)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn it_is_complete_however_often_it_is_killed(
        many in 4..900_usize, steps in prop::collection::vec(0..5_u8, 1..12)
    ) {
        let mut house = House::new();
        let Wide { event, ready, ids } = wide(&mut house, many);
        let kept = house.publish(house.event("default", "wide", "1")).unwrap().event;
        house.blank(event);
        for step in steps {
            match step {
                0 => house = house.crash(),
                1 => house = house.restart(),
                2 => { house.publish_many("default", "other", 3); }
                _ => house.turn(),
            }
            let due = house.due(ready);
            prop_assert_eq!(due, vec![DeliveryId(kept.0 + 1)], "the other event's alone");
        }
        house.finish_blanking();
        prop_assert_eq!(house.number(ANSWERS), 0);
        let of_it = format!("{OPEN} AND event_id = {}", event.0);
        prop_assert_eq!(house.number(&of_it), 0);
        prop_assert_eq!(house.number("SELECT count(*) FROM deliveries"), i64::try_from(ids.len()).unwrap() + 4);
    }
}
