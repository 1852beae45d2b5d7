//! Sessions of the console: what a new one ends, what an ended one does not lose, and what failures show.

use std::time::Duration;

use postrider::domain::operator::Email;
use postrider::service::operators::Visitor;

use crate::support::app::TestApp;
use crate::support::client::{Client, Response};
use crate::support::console::{ADMIN, Console, PASSWORD, holds, lacks, value};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// A browser that keeps its cookies.
struct Browser {
    client: Client,
    cookies: Vec<(String, String)>,
}

impl Browser {
    fn at(app: &TestApp) -> Self {
        Self { client: Client::tcp(app.address()).with_header("Accept", "text/html"), cookies: Vec::new() }
    }

    fn signed_in(app: &TestApp) -> Self {
        let mut browser = Self::at(app);
        browser.sign_in(&[]).expect(303);
        browser
    }

    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Response {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let headers: Vec<_> = headers.iter().copied().chain([("Cookie", cookies.as_str())]).collect();
        let answer = self.client.request(method, path, &headers, body.map(str::as_bytes));
        for (_, line) in answer.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
            let (name, value) =
                line.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    fn get(&mut self, path: &str) -> Response {
        self.send("GET", path, &[], None)
    }

    /// As a browser posts a form of a page of ours.
    fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send("POST", path, &[FORM, ("Sec-Fetch-Site", "same-origin")], Some(&body))
    }

    /// The token of a page to sign in that was there before somebody signed in, in another tab.
    fn login_token(&mut self) -> String {
        let (sessions, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.cookies).into_iter().partition(|(name, _)| name.ends_with("-session"));
        self.cookies = others;
        let token = value(self.get("/login").expect(200).text(), "csrf");
        self.cookies.extend(sessions);
        token
    }

    /// Signs in by hand; what is given beside the password goes along.
    fn sign_in(&mut self, more: &[(&str, &str)]) -> Response {
        let csrf = self.login_token();
        let own = [("csrf", csrf.as_str()), ("email", ADMIN), ("password", PASSWORD)];
        self.post("/login", &[&own, more].concat())
    }

    fn session(&self) -> Option<String> {
        let found = self.cookies.iter().find(|(name, _)| name.ends_with("-session"));
        found.map(|(_, value)| value.replace("%2D", "-").replace("%5F", "_"))
    }
}

fn with_operator() -> TestApp {
    let app = TestApp::start();
    app.service().register_first_operator(ADMIN, PASSWORD).wait().expect("an operator");
    app
}

#[test]
fn a_failure_has_the_navigation_for_whoever_is_signed_in_and_for_nobody_else() {
    let app = with_operator();
    let (admin, viewer) = (Console::admin(&app), Console::viewer(&app));
    let missing = admin.get("/deliveries/dlv_0000000000000").expect(404);
    holds(
        missing.text(),
        &[
            "aria-label=\"Pages\"",
            "Sign out",
            "<a class=\"button\" href=\"/deliveries\">Go on to Deliveries",
            ADMIN,
        ],
    );
    lacks(missing.text(), &["this key"]);
    let forbidden = viewer.get("/endpoints/new").expect(403);
    holds(
        forbidden.text(),
        &["aria-label=\"Pages\"", "(viewer)", "<h1>You may not do this", "Go on to Endpoints"],
    );
    // Whoever is signed in has no need of the page to sign in.
    for (path, to) in [("/login", "/"), ("/login?to=%2Fkeys", "/keys"), ("/login?to=%2F%2Fevil.example", "/")]
    {
        assert_eq!(admin.get(path).expect(303).header("location"), Some(to));
    }
    let expired = admin.post_with("old", "/keys", &[]).expect(403);
    holds(expired.text(), &["aria-label=\"Pages\"", "older than your session"]);
    // The forms of the navigation work there.
    assert_eq!(value(missing.text(), "csrf"), admin.csrf());
    let stranger = Client::tcp(app.address()).with_header("Accept", "text/html");
    for session in ["postrider-session=none", "x=y"] {
        let page = stranger.request("GET", "/nowhere", &[("Cookie", session)], None).expect(404);
        lacks(page.text(), &["aria-label=\"Pages\"", "Sign out"]);
    }
}

#[test]
fn a_new_sign_in_ends_the_session_that_the_browser_had() {
    let app = with_operator();
    let mut browser = Browser::signed_in(&app);
    let first = browser.session().expect("a session");
    let elsewhere = Console::admin(&app);
    browser.sign_in(&[]).expect(303);
    assert!(app.service().session(&first).is_none(), "the first session has ended");
    assert!(browser.session().is_some_and(|text| app.service().session(&text).is_some()));
    elsewhere.page("/account");
    let audit = app.list("/audit");
    assert_eq!(
        audit.iter().map(|row| row["action"].as_str().unwrap_or_default()).take(2).collect::<Vec<_>>(),
        ["operator.sign_in", "operator.sign_out"]
    );
    // A wrong password ends nothing.
    let csrf = browser.login_token();
    browser.post("/login", &[("csrf", &csrf), ("email", ADMIN), ("password", "wrong")]).expect(401);
    browser.get("/account").expect(200);
}

