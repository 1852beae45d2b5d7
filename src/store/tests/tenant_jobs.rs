//! Deleting tenants, with restarts and kills between any two turns.

use proptest::prelude::*;

use crate::domain::delivery::State;
use crate::domain::ids::{DeliveryId, EndpointId, TenantDeletionId};
use crate::domain::names::TenantName;
use crate::domain::outcome::Fact;
use crate::store::backlog::Backlog;
use crate::store::deliveries::DeliveryFilter;
use crate::store::events::EventFilter;
use crate::store::idempotent::Answered;
use crate::store::keys::NewKey;
use crate::store::publish::NewEvent;
use crate::store::tenant_jobs::TenantDeletionRow;

use super::house::*;
use super::make::*;
use super::recorder::Told;

/// Tables whose rows belong to a tenant by its number.
const BY_TENANT: [&str; 8] = [
    "events",
    "deliveries",
    "tenant_events",
    "tenant_deliveries",
    "idempotent_answers",
    "replays",
    "endpoints",
    "keys",
];
/// Tables whose rows belong to an endpoint.
const BY_ENDPOINT: [&str; 7] = [
    "endpoint_revisions",
    "endpoint_secrets",
    "endpoint_health",
    "endpoint_deliveries",
    "hourly",
    "bulk_changes",
    "replays",
];

impl House {
    fn begin_deletion(&mut self, tenant: &str) -> TenantDeletionId {
        let name = TenantName::parse(tenant).unwrap();
        self.write(move |tx| {
            let row = tx.tenant(&name)?.unwrap();
            tx.delete_tenant(&row)
        })
    }

    fn finish_deletion(&mut self, id: TenantDeletionId) -> TenantDeletionRow {
        for _ in 0..2_000 {
            let row = self.read(|reader| reader.tenant_deletion(id)).unwrap();
            if row.ended_at.is_some() {
                return row;
            }
            self.turn();
        }
        panic!("{id} does not end");
    }

    /// Deletes a tenant to the end.
    pub(super) fn delete_tenant(&mut self, tenant: &str) -> TenantDeletionRow {
        let id = self.begin_deletion(tenant);
        self.finish_deletion(id)
    }

    fn tenant_number(&self, tenant: &str) -> i64 {
        self.number(&format!("SELECT coalesce(max(id), 0) FROM tenants WHERE name = '{tenant}'"))
    }

