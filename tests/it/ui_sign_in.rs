//! Signing in as a browser does it: who is slowed down and who is not, what it costs, when a session begins and ends.

use std::time::Duration;

use crate::support::app::TestApp;
use crate::support::client::Response;
use crate::support::console::{ADMIN, Console, PASSWORD, VIEWER, holds, lacks};
use crate::support::stranger::{Stranger, cookie};

const DAY: Duration = Duration::from_hours(24);

/// A server on a manual clock, behind a proxy on this machine that it trusts, with its first operator.
fn behind_proxy() -> TestApp {
    started(TestApp::builder().with("POSTRIDER_TRUSTED_PROXY", "127.0.0.0/8").manual_clock().start())
}

/// The same without a proxy.
fn alone() -> TestApp {
    started(TestApp::with_manual_clock())
}

fn started(app: TestApp) -> TestApp {
    app.service().register_first_operator(ADMIN, PASSWORD).wait().expect("an operator");
    app
}

/// Tries a wrong password, which is looked at.
#[track_caller]
fn fail(from: &Stranger, email: &str) {
    from.sign_in(email, "wrong horse", "/").expect(401);
}

/// How long the right password has to wait from there, in seconds; `None`: not at all.
#[track_caller]
fn wait(from: &Stranger) -> Option<u32> {
    let answer = from.sign_in(ADMIN, PASSWORD, "/");
    if answer.status == 303 {
        return None;
    }
    let answer = answer.expect(429);
    assert!(answer.text().contains("Too many attempts"), "{}", answer.text());
    assert!(cookie(&answer, "-session").is_none());
    Some(answer.header("retry-after").and_then(|seconds| seconds.parse().ok()).expect("a time to wait"))
}

#[test]
fn a_wrong_present_password_is_told_beside_its_field() {
    let app = alone();
    let typed = [("old_password", "wrong horse"), ("new_password", "battery staple")];
    let page = Console::admin(&app).refused("/account/password", &typed, 422);
    holds(&page, &["One thing has to be mended", "id=\"old_password-wrong\">Is not the present password."]);
    lacks(&page, &["wrong horse", "battery staple", "address or the password"]);
}

#[test]
fn behind_a_trusted_proxy_the_forwarded_address_is_slowed_down_and_no_other() {
    let app = behind_proxy();
    let guesser = |made_up: &str| Stranger::forwarded(&app, &format!("{made_up}, 198.51.100.7"));
    for n in 0..5 {
        // What stands further left is what the guesser has sent.
        fail(&guesser(&format!("203.0.113.{n}")), ADMIN);
    }
    assert_eq!(wait(&guesser("203.0.113.77")), Some(1));
    assert_eq!(wait(&Stranger::forwarded(&app, "198.51.100.8")), None);
    app.clock().advance(Duration::from_secs(1));
    fail(&guesser("::1"), ADMIN);
    assert_eq!(wait(&guesser("203.0.113.78")), Some(2), "twice as long after each further one");
    assert_eq!(wait(&Stranger::of(&app)), None, "the proxy itself has done nothing");
}

#[test]
fn without_a_trusted_proxy_nobody_chooses_the_address_that_is_slowed_down() {
    let app = alone();
    for n in 0..5 {
        fail(&Stranger::forwarded(&app, &format!("198.51.100.{n}")), ADMIN);
    }
    assert_eq!(wait(&Stranger::forwarded(&app, "198.51.100.99")), Some(1));
    assert_eq!(wait(&Stranger::of(&app)), Some(1));
}

#[test]
fn an_address_is_slowed_down_whichever_accounts_it_tries() {
    let app = behind_proxy();
    let guesser = Stranger::forwarded(&app, "198.51.100.7");
    for n in 0..20 {
        fail(&guesser, &format!("{n}@example.com"));
    }
    assert_eq!(wait(&guesser), Some(1));
    assert_eq!(wait(&Stranger::forwarded(&app, "198.51.100.8")), None);
}

