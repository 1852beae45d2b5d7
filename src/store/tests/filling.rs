//! Lists while their indexes are filled behind: at every moment exactly what was committed.

use proptest::prelude::*;

use crate::domain::delivery::{State, StatusFilter};
use crate::domain::ids::{DeliveryId, EndpointId, EventId};
use crate::domain::matching::Pattern;
use crate::domain::outcome::Fact;
use crate::domain::time::UnixMs;
use crate::store::deliveries::{DeliveryFilter, DeliveryRow};
use crate::store::events::{EventFilter, StoredEvent};
use crate::store::lists::Span;

use super::house::*;
use super::make::*;

const STATUSES: [Option<StatusFilter>; 7] = [
    None,
    Some(StatusFilter::Pending),
    Some(StatusFilter::Retrying),
    Some(StatusFilter::Held),
    Some(StatusFilter::Delivered),
    Some(StatusFilter::Failed),
    Some(StatusFilter::Canceled),
];
const TENANTS: [&str; 3] = ["default", "acme", "globex"];
const TYPES: [&str; 3] = ["a.b", "a.b.c", "x"];

/// All pages of a list, one after another.
fn all_pages<T>(mut page: impl FnMut(Option<i64>) -> crate::store::Listed<T>, limit: usize) -> Vec<T> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let listed = page(before);
        assert!(listed.rows.len() <= limit);
        all.extend(listed.rows);
        match listed.next {
            None => return all,
            Some(next) => {
                assert!(before.is_none_or(|before| next < before), "a cursor that does not move");
                before = Some(next);
            }
        }
    }
}

fn listed(house: &House, filter: &DeliveryFilter, limit: usize) -> Vec<DeliveryRow> {
    let page = |before: Option<i64>| house.read(|r| r.deliveries(filter, before.map(DeliveryId), limit));
    all_pages(page, limit)
}

fn listed_events(house: &House, filter: &EventFilter, limit: usize) -> Vec<EventId> {
    let events = all_pages(|before| house.read(|r| r.events(filter, before.map(EventId), limit)), limit);
    events.into_iter().map(|event| event.id).collect()
}

/// The file as a naive reader sees it: every delivery, the newest first.
fn every_delivery(house: &House) -> Vec<DeliveryRow> {
    let ids: Vec<i64> = house.read(|reader| {
        let mut statement = reader.connection().prepare("SELECT id FROM deliveries ORDER BY id DESC")?;
        let ids = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(ids)
    });
    // A list shows the row; so does this, as no change to many rows is under way.
    ids.into_iter().map(|id| house.row(DeliveryId(id))).collect()
}

fn every_event(house: &House) -> Vec<StoredEvent> {
    house.read(|reader| {
        let mut statement = reader.connection().prepare("SELECT id FROM events ORDER BY id DESC")?;
        let ids = statement.query_map([], |row| row.get(0).map(EventId))?.collect::<Result<Vec<_>, _>>()?;
        ids.into_iter().map(|id| Ok(reader.stored_event(id)?.unwrap())).collect()
    })
}

fn in_span(span: Span, at: UnixMs) -> bool {
    span.since.is_none_or(|since| at >= since) && span.until.is_none_or(|until| at < until)
}

fn type_matches(pattern: Option<&Pattern>, event_type: &str) -> bool {
    match pattern {
        None | Some(Pattern::All) => true,
        Some(Pattern::Exact(exact)) => exact.as_str() == event_type,
        Some(Pattern::Below(prefix)) => event_type.starts_with(&**prefix),
    }
}

fn wanted(filter: &DeliveryFilter, row: &DeliveryRow) -> bool {
    use crate::domain::delivery::Status;
    let status = row.state.status();
    let status_fits = match filter.status {
        None => true,
        Some(StatusFilter::Retrying) => status == Status::Pending && row.attempts > 0,
        Some(StatusFilter::Pending) => status == Status::Pending,
        Some(StatusFilter::Held) => status == Status::Held,
        Some(StatusFilter::Delivered) => status == Status::Delivered,
        Some(StatusFilter::Failed) => status == Status::Failed,
        Some(StatusFilter::Canceled) => status == Status::Canceled,
    };
    status_fits
        && filter.endpoint.is_none_or(|id| id == row.endpoint)
        && filter.tenant_id.is_none_or(|id| id == row.tenant_id)
        && type_matches(filter.event_type.as_ref(), row.event_type.as_str())
        && in_span(filter.span, row.created_at)
}

/// A number that says which filter to try next.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn option<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.roll(2) == 1).then(|| value(self))
    }

    fn span(&mut self, times: &[UnixMs]) -> Span {
        let time = |dice: &mut Self| times[dice.roll(times.len())];
        Span { since: self.option(time), until: self.option(time) }
    }

    fn pattern(&mut self) -> Option<Pattern> {
        self.option(|dice| Pattern::parse(["a.*", "a.b", "*", "nothing"][dice.roll(4)]).unwrap())
    }
}

struct World {
    house: House,
    endpoints: Vec<EndpointId>,
    tenants: Vec<i64>,
    published: usize,
    deliveries: usize,
}

