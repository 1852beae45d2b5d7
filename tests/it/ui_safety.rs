//! What keeps the console safe: headers, cookies, sessions, return addresses, forms.

use crate::support::app::TestApp;
use crate::support::client::{Client, Response};
use crate::support::console::{self, ADMIN, Console, PASSWORD};

fn browser(app: &TestApp) -> Client {
    Client::tcp(app.address()).with_header("Accept", "text/html")
}

/// The first cookie whose name ends so, as `name=value`, and its whole line.
fn cookie(answer: &Response, name: &str) -> Option<(String, String)> {
    let lines = answer.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let named = |line: &&String| line.split('=').next().is_some_and(|found| found.ends_with(name));
    let line = lines.map(|(_, line)| line).find(named)?;
    Some((line.split(';').next()?.to_owned(), line.clone()))
}

/// Signs in as a browser does: the page first, then its form.
fn sign_in(app: &TestApp, email: &str, password: &str, to: &str) -> Response {
    let client = browser(app);
    let page = client.get("/login").expect(200);
    let (form, _) = cookie(&page, "-form").expect("a cookie for the form");
    let csrf = console::value(page.text(), "csrf");
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("csrf", csrf.as_str()), ("email", email), ("password", password), ("to", to)])
        .finish();
    let headers = [("Cookie", form.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
    client.request("POST", "/login", &headers, Some(body.as_bytes()))
}

fn with_operator() -> TestApp {
    let app = TestApp::start();
    app.service().register_first_operator(ADMIN, PASSWORD).wait().expect("an operator");
    app
}

#[test]
fn every_page_says_what_may_run_and_that_nobody_keeps_it() {
    let app = with_operator();
    let pages =
        [browser(&app).get("/login"), Console::admin(&app).get("/keys"), browser(&app).get("/nowhere")];
    for page in pages {
        let policy = page.header("content-security-policy").expect("a policy");
        for part in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("referrer-policy"), Some("same-origin"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert!(!page.text().contains(" style=") && !page.text().contains(" onclick="), "{}", page.text());
    }
}

#[test]
fn a_session_is_a_cookie_that_scripts_and_other_sites_do_not_see() {
    let app = with_operator();
    let answer = sign_in(&app, ADMIN, PASSWORD, "/keys").expect(303);
    assert_eq!(answer.header("location"), Some("/keys"));
    let (_, line) = cookie(&answer, "-session").expect("a session");
    assert!(line.contains("; HttpOnly; SameSite=Lax; Path=/") && !line.contains("Domain"), "{line}");
    let again = sign_in(&app, ADMIN, PASSWORD, "/keys").expect(303);
    assert_ne!(
        cookie(&again, "-session"),
        cookie(&answer, "-session"),
        "each sign-in has a session of its own"
    );
}

#[test]
fn behind_https_cookies_are_of_this_host_alone_and_for_https() {
    let app = TestApp::builder().with("POSTRIDER_PUBLIC_URL", "https://hooks.example.com").start();
    app.service().register_first_operator(ADMIN, PASSWORD).wait().expect("an operator");
    let answer = sign_in(&app, ADMIN, PASSWORD, "/").expect(303);
    let (name, line) = cookie(&answer, "-session").expect("a session");
    assert!(name.starts_with("__Host-postrider-session=") && line.contains("; Secure; Path=/"), "{line}");
}

#[test]
fn who_signs_in_stays_within_the_site() {
    let app = with_operator();
    for to in ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", ""] {
        assert_eq!(sign_in(&app, ADMIN, PASSWORD, to).expect(303).header("location"), Some("/"), "{to}");
    }
}

#[test]
fn a_wrong_password_and_an_unknown_address_look_the_same_and_are_slowed_down() {
    let app = with_operator();
    let answer = |email: &str| {
        let answer = sign_in(&app, email, "wrong password", "/").expect(401);
        assert!(cookie(&answer, "-session").is_none());
        answer.text().replace(email, "").split("csrf").next().unwrap_or_default().to_owned()
    };
    assert_eq!(answer(ADMIN), answer("nobody@example.com"));
    let slowed =
        (0..20).map(|_| sign_in(&app, ADMIN, "wrong password", "/")).find(|answer| answer.status == 429);
    let slowed = slowed.expect("a time to wait");
    assert!(slowed.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok_and(|n| n > 0)));
    assert!(slowed.text().contains("Too many attempts"), "{}", slowed.text());
    let right = sign_in(&app, ADMIN, PASSWORD, "/");
    assert_eq!(right.status, 429, "the right password is not tried either");
}

#[test]
fn who_signs_out_is_out_and_who_comes_without_a_session_comes_back_after_it() {
    let app = with_operator();
    let admin = Console::admin(&app);
    let out = admin.post("/logout", &[]).expect(303);
    assert!(cookie(&out, "-session").expect("its removal").1.contains("Max-Age=0"));
    let answer = admin.get("/events?type=a.%2A").expect(303);
    assert_eq!(answer.header("location"), Some("/login?to=%2Fevents%3Ftype%3Da.%252A"));
}

#[test]
fn a_form_needs_its_media_type_and_its_size_has_a_limit() {
    let app = with_operator();
    let admin = Console::admin(&app);
    let long = "x".repeat(5 * 1024 * 1024);
    admin.post("/keys", &[("name", &long)]).expect(413);
    let many = "a&".repeat(2_000);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    for body in [long.as_bytes(), many.as_bytes()] {
        app.client.request("POST", "/login", &form, Some(body)).expect(413);
    }
    let json = app.client.request("POST", "/theme", &[("Content-Type", "application/json")], Some(b"{}"));
    assert_eq!(json.status, 303, "a stranger is sent to sign in before anything is read");
}

#[test]
fn who_loads_the_answer_to_a_form_again_comes_to_its_page() {
    let app = with_operator();
    let admin = Console::admin(&app);
    for (path, page) in
        [("/account/password", "/account"), ("/keys/key_1/revoke", "/keys/key_1"), ("/theme", "/")]
    {
        assert_eq!(admin.get(path).expect(303).header("location"), Some(page), "{path}");
    }
    app.client.get("/account/password").expect(405);
    let client = browser(&app).with_header("Cookie", "postrider-theme=dark");
    assert!(client.get("/nowhere").expect(404).text().contains("data-theme=\"dark\""));
}

#[test]
fn what_is_not_there_is_a_page_for_browsers_and_a_problem_for_programs() {
    let app = with_operator();
    let page = browser(&app).get("/nowhere").expect(404);
    assert!(page.text().contains("<h1>There is no such path</h1>"), "{}", page.text());
    let problem = app.client.get("/nowhere").expect(404);
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    let api = browser(&app).get("/api/v1/nowhere").expect(404);
    assert_eq!(api.header("content-type"), Some("application/problem+json"));
}