#[test]
fn a_form_whose_session_has_ended_is_there_again_after_the_sign_in() {
    let app = with_operator();
    let mut browser = Browser::signed_in(&app);
    let csrf = value(browser.get("/keys").expect(200).text(), "csrf");
    let text = browser.session().expect("a session");
    let session = app.service().session(&text).expect("a session");
    app.service().sign_out(&session, &Visitor::default()).wait().expect("its end");
    let fields = [
        ("csrf", csrf.as_str()),
        ("name", "the <shop>"),
        ("scopes", "events:write"),
        ("scopes", "events:read"),
    ];
    let page = browser.post("/keys", &fields).expect(401);
    holds(page.text(), &["Your session has ended", "name=\"kept\"", "name=\"password\""]);
    lacks(page.text(), &["the shop", "the+", "events:read", "events%3Aread"]);
    assert!(
        app.list("/keys").iter().all(|key| key["name"] != "the <shop>"),
        "nothing is done without a session"
    );

    let (csrf, kept) = (value(page.text(), "csrf"), value(page.text(), "kept"));
    let own =
        [("csrf", csrf.as_str()), ("kept", &kept), ("to", "/keys"), ("email", ADMIN), ("password", "wrong")];
    let wrong = browser.post("/login", &own).expect(401);
    assert_eq!(value(wrong.text(), "kept"), kept, "a wrong password loses nothing");
    let own =
        [("csrf", csrf.as_str()), ("kept", &kept), ("to", "/keys"), ("email", ADMIN), ("password", PASSWORD)];
    let to = browser.post("/login", &own).expect(303).header("location").expect("a page").to_owned();
    for _ in 0..2 {
        let page = browser.get(&to).expect(200);
        holds(
            page.text(),
            &["action=\"/keys\"", "value=\"the &#60;shop&#62;\"", "value=\"events:read\"", "Send it"],
        );
    }
    let csrf = value(browser.get(&to).expect(200).text(), "csrf");
    let again = [[("csrf", csrf.as_str())].as_slice(), &fields[1..]].concat();
    browser.post("/keys", &again).expect(303);
    assert!(app.list("/keys").iter().any(|key| key["name"] == "the <shop>"));
}

#[test]
fn a_form_of_an_earlier_session_is_shown_to_be_sent_again() {
    let app = with_operator();
    let mut browser = Browser::signed_in(&app);
    let old = value(browser.get("/alerts").expect(200).text(), "csrf");
    // In another tab somebody signs out and in again.
    browser.post("/logout", &[("csrf", &old)]).expect(303);
    browser.sign_in(&[]).expect(303);
    let fields = [
        ("csrf", old.as_str()),
        ("host", "mail.example.com"),
        ("password", "hush"),
        ("has_password", "true"),
        ("port", ""),
    ];
    let page = browser.post("/alerts/mail-server", &fields).expect(403);
    holds(
        page.text(),
        &[
            "older than your session",
            "action=\"/alerts/mail-server\"",
            "value=\"mail.example.com\"",
            "Passwords and secrets are not kept",
            "<input type=\"password\" id=\"typed-2\" name=\"password\"",
        ],
    );
    lacks(page.text(), &["hush", &format!("value=\"{old}\"")]);
    let now = value(page.text(), "csrf");
    assert_ne!(now, old);
    browser.post("/alerts/mail-server", &[&[("csrf", now.as_str())], &fields[1..]].concat()).expect(422);
    // Without the browser's word for it, and with nothing that would be lost, it is refused as before.
    let body = format!("csrf={old}&name=x");
    let refused = browser.send("POST", "/keys", &[FORM], Some(&body)).expect(403);
    lacks(refused.text(), &["Send it"]);
    // An address that is shown nowhere else is not shown here either.
    let fields = [("csrf", old.as_str()), ("name", "on call"), ("url", "https://chat.example/hush")];
    let page = browser.post("/alerts", &fields).expect(403);
    holds(page.text(), &["value=\"on call\"", "<input type=\"password\" id=\"typed-2\" name=\"url\""]);
    lacks(page.text(), &["hush"]);
}

