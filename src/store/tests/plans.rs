//! Query plans: no statement of a list, of the scheduler or of the cleanup reads a whole table or sorts.
//!
//! The statements are not listed here: they are those that SQLite is seen to run.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::domain::delivery::StatusFilter::{Canceled, Delivered, Failed, Held, Pending, Retrying};
use crate::domain::ids::{
    AuditId, DeliveryId, EndpointId, EventId, KeyId, OperatorId, ReplayId, TenantDeletionId,
};
use crate::domain::matching::Pattern;
use crate::domain::names::{FormatName, Uid};
use crate::domain::outcome::Fact;
use crate::store::audit::{Actor, AuditFilter, Audited};
use crate::store::cleanup::CleanupRequest;
use crate::store::deliveries::DeliveryFilter;
use crate::store::events::EventFilter;
use crate::store::idempotent::Answered;
use crate::store::keys::NewKey;
use crate::store::lists::Span;
use crate::store::publish::{NewEvent, PublishError};
use crate::store::publish_batch::NewBatch;
use crate::store::{Reader, StoreError};

use super::house::*;
use super::make::*;
use super::trace::{taken, trace};

/// Statements that may read a whole table: their beginning, and why.
const MAY_SCAN: [(&str, &str); 2] = [
    (
        "SELECT k.id, k.name, k.hash, k.hint, k.scopes, k.tenant_id, t.name, k.created_at, k.last_used_at FROM keys k LEFT JOIN",
        "all keys are read into memory when one is made or revoked",
    ),
    (
        "SELECT s.id, s.operator_id, o.email, o.role, o.time_zone, s.address, s.user_agent, s.created_at, s.last_used_at, s.hash",
        "all sessions are read into memory when one begins or ends",
    ),
];

/// A format as small as can be.
const BARE: &str = r#"{"signature":{"scheme":"none"},"envelope":"data"}"#;

/// What is wrong with the plan of a statement.
fn faults(connection: &Connection, sql: &str) -> Vec<String> {
    let excused = MAY_SCAN.iter().any(|(beginning, _)| sql.starts_with(beginning) && !sql.contains("WHERE"));
    if excused
        || ["PRAGMA", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"]
            .iter()
            .any(|w| sql.starts_with(w))
    {
        return Vec::new();
    }
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut rows = statement.raw_query();
    let mut faults = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let detail: String = row.get(3).unwrap();
        let scans = detail.starts_with("SCAN") && detail != "SCAN CONSTANT ROW";
        if scans || detail.contains("TEMP B-TREE") || detail.contains("AUTOMATIC") {
            faults.push(format!("{detail}: {sql}"));
        }
    }
    faults
}

pub(super) fn check(house: &House, statements: &BTreeSet<String>) {
    let connection = house.other();
    let faults: Vec<_> = statements.iter().flat_map(|sql| faults(&connection, sql)).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n\n"));
}

/// A file with a few thousand rows in all states.
fn lived_in() -> (House, Vec<EndpointId>) {
    let mut house = House::new();
    let endpoints: Vec<_> = (0..6).map(|n| house.endpoint(["acme", "globex"][n % 2], &["*"])).collect();
    house.publish_many("acme", "a.b", 400);
    house.publish_many("globex", "x", 400);
    for (fact, share) in [(Fact::Delivered, 2), (FAILED, 5)] {
        for endpoint in &endpoints {
            let due = house.page(*endpoint, 100, 1 << 20).jobs;
            let some = due.iter().filter(|job| job.delivery.0 % share == 0);
            house.settle(
                some.map(|job| outcome(job.delivery, job.endpoint, job.round, fact)).collect::<Vec<_>>(),
            );
        }
    }
    house.disable(endpoints[0]);
    house.delete(endpoints[1]);
    house.finish_bulk();
    house.publish_many("acme", "a.b", 100);
    (house, endpoints)
}