impl World {
    fn new() -> Self {
        let mut house = House::new();
        let mut endpoints = Vec::new();
        for (index, tenant) in TENANTS.iter().enumerate() {
            endpoints.push(house.endpoint(tenant, &["*"]));
            let only_some = house.endpoint_with(tenant, &["a.*"], |settings| {
                settings.retry_schedule = Some(if index == 0 { vec![] } else { vec![60] });
            });
            endpoints.push(only_some);
        }
        let tenants = house.store.directory().all().iter().map(|route| route.tenant_id).collect();
        Self { house, endpoints, tenants, published: 0, deliveries: 0 }
    }

    fn step(mut self, what: u8, dice: &mut Dice) -> Self {
        match what {
            0 => self.house = self.house.crash(),
            1 => self.house = self.house.restart(),
            2 | 3 => {
                self.house.write(|tx| {
                    tx.kept.fill_all = true;
                    Ok(())
                });
                self.house.write(|tx| {
                    tx.kept.fill_all = false;
                    Ok(())
                });
            }
            4 => self.house.clock.jump_wall(if dice.roll(2) == 0 { -3_600_000 } else { 7_200_000 }),
            5 => {
                let id = self.endpoints[dice.roll(self.endpoints.len())];
                let enabled = self.house.store.directory().route(id).unwrap().enabled;
                if enabled {
                    self.house.disable(id);
                } else {
                    self.house.enable(id, dice.roll(2) == 0);
                }
                self.house.finish_bulk();
            }
            6 | 7 => {
                let pending = [State::Ready, State::Waiting];
                let rows = every_delivery(&self.house).into_iter().filter(|row| pending.contains(&row.state));
                let fact = [Fact::Delivered, FAILED, Fact::OurTrouble][dice.roll(3)];
                let outcomes: Vec<_> = rows
                    .filter(|_| dice.roll(3) == 0)
                    .map(|r| outcome(r.id, r.endpoint, r.round, fact))
                    .collect();
                self.house.settle(outcomes);
            }
            _ => {
                let count = 1 + dice.roll(12);
                let (tenant, event_type) = (TENANTS[dice.roll(3)], TYPES[dice.roll(3)]);
                let published = self.house.publish_many(tenant, event_type, count);
                self.published += count;
                self.deliveries += published.iter().map(|p| p.deliveries as usize).sum::<usize>();
            }
        }
        self.house.clock.advance(std::time::Duration::from_secs(50));
        self
    }

    fn check(&self, dice: &mut Dice, lists: usize) {
        let (deliveries, events) = (every_delivery(&self.house), every_event(&self.house));
        assert_eq!((events.len(), deliveries.len()), (self.published, self.deliveries));
        let times: Vec<_> = events.iter().map(|event| event.created_at).chain([START]).collect();
        for _ in 0..lists {
            let limit = 1 + dice.roll(9);
            let filter = DeliveryFilter {
                endpoint: dice.option(|dice| self.endpoints[dice.roll(self.endpoints.len())]),
                tenant_id: dice.option(|dice| self.tenants[dice.roll(self.tenants.len())]),
                status: STATUSES[dice.roll(STATUSES.len())],
                event_type: dice.pattern(),
                span: dice.span(&times),
            };
            let expected: Vec<_> = deliveries.iter().filter(|row| wanted(&filter, row)).cloned().collect();
            assert_eq!(listed(&self.house, &filter, limit), expected, "{filter:?}");
            let filter =
                EventFilter { tenant_id: filter.tenant_id, event_type: filter.event_type, span: filter.span };
            let fits = |event: &&StoredEvent| {
                filter.tenant_id.is_none_or(|id| id == event.tenant_id)
                    && type_matches(filter.event_type.as_ref(), event.event_type.as_str())
                    && in_span(filter.span, event.created_at)
            };
            let expected: Vec<_> = events.iter().filter(fits).map(|event| event.id).collect();
            assert_eq!(listed_events(&self.house, &filter, limit), expected, "{filter:?}");
        }
        for event in events.iter().take(3) {
            let page = |before: Option<i64>| {
                let before = before.map(DeliveryId);
                self.house.read(|r| r.deliveries_of_event(event.id, event.deliveries, before, 1))
            };
            let expected: Vec<_> = deliveries.iter().filter(|row| row.event == event.id).cloned().collect();
            assert_eq!(all_pages(page, 1), expected);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_list_shows_exactly_what_was_committed_at_every_moment(
        steps in prop::collection::vec(0..12_u8, 1..25), seed: u64
    ) {
        let (mut world, mut dice) = (World::new(), Dice(seed));
        for what in steps {
            world = world.step(what, &mut dice);
            world.check(&mut dice, 4);
        }
        world.check(&mut dice, 40);
    }
}

#[test]
fn a_few_thousand_rows_at_most_wait_however_many_a_batch_brings() {
    let mut house = House::new();
    for _ in 0..20 {
        house.endpoint("default", &["*"]);
    }
    let unfilled = |house: &House| {
        let filled = "SELECT coalesce(max(value), 0) FROM meta WHERE name = 'filled_deliveries'";
        house.number(&format!("SELECT count(*) FROM deliveries WHERE id > ({filled})"))
    };
    for _ in 0..4 {
        house.publish_many("default", "a.b", 400);
        assert!(unfilled(&house) <= 8_000, "not more than one batch");
        house.turn();
        assert!(unfilled(&house) <= 5 * 1_024, "{}", unfilled(&house));
    }
    for _ in 0..8 {
        house.turn();
    }
    assert!(unfilled(&house) < 1_024, "a server that has nothing else to do catches up");
}