#[test]
fn what_was_typed_waits_for_a_day_and_no_longer() {
    let app = TestApp::with_manual_clock();
    app.service().register_first_operator(ADMIN, PASSWORD).wait().expect("an operator");
    let mut browser = Browser::at(&app);
    let page = browser.post("/keys", &[("name", "shop"), ("scopes", "events:write")]).expect(401);
    let kept = value(page.text(), "kept");
    for (hours, to) in [(23, "/shown/"), (2, "/keys")] {
        app.advance(Duration::from_hours(hours));
        let answer = browser.sign_in(&[("to", "/keys"), ("kept", &kept)]).expect(303);
        let led = answer.header("location").expect("a page");
        assert!(led.starts_with(to), "after {hours} hours more: {led}");
        browser.cookies.clear();
    }
}

#[test]
fn a_form_of_who_has_signed_out_elsewhere_is_carried_over_two_tabs_to_sign_in() {
    let app = with_operator();
    let mut browser = Browser::signed_in(&app);
    let csrf = value(browser.get("/keys").expect(200).text(), "csrf");
    browser.post("/logout", &[("csrf", &csrf)]).expect(303);
    assert!(browser.session().is_none(), "the browser has thrown it away");
    let fields = [("csrf", csrf.as_str()), ("name", "shop"), ("scopes", "events:write")];
    let page = browser.post("/keys", &fields).expect(401).text().to_owned();
    // Another tab signs in meanwhile; this one does so, too.
    browser.sign_in(&[]).expect(303);
    let (csrf, kept) = (value(&page, "csrf"), value(&page, "kept"));
    let own = |csrf: &str, password: &'static str| {
        [("csrf", csrf), ("kept", &kept), ("to", "/keys"), ("email", ADMIN), ("password", password)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let post = |browser: &mut Browser, fields: &[(String, String)]| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.post("/login", &fields)
    };
    let to = post(&mut browser, &own(&csrf, PASSWORD)).expect(303);
    holds(browser.get(to.header("location").expect("a page")).expect(200).text(), &["value=\"shop\""]);
    // A browser that was closed meanwhile has forgotten the cookie of that page: nothing is lost either.
    browser.cookies.clear();
    let again = post(&mut browser, &own(&csrf, PASSWORD)).expect(403);
    holds(again.text(), &["This page was too old", &format!("value=\"{ADMIN}\"")]);
    lacks(again.text(), &[PASSWORD]);
    assert_eq!(value(again.text(), "kept"), kept);
    let to = post(&mut browser, &own(&value(again.text(), "csrf"), PASSWORD)).expect(303);
    holds(browser.get(to.header("location").expect("a page")).expect(200).text(), &["value=\"shop\""]);
    // What was not sealed here is nothing.
    let mut made_up = own(&value(&page, "csrf"), PASSWORD);
    browser.cookies.clear();
    made_up[0].1 = value(browser.get("/login").expect(200).text(), "csrf");
    made_up[1].1 = "bmFtZT1ldmls".to_owned();
    assert_eq!(post(&mut browser, &made_up).expect(303).header("location"), Some("/keys"));
}

#[test]
fn nothing_is_carried_on_that_did_not_come_from_a_page_of_ours() {
    let app = with_operator();
    let mut browser = Browser::at(&app);
    browser.cookies.push(("postrider-session".to_owned(), "ended".to_owned()));
    let body = Some("name=evil&scopes=admin");
    for headers in
        [&[FORM][..], &[FORM, ("Sec-Fetch-Site", "cross-site")], &[FORM, ("Origin", "https://evil.example")]]
    {
        let answer = browser.send("POST", "/keys", headers, body).expect(303);
        assert_eq!(answer.header("location"), Some("/login"), "{headers:?}");
    }
    // A link cannot bring it either.
    let page = browser.get("/login?to=%2Fkeys&kept=name%3Devil&email=eve%40example.com").expect(200);
    lacks(page.text(), &["evil", "eve@"]);
    // What a form of passwords alone held goes nowhere, and a form with nothing typed needs no second page.
    let page = browser.post("/account/password", &[("csrf", "x"), ("old_password", "hush")]).expect(303);
    assert_eq!(page.header("location"), Some("/login?to=%2Faccount"));
    let long = "x".repeat(40_000);
    let page = browser.post("/keys", &[("name", &long)]).expect(401);
    holds(page.text(), &["too long to be kept"]);
}

#[test]
fn who_loads_the_page_of_a_new_key_again_makes_no_other() {
    let app = with_operator();
    let console = Console::admin(&app);
    let before = app.list("/keys").len();
    let (to, page) = console.done("/keys", &[("name", "shop"), ("scopes", "events:write")]);
    holds(&page, &["The key shop is made", "it is shown this once", "id=\"secret\">pr_"]);
    let other = Console::admin(&app);
    for again in [console.get(&to), other.get(&to)] {
        holds(again.expect(404).text(), &["shown only once", "href=\"/keys#make\">Make another key"]);
    }
    assert!(console.get("/shown/none").expect(404).text().contains("shown once already"));
    assert_eq!(app.list("/keys").len(), before + 1);
}

