//! The console's list of endpoints, and making one.

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::console::{Console, holds, lacks, value};
use crate::support::receiver::{Receiver, Reply};

const HOSTILE: &str = r#"<script>alert("x")</script>{{ 7 * 7 }}' onload='"#;

fn make(app: &TestApp, uid: &str, more: &Value) -> String {
    let mut fields = json!({ "url": format!("https://{uid}.test/hook"), "uid": uid });
    for (name, value) in more.as_object().expect("fields") {
        fields[name] = value.clone();
    }
    text(&app.create_endpoint(&fields), "id")
}

#[test]
fn a_row_tells_the_last_day_of_an_endpoint() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let ada = Console::admin(&app);
    let id = app.endpoint_with(&receiver, "/hook", &json!({ "retry_schedule": [], "description": "Books" }));
    holds(&ada.page("/endpoints"), &["nothing</span>", "never</span>"]);
    for _ in 0..3 {
        app.send(&json!(1));
    }
    app.settle();
    receiver.always(Reply::status(500));
    app.send(&json!(2));
    app.settle();
    let page = ada.page("/endpoints");
    let link = format!("<a href=\"/endpoints/{id}\">{}</a>", receiver.url("/hook"));
    holds(&page, &[&link, "Books", "3 delivered, 1 failed", "75 % of 4", "status failing\">failing"]);
    holds(&page, &["data-label=\"Failures in a row\" class=\"number\">1</td>", "just now"]);
    app.endpoint_with(&receiver, "/tries", &json!({ "events": ["tried"], "retry_schedule": [60] }));
    app.publish("tried", &json!(3));
    app.settle();
    holds(&ada.page("/endpoints"), &["<span class=\"small\">1 attempt, all failed</span>"]);
}

#[test]
fn filters_stand_in_the_address_and_what_is_wrong_with_one_beside_it() {
    let app = TestApp::start();
    let ada = Console::admin(&app);
    holds(&ada.page("/endpoints"), &["No endpoints yet", "href=\"/endpoints/new\""]);
    let books = make(&app, "books", &json!({ "tenant": "acme", "description": "Ledger" }));
    make(&app, "crm", &json!({ "tenant": "globex" }));
    app.disable(&books);
    for (query, found) in [
        ("", [true, true]),
        ("?search=LEDGER", [true, false]),
        ("?tenant=globex", [false, true]),
        ("?enabled=false", [true, false]),
        ("?health=ok&search=", [false, true]),
    ] {
        let page = ada.page(&format!("/endpoints{query}"));
        assert_eq!(["books.test", "crm.test"].map(|url| page.contains(url)), found, "{query}");
    }
    let page = ada.page("/endpoints?search=crm&health=disabled");
    holds(&page, &["No endpoint fits", "value=\"crm\"", "<option value=\"disabled\" selected>"]);
    let wrong = ada.get("/endpoints?enabled=maybe").expect(422);
    holds(wrong.text(), &["Must be true (enabled) or false (disabled)."]);
    let wrong = ada.get("/endpoints?tenant=a%20b&health=good&search=x").expect(422);
    let page = wrong.text();
    holds(
        page,
        &["id=\"tenant-wrong\"", "id=\"health-wrong\"", "Must be ok, failing or disabled.", "value=\"a b\""],
    );
    lacks(page, &["id=\"search-wrong\"", "books.test"]);
}

#[test]
fn a_long_list_has_pages_that_keep_the_filters() {
    let app = TestApp::start();
    app.change_settings(&json!({ "endpoint_limit": 50 }));
    for n in 0..51 {
        make(&app, &format!("e{n}"), &json!({ "tenant": format!("t{}", n / 26) }));
    }
    let ada = Console::admin(&app);
    let first = ada.page("/endpoints?search=test");
    let (_, older) = first.split_once("<a href=\"/endpoints?search=test&#38;cursor=").expect("a link");
    let cursor = older.split('"').next().expect("its end");
    let second = ada.page(&format!("/endpoints?search=test&cursor={cursor}"));
    assert_eq!([&first, &second].map(|page| page.matches("<td data-label=\"Endpoint\"").count()), [50, 1]);
    holds(&second, &["e0.test", "href=\"/endpoints?search=test\" rel=\"prev\""]);
    assert!(first.len() < 80_000, "{} bytes", first.len());
}

