//! Who may look at what, and change it: every page and every form of the console is walked as a stranger, as a viewer, as
//! an admin, and with the token of another session. A route without a row fails.

use std::collections::BTreeMap;

use serde_json::json;

use crate::support::app::{TestApp, text};
use crate::support::client::{Client, Response};
use crate::support::console::{Console, guarded};
use crate::support::receiver::{Receiver, Reply};
use crate::support::routes;

/// For whom a route is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Pages before there is a session.
    Anybody,
    /// Every operator looks at it.
    Operators,
    /// Every operator changes something of their own.
    Oneself,
    /// An admin looks at it: a form to change something.
    AdminsPage,
    /// An admin changes something.
    Admins,
    /// Whoever has made what is shown there, once.
    Once,
}

use For::{Admins, AdminsPage, Anybody, Once, Oneself, Operators};

/// Every route of the console.
pub const TABLE: &[(&str, &str, For)] = &[
    ("GET", "/", Operators),
    ("GET", "/account", Operators),
    ("POST", "/account/password", Oneself),
    ("POST", "/account/sessions/{id}/end", Oneself),
    ("POST", "/account/time-zone", Oneself),
    ("GET", "/alerts", Operators),
    ("POST", "/alerts", Admins),
    ("POST", "/alerts/mail-server", Admins),
    ("POST", "/alerts/mail-server/delete", Admins),
    ("GET", "/alerts/{id}", Operators),
    ("POST", "/alerts/{id}", Admins),
    ("POST", "/alerts/{id}/delete", Admins),
    ("POST", "/alerts/{id}/test", Admins),
    ("GET", "/endpoints", Operators),
    ("GET", "/endpoints/new", AdminsPage),
    ("POST", "/endpoints/new", Admins),
    ("GET", "/endpoints/{id:ep_[0-9a-z]+}", Operators),
    ("GET", "/endpoints/{id}/delete", AdminsPage),
    ("POST", "/endpoints/{id}/delete", Admins),
    ("GET", "/endpoints/{id}/deliveries", Operators),
    ("GET", "/endpoints/{id}/disable", AdminsPage),
    ("POST", "/endpoints/{id}/disable", Admins),
    ("GET", "/endpoints/{id}/enable", AdminsPage),
    ("POST", "/endpoints/{id}/enable", Admins),
    ("GET", "/endpoints/{id}/replay", Operators),
    ("POST", "/endpoints/{id}/replay", Admins),
    ("POST", "/endpoints/{id}/replay/{replay}/cancel", Admins),
    ("GET", "/endpoints/{id}/rotate-secret", AdminsPage),
    ("POST", "/endpoints/{id}/rotate-secret", Admins),
    ("GET", "/endpoints/{id}/settings", Operators),
    ("POST", "/endpoints/{id}/settings", Admins),
    ("GET", "/endpoints/{id}/test", Operators),
    ("POST", "/endpoints/{id}/test", Admins),
    ("GET", "/endpoints/{id}/verify", Operators),
    ("GET", "/event-types", Operators),
    ("POST", "/event-types", Admins),
    ("GET", "/event-types/new", AdminsPage),
    ("GET", "/event-types/{name:.+}", Operators),
    ("GET", "/formats", Operators),
    // Without a word of what is wanted it saves; a look at the request is for every operator.
    ("POST", "/formats", Admins),
    ("GET", "/formats/new", AdminsPage),
    ("GET", "/formats/{name}", Operators),
    ("GET", "/audit", Operators),
    ("GET", "/deliveries", Operators),
    ("GET", "/deliveries/{id}", Operators),
    ("POST", "/deliveries/{id}/cancel", Admins),
    ("GET", "/deliveries/{id}/curl", Operators),
    ("POST", "/deliveries/{id}/retry", Admins),
    ("GET", "/events", Operators),
    ("GET", "/events/new", AdminsPage),
    ("POST", "/events/new", Admins),
    ("GET", "/events/{id}", Operators),
    ("GET", "/events/{id}/data", Operators),
    ("GET", "/events/{id}/delete-data", AdminsPage),
    ("POST", "/events/{id}/delete-data", Admins),
    ("POST", "/events/{id}/replay", Admins),
    ("GET", "/join/{token}", Anybody),
    ("POST", "/join/{token}", Anybody),
    ("GET", "/keys", Operators),
    ("POST", "/keys", Admins),
    ("POST", "/keys/{id}/revoke", Admins),
    ("GET", "/login", Anybody),
    ("POST", "/login", Anybody),
    ("POST", "/logout", Oneself),
    ("GET", "/operators", Operators),
    ("POST", "/operators", Admins),
    ("POST", "/operators/{id}", Admins),
    ("POST", "/operators/{id}/link", Admins),
    // What becomes of what a restore holds back.
    ("POST", "/release", Admins),
    ("GET", "/settings", Operators),
    ("POST", "/settings", Admins),
    ("POST", "/settings/backup", Admins),
    ("POST", "/settings/backup/{id}/cancel", Admins),
    ("POST", "/settings/cleanup", Admins),
    ("GET", "/setup", Anybody),
    ("GET", "/setup/{token}", Anybody),
    ("POST", "/setup/{token}", Anybody),
    ("GET", "/shown/{id}", Once),
    ("GET", "/tenant-deletions", Operators),
    ("GET", "/tenants", Operators),
    ("POST", "/tenants", Admins),
    ("GET", "/tenants/{tenant}", Operators),
    ("POST", "/tenants/{tenant}", Admins),
    ("POST", "/tenants/{tenant}/delete", Admins),
    ("POST", "/theme", Oneself),
];