#[test]
fn a_secret_is_not_shown_to_another_session() {
    let app = with_operator();
    let console = Console::admin(&app);
    let other = Console::admin(&app);
    let answer = console.post("/keys", &[("name", "shop"), ("scopes", "events:write")]).expect(303);
    let to = answer.header("location").expect("a page");
    lacks(other.get(to).expect(404).text(), &["pr_"]);
    holds(&console.page(to), &["id=\"secret\">pr_"]);
}

#[test]
fn the_first_sign_in_takes_the_time_zone_of_the_browser_and_the_account_page_changes_it() {
    let app = with_operator();
    let mut browser = Browser::at(&app);
    holds(browser.get("/login").expect(200).text(), &["name=\"time_zone\"", "data-time-zone"]);
    let zone = |browser: &mut Browser| value(browser.get("/account").expect(200).text(), "time_zone");
    browser.sign_in(&[("time_zone", "Mars/Olympus")]).expect(303);
    assert_eq!(zone(&mut browser), "", "one that is not known is left out");
    browser.sign_in(&[("time_zone", "Europe/Berlin")]).expect(303);
    assert_eq!(zone(&mut browser), "Europe/Berlin");
    browser.sign_in(&[("time_zone", "Asia/Tokyo")]).expect(303);
    assert_eq!(zone(&mut browser), "Europe/Berlin", "who travels keeps it");
    let csrf = value(browser.get("/account").expect(200).text(), "csrf");
    browser.post("/account/time-zone", &[("csrf", &csrf), ("time_zone", "America/Lima")]).expect(303);
    assert_eq!(zone(&mut browser), "America/Lima");
}

#[test]
fn an_address_is_taken_with_blanks_around_it() {
    let app = with_operator();
    let mut browser = Browser::at(&app);
    let csrf = value(browser.get("/login").expect(200).text(), "csrf");
    let email = format!("  {} ", ADMIN.to_uppercase());
    browser.post("/login", &[("csrf", &csrf), ("email", &email), ("password", PASSWORD)]).expect(303);
}

#[test]
fn cookies_of_other_programs_sign_nobody_out() {
    let app = with_operator();
    let mut browser = Browser::signed_in(&app);
    browser.cookies.insert(0, ("caf\u{e9}".to_owned(), "\u{202e}%ff\"".to_owned()));
    browser.cookies.insert(0, (String::new(), String::new()));
    browser.get("/account").expect(200);
}

#[test]
fn a_console_for_https_that_is_opened_without_says_which_address_to_open() {
    let app = TestApp::builder().with("POSTRIDER_PUBLIC_URL", "https://hooks.example.com").start();
    app.service().register_first_operator(ADMIN, PASSWORD).wait().expect("an operator");
    let client = Client::tcp(app.address()).with_header("Accept", "text/html");
    let csrf = value(client.get("/login").expect(200).text(), "csrf");
    let body = format!("csrf={csrf}&email={ADMIN}&password=x");
    let headers = [FORM, ("Origin", "http://hooks.example.com"), ("Host", "hooks.example.com")];
    // The browser has thrown the cookie of the form away, for it is only for https.
    let answer = client.request("POST", "/login", &headers, Some(body.as_bytes())).expect(403);
    holds(answer.text(), &["opened over http", "https://hooks.example.com"]);
    let headers = [FORM, ("Origin", "https://hooks.example.com")];
    let answer = client.request("POST", "/login", &headers, Some(body.as_bytes())).expect(403);
    lacks(answer.text(), &["opened over http"]);
}

#[test]
fn who_joins_by_a_link_leaves_the_session_that_the_browser_had() {
    let app = with_operator();
    let mut browser = Browser::signed_in(&app);
    let first = browser.session().expect("a session");
    let scope = postrider::service::Caller::local(0).admin().expect("everything");
    let email = Email::parse("bob@example.com").expect("an address");
    let invited = app.service().invite(&scope, email, postrider::domain::operator::Role::Viewer).wait();
    let path = format!("/join/{}", invited.expect("a link").link.token.expose());
    let csrf = value(browser.get(&path).expect(200).text(), "csrf");
    browser.post(&path, &[("csrf", &csrf), ("password", PASSWORD)]).expect(303);
    assert!(app.service().session(&first).is_none());
    holds(browser.get("/account").expect(200).text(), &["bob@example.com"]);
}
