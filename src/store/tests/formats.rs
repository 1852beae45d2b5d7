//! Formats by revision: who uses them, what is kept of them, and for how long.

use std::sync::Arc;

use crate::domain::ids::EndpointId;
use crate::domain::names::FormatName;
use crate::domain::outcome::Fact;
use crate::domain::secret::Secret;
use crate::store::revisions::Revision;
use crate::store::{StoreError, Tx};

use super::cleanup::clean;
use super::house::*;
use super::make::*;

const BARE: &str = r#"{"signature":{"scheme":"none"},"envelope":"data"}"#;
const IDS: &str = r#"{"signature":{"scheme":"none"},"headers":{"id":"x-id"},"envelope":"data"}"#;
const SIGNED: &str = r#"{"signature":{"scheme":"hmac-sha1-hex","header":"x-s"},"envelope":"data"}"#;

fn own() -> FormatName {
    FormatName::parse("own").unwrap()
}

/// An endpoint of a tenant that uses the format.
fn user(tx: &mut Tx<'_>, tenant: i64) -> Result<EndpointId, StoreError> {
    let id = tx.insert_endpoint(tenant, &endpoint_settings(&["*"]), true)?;
    tx.put_revision(id, &Revision { format: "own".to_owned(), ..revision() })?;
    tx.put_secret(id, Some(&Secret::stored("whatever it is")), None)?;
    tx.reload_route(id)?;
    Ok(id)
}

fn change(tx: &mut Tx<'_>, definition: &str) -> Result<(), StoreError> {
    let row = tx.put_format(&own(), definition)?;
    let users = tx.endpoints_of_format(&own())?;
    tx.use_format(&users, &row)
}

#[test]
fn a_change_reaches_thousands_of_endpoints_with_its_commit_and_all_share_one_format() {
    let mut house = House::new();
    house.write(|tx| change(tx, BARE));
    let ids = house.write(|tx| (0..3000).map(|_| user(tx, 1)).collect::<Result<Vec<_>, _>>());
    for (definition, revision, signers) in [(IDS, 2, 0), (SIGNED, 3, 1), (BARE, 4, 0)] {
        house.write(move |tx| change(tx, definition));
        let routes = house.store.directory().all();
        assert_eq!(routes.len(), 3000);
        let first = Arc::clone(&routes[0].format);
        for route in routes {
            assert!(Arc::ptr_eq(&route.format, &first) && route.format_revision == revision);
            assert_eq!(route.signers.len(), signers);
        }
        let tenant = crate::domain::names::TenantName::default_name();
        let list = house.store.directory().tenant(&tenant).unwrap();
        assert!(list.routes.iter().map(|route| route.id).eq(ids.iter().copied()), "in order, none twice");
        assert!(list.routes.iter().all(|route| route.format_revision == revision));
    }
    let mut house = house.restart();
    let first = house.store.directory().route(ids[0]).unwrap();
    let last = house.store.directory().route(ids[2999]).unwrap();
    assert!(Arc::ptr_eq(&first.format, &last.format), "also after a start");
    house.delete(ids[0]);
    assert_eq!(house.read(|reader| reader.endpoints_of_format(&own())).len(), 2999);
}

#[test]
fn a_change_that_is_undone_leaves_the_format_in_force() {
    let mut house = House::new();
    house.write(|tx| change(tx, BARE));
    let id = house.write(|tx| user(tx, 1));
    let undone: Result<(), StoreError> = house.try_write(|tx| {
        change(tx, IDS)?;
        Err(StoreError::Internal("no".to_owned()))
    });
    assert!(undone.is_err());
    house.write(move |tx| tx.reload_route(id));
    let route = house.store.directory().route(id).unwrap();
    assert_eq!((route.format_revision, route.format.own_headers().len()), (1, 0));
}

#[test]
fn revisions_are_kept_as_long_as_an_attempt_refers_to_them() {
    let mut house = House::new();
    house.write(|tx| change(tx, BARE));
    let id = house.write(|tx| user(tx, 1));
    let event = house.event("default", "a", "1");
    house.publish(event).unwrap();
    let job = house.page(id, 10, 1 << 20).jobs.remove(0);
    house.settle([outcome(job.delivery, id, job.round, Fact::Delivered)]);
    house.write(|tx| change(tx, IDS));
    house.write(|tx| change(tx, SIGNED));
    clean(&mut house, None);
    let kept =
        |house: &House| house.number("SELECT CAST(group_concat(revision, '') AS INTEGER) FROM formats");
    assert_eq!(kept(&house), 123);
    house.clock.advance(DAY * 31);
    clean(&mut house, None);
    assert_eq!(kept(&house), 3);
    house.write(move |tx| {
        tx.delete_endpoint(id, &crate::store::audit::Actor::system())?;
        tx.delete_format(&own())
    });
    assert!(house.read(|reader| reader.format("own")).is_none());
    assert!(house.read(|reader| reader.format_at("own", 3)).is_some());
    house.write(|tx| change(tx, BARE));
    assert_eq!(house.read(|reader| reader.format("own")).unwrap().revision, 4);
}