#[test]
fn every_route_of_the_console_has_a_row_and_every_row_a_route() {
    let told: Vec<_> = TABLE.iter().map(|(method, path, _)| (*method, (*path).to_owned())).collect();
    let mut sorted = told.clone();
    sorted.sort();
    let there = routes::console();
    let missing: Vec<_> = there.iter().filter(|route| !told.contains(route)).collect();
    let gone: Vec<_> = told.iter().filter(|route| !there.contains(route)).collect();
    assert!(missing.is_empty() && gone.is_empty(), "without a row: {missing:?}; without a route: {gone:?}");
}

/// A server with something of each kind.
struct World {
    app: TestApp,
    _receiver: Receiver,
    ids: BTreeMap<&'static str, String>,
}

impl World {
    fn new() -> Self {
        let app = TestApp::start();
        let receiver = Receiver::start();
        receiver.always(Reply::status(500));
        let endpoint = app.endpoint_at(&receiver, "/hook");
        let event = app.publish("invoice.paid", &json!({ "n": 1 }));
        app.settle();
        app.client
            .send_json("PUT", "/api/v1/event-types/invoice.paid", &json!({ "example": { "n": 1 } }))
            .expect(201);
        app.client
            .send_json(
                "PUT",
                "/api/v1/formats/own",
                &json!({ "signature": { "scheme": "none" }, "envelope": "data" }),
            )
            .expect(201);
        let wanted = json!({ "since": "2026-01-01T00:00:00Z" });
        let replay =
            text(&app.post(&format!("/endpoints/{endpoint}/replay"), &wanted).expect(202).json(), "id");
        let invited = json!({ "email": "eve@example.com", "role": "viewer" });
        let operator = text(&app.post("/operators", &invited).expect(201).json(), "id");
        let key = text(
            &app.post("/keys", &json!({ "name": "k", "scopes": ["events:write"] })).expect(201).json(),
            "id",
        );
        let alert = json!({ "kind": "webhook", "endpoint": endpoint });
        let alert = text(&app.post("/alerts", &alert).expect(201).json(), "id");
        let ids = BTreeMap::from([
            ("alerts", alert),
            ("endpoints", endpoint),
            ("deliveries", text(&app.delivery_of(&event), "id")),
            ("events", text(&event, "id")),
            ("event-types", "invoice.paid".to_owned()),
            ("formats", "own".to_owned()),
            ("replays", replay),
            ("operators", operator),
            ("keys", key),
            ("tenants", "default".to_owned()),
        ]);
        Self { app, _receiver: receiver, ids }
    }

    /// The path with something that is there in the place of its parameter.
    fn path(&self, route: &str) -> String {
        let kind = route.split('/').nth(1).unwrap_or_default();
        let id = self.ids.get(kind).map_or("none", String::as_str);
        let parts = route.split('/').map(|part| if part.starts_with('{') { id } else { part });
        parts.collect::<Vec<_>>().join("/")
    }
}

fn leads_to_sign_in(answer: &Response) -> bool {
    answer.status == 303
        && answer.header("location").is_some_and(|to| to.starts_with("/login") || to == "/setup")
}

#[test]
fn a_stranger_gets_nothing_but_the_way_in() {
    let world = World::new();
    Console::admin(&world.app);
    let client = Client::tcp(world.app.address()).with_header("Accept", "text/html");
    for (method, route, whose) in TABLE.iter().filter(|(_, _, whose)| *whose != Anybody) {
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        let answer =
            client.request(method, &world.path(route), &form, (*method == "POST").then_some(b"csrf="));
        assert!(
            leads_to_sign_in(&answer),
            "{method} {route} ({whose:?}): {} {}",
            answer.status,
            answer.text()
        );
        assert_eq!(answer.text(), "", "{method} {route}");
    }
}