#[test]
fn an_endpoint_is_made_with_all_its_settings_and_its_secret_shown_once() {
    let app = TestApp::start();
    app.put_event_type("order.placed", &json!({})).expect(201);
    let ada = Console::admin(&app);
    let form = ada.page("/endpoints/new?tenant=acme");
    holds(&form, &["name=\"types\" value=\"order.placed\"", "<option value=\"standard\" selected>"]);
    assert_eq!(value(&form, "tenant"), "acme");
    lacks(&form, &["*</textarea>"]);
    let at = |text: &str| form.find(text).unwrap_or_else(|| panic!("no {text}"));
    assert!(at("How it is sent") < at("<h2>Signing"), "as in its settings");
    let fields = [
        ("url", "https://books.test/hook"),
        ("tenant", "acme"),
        ("uid", "books"),
        ("description", "Ledger\r\nsecond line"),
        ("events", "invoice.*\r\n\r\n user.made "),
        ("types", "order.placed"),
        ("filters", r#"{"amount": 7.0}"#),
        ("headers", "Authorization: Bearer a:b\r\nX-Team: books"),
        ("format", "github"),
        ("signing", "own"),
        ("secret", "a secret of mine"),
        ("metadata", "plan = gold=1"),
        ("retry_schedule", "5, 60 600"),
        ("timeout_seconds", "7"),
        ("rate_limit", "3"),
        ("max_in_flight", "2"),
        ("while_disabled", "skip"),
    ];
    let (_, page) = ada.done("/endpoints/new", &fields);
    holds(&page, &["The endpoint is made", "<code id=\"secret\">a secret of mine</code>"]);
    let made = app.get("/endpoints?tenant=acme")["data"][0].clone();
    shows(
        &made,
        &json!({
            "url": "https://books.test/hook", "uid": "books", "tenant": "acme",
            "description": "Ledger\nsecond line", "events": ["invoice.*", "user.made", "order.placed"],
            "filters": { "amount": 7.0 }, "headers": { "Authorization": "•••", "X-Team": "•••" },
            "format": "github", "metadata": { "plan": "gold=1" }, "retry_schedule": [5, 60, 600],
            "timeout_seconds": 7, "rate_limit": 3, "max_in_flight": 2, "while_disabled": "skip",
            "enabled": false, "unsigned": false,
        }),
    );
    let audited = app.audit_of(&text(&made, "id"));
    assert_eq!(audited[0]["actor"], "operator:ada@example.com");
    let settings = ada.page(&format!("/endpoints/{}/settings", text(&made, "id")));
    lacks(&settings, &["a secret of mine", "Bearer a:b", "value=\"order.placed\""]);
    app.change_endpoint(&text(&made, "id"), &json!({ "events": ["order.*"] }));
    let covered = ada.page(&format!("/endpoints/{}/settings", text(&made, "id")));
    lacks(&covered, &["value=\"order.placed\""]);
}

#[test]
fn a_url_alone_suffices_and_what_is_probably_not_meant_is_said() {
    let app = TestApp::start();
    let ada = Console::admin(&app);
    holds(&ada.page("/endpoints/new"), &["name=\"events\"", "*</textarea>"]);
    let fields = [("url", "https://books.test/"), ("enabled", "true"), ("signing", "make"), ("events", "")];
    let (to, page) = ada.done("/endpoints/new", &fields);
    holds(&page, &["<code id=\"secret\">whsec_", "role=\"alert\"", "It subscribes to no event type"]);
    let path = format!("/endpoints/{}", text(&app.get("/endpoints")["data"][0], "id"));
    holds(&page, &[&format!("<a href=\"{path}/settings#events\">Choose")]);
    lacks(&page, &["PATCH"]);
    let later = ada.get(&to).expect(404);
    holds(
        later.text(),
        &["only once", "The endpoint is there", &format!("<a href=\"{path}/rotate-secret\">")],
    );
    lacks(later.text(), &["whsec_"]);
    let overview = ada.page(&path);
    holds(
        &overview,
        &["It subscribes to no event type", &format!("<a href=\"{path}/settings#events\">Choose")],
    );
    lacks(&overview, &["an event that it subscribes to"]);
    shows(
        &app.get("/endpoints")["data"][0],
        &json!({ "tenant": "default", "events": [], "enabled": true, "retry_schedule": null, "format": "standard" }),
    );
    let unsigned =
        [("url", "https://bare.test/"), ("events", "*"), ("format", "github"), ("signing", "none")];
    let (_, page) = ada.done("/endpoints/new", &unsigned);
    holds(&page, &["the endpoint is unsigned".replacen("the", "The", 1).as_str()]);
    lacks(&page, &["id=\"secret\""]);
}

#[test]
fn who_goes_back_and_sends_the_form_again_makes_no_second_endpoint() {
    let app = TestApp::start();
    let ada = Console::admin(&app);
    let once = value(&ada.page("/endpoints/new"), "once");
    let fields = |url, once| [("url", url), ("events", "*"), ("signing", "make"), ("once", once)];
    ada.done("/endpoints/new", &fields("https://books.test/", once.as_str()));
    let path = format!("/endpoints/{}", text(&app.list("/endpoints")[0], "id"));
    let (to, page) = ada.done("/endpoints/new", &fields("https://books.test/", once.as_str()));
    assert_eq!(to, path);
    holds(&page, &["no other was made"]);
    assert_eq!(app.list("/endpoints").len(), 1);
    // What was changed there, and a page of its own, make another one; so does the same where the first is gone.
    ada.done("/endpoints/new", &fields("https://crm.test/", once.as_str()));
    let another = value(&ada.page("/endpoints/new"), "once");
    ada.done("/endpoints/new", &fields("https://books.test/", another.as_str()));
    assert_eq!(app.list("/endpoints").len(), 3);
    ada.done(&format!("{path}/delete"), &[("name", "books.test")]);
    ada.done("/endpoints/new", &fields("https://books.test/", once.as_str()));
    assert_eq!(app.list("/endpoints").len(), 3);
}

#[test]
fn a_form_that_is_sent_twice_at_the_same_moment_makes_one_endpoint() {
    let app = TestApp::start();
    let ada = Console::admin(&app);
    let once = value(&ada.page("/endpoints/new"), "once");
    let fields = [("url", "https://books.test/"), ("events", "*"), ("signing", "make"), ("once", &once)];
    let send = || ada.post("/endpoints/new", &fields).expect(303).header("location").map(str::to_owned);
    let led: Vec<_> = std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(send));
        threads.into_iter().map(|thread| thread.join().expect("an answer").expect("an address")).collect()
    });
    let made = app.list("/endpoints");
    assert_eq!(made.len(), 1);
    let path = format!("/endpoints/{}", text(&made[0], "id"));
    assert_eq!(led.iter().filter(|to| **to == path).count(), 3, "{led:?}");
}

