//! Signing in: the first operator, sessions and their end, wrong passwords, links. Below HTTP, in a whole server.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version, password_hash::phc};
use postrider::domain::operator::{Email, Role, ZoneName};
use postrider::domain::scope::Scope;
use postrider::service::operators::{LinkMade, SignInError, SignedIn, Visitor};
use postrider::service::{AdminScope, Caller, Code, Service};
use postrider::store::links::Purpose;
use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::server::Start;

const ADA: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
const DAY: Duration = Duration::from_hours(24);

fn admin() -> AdminScope {
    Caller::local(0).admin().expect("everything")
}

fn from(address: &str) -> Visitor {
    Visitor::new(address.parse::<IpAddr>().ok(), Some("Firefox"))
}

fn here() -> Visitor {
    from("192.0.2.1")
}

/// A server with a manual clock and its first operator.
fn app() -> TestApp {
    let app = TestApp::with_manual_clock();
    let made = app.service().register_first_operator(ADA, PASSWORD).wait().expect("an operator");
    assert!(made.is_some());
    app
}

fn sign_in(service: &Service) -> SignedIn {
    service.sign_in(ADA, PASSWORD, &here()).expect("a session")
}

fn invite(service: &Service, email: &str, role: Role) -> (String, LinkMade) {
    let invited = service.invite(&admin(), Email::parse(email).expect("an address"), role).wait();
    let invited = invited.expect("an operator");
    (invited.operator.id.to_string(), invited.link)
}

fn is_live(service: &Service, signed_in: &SignedIn) -> bool {
    service.session(signed_in.token.expose()).is_some()
}

#[test]
fn two_set_ups_at_once_give_one_operator() {
    let app = TestApp::start();
    assert!(app.service().needs_setup());
    let link = Arc::new(app.service().make_setup_link().wait().expect("a link"));
    let set_up = |email: &'static str| {
        let (service, link) = (Arc::clone(app.service()), Arc::clone(&link));
        std::thread::spawn(move || service.set_up(link.token.expose(), email, PASSWORD, &here()))
    };
    let both = [set_up(ADA), set_up("bob@example.com")].map(|thread| thread.join().expect("an answer"));
    let (good, late): (Vec<_>, Vec<_>) = both.into_iter().partition(Result::is_ok);
    let (good, late) = (good.into_iter().flatten().next(), late.into_iter().find_map(Result::err));
    let good = good.expect("one of them");
    assert_eq!(late.expect("the other").code, Code::NotFound);
    assert_eq!(good.session.role, Role::Admin);
    assert!(is_live(app.service(), &good), "signed in at once");
    assert!(!app.service().needs_setup());
    let all = app.get("/operators");
    assert_eq!(all["data"].as_array().map(Vec::len), Some(1), "{all}");
    let again = app.service().set_up(link.token.expose(), "eve@example.com", PASSWORD, &here());
    assert_eq!(again.expect_err("used").code, Code::NotFound);
}

#[test]
fn a_link_for_the_first_operator_works_for_30_minutes_and_ends_the_one_before() {
    let app = TestApp::with_manual_clock();
    let make = || app.service().make_setup_link().wait().expect("a link");
    let open = |link: &LinkMade| app.service().open_link(link.token.expose());
    let (first, second) = (make(), make());
    assert_eq!(open(&first).expect_err("ended").code, Code::NotFound);
    assert_eq!(open(&second).map(|view| view.operator), Ok(None));
    app.clock().advance(Duration::from_mins(30));
    assert_eq!(open(&second).expect_err("too old").code, Code::NotFound);
    let late = app.service().set_up(second.token.expose(), ADA, PASSWORD, &here());
    assert_eq!(late.expect_err("too old").code, Code::NotFound);
    let third = make();
    let wrong = app.service().set_up(third.token.expose(), "ada", "short", &here()).expect_err("wrong");
    assert_eq!(wrong.fields.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(), ["email", "password"]);
    assert!(app.service().set_up(third.token.expose(), ADA, PASSWORD, &here()).is_ok());
}

