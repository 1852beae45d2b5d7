//! Operators and their sessions: in memory as in the file, also after a kill.

use crate::domain::ids::{OperatorId, SessionId};
use crate::domain::operator::{Email, Role};
use crate::domain::password::PasswordHash;
use crate::store::links::{Link, Purpose};
use crate::store::operators::NewOperator;
use crate::store::sessions::{ABSOLUTE, MOST, NewSession};

use super::house::*;

/// An operator who can sign in.
pub(super) fn operator(house: &mut House, email: &str, role: Role) -> OperatorId {
    let new =
        NewOperator { email: Email::parse(email).unwrap(), password: Some(PasswordHash::nobody()), role };
    house.write(move |tx| tx.insert_operator(&new)).unwrap()
}

/// A session whose text has this hash.
pub(super) fn session(house: &mut House, operator: OperatorId, hash: u8) -> SessionId {
    let new = NewSession { hash: [hash; 32], operator, address: None, user_agent: None };
    house.write(move |tx| tx.insert_session(&new))
}

/// Everything that is written about operators, for the test of the plans.
pub(super) fn everything(house: &mut House) {
    let id = operator(house, "ada@example.com", Role::Admin);
    session(house, id, 1);
    let ada = Email::parse("ada@example.com").unwrap();
    house.write(move |tx| {
        assert!(tx.operator_by_email(&ada)?.is_some());
        let link = Link { purpose: Purpose::Reset, operator: Some(id), expires_at: tx.now.plus(HOUR) };
        tx.insert_link([1; 32], &link, "test")?;
        assert_eq!(tx.use_link(&[1; 32])?, Some(link));
        tx.set_password(id, &PasswordHash::nobody())?;
        tx.set_time_zone(id, None)?;
        tx.end_session(SessionId(1), id)?;
        tx.end_sessions_of(id, Some(SessionId(1)))?;
        assert!(!tx.has_admin_besides(id)?);
        tx.update_operator(id, Role::Viewer, false)
    });
    session(house, id, 2);
    let session = SessionId(house.number("SELECT max(id) FROM sessions"));
    house.write(move |tx| {
        tx.update_operator(id, Role::Viewer, true)?;
        tx.touch_session(session, id, START, START)
    });
}

fn is_live(house: &House, hash: u8) -> bool {
    house.store.sessions().find(&[hash; 32], house.store.times().wall()).is_some()
}

#[test]
fn a_kill_ends_no_session_and_brings_none_back() {
    let mut house = House::new();
    assert!(!house.store.sessions().has_admin());
    let ada = operator(&mut house, "ada@example.com", Role::Admin);
    let (first, _) = (session(&mut house, ada, 1), session(&mut house, ada, 2));
    assert!(house.write(move |tx| tx.end_session(first, ada)));
    assert_eq!((is_live(&house, 1), is_live(&house, 2)), (false, true));
    let house = house.crash();
    assert_eq!((is_live(&house, 1), is_live(&house, 2)), (false, true));
    assert!(house.store.sessions().has_admin());
}

#[test]
fn nobody_else_ends_a_session() {
    let mut house = House::new();
    let (ada, bob) = (
        operator(&mut house, "a@example.com", Role::Admin),
        operator(&mut house, "b@example.com", Role::Admin),
    );
    let of_ada = session(&mut house, ada, 1);
    assert!(!house.write(move |tx| tx.end_session(of_ada, bob)));
    assert_eq!(house.write(move |tx| tx.end_sessions_of(bob, None)), 0);
    assert!(is_live(&house, 1));
}

#[test]
fn a_use_moves_the_idle_end_and_never_the_absolute_one() {
    let mut house = House::new();
    let ada = operator(&mut house, "ada@example.com", Role::Admin);
    session(&mut house, ada, 1);
    for _ in 0..4 {
        house.clock.advance(HOUR * 160);
        let now = house.store.times().wall();
        let found = house.store.sessions().find(&[1; 32], now).expect("a session");
        assert!(house.store.sessions().touch(&[1; 32], now), "worth writing down");
        assert!(!house.store.sessions().touch(&[1; 32], now), "once a minute");
        let (id, created) = (found.id, found.created_at);
        house.write(move |tx| tx.touch_session(id, ada, created, now));
        house = house.restart();
    }
    let found = house.store.sessions().find(&[1; 32], house.store.times().wall()).expect("a session");
    assert_eq!(found.ends_at(), START.plus(ABSOLUTE));
    house.clock.advance(HOUR * 80);
    assert!(!is_live(&house, 1));
    assert!(house.store.sessions().of(ada, house.store.times().wall()).is_empty());
}

#[test]
fn an_operator_has_so_many_sessions_and_the_idlest_makes_room() {
    let mut house = House::new();
    let ada = operator(&mut house, "ada@example.com", Role::Admin);
    for hash in 0..=MOST {
        session(&mut house, ada, u8::try_from(hash).unwrap());
        house.clock.advance(HOUR);
    }
    assert_eq!(house.store.sessions().of(ada, house.store.times().wall()).len(), MOST);
    assert_eq!((is_live(&house, 0), is_live(&house, 1)), (false, true));
}

#[test]
fn whoever_is_deactivated_has_no_session_and_does_not_administrate() {
    let mut house = House::new();
    let ada = operator(&mut house, "ada@example.com", Role::Admin);
    session(&mut house, ada, 1);
    house.write(move |tx| tx.update_operator(ada, Role::Admin, false));
    assert_eq!((is_live(&house, 1), house.store.sessions().has_admin()), (false, false));
}
