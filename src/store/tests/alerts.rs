//! Alerts in the file: what they have told, what is sealed, and that nothing about them reads a whole table.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::alert::mail::Security;
use crate::domain::alert::told::{Key, Progress, Told};
use crate::domain::alert::{Kind, Topic};
use crate::domain::ids::AlertId;
use crate::domain::names::EventType;
use crate::domain::outcome::Fact;
use crate::store::alerts::{AlertFields, AlertNoted};
use crate::store::mail_server::MailServerRow;

use super::house::*;
use super::make::*;
use super::plans::check;
use super::trace::{taken, trace};

const FAILS: Key = Key { topic: Topic::EndpointFailing, subject: 7 };

fn fields(tenant_id: Option<i64>) -> AlertFields {
    AlertFields {
        name: "On call".to_owned(),
        kind: Kind::Slack,
        tenant_id,
        topics: vec![Topic::Disk, Topic::EndpointFailing],
        endpoint: None,
        url: Some("https://chat.test/T0KEN".to_owned()),
        email: None,
        enabled: true,
    }
}

fn noted(house: &House, id: AlertId, told: Option<Told>, result: Option<Result<(), String>>) -> AlertNoted {
    let row = house.read(|reader| reader.alert(id)).unwrap();
    let progress = Progress { collecting_since: Some(START), failures: 2, next_try_at: None };
    AlertNoted { progress, told: BTreeMap::from([(FAILS, told)]), result, at: START, seen: row.updated_at }
}

fn note(house: &mut House, id: AlertId, noted: AlertNoted) {
    house.write(move |tx| tx.note_alert(id, &noted));
}

#[test]
fn what_was_told_and_what_came_of_it_is_there_after_a_kill() {
    let mut house = House::new();
    let id = house.write(|tx| tx.insert_alert(&fields(None)));
    let told = Told { at: START, ended: false };
    let failed = noted(&house, id, Some(told), Some(Err("refused".to_owned())));
    note(&mut house, id, failed.clone());
    let mut house = house.crash();
    assert_eq!(house.read(|reader| reader.told(id)), BTreeMap::from([(FAILS, told)]));
    let row = house.read(|reader| reader.alert(id)).unwrap();
    assert_eq!((row.progress, row.last_error.as_deref()), (failed.progress, Some("refused")));
    let sent = noted(&house, id, None, Some(Ok(())));
    note(&mut house, id, sent);
    let row = house.read(|reader| reader.alert(id)).unwrap();
    assert_eq!((row.last_sent_at, row.last_error), (Some(START), None));
    assert!(house.read(|reader| reader.told(id)).is_empty());
}

#[test]
fn an_alert_that_was_changed_meanwhile_is_not_noted() {
    let mut house = House::new();
    let id = house.write(|tx| tx.insert_alert(&fields(None)));
    let late = noted(&house, id, Some(Told { at: START, ended: false }), Some(Ok(())));
    house.clock.advance(HOUR);
    house.write(move |tx| tx.update_alert(id, &fields(None), true));
    note(&mut house, id, late);
    assert!(house.read(|reader| reader.told(id)).is_empty());
    house.write(move |tx| tx.delete_alert(id));
    let gone = AlertNoted { told: BTreeMap::from([(FAILS, None)]), ..AlertNoted::default() };
    note(&mut house, id, gone);
}

#[test]
fn a_url_opens_for_its_own_alert_alone() {
    let mut house = House::new();
    let (one, two) = house.write(|tx| Ok((tx.insert_alert(&fields(None))?, tx.insert_alert(&fields(None))?)));
    let read = |house: &House, id| {
        house.read(|reader| {
            Ok(reader.alert_url(&reader.alert(id)?.unwrap()).map_err(|error| error.to_string()))
        })
    };
    assert_eq!(read(&house, one), Ok(Some("https://chat.test/T0KEN".to_owned())));
    let sql = "UPDATE alerts SET url = (SELECT url FROM alerts WHERE id = ?1) WHERE id = ?2";
    house.connection().execute(sql, [one.0, two.0]).unwrap();
    assert!(read(&house, two).unwrap_err().contains("does not fit the key"));
}

#[test]
fn nothing_about_alerts_scans_or_sorts() {
    let mut house = House::new();
    let endpoint = house.endpoint("acme", &["*"]);
    house.publish_many("acme", "a.b", 3);
    let job = house.page(endpoint, 10, 1 << 20).jobs.remove(0);
    house.settle([outcome(job.delivery, endpoint, job.round, Fact::Delivered)]);
    let acme = house.number("SELECT id FROM tenants WHERE name = 'acme'");
    taken();
    trace(house.connection());
    let id = house.write(move |tx| tx.insert_alert(&fields(Some(acme))));
    let first = noted(&house, id, Some(Told { at: START, ended: false }), Some(Ok(())));
    note(&mut house, id, first);
    let second = noted(&house, id, None, None);
    note(&mut house, id, second);
    house.write(move |tx| tx.update_alert(id, &fields(Some(acme)), true));
    house.write(move |tx| tx.delete_alert(id));
    house.write(move |tx| {
        tx.publish_to(endpoint, EventType::parse("postrider.alert").unwrap(), "1".into()).unwrap();
        let from = "a@example.com".to_owned();
        let (host, user, has_password) = ("localhost".to_owned(), None, false);
        let server = MailServerRow { host, port: 25, security: Security::None, user, has_password, from };
        tx.put_mail_server(&server, Some(Some("secret")))?;
        tx.delete_mail_server()
    });
    house.delete_tenant("acme");
    let mut statements: BTreeSet<_> = taken().statements.into_iter().collect();
    let now = house.store.times().wall();
    let ((), ran) = house.traced(|reader| {
        reader.alerts(None, 10)?;
        reader.told(id)?;
        reader.ended_endpoints()?;
        reader.mail_server()?;
        reader.mail_password()?;
        reader.depth()?;
        reader.totals_of_tenants(now).map(drop)
    });
    statements.extend(ran.statements);
    for word in ["DELETE FROM alerts WHERE tenant_id", "INSERT INTO alerts_told", "DELETE FROM alerts_told"] {
        assert!(statements.iter().any(|sql| sql.contains(word)), "{word} did not run");
    }
    check(&house, &statements);
}