#[test]
fn an_account_that_is_not_there_costs_as_much_as_a_wrong_password() {
    let app = app();
    let service = app.service();
    invite(service, "pending@example.com", Role::Viewer);
    let (gone, link) = invite(service, "gone@example.com", Role::Viewer);
    service.accept_invitation(link.token.expose(), PASSWORD, &here()).expect("a session");
    service.change_operator(&admin(), &gone, None, Some(false)).wait().expect("deactivated");
    for (n, (email, password)) in [
        (ADA, "wrong horse"),
        ("nobody@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("", ""),
        ("pending@example.com", PASSWORD),
        ("gone@example.com", PASSWORD),
    ]
    .into_iter()
    .enumerate()
    {
        let before = service.passwords_hashed();
        let refused = service.sign_in(email, password, &from(&format!("192.0.2.{n}")));
        assert_eq!(refused.expect_err("refused"), SignInError::Wrong, "{email}");
        assert_eq!(service.passwords_hashed() - before, 1, "{email}");
    }
    let before = service.passwords_hashed();
    service.sign_in("ADA@Example.com", PASSWORD, &here()).expect("in either case");
    assert_eq!(service.passwords_hashed() - before, 1);
}

#[test]
fn after_five_wrong_passwords_the_right_one_has_to_wait_as_well() {
    let app = app();
    let service = app.service();
    for _ in 0..5 {
        assert_eq!(service.sign_in(ADA, "wrong horse", &here()).err(), Some(SignInError::Wrong));
    }
    let before = service.passwords_hashed();
    let stopped = service.sign_in(ADA, PASSWORD, &here());
    assert_eq!(stopped.err(), Some(SignInError::TooOften { seconds: 1 }));
    assert_eq!(service.passwords_hashed(), before, "it is not looked at");
    service.sign_in(ADA, PASSWORD, &from("198.51.100.7")).expect("from elsewhere");
    app.clock().advance(Duration::from_secs(1));
    sign_in(service);
    assert_eq!(service.sign_in(ADA, "wrong horse", &here()).err(), Some(SignInError::Wrong));
    sign_in(service);
    let told = app.get("/audit?action=operator.sign_in_refused")["data"].clone();
    assert_eq!(told.as_array().map(Vec::len), Some(1), "once a minute for each address: {told}");
    assert_eq!((&told[0]["actor"], &told[0]["address"]), (&json!("anonymous"), &json!("192.0.2.1")));
    let entered = app.get("/audit?action=operator.sign_in")["data"].clone();
    assert_eq!(entered[0]["actor"], "operator:ada@example.com");
    assert_eq!(entered.as_array().map(Vec::len), Some(3));
}

#[test]
fn a_session_ends_a_week_after_its_last_use_and_after_30_days_in_any_case() {
    let app = app();
    let service = app.service();
    let (idle, used) = (sign_in(service), sign_in(service));
    assert_ne!(idle.session.id, used.session.id, "each sign-in has a session of its own");
    for _ in 0..4 {
        app.clock().advance(Duration::from_secs(7 * 86_400 - 1));
        assert!(is_live(service, &used));
    }
    assert!(!is_live(service, &idle));
    assert_eq!(service.sessions(&used.session).len(), 1);
    app.clock().advance(DAY * 2 + Duration::from_secs(3));
    assert!(is_live(service, &used));
    app.clock().advance(Duration::from_secs(1));
    assert!(!is_live(service, &used), "after 30 days");
    app.post("/cleanups", &json!({})).expect(200);
    let file = rusqlite::Connection::open(app.data().join("postrider.db")).expect("the file");
    let left: i64 = file.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0)).expect("a number");
    assert_eq!(left, 0, "a cleanup removes them from the file");
}

#[test]
fn a_role_counts_at_once_and_who_is_deactivated_is_out_at_once() {
    let app = app();
    let service = app.service();
    let (id, link) = invite(service, "bob@example.com", Role::Viewer);
    let bob = service.accept_invitation(link.token.expose(), PASSWORD, &here()).expect("a session");
    let caller = || service.session(bob.token.expose()).map(|session| Caller::operator(&session, None));
    let viewer = caller().expect("a session");
    assert!(viewer.view().is_ok() && viewer.tenant_scope(Scope::EventsRead).is_ok());
    for scope in Scope::ALL {
        let reads = scope.as_str().ends_with(":read");
        assert_eq!(viewer.tenant_scope(*scope).is_ok(), reads, "{scope}");
    }
    let refused = viewer.admin().expect_err("a viewer");
    assert_eq!((refused.code, refused.detail.contains("viewer")), (Code::InsufficientScope, true));
    service.change_operator(&admin(), &id, Some(Role::Admin), None).wait().expect("an admin");
    assert!(caller().expect("a session").admin().is_ok());
    service.change_operator(&admin(), &id, None, Some(false)).wait().expect("deactivated");
    assert!(caller().is_none());
    assert_eq!(
        service.sign_in("bob@example.com", PASSWORD, &here()).err(),
        Some(SignInError::Wrong),
        "the password is of no use"
    );
}

