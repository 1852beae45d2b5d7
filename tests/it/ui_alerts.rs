//! The console's page of alerts: listed, made, tested, changed, deleted; and the mail server.

use serde_json::json;

use crate::support::app::{TestApp, text};
use crate::support::console::{Console, holds, lacks};
use crate::support::receiver::{Receiver, Reply};

const TOKEN: &str = "T0KEN-of-the-chat";

#[test]
fn an_alert_is_made_tested_changed_and_deleted() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let console = Console::admin(&app);
    holds(&console.page("/alerts"), &["Nobody is told", "Make an alert below", "endpoint_failing"]);
    lacks(&Console::viewer(&app).page("/alerts"), &["below"]);
    let url = receiver.url(&format!("/{TOKEN}"));
    let form = [("kind", "slack"), ("url", url.as_str()), ("name", "On <b>call"), ("conditions", "disk")];
    let (_, page) = console.done("/alerts", &form);
    holds(&page, &["The alert On &#60;b&#62;call is made.", "disk", "status ok"]);
    lacks(&page, &[TOKEN, "<b>call"]);
    let id = text(&app.list("/alerts")[0], "id");
    let path = format!("/alerts/{id}");
    let tested = console.post(&format!("{path}/test"), &[]).expect(200);
    holds(tested.text(), &["The test was taken"]);
    receiver.always(Reply::status(404));
    let tested = console.post(&format!("{path}/test"), &[]).expect(200);
    holds(tested.text(), &["role=\"alert\"", "answered 404", "status failing"]);
    lacks(tested.text(), &[TOKEN]);
    let wrong = console.refused(&path, &[("name", "x"), ("enabled", "true")], 422);
    holds(&wrong, &["id=\"conditions-wrong\"", "value=\"x\""]);
    console.done(&path, &[("name", "Night"), ("conditions", "backlog")]);
    let shown = app.get(&path);
    assert_eq!((&shown["name"], &shown["enabled"]), (&json!("Night"), &json!(false)));
    assert_eq!(shown["conditions"], json!(["backlog"]));
    let (_, page) = console.done(&format!("{path}/delete"), &[]);
    holds(&page, &["The alert is deleted", "Nobody is told"]);
}

#[test]
fn what_is_wrong_stands_beside_its_field() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let wrong = console.refused("/alerts", &[("kind", "email"), ("email", "nobody"), ("name", "Kept")], 422);
    holds(&wrong, &["id=\"email-wrong\"", "value=\"nobody\"", "value=\"Kept\"", "id=\"conditions-wrong\""]);
    lacks(&wrong, &["<code>conditions</code>"]);
    let bare = console.refused("/alerts", &[("kind", "email"), ("email", "a@example.com")], 422);
    holds(&bare, &["<p class=\"wrong\" id=\"conditions-wrong\" tabindex=\"-1\" autofocus>"]);
    let denied = [("kind", "slack"), ("url", "https://10.0.0.1/"), ("conditions", "disk")];
    holds(&console.refused("/alerts", &denied, 422), &["id=\"url-wrong\""]);
    let wrong = console.refused("/alerts/mail-server", &[("host", "a b"), ("port", "x")], 422);
    holds(&wrong, &["name=\"host\" type=\"text\" value=\"a b\" autocomplete=\"off\" autofocus"]);
    holds(&wrong, &["id=\"host-wrong\"", "id=\"port-wrong\"", "id=\"from-wrong\"", "value=\"a b\""]);
}

#[test]
fn the_mail_server_keeps_its_password_unless_another_is_typed() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let set = [("host", "smtp.example.com"), ("user", "ada"), ("password", TOKEN), ("from", "a@example.com")];
    let (_, page) = console.done("/alerts/mail-server", &set);
    holds(&page, &["Mail goes through smtp.example.com", "name=\"has_password\"", "value=\"ada\""]);
    lacks(&page, &[TOKEN]);
    let again = [
        ("host", "smtp.example.com"),
        ("user", "ada"),
        ("has_password", "true"),
        ("security", "tls"),
        ("from", "b@example.com"),
    ];
    console.done("/alerts/mail-server", &again);
    let server = app.get("/mail-server");
    assert_eq!((&server["password"], &server["port"]), (&json!("•••"), &json!(465)));
    let (_, page) = console.done("/alerts/mail-server/delete", &[]);
    holds(&page, &["None is set."]);
}

#[test]
fn a_viewer_sees_alerts_and_no_forms() {
    let app = TestApp::start();
    Console::admin(&app);
    let made =
        app.post("/alerts", &json!({ "kind": "email", "email": "ada@example.com" })).expect(201).json();
    let viewer = Console::viewer(&app);
    for path in ["/alerts".to_owned(), format!("/alerts/{}", text(&made, "id"))] {
        let page = viewer.page(&path);
        holds(&page, &["ada@example.com"]);
        lacks(&page, &["action=\"/alerts"]);
    }
}
