//! What a page of a list costs: the same however deep it lies and however rare its filter is.

use crate::domain::delivery::StatusFilter;
use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::matching::Pattern;
use crate::domain::names::EventType;
use crate::store::deliveries::DeliveryFilter;
use crate::store::events::EventFilter;
use crate::store::{EXAMINED, Listed};

use super::house::*;

/// Besides the rows of the list: watermarks, and which endpoints have something ready.
const BESIDES: usize = 300;

/// A file with many deliveries, written past the store: of `endpoints` endpoints in turn, but most of the newer half
/// of the first one; every 1,000th of the type `rare`.
fn many(count: i64, endpoints: i64, state: &str) -> (House, Vec<EndpointId>) {
    let mut house = House::new();
    let ids: Vec<_> = (0..endpoints)
        .map(|n| house.endpoint(["acme", "globex"][usize::from(n % 3 == 0)], &["none"]))
        .collect();
    let common = house.publish(house.event("acme", "common", "1")).unwrap();
    let rare = house.publish(house.event("acme", "rare", "1")).unwrap();
    let base = rare.event.0;
    let step = ids.get(1).map_or(1, |second| second.0 - ids[0].0);
    let sql = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO deliveries (id, event_id, endpoint_id, tenant_id, state, round, round_attempts, attempts, due_at,
             created_at, made)
         SELECT {base} + i, CASE WHEN i % 1000 = 0 THEN {base} ELSE {} END, e.id, e.tenant_id, {state}, 1, 0, 1, 5, {}, 0
         FROM n JOIN endpoints e
             ON e.id = {} + CASE WHEN i > {count} / 2 AND i % 3 > 0 THEN 0 ELSE i % {endpoints} END * {step}",
        common.event.0, START.0, ids[0].0,
    );
    assert!(ids.windows(2).all(|pair| pair[1].0 - pair[0].0 == step), "evenly spaced");
    assert_eq!(house.other().execute(&sql, []).unwrap(), usize::try_from(count).unwrap());
    let mut house = house.restart();
    // All but a few thousand are taken in.
    while house.number("SELECT coalesce(max(value), 0) FROM meta WHERE name = 'filled_deliveries'")
        < base + count - 5_000
    {
        house.turn();
    }
    (house, ids)
}

fn page(
    house: &House,
    filter: &DeliveryFilter,
    before: Option<i64>,
    limit: usize,
) -> Listed<crate::store::deliveries::DeliveryRow> {
    let (page, ran) = house.traced(|reader| reader.deliveries(filter, before.map(DeliveryId), limit));
    assert!(ran.rows <= EXAMINED + BESIDES, "{} rows for {filter:?}", ran.rows);
    page
}

fn pages(house: &House, filter: &DeliveryFilter, limit: usize) -> Vec<DeliveryId> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let listed = page(house, filter, before, limit);
        all.extend(listed.rows.iter().map(|row| row.id));
        match listed.next {
            None => return all,
            Some(next) => before = Some(next),
        }
    }
}

fn ids(house: &House, condition: &str) -> Vec<DeliveryId> {
    let sql = format!("SELECT id FROM deliveries WHERE {condition} ORDER BY id DESC");
    house.read(|reader| {
        let mut statement = reader.connection().prepare(&sql)?;
        let ids = statement.query_map([], |row| row.get(0).map(DeliveryId))?.collect::<Result<_, _>>()?;
        Ok(ids)
    })
}

fn check(house: &House, endpoint: EndpointId, statuses: &[Option<StatusFilter>]) {
    let tenant = house.number("SELECT id FROM tenants WHERE name = 'acme'");
    let rare = house.number("SELECT id FROM events WHERE type = 'rare'");
    let rare_type = Some(Pattern::Exact(EventType::parse("rare").unwrap()));
    for status in statuses.iter().copied() {
        for (endpoint, tenant_id) in [(None, None), (None, Some(tenant)), (Some(endpoint), None)] {
            let filter = DeliveryFilter {
                endpoint,
                tenant_id,
                status,
                event_type: rare_type.clone(),
                ..DeliveryFilter::default()
            };
            let of_endpoint = endpoint.map_or(String::new(), |id| format!(" AND endpoint_id = {}", id.0));
            let of_tenant = tenant_id.map_or(String::new(), |id| format!(" AND tenant_id = {id}"));
            let condition = format!("event_id = {rare}{of_endpoint}{of_tenant}");
            assert_eq!(pages(house, &filter, 20), ids(house, &condition), "{filter:?}");
        }
    }
}

#[test]
fn a_rare_filter_over_what_is_ready_at_many_endpoints_examines_no_more_than_a_page_may() {
    for endpoints in [1, 30, 150] {
        let (house, ids) = many(13_000, endpoints, "0");
        check(&house, ids[0], &[None, Some(StatusFilter::Pending), Some(StatusFilter::Retrying)]);
    }
}

#[test]
fn a_rare_filter_over_waiting_and_ready_deliveries_examines_no_more_than_a_page_may() {
    let (house, ids) = many(13_000, 30, "CASE WHEN i % 7 < 3 THEN 0 ELSE 2 END");
    check(&house, ids[0], &[None, Some(StatusFilter::Pending), Some(StatusFilter::Retrying)]);
}

#[test]
fn a_page_costs_the_same_however_deep_it_lies() {
    let (house, ids) = many(20_000, 2, "CASE WHEN i % 7 = 0 THEN 4 ELSE 1 END");
    let tenant = Some(house.number("SELECT id FROM tenants WHERE name = 'acme'"));
    let deep = house.number("SELECT min(id) + 900 FROM deliveries");
    let filters = [
        DeliveryFilter::default(),
        DeliveryFilter { endpoint: Some(ids[1]), ..DeliveryFilter::default() },
        DeliveryFilter { tenant_id: tenant, ..DeliveryFilter::default() },
        DeliveryFilter { status: Some(StatusFilter::Failed), ..DeliveryFilter::default() },
        DeliveryFilter {
            status: Some(StatusFilter::Failed),
            endpoint: Some(ids[1]),
            ..DeliveryFilter::default()
        },
        DeliveryFilter { status: Some(StatusFilter::Failed), tenant_id: tenant, ..DeliveryFilter::default() },
    ];
    for filter in filters {
        let (listed, ran) = house.traced(|reader| reader.deliveries(&filter, Some(DeliveryId(deep)), 50));
        assert_eq!(listed.rows.len(), 50);
        assert!(ran.rows <= 60, "{} rows for {filter:?}", ran.rows);
    }
}

#[test]
fn a_page_of_events_costs_the_same_however_deep_it_lies() {
    let mut house = House::new();
    house.publish_many("acme", "a.b", 3_000);
    house.publish_many("globex", "a.b", 3_000);
    house.publish_many("acme", "rare", 1);
    let tenant_id = Some(house.number("SELECT id FROM tenants WHERE name = 'acme'"));
    let deep = house.number("SELECT min(id) + 900 FROM events");
    for tenant_id in [None, tenant_id] {
        let filter = EventFilter { tenant_id, ..EventFilter::default() };
        let before = Some(crate::domain::ids::EventId(deep));
        let (listed, ran) = house.traced(|reader| reader.events(&filter, before, 50));
        assert_eq!(listed.rows.len(), 50);
        assert!(ran.rows <= 60, "{} rows for {filter:?}", ran.rows);
    }
}