#[test]
fn sessions_are_listed_and_ended_by_whose_they_are() {
    let app = app();
    let service = app.service();
    let (first, second, third) = (sign_in(service), sign_in(service), sign_in(service));
    let listed = service.sessions(&first.session);
    assert_eq!(
        listed.iter().map(|s| s.id).collect::<Vec<_>>(),
        [&third, &second, &first].map(|s| s.session.id)
    );
    assert_eq!(
        (listed[0].address.as_deref(), listed[0].user_agent.as_deref()),
        (Some("192.0.2.1"), Some("Firefox"))
    );
    service.end_session(&first.session, &second.session.id.to_string(), &here()).wait().expect("ended");
    let again = service.end_session(&first.session, &second.session.id.to_string(), &here()).wait();
    assert_eq!(again.expect_err("ended").code, Code::NotFound);
    service.sign_out(&third.session, &here()).wait().expect("signed out");
    let live = [&first, &second, &third].map(|signed_in| is_live(service, signed_in));
    assert_eq!(live, [true, false, false]);
    let (_, link) = invite(service, "bob@example.com", Role::Admin);
    let bob = service.accept_invitation(link.token.expose(), PASSWORD, &here()).expect("a session");
    let foreign = service.end_session(&bob.session, &first.session.id.to_string(), &here()).wait();
    assert_eq!(foreign.expect_err("another's").code, Code::NotFound);
    assert!(is_live(service, &first));
}

#[test]
fn a_new_password_needs_the_old_one_and_ends_the_other_sessions() {
    let app = app();
    let service = app.service();
    let (mine, other) = (sign_in(service), sign_in(service));
    let change = |old, new| service.change_password(&mine.session, old, new, &here());
    assert_eq!(change("wrong horse", "battery staple"), Err(SignInError::Wrong));
    match change(PASSWORD, "short") {
        Err(SignInError::Failed(error)) => assert_eq!(error.fields[0].field, "new_password"),
        other => panic!("{other:?}"),
    }
    assert!(is_live(service, &other));
    change(PASSWORD, "battery staple").expect("changed");
    assert_eq!((is_live(service, &mine), is_live(service, &other)), (true, false));
    let told = app.get("/audit?action=operator.sign_in_refused")["data"].clone();
    assert_eq!(told[0]["actor"], "operator:ada@example.com", "who it was is known: {told}");
    assert_eq!(service.sign_in(ADA, PASSWORD, &here()).err(), Some(SignInError::Wrong));
    service.sign_in(ADA, "battery staple", &here()).expect("the new one");
}

#[test]
fn a_link_works_once_for_72_hours_and_ends_nothing_until_it_is_used() {
    let app = app();
    let service = app.service();
    let mine = sign_in(service);
    let id = mine.session.operator.to_string();
    let make = || service.make_operator_link(&admin(), &id).wait().expect("a link");
    let (first, reset) = (make(), make());
    assert_eq!(service.open_link(first.token.expose()).expect_err("ended").code, Code::NotFound);
    let view = service.open_link(reset.token.expose()).expect("a link");
    assert_eq!(
        (view.purpose, view.operator.map(|(email, _)| email.to_string())),
        (Purpose::Reset, Some(ADA.to_owned()))
    );
    assert!(is_live(service, &mine));
    let fresh =
        service.accept_invitation(reset.token.expose(), "battery staple", &here()).expect("a session");
    assert_eq!((is_live(service, &mine), is_live(service, &fresh)), (false, true));
    let again = service.accept_invitation(reset.token.expose(), "battery staple", &here());
    assert_eq!(again.expect_err("used").code, Code::NotFound);
    let late = make();
    app.clock().advance(Duration::from_hours(72));
    let before = service.passwords_hashed();
    let late = service.accept_invitation(late.token.expose(), PASSWORD, &here());
    assert_eq!(late.expect_err("too old").code, Code::NotFound);
    let unknown = service.accept_invitation("x", PASSWORD, &here());
    assert_eq!(unknown.expect_err("never was").code, Code::NotFound);
    assert_eq!(service.passwords_hashed(), before, "strangers make no work");
}