#[test]
fn an_account_is_slowed_down_wherever_it_is_tried_but_not_where_it_is_signed_in() {
    let app = behind_proxy();
    let at_home = Stranger::forwarded(&app, "192.0.2.1");
    assert_eq!(wait(&at_home), None);
    for n in 0..50 {
        fail(&Stranger::forwarded(&app, &format!("198.51.100.{n}")), ADMIN);
    }
    assert_eq!(wait(&Stranger::forwarded(&app, "203.0.113.1")), Some(1));
    assert_eq!(wait(&at_home), None);
}

#[test]
fn an_account_that_is_not_there_looks_the_same_and_costs_the_same() {
    let app = alone();
    Console::viewer(&app);
    let stranger = Stranger::of(&app);
    let hashed = |email: &str, password: &str, status: u16| {
        let before = app.service().passwords_hashed();
        let answer = stranger.sign_in(email, password, "/").expect(status);
        let page = answer.text().replace(email, "").split("csrf").next().unwrap_or_default().to_owned();
        (app.service().passwords_hashed() - before, page)
    };
    let wrong = hashed(ADMIN, "wrong horse", 401);
    assert_eq!(wrong.0, 1);
    for (email, password) in
        [("nobody@example.com", PASSWORD), (VIEWER, "wrong horse"), ("not an address", PASSWORD)]
    {
        assert_eq!(hashed(email, password, 401), wrong, "{email}");
    }
    for _ in 0..4 {
        fail(&stranger, ADMIN);
    }
    assert_eq!(hashed(ADMIN, PASSWORD, 429).0, 0, "nothing is learned while it is slowed down");
    assert_eq!(hashed(VIEWER, PASSWORD, 303).0, 1);
}

/// The session that an answer begins, as a cookie.
#[track_caller]
fn session(answer: &Response) -> String {
    cookie(answer, "-session").expect("a session").0
}

#[test]
fn a_session_ends_a_week_after_its_last_use_and_after_30_days_in_any_case() {
    let app = alone();
    let stranger = Stranger::of(&app);
    let (idle, used) = (0, 1);
    let sessions = [idle, used].map(|_| session(&stranger.sign_in(ADMIN, PASSWORD, "/").expect(303)));
    let is_in = |which: usize| {
        let answer = stranger.get_with(&sessions[which], "/keys");
        if answer.status == 303 {
            assert_eq!(answer.header("location"), Some("/login?to=%2Fkeys"));
        }
        answer.status == 200
    };
    for _ in 0..4 {
        app.clock().advance(Duration::from_secs(7 * 86_400 - 1));
        assert!(is_in(used));
    }
    assert!(!is_in(idle), "a week without use");
    app.clock().advance(DAY * 2 + Duration::from_secs(3));
    assert!(is_in(used), "30 days less a second");
    app.clock().advance(Duration::from_secs(1));
    assert!(!is_in(used), "30 days");
}

#[test]
fn signing_in_begins_a_session_of_its_own_whatever_the_browser_has() {
    let app = alone();
    let stranger = Stranger::of(&app);
    let planted = format!("postrider-session={}", "A".repeat(43));
    let first = stranger.sign_in_with(&planted, ADMIN, PASSWORD, "/").expect(303);
    assert_eq!(stranger.get_with(&planted, "/account").status, 303, "what was planted is worth nothing");
    let again = stranger.sign_in_with(&session(&first), ADMIN, PASSWORD, "/").expect(303);
    let all = [planted.clone(), session(&first), session(&again)];
    assert!(all[0] != all[1] && all[1] != all[2], "{all:?}");
    assert!(cookie(&again, "-form").is_none(), "another tab may have a page to sign in");
    // A form from before is not one of the session.
    let before = stranger.get_with("", "/login");
    let admin = Console::admin(&app);
    let token = crate::support::console::value(before.text(), "csrf");
    admin.post_with(&token, "/theme", &[("theme", "dark")]).expect(403);
}
