//! What keeps the console safe: headers, cookies, sessions, return addresses, forms.

use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::console::{self, ADMIN, Console, PASSWORD, guarded};
use crate::support::stranger::{Stranger, cookie};

fn browser(app: &TestApp) -> Client {
    Client::tcp(app.address()).with_header("Accept", "text/html")
}

fn with_operator() -> TestApp {
    let app = TestApp::start();
    app.service().register_first_operator(ADMIN, PASSWORD).wait().expect("an operator");
    app
}

#[test]
fn every_page_says_what_may_run_and_that_nobody_keeps_it() {
    let app = with_operator();
    let (outside, admin) = (browser(&app), Console::admin(&app));
    for page in [
        outside.get("/login"),
        outside.get("/join/none"),
        outside.get("/setup"),
        outside.get("/nowhere"),
        outside.get("/keys"),
        admin.get("/keys"),
        admin.get("/endpoints/ep_0000000000000"),
        admin.post("/keys", &[("name", "")]),
        admin.post_with("another", "/keys", &[]),
        admin.post("/logout", &[]),
    ] {
        guarded(&page);
    }
}

#[test]
fn a_session_is_a_cookie_that_scripts_and_other_sites_do_not_see() {
    let app = with_operator();
    let answer = Stranger::of(&app).sign_in(ADMIN, PASSWORD, "/keys").expect(303);
    assert_eq!(answer.header("location"), Some("/keys"));
    let (_, line) = cookie(&answer, "-session").expect("a session");
    assert!(line.contains("; HttpOnly; SameSite=Lax; Path=/") && !line.contains("Domain"), "{line}");
}

#[test]
fn behind_https_every_cookie_is_of_this_host_alone_and_for_https() {
    let app = TestApp::builder().with("POSTRIDER_PUBLIC_URL", "https://hooks.example.com").start();
    app.service().register_first_operator(ADMIN, PASSWORD).wait().expect("an operator");
    let stranger = Stranger::of(&app);
    let signed_in = stranger.sign_in(ADMIN, PASSWORD, "/").expect(303);
    let (session, _) = cookie(&signed_in, "-session").expect("a session");
    let client = browser(&app);
    let csrf =
        console::value(client.request("GET", "/account", &[("Cookie", &session)], None).text(), "csrf");
    let post = |path: &str, field: &str| {
        let headers = [("Cookie", &*session), ("Content-Type", "application/x-www-form-urlencoded")];
        client.request("POST", path, &headers, Some(format!("csrf={csrf}&{field}").as_bytes())).expect(303)
    };
    for (kind, answer) in [
        ("-form", client.get("/login")),
        ("-session", signed_in.clone()),
        ("-theme", post("/theme", "theme=dark")),
        ("-notice", post("/account/time-zone", "time_zone=Europe/Berlin")),
    ] {
        let (_, line) = cookie(&answer, kind).expect(kind);
        assert!(line.starts_with(&format!("__Host-postrider{kind}=")), "{line}");
        assert!(
            line.contains("; HttpOnly; SameSite=Lax; Secure; Path=/") && !line.contains("Domain"),
            "{line}"
        );
    }
    // What another page on the host could have set is not taken for it.
    let bare = session.trim_start_matches("__Host-");
    assert_ne!(session, bare);
    client.request("GET", "/account", &[("Cookie", bare)], None).expect(303);
}

#[test]
fn who_signs_in_stays_within_the_site() {
    let app = with_operator();
    let stranger = Stranger::of(&app);
    for to in ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", ""] {
        assert_eq!(stranger.sign_in(ADMIN, PASSWORD, to).expect(303).header("location"), Some("/"), "{to}");
    }
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
