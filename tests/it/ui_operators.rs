//! The console's page of operators: invited by a link, changed, deactivated.

use serde_json::Value;

use crate::support::app::{TestApp, text};
use crate::support::console::{ADMIN, Console, VIEWER, holds, lacks};

fn id_of(app: &TestApp, email: &str) -> String {
    let all = app.list("/operators");
    text(all.iter().find(|one| one["email"] == email).expect("an operator"), "id")
}

fn operator(app: &TestApp, email: &str) -> Value {
    app.get(&format!("/operators/{}", id_of(app, email)))
}

/// The path of the link that a page shows.
fn link(page: &str) -> String {
    let (_, rest) = page.split_once("<code id=\"secret\">").expect("a link");
    let address = rest.split('<').next().expect("its end");
    address[address.find("/join/").expect("a path")..].to_owned()
}

#[test]
fn somebody_is_invited_by_a_link_that_is_shown_once_and_joins_with_it() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let (shown, page) = console.done("/operators", &[("email", "Bob@Example.com"), ("role", "viewer")]);
    holds(&page, &["The link for bob@example.com is made", "data-copy=\"secret\"", "It ends"]);
    let path = link(&page);
    let all = console.page("/operators");
    holds(&all, &["status invited"]);
    lacks(&all, &["/join/"]);
    holds(console.get(&shown).expect(404).text(), &["shown only once", "a button for a new link"]);
    holds(console.get(&path).expect(200).text(), &["bob@example.com"]);
    let twice = console.refused("/operators", &[("email", "bob@example.com"), ("role", "admin")], 409);
    holds(&twice, &["id=\"email-wrong\"", "Is that of another operator.", "value=\"bob@example.com\""]);
    let wrong = console.refused("/operators", &[("email", "bob"), ("role", "king")], 422);
    holds(&wrong, &["id=\"email-wrong\"", "id=\"role-wrong\"", "autocomplete=\"username\" autofocus"]);
    let (_, again) = console.done(&format!("/operators/{}/link", id_of(&app, "bob@example.com")), &[]);
    assert_ne!(link(&again), path);
    console.get(&path).expect(404);
}

#[test]
fn a_role_is_changed_and_somebody_is_deactivated_and_back() {
    let app = TestApp::start();
    let (console, viewer) = (Console::admin(&app), Console::viewer(&app));
    let path = format!("/operators/{}", id_of(&app, VIEWER));
    let (_, page) = console.done(&path, &[("role", "admin")]);
    holds(&page, &["vic@example.com may sign in, as admin."]);
    assert_eq!(operator(&app, VIEWER)["role"], "admin");
    holds(&viewer.page("/operators"), &["Invite somebody"]);
    let (_, page) = console.done(&path, &[("active", "false")]);
    holds(&page, &["vic@example.com is deactivated", "status deactivated"]);
    viewer.get("/operators").expect(303);
    let refused = console.refused(&format!("{path}/link"), &[], 409);
    holds(&refused, &["role=\"alert\"", "activate them first"]);
    console.done(&path, &[("active", "true")]);
    assert_eq!(operator(&app, VIEWER)["active"], true);
    console.post("/operators/op_0000000000000", &[("role", "admin")]).expect(404);
    assert_eq!(console.refused(&path, &[("role", "king")], 422).matches("role=\"alert\"").count(), 1);
}

#[test]
fn the_last_admin_stays_and_is_told_why() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let path = format!("/operators/{}", id_of(&app, ADMIN));
    for change in [("active", "false"), ("role", "viewer")] {
        let page = console.refused(&path, &[change], 409);
        holds(&page, &["This is the last active admin; make another operator an admin first."]);
    }
    let now = operator(&app, ADMIN);
    assert_eq!((&now["role"], &now["active"]), (&"admin".into(), &true.into()));
    console.page("/operators");
}

#[test]
fn a_viewer_sees_who_there_is_and_changes_nothing() {
    let app = TestApp::start();
    let viewer = Console::viewer(&app);
    let page = viewer.page("/operators");
    holds(&page, &[ADMIN, "vic@example.com", "(you)"]);
    lacks(&page, &["Deactivate", "New link", "Invite", "method=\"post\" action=\"/operators"]);
    let path = format!("/operators/{}", id_of(&app, VIEWER));
    viewer.post(&path, &[("role", "admin")]).expect(403);
    viewer.post(&format!("{path}/link"), &[]).expect(403);
    viewer.post("/operators", &[("email", "eve@example.com"), ("role", "admin")]).expect(403);
    assert_eq!((app.list("/operators").len(), operator(&app, VIEWER)["role"].clone()), (2, "viewer".into()));
}