#[test]
fn a_viewer_sees_every_page_and_changes_nothing() {
    let world = World::new();
    let viewer = Console::viewer(&world.app);
    let before = world.app.get("/audit");
    for (method, route, whose) in TABLE.iter().filter(|(_, _, whose)| *whose != Oneself) {
        let path = world.path(route);
        match whose {
            Operators => {
                viewer.get(&path).expect(200);
            }
            AdminsPage => {
                viewer.get(&path).expect(403);
            }
            Admins => {
                viewer.post(&path, &[]).expect(403);
            }
            Once => {
                viewer.get(&path).expect(404);
            }
            Anybody | Oneself => assert!(matches!(*method, "GET" | "POST")),
        }
    }
    let after = world.app.get("/audit");
    assert_eq!(before["data"][0], after["data"][0], "a viewer has changed something");
}

#[test]
fn an_admin_sees_every_page_and_no_form_is_taken_with_the_token_of_another_session() {
    let world = World::new();
    let (admin, other) = (Console::admin(&world.app), Console::admin(&world.app));
    let before = world.app.get("/audit");
    for (method, route, whose) in TABLE {
        let path = world.path(route);
        match (*method, whose) {
            ("GET", Operators | AdminsPage) => {
                admin.get(&path).expect(200);
            }
            ("GET", Once) => {
                admin.get(&path).expect(404);
            }
            ("POST", Admins | Oneself) => {
                for token in [other.csrf(), "", "x"] {
                    let answer = admin.post_with(token, &path, &[]).expect(403);
                    assert!(answer.text().contains("older than your session"), "{path}: {}", answer.text());
                }
            }
            ("POST", Anybody) => {
                admin.post_with(other.csrf(), &path, &[]).expect(403);
            }
            _ => assert_eq!((*method, *whose), ("GET", Anybody)),
        }
    }
    assert_eq!(before["data"][0], world.app.get("/audit")["data"][0], "a foreign form has changed something");
}

#[test]
fn a_form_from_another_site_is_refused_whatever_its_token() {
    let world = World::new();
    let admin = Console::admin(&world.app);
    for (_, route, _) in TABLE.iter().filter(|(method, _, _)| *method == "POST") {
        for header in
            [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site"), ("Origin", "null")]
        {
            admin.post_from(header, &world.path(route), &[]).expect(403);
        }
    }
}

#[test]
fn every_answer_says_what_may_run_in_it_and_that_nobody_keeps_it() {
    let world = World::new();
    let (admin, viewer) = (Console::admin(&world.app), Console::viewer(&world.app));
    for (method, route, _) in TABLE {
        let path = world.path(route);
        if *method == "GET" {
            guarded(&admin.get(&path));
            guarded(&viewer.get(&path));
        } else {
            guarded(&viewer.post_with("", &path, &[]).expect(403));
        }
    }
}

/// What a choice or a button says that does something which cannot be undone.
const FINAL: [(&str, &str); 4] =
    [("do", "delete"), ("what", "clean"), ("held", "discard"), ("active", "false")];
/// How an address ends behind which that is done.
const WORDS: [&str; 6] = ["delete", "revoke", "deactivate", "discard", "cancel", "purge"];

#[test]
fn what_cannot_be_undone_is_never_offered_to_be_sent_again() {
    let world = World::new();
    let admin = Console::admin(&world.app);
    let is_offered = |path: &str, more: &[(&str, &str)]| {
        let typed = [("name", "typed"), ("note", "typed"), ("confirm", "typed")];
        admin.post_late(path, &[&typed, more].concat()).expect(403).text().contains("Send it")
    };
    assert!(is_offered("/keys", &[]));
    for (_, route, _) in TABLE.iter().filter(|(_, _, whose)| matches!(whose, Admins | Oneself)) {
        let path = world.path(route);
        for choice in FINAL {
            assert!(!is_offered(&path, &[choice]), "{path} {choice:?}");
        }
        let ends_with = |word: &&str| path.rsplit('/').next().is_some_and(|end| end.starts_with(*word));
        let is_final = WORDS.iter().any(ends_with) || path.ends_with("/end");
        assert!(!is_final || !is_offered(&path, &[]), "{path}");
    }
    // A red button is what the others have in common, also those that are yet to come.
    let mut seen = 0;
    for (_, route, _) in TABLE.iter().filter(|(_, _, whose)| matches!(whose, Operators | AdminsPage)) {
        let page = admin.page(&world.path(route));
        for form in page.split("<form").skip(1).filter_map(|form| form.split("</form>").next()) {
            let Some(button) = form.split("<button").find(|button| button.contains("class=\"danger")) else {
                continue;
            };
            let (action, name) = (attribute(form, "action").expect("an address"), attribute(button, "name"));
            let choice = name.zip(attribute(button, "value"));
            // Whoever enables the endpoint again has undone it.
            let is_final = !action.ends_with("/disable");
            assert_ne!(is_final, is_offered(action, choice.as_slice()), "{action} {choice:?}");
            seen += 1;
        }
    }
    assert!(seen > 8, "the red buttons are drawn in another way: {seen}");
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split('>').next()?.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}