/// Runs a read and collects its statements.
fn run<T>(
    house: &House,
    all: &mut BTreeSet<String>,
    work: impl FnOnce(&Reader<'_>) -> Result<T, StoreError>,
) -> T {
    let (value, ran) = house.traced(work);
    assert!(!ran.statements.is_empty());
    all.extend(ran.statements);
    value
}

fn every<T: Clone>(values: &[T]) -> Vec<Option<T>> {
    values.iter().cloned().map(Some).chain([None]).collect()
}

#[test]
fn no_list_of_deliveries_or_events_scans_or_sorts_whatever_its_filters() {
    let (house, endpoints) = lived_in();
    let tenant = house.number("SELECT id FROM tenants WHERE name = 'acme'");
    let (all, middle) = (&mut BTreeSet::new(), house.number("SELECT max(id) - 500 FROM deliveries"));
    let spans = [
        Span { since: Some(START), until: None },
        Span { since: None, until: Some(START) },
        Span { since: Some(START), until: Some(START.plus(HOUR)) },
        Span::default(),
    ];
    let pattern = Pattern::parse("a.*").unwrap();
    for span in spans {
        for before in every(&[middle]) {
            for event_type in every(std::slice::from_ref(&pattern)) {
                for tenant_id in every(&[tenant]) {
                    for endpoint in every(&endpoints[..1]) {
                        for status in every(&[Pending, Retrying, Held, Delivered, Failed, Canceled]) {
                            let event_type = event_type.clone();
                            let filter = DeliveryFilter { endpoint, tenant_id, status, event_type, span };
                            run(&house, all, |r| r.deliveries(&filter, before.map(DeliveryId), 20));
                        }
                    }
                    let filter = EventFilter { tenant_id, event_type: event_type.clone(), span };
                    run(&house, all, |r| r.events(&filter, before.map(EventId), 20));
                }
            }
        }
    }
    assert!(all.len() > 10, "{}", all.len());
    check(&house, all);
}

#[test]
fn a_list_over_very_many_endpoints_does_not_scan_or_sort_either() {
    let mut house = House::new();
    for _ in 0..120 {
        house.endpoint("acme", &["*"]);
    }
    house.publish_many("acme", "a.b", 20);
    let (all, tenant) = (&mut BTreeSet::new(), house.number("SELECT id FROM tenants WHERE name = 'acme'"));
    for tenant_id in every(&[tenant]) {
        let filter = DeliveryFilter { tenant_id, status: Some(Pending), ..DeliveryFilter::default() };
        assert_eq!(run(&house, all, |r| r.deliveries(&filter, None, 20)).rows.len(), 20);
    }
    check(&house, all);
}

#[test]
fn no_other_read_scans_or_sorts() {
    let (mut house, endpoints) = lived_in();
    house.write(|tx| {
        let scopes = crate::domain::scope::Scopes::parse(&["admin"]).unwrap();
        tx.insert_key(&NewKey {
            name: String::new(),
            hash: [1; 32],
            hint: String::new(),
            scopes,
            tenant_id: None,
        })
    });
    let tenant = house.number("SELECT id FROM tenants WHERE name = 'acme'");
    let delivery = DeliveryId(house.number("SELECT min(delivery_id) FROM attempts"));
    let event = EventId(house.number("SELECT max(id) FROM events"));
    let all = &mut BTreeSet::new();
    for before in every(&[i64::MAX]) {
        for tenant_id in every(&[tenant]) {
            run(&house, all, |r| r.endpoints(tenant_id, before.map(EndpointId), 2, |seen| seen.enabled));
            run(&house, all, |r| r.backlog(tenant_id));
        }
        run(&house, all, |r| r.tenants(Some("acme"), before, 20));
        run(&house, all, |r| r.keys(None, None, before, 20));
        run(&house, all, |r| r.keys(Some(1), Some("key"), before, 20));
        run(&house, all, |r| r.cleanups(before, 20));
        for tenant_id in every(&[tenant]) {
            for endpoint in every(&endpoints[..1]) {
                run(&house, all, |r| r.replays(endpoint, tenant_id, before.map(ReplayId), 20));
            }
            let filter = AuditFilter { tenant_id, ..AuditFilter::default() };
            run(&house, all, |r| r.audit_lines(&filter, before.map(AuditId), 20));
        }
        run(&house, all, |r| r.deliveries_of_event(event, 3, before.map(DeliveryId), 20));
    }
    let name = crate::domain::names::EventType::parse("a.b").unwrap();
    for before in every(&[(START, "a".to_owned())]) {
        run(&house, all, |r| r.event_types(Some("a"), before.as_ref(), 20));
        assert!(!run(&house, all, |r| Ok(r.has_all_event_types()? || r.has_all_formats()?)));
    }
    run(&house, all, |r| r.event_type(&name));
    run(&house, all, |r| r.endpoint(endpoints[2])).unwrap();
    run(&house, all, |r| Ok((r.held_of(endpoints[2])?, r.next_retry_of(endpoints[2])?)));
    run(&house, all, |r| r.day_of_endpoints(&endpoints, START));
    run(&house, all, |r| r.where_event_went(event, 3));
    run(&house, all, |r| r.count_of_event(event, 3));
    run(&house, all, |r| Ok((r.troubled_endpoints(|_| true)?, r.disabled_endpoints(5)?)));
    run(&house, all, |r| r.held_before(START.plus(DAY)));
    run(&house, all, |r| Ok((r.free_bytes()?, r.daily_sizes()?)));
    run(&house, all, |r| r.endpoint_by_uid(tenant, &Uid::parse("u").unwrap()));
    run(&house, all, |r| r.count_endpoints(tenant));
    run(&house, all, |r| r.delivery(delivery)).unwrap();
    run(&house, all, |r| r.attempts(delivery));
    run(&house, all, |r| r.stored_event(event)).unwrap();
    run(&house, all, |r| r.event_by_own_id(tenant, "order-1"));
    run(&house, all, |r| r.tenant(&crate::domain::names::TenantName::parse("acme").unwrap())).unwrap();
    run(&house, all, |r| r.tenant_name(tenant));
    run(&house, all, |r| r.tenant_deletions(None, 20));
    run(&house, all, |r| r.tenant_deletion(TenantDeletionId(1)));
    run(&house, all, |r| r.version_at(START));
    house.write(|tx| tx.put_format(&FormatName::parse("own").unwrap(), BARE));
    run(&house, all, |r| r.format("own")).unwrap();
    run(&house, all, |r| r.format_at("own", 1)).unwrap();
    for after in [None, Some("github"), Some("a")] {
        assert!(!run(&house, all, |r| r.formats(Some("o"), after, 20)).rows.is_empty());
    }
    run(&house, all, |r| r.endpoints_of_format(&FormatName::parse("own").unwrap()));
    run(&house, all, |r| r.hours_of_endpoint(endpoints[2], 0, i64::MAX));
    run(&house, all, |r| r.hours_of_tenant(tenant, 0, i64::MAX));
    run(&house, all, |r| r.hours_of_all(0, i64::MAX));
    run(&house, all, |r| r.operators(Some("ada"), None, 20));
    run(&house, all, |r| r.operator(OperatorId(1)));
    run(&house, all, |r| r.link(&[0; 32], START));
    run(&house, all, |r| Ok((r.cleaned_at()?, r.had_keys()?)));
    check(&house, all);
}

#[test]
fn nothing_that_the_writer_does_scans_or_sorts() {
    let (mut house, endpoints) = lived_in();
    trace(house.connection());
    taken();
    // Ingest.
    house.endpoint("acme", &["*"]);
    let first = NewEvent {
        own_id: Some(own_id("order-1")),
        idempotency: Some(key("k", 1)),
        ..house.event("acme", "a.b", "1")
    };
    house.publish(first).unwrap();
    let last = house.number("SELECT max(id) FROM events");
    let batch = NewBatch::new(vec![house.event("acme", "a.b", "1")], Some(key("batch", 2)));
    house.write(move |tx| {
        tx.publish_batch(&batch, |_| Ok(String::new())).unwrap();
        Ok(())
    });
    let new_tenant = house.event("new", "a.b", "1");
    house.publish(new_tenant).unwrap();
    // Pages and outcomes.
    let tired = house.endpoint_with("acme", &["last"], |settings| settings.retry_schedule = Some(Vec::new()));
    house.publish_many("acme", "last", 3);
    for fact in [Fact::Delivered, FAILED, Fact::OurTrouble, GONE] {
        for endpoint in [endpoints[2], tired] {
            let job = house.page(endpoint, 10, 1 << 20).jobs.pop();
            house.settle(job.map(|job| outcome(job.delivery, endpoint, job.round, fact)));
        }
    }
    house.settle([outcome(DeliveryId(1), endpoints[2], 1, FAILED)]);
    house.clock.advance(DAY);
    house.due(endpoints[4]);
    // Changes to many, and the look of a page meanwhile.
    for deliver in [true, false] {
        house.disable(endpoints[4]);
        house.enable(endpoints[4], deliver);
        house.due(endpoints[4]);
        house.finish_bulk();
    }
    house.write(move |tx| tx.release_restored(EndpointId(1), true, 1_000));
    // Replays, of what lies below the watermark and above it.
    replay_all_kinds(&mut house, endpoints[3]);
    house.delete(endpoints[4]);
    house.finish_bulk();
    // Formats and secrets.
    let own = FormatName::parse("own").unwrap();
    let user = endpoints[2];
    house.write(move |tx| {
        for _ in 0..2 {
            let row = tx.put_format(&own, BARE)?;
            tx.use_format(&[user], &row)?;
        }
        let secret = crate::domain::secret::Secret::generate([1; 32]);
        let end = Some(tx.now.plus(HOUR));
        tx.rotate_secret(user, &secret, end)?;
        tx.delete_format(&own)
    });
    house.blank_replayed(EventId(last), endpoints[3]);
    super::operators::everything(&mut house);
    house.write(|tx| tx.touch_key(KeyId(1), START));
    house.write(|tx| tx.key(KeyId(1)).map(|key| key.is_some()));
    house.write(|tx| tx.delete_key(KeyId(1)));
    // Filling and cleaning.
    house.publish_many("filler", "a.b", 1_100);
    house.clock.advance(DAY * 400);
    for dry_run in [true, false] {
        let by = "test".to_owned();
        let request = CleanupRequest { older_than: None, dry_run, by, address: None };
        let mut answer = super::cleanup::cleanup(&house, request);
        let report = loop {
            house.turn();
            match answer.try_take() {
                Ok(result) => break result.unwrap(),
                Err(again) => answer = again,
            }
        };
        assert!(report.deliveries > 100 && report.events > 100, "{report:?}");
    }
    delete_audited(&mut house, "globex");
    let statements: BTreeSet<_> = taken().statements.into_iter().collect();
    for word in [
        "INSERT INTO event_keys",
        "DELETE FROM endpoint_revisions",
        "DELETE FROM formats",
        "DELETE FROM endpoints WHERE",
        "DELETE FROM hourly_totals",
        "deliveries_due",
        "UPDATE replays SET done_to",
        "DELETE FROM replays",
        "DELETE FROM tenants WHERE",
        "DELETE FROM tenant_deletion_endpoints",
        "UPDATE audit SET before = NULL",
        "UPDATE blankings SET done_to",
        "DELETE FROM blankings",
        "DELETE FROM links WHERE (hash) IN",
        "DELETE FROM sessions WHERE (id) IN",
    ] {
        assert!(statements.iter().any(|sql| sql.contains(word)), "{word} did not run");
    }
    check(&house, &statements);
}

/// Deletes a tenant of which the audit log says something.
fn delete_audited(house: &mut House, tenant: &'static str) {
    house.write(move |tx| {
        let name = crate::domain::names::TenantName::parse(tenant).unwrap();
        let tenant_id = tx.tenant(&name)?.map(|row| row.id);
        let (actor, after) = (Actor::system(), Some(serde_json::json!({})));
        let target = tenant.to_owned();
        tx.audit(Audited { actor: &actor, action: "tenant.put", target, tenant_id, before: None, after })
    });
    house.delete_tenant(tenant);
}

fn replay_all_kinds(house: &mut House, endpoint: EndpointId) {
    use crate::domain::replay::Replayed::{Delivered, Failed, Missing};
    for kind in [Failed, Delivered, Missing] {
        let id = house.replay(endpoint, |wanted| wanted.kind = kind);
        house.finish_replay(id);
    }
    let event = EventId(house.number("SELECT max(id) FROM events"));
    house.write(move |tx| {
        let event = tx.stored_event(event)?.unwrap();
        tx.replay_event_to(&event, endpoint)?;
        tx.replay_event_to(&event, endpoint)
    });
    let request = key("replays", 1);
    let acme = house.number("SELECT id FROM tenants WHERE name = 'acme'");
    house.write(move |tx| {
        assert_eq!(tx.answered_before(acme, &request)?, Answered::Never);
        tx.remember_answer(acme, &request, "{}")
    });
    let taken = NewEvent { idempotency: Some(key("replays", 2)), ..house.event("acme", "a.b", "1") };
    assert!(matches!(house.publish(taken), Err(PublishError::KeyReused)));
}

#[test]
fn a_bad_plan_would_be_noticed() {
    let house = House::new();
    let connection = house.other();
    for bad in [
        "SELECT * FROM deliveries WHERE delivered_at > 5",
        "SELECT id FROM deliveries WHERE id > ?1 ORDER BY created_at",
        "SELECT tenant_id, count(*) FROM events WHERE id > ?1 GROUP BY tenant_id",
        "SELECT count(*) FROM events",
        "DELETE FROM attempts WHERE started_at < ?1",
        "SELECT 1 FROM endpoints e JOIN keys k ON k.name = e.uid WHERE e.id = 1",
    ] {
        assert_eq!(faults(&connection, bad).len(), 1, "{bad}");
    }
    let (_, ran) = house.traced(|reader| {
        Ok(reader.connection().query_row(
            "SELECT count(*) FROM deliveries WHERE delivered_at > 5",
            [],
            |row| row.get::<_, i64>(0),
        )?)
    });
    let ran: Vec<_> = ran.statements.iter().flat_map(|sql| faults(&connection, sql)).collect();
    assert_eq!(ran.len(), 1, "what runs is seen");
}