#[test]
fn what_is_wrong_is_beside_its_field_and_nothing_that_was_typed_is_lost() {
    let app = TestApp::start();
    app.put_event_type("order.placed", &json!({})).expect(201);
    let ada = Console::admin(&app);
    let fields = [
        ("url", "ftp://books.test/"),
        ("tenant", "no tenant"),
        ("uid", HOSTILE),
        ("description", HOSTILE),
        ("events", "invoice.*\n\nin voice"),
        ("types", "order.placed"),
        ("filters", "{status: paid}"),
        ("headers", "no header\nHost: x"),
        ("format", "nothing"),
        ("signing", "make"),
        ("secret", "mine"),
        ("retry_schedule", "soon"),
        ("timeout_seconds", "99"),
        ("rate_limit", "many"),
        ("while_disabled", "hold"),
    ];
    let page = ada.refused("/endpoints/new", &fields, 422);
    let wrong =
        "url tenant uid events filters headers format secret retry_schedule timeout_seconds rate_limit";
    for name in wrong.split(' ') {
        holds(&page, &[&format!("id=\"{name}-wrong\"")]);
    }
    lacks(&page, &["id=\"description-wrong\"", "id=\"max_in_flight-wrong\"", "<script>alert", "onload='"]);
    assert_eq!(value(&page, "url"), "ftp://books.test/");
    holds(
        &page,
        &["in voice</textarea>", "value=\"order.placed\" checked", "value=\"many\"", "&#60;script&#62;"],
    );
    assert!(app.list("/endpoints").is_empty());
    make(&app, "books", &json!({}));
    holds(
        &page,
        &[
            "Line 3: must be",
            "Attempts a second",
            "id=\"url\" name=\"url\" type=\"url\" value=\"ftp://books.test/\" autocomplete=\"off\" autofocus",
        ],
    );
    assert_eq!(page.matches(" autofocus").count(), 1);
    let much = [("url", "https://u:p@b.test/"), ("events", "*"), ("rate_limit", "1001"), ("signing", "make")];
    let page = ada.refused("/endpoints/new", &much, 422);
    holds(&page, &["the endpoint&#39;s headers for credentials", "or empty for no limit."]);
    let one = json!({ "endpoint_limit": 1 });
    app.client.send_json("PUT", "/api/v1/tenants/small", &one).expect(201);
    make(&app, "only", &json!({ "tenant": "small" }));
    let full = [("url", "https://b.test/"), ("tenant", "small"), ("events", "*"), ("signing", "make")];
    let page = ada.refused("/endpoints/new", &full, 409);
    holds(
        &page,
        &[
            "<div class=\"alert\" role=\"alert\" tabindex=\"-1\" autofocus>",
            "may have 1 endpoint, and has 1;",
        ],
    );
    let taken = [("url", "https://b.test/"), ("uid", "books"), ("events", "*"), ("signing", "make")];
    holds(&ada.refused("/endpoints/new", &taken, 409), &["id=\"uid-wrong\"", "*</textarea>"]);
}