#[test]
fn who_sets_a_new_password_with_a_link_need_not_wait_for_the_wrong_ones() {
    let app = app();
    let service = app.service();
    for _ in 0..12 {
        let refused = service.sign_in(ADA, "wrong horse", &here());
        assert!(matches!(refused, Err(SignInError::Wrong | SignInError::TooOften { .. })));
        app.clock().advance(Duration::from_mins(2));
    }
    assert!(matches!(service.sign_in(ADA, PASSWORD, &here()), Err(SignInError::TooOften { .. })));
    let link = service.make_operator_link(&admin(), ADA).wait().expect("a link");
    service.accept_invitation(link.token.expose(), "battery staple", &here()).expect("a session");
    service.sign_in(ADA, "battery staple", &here()).expect("at once");
}

#[test]
fn a_time_zone_is_kept_with_the_operator() {
    let app = app();
    let service = app.service();
    let mine = sign_in(service);
    let zone = || service.session(mine.token.expose()).expect("a session").time_zone;
    service.set_time_zone(&mine.session, Some("europe/berlin"), &here()).wait().expect("set");
    assert_eq!(zone().as_ref().map(ZoneName::as_str), Some("Europe/Berlin"));
    let wrong = service.set_time_zone(&mine.session, Some("Mars"), &here()).wait().expect_err("wrong");
    assert_eq!(wrong.fields[0].field, "time_zone");
    service.set_time_zone(&mine.session, None, &here()).wait().expect("reset");
    assert_eq!(zone(), None);
}

#[test]
fn a_restart_keeps_sessions_and_an_outdated_hash_is_renewed_at_the_next_sign_in() {
    let mut app = app();
    let mine = sign_in(app.service());
    app.stop();
    let weak =
        Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).expect("parameters"));
    let weak: phc::PasswordHash =
        weak.hash_password_with_salt(PASSWORD.as_bytes(), b"sixteen bytes!!!").expect("a hash");
    let kept = |app: &TestApp| {
        let file = rusqlite::Connection::open(app.data().join("postrider.db")).expect("the file");
        file.query_row("SELECT password_hash FROM operators", [], |row| row.get::<_, String>(0))
            .expect("a hash")
    };
    let file = rusqlite::Connection::open(app.data().join("postrider.db")).expect("the file");
    file.execute("UPDATE operators SET password_hash = ?1", [weak.to_string()]).expect("a change");
    drop(file);
    app.restart();
    assert!(is_live(app.service(), &mine));
    assert!(!app.service().needs_setup());
    // The randomness of tests begins anew with the server: the next session has the same text.
    app.service().sign_out(&mine.session, &here()).wait().expect("signed out");
    sign_in(app.service());
    assert!(kept(&app).starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept(&app));
    sign_in(app.service());
}

#[test]
fn nothing_secret_is_in_the_file_or_in_the_audit_log() {
    let app = app();
    let service = app.service();
    let mine = sign_in(service);
    let (_, link) = invite(service, "bob@example.com", Role::Viewer);
    service.sign_in("my secret password", "typed in the wrong field", &here()).expect_err("wrong");
    service.change_password(&mine.session, PASSWORD, "battery staple", &here()).expect("changed");
    let mut found: String = app.get("/audit?limit=250").to_string();
    for name in ["postrider.db", "postrider.db-wal"] {
        let bytes = std::fs::read(app.data().join(name)).unwrap_or_default();
        found.push_str(&String::from_utf8_lossy(&bytes));
    }
    assert!(found.contains("operator.change_password") && found.contains("$argon2id$"));
    let secrets =
        [mine.token.expose(), link.token.expose(), PASSWORD, "battery staple", "my secret password"];
    for secret in secrets {
        assert!(!found.contains(secret), "{secret} is shown");
    }
}

#[test]
fn a_server_without_operators_prints_the_link_and_logs_it_nowhere() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let start = Start::on(&dir.path().join("data"));
    let server = start.start();
    let printed = server.process.line("open this link within 30 minutes to make the first operator: ");
    let link = printed.expect("a link");
    let page = format!("http://{}/setup/", server.address);
    let secret = link.strip_prefix(&page).unwrap_or_else(|| panic!("{link} is below {page}")).to_owned();
    assert_eq!(secret.len(), 43);
    let ended = server.stop();
    assert!(ended.err.contains("stopping") && !ended.err.contains(&secret), "{}", ended.err);
    let with = start.with("POSTRIDER_ADMIN_EMAIL", ADA).with("POSTRIDER_ADMIN_PASSWORD", PASSWORD);
    let server = with.start();
    let all: Value = server.get("/operators");
    assert_eq!(text(&all["data"][0], "email"), ADA);
    assert_eq!(text(&all["data"][0], "role"), "admin");
    let ended = server.stop();
    assert!(!ended.out.contains("/setup/"), "{}", ended.out);
    assert!(!ended.err.contains(PASSWORD));
}