    /// What the tables hold of a tenant and its endpoints.
    fn left(&self, tenant: i64, endpoints: &[EndpointId]) -> Vec<(&'static str, i64)> {
        let by_tenant = BY_TENANT.iter().map(|table| (*table, format!("tenant_id = {tenant}")));
        let ids: Vec<_> = endpoints.iter().map(|id| id.0.to_string()).collect();
        let by_endpoint =
            BY_ENDPOINT.iter().map(|table| (*table, format!("endpoint_id IN ({})", ids.join(", "))));
        by_tenant
            .chain(by_endpoint)
            .map(|(table, of)| (table, self.number(&format!("SELECT count(*) FROM {table} WHERE {of}"))))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

impl House {
    /// The same without the tables filled behind, which another tenant's rows come into meanwhile.
    fn kept(&self, tenant: i64, endpoints: &[EndpointId]) -> Vec<(&'static str, i64)> {
        let behind = ["tenant_events", "tenant_deliveries", "endpoint_deliveries"];
        let left = self.left(tenant, endpoints).into_iter();
        left.filter(|(table, _)| !behind.contains(table)).collect()
    }
}

/// Two endpoints of a tenant with deliveries in all states; one was deleted.
fn furnish(house: &mut House, tenant: &str, events: usize) -> Vec<EndpointId> {
    let endpoints: Vec<_> = (0..3).map(|_| house.endpoint(tenant, &["*"])).collect();
    house.publish_many(tenant, "a.b", events);
    for (endpoint, fact) in endpoints.iter().zip([Fact::Delivered, FAILED, FAILED]) {
        let jobs = house.page(*endpoint, 50, 1 << 20).jobs;
        house.settle(jobs.into_iter().map(|job| outcome(job.delivery, *endpoint, job.round, fact)));
    }
    house.delete(endpoints[2]);
    house.finish_bulk();
    let own = NewEvent {
        own_id: Some(own_id("order-1")),
        idempotency: Some(key("k", 1)),
        ..house.event(tenant, "a.b", "{}")
    };
    house.publish(own).unwrap();
    let (number, request) = (house.tenant_number(tenant), key("other", 1));
    house.write(move |tx| tx.remember_answer(number, &request, "{}"));
    house.write(move |tx| {
        tx.insert_key(&NewKey {
            name: "bound".to_owned(),
            hash: [u8::try_from(number).unwrap(); 32],
            hint: String::new(),
            scopes: crate::domain::scope::Scopes::parse(&["events:write"]).unwrap(),
            tenant_id: Some(number),
        })
    });
    house.replay(endpoints[0], |_| {});
    endpoints
}

#[test]
fn all_that_a_tenant_had_goes_and_is_counted_and_nothing_else() {
    let mut house = House::new();
    let (acme, other) = (furnish(&mut house, "acme", 400), furnish(&mut house, "globex", 20));
    let (number, kept) = (house.tenant_number("acme"), house.tenant_number("globex"));
    let of =
        |house: &House, sql: &str| house.number(&format!("{sql} WHERE tenant_id = {number}")).unsigned_abs();
    let (events, deliveries) =
        (of(&house, "SELECT count(*) FROM events"), of(&house, "SELECT count(*) FROM deliveries"));
    let attempts = of(&house, "SELECT sum(attempts) FROM deliveries");
    let before = house.kept(kept, &other);
    let row = house.delete_tenant("acme");
    assert_eq!((row.endpoints, row.keys), (2, 1));
    assert_eq!((row.events, row.deliveries, row.attempts), (events, deliveries, attempts));
    assert_eq!(house.left(number, &acme), []);
    assert_eq!(house.kept(kept, &other), before);
    let hashes =
        "SELECT count(*) FROM event_keys k LEFT JOIN events e ON e.id = k.event_id WHERE e.id IS NULL";
    assert_eq!(house.number(hashes), 0);
    let stray =
        "SELECT count(*) FROM attempts a LEFT JOIN deliveries d ON d.id = a.delivery_id WHERE d.id IS NULL";
    assert_eq!(house.number(stray), 0);
}

#[test]
fn with_the_commit_nothing_is_sent_or_shown_and_the_name_is_free() {
    let mut house = House::new();
    let endpoints = furnish(&mut house, "acme", 400);
    let number = house.tenant_number("acme");
    let sent = house.page(endpoints[1], 1, 1 << 20).jobs.remove(0);
    house.told.told();
    let id = house.begin_deletion("acme");
    assert!(house.read(|reader| reader.tenant_deletion(id)).unwrap().ended_at.is_none());
    let told = house.told.told();
    assert!(told.contains(&Told::Gone(endpoints[0])) && told.contains(&Told::Gone(endpoints[1])));
    assert!(house.store.directory().all().is_empty() && house.store.keys().is_empty());
    assert_eq!(house.read(|r| r.deliveries(&DeliveryFilter::default(), None, 50)).rows, []);
    assert_eq!(house.read(|r| r.events(&EventFilter::default(), None, 50)).rows, []);
    assert_eq!(house.read(|r| r.delivery(sent.delivery)), None);
    // What was under way comes back to nobody.
    house.settle([outcome(sent.delivery, sent.endpoint, sent.round, FAILED)]);
    // The name belongs to a new one, with its own ids and keys.
    let again = NewEvent {
        own_id: Some(own_id("order-1")),
        idempotency: Some(key("k", 2)),
        ..house.event("acme", "x", "1")
    };
    let published = house.publish(again).unwrap();
    assert!(!published.replayed && published.without_endpoints);
    let new = house.tenant_number("acme");
    assert!(new > number, "{new} was used before");
    let request = key("other", 2);
    let has = house.read(|reader| Ok((reader.count_endpoints(new)?, reader.backlog(Some(new))?)));
    assert_eq!(has, (0, Backlog::default()));
    house.write(move |tx| {
        assert_eq!(tx.answered_before(new, &request)?, Answered::Never);
        Ok(())
    });
    house.finish_deletion(id);
    assert_eq!(house.left(number, &endpoints), []);
    assert_eq!(house.read(|reader| reader.event_by_own_id(new, "order-1")).unwrap().id, published.event);
}

#[test]
fn numbers_of_deleted_tenants_are_not_given_again_after_a_restart() {
    let mut house = House::new();
    house.endpoint("acme", &["*"]);
    let first = house.tenant_number("acme");
    house.delete_tenant("acme");
    house = house.restart();
    house.endpoint("acme", &["*"]);
    assert!(house.tenant_number("acme") > first);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_deletion_is_complete_however_often_it_is_killed(
        events in 1..500_usize, steps in prop::collection::vec(0..6_u8, 1..30)
    ) {
        let mut house = House::new();
        let (acme, other) = (furnish(&mut house, "acme", events), furnish(&mut house, "globex", 30));
        let (number, kept) = (house.tenant_number("acme"), house.tenant_number("globex"));
        let expected = house.number(&format!("SELECT count(*) FROM deliveries WHERE tenant_id = {number}"));
        let before = house.kept(kept, &other);
        let id = house.begin_deletion("acme");
        let mut new = 0;
        for step in steps {
            match step {
                0 => house = house.crash(),
                1 => house = house.restart(),
                2 => { house.publish_many("acme", "a.b", 3); new += 3; }
                _ => house.turn(),
            }
        }
        let row = house.finish_deletion(id);
        prop_assert_eq!(row.deliveries, expected.unsigned_abs());
        prop_assert_eq!(house.left(number, &acme), []);
        prop_assert_eq!(house.kept(kept, &other), before);
        let of_new = format!("SELECT count(*) FROM events WHERE tenant_id = {}", house.tenant_number("acme"));
        prop_assert_eq!(house.number(&of_new), new);
        let open = DeliveryId(house.number("SELECT max(id) FROM deliveries WHERE state = 0"));
        prop_assert_eq!(house.state(open), State::Ready, "what the other tenant waits for is there");
    }
}