#[test]
fn a_viewer_sees_endpoints_and_changes_none() {
    let app = TestApp::start();
    let id = make(&app, "books", &json!({ "headers": { "X-Team": "hush" }, "metadata": { "plan": "gold" } }));
    let vic = Console::viewer(&app);
    let list = vic.page("/endpoints");
    holds(&list, &["books.test"]);
    lacks(&list, &["/endpoints/new"]);
    let settings = vic.page(&format!("/endpoints/{id}/settings"));
    holds(&settings, &["X-Team: •••", "plan = gold", "books.test"]);
    lacks(&settings, &["hush", "action=\"/endpoints", "Disable…", "Delete this"]);
    let pages =
        ["enable", "disable", "rotate-secret", "delete"].map(|page| format!("/endpoints/{id}/{page}"));
    for path in pages.iter().map(String::as_str).chain(["/endpoints/new"]) {
        vic.get(path).expect(403);
        vic.post(path, &[("name", "books.test"), ("url", "https://x.test/")]).expect(403);
    }
    vic.post(&format!("/endpoints/{id}/settings"), &[("url", "https://x.test/")]).expect(403);
    let left = app.list("/endpoints");
    assert_eq!(
        (left.len(), &left[0]["url"], &left[0]["enabled"]),
        (1, &json!("https://books.test/hook"), &json!(true))
    );
}

#[test]
fn what_owners_wrote_is_shown_and_does_nothing() {
    let app = TestApp::start();
    let more = json!({
        "description": HOSTILE, "metadata": { HOSTILE: HOSTILE }, "url": "https://books.test/%3Cscript%3E?a=\"'<b>",
        "filters": { "a": HOSTILE }, "events": ["*"],
    });
    let id = make(&app, "books", &more);
    let (ada, vic) = (Console::admin(&app), Console::viewer(&app));
    let settings = format!("/endpoints/{id}/settings");
    for page in [ada.page("/endpoints"), ada.page(&settings), vic.page(&settings)] {
        holds(&page, &["&#60;script&#62;alert("]);
        lacks(&page, &["<script>alert", "<b>\"", "' onload='", "49' onload"]);
    }
}
