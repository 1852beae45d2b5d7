//! The pages of the catalogue: listed, searched, edited, an example checked, deleted.

use serde_json::json;

use crate::support::app::TestApp;
use crate::support::console::{Console, holds, lacks};

const SCHEMA: &str =
    r#"{"type": "object", "required": ["total"], "properties": {"total": {"type": "integer"}}}"#;

#[test]
fn an_empty_catalogue_says_what_it_is_for() {
    let app = TestApp::start();
    let page = Console::admin(&app).page("/event-types");
    holds(&page, &["No event types yet", "href=\"/event-types/new\""]);
    lacks(&Console::viewer(&app).page("/event-types"), &["href=\"/event-types/new\""]);
}

#[test]
fn types_are_listed_and_found_by_what_is_searched() {
    let app = TestApp::start();
    app.put_event_type("invoice.paid", &json!({ "group": "Invoices", "schema": true })).expect(201);
    app.put_event_type("user.made", &json!({ "description": "Somebody <b>joined</b>", "reserved": true }))
        .expect(201);
    let console = Console::admin(&app);
    let all = console.page("/event-types");
    holds(&all, &["/event-types/invoice.paid", "?search=Invoices", "has a schema", "reserved"]);
    holds(&all, &["Somebody &#60;b&#62;joined&#60;/b&#62;"]);
    let some = console.page("/event-types?search=JOIN");
    holds(&some, &["user.made", "value=\"JOIN\""]);
    lacks(&some, &["invoice.paid"]);
    holds(&console.page("/event-types?search=nothing"), &["None found"]);
    let long = format!("/event-types?search={}", "x".repeat(201));
    holds(console.get(&long).expect(422).text(), &["id=\"search-wrong\"", "1 to 200 characters"]);
}

#[test]
fn a_type_is_added_changed_and_deleted() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let fields = [
        ("name", "order/new.paid"),
        ("description", "An order"),
        ("example", "{\"total\": 1.0e0}"),
        ("reserved", "yes"),
    ];
    let (to, page) = console.done("/event-types", &fields);
    assert_eq!(to, "/event-types/order%2Fnew.paid");
    holds(&page, &["Saved.", "value=\"yes\" checked", "1.0e0", "An order"]);
    let (_, page) =
        console.done("/event-types", &[("old", "order/new.paid"), ("schema", SCHEMA), ("do", "save")]);
    holds(&page, &["&#34;required&#34;", "href=\"/events/new?type=order/new.paid\""]);
    let told = app.get("/event-types/order%2Fnew.paid");
    assert_eq!(
        (&told["reserved"], &told["description"], &told["example"]),
        (&json!(false), &json!(null), &json!(null))
    );
    assert_eq!(told["schema"]["required"], json!(["total"]));
    let (to, page) = console.done("/event-types", &[("old", "order/new.paid"), ("do", "delete")]);
    assert_eq!(to, "/event-types");
    holds(&page, &["is deleted", "No event types yet"]);
    console.get("/event-types/order%2Fnew.paid").expect(404);
}

#[test]
fn what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let fields =
        [("name", "a..b"), ("example", "{oops"), ("schema", "{\"type\": \"strng\"}"), ("group", "G & H")];
    let page = console.refused("/event-types", &fields, 422);
    holds(&page, &["id=\"name-wrong\"", "id=\"example-wrong\"", "id=\"schema-wrong\"", "type: "]);
    holds(&page, &["value=\"a..b\"", "{oops", "G &#38; H", "Must be one JSON value"]);
    app.put_event_type("taken", &json!({ "group": "kept" })).expect(201);
    let page = console.refused("/event-types", &[("name", "taken")], 422);
    holds(&page, &["in the catalogue already"]);
    assert_eq!(app.get("/event-types/taken")["group"], "kept");
    holds(console.post("/event-types", &[("old", "gone"), ("do", "delete")]).expect(404).text(), &["gone"]);
}

#[test]
fn an_example_is_held_against_its_schema_without_saving() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let check = |example: &str, schema: &str| {
        let fields = [("name", "a"), ("example", example), ("schema", schema), ("do", "check")];
        console.post("/event-types", &fields)
    };
    let fits = check("{\"total\": 7}", SCHEMA).expect(200);
    holds(fits.text(), &["The example fits the schema. Nothing is saved yet.", "{&#34;total&#34;: 7}"]);
    holds(check("{\"total\": \"x\"}", SCHEMA).expect(422).text(), &["id=\"example-wrong\"", "total: "]);
    holds(check("", SCHEMA).expect(200).text(), &["There is no example"]);
    holds(check("1", "").expect(200).text(), &["any data fits"]);
    assert_eq!(app.get("/event-types")["data"], json!([]));
}

#[test]
fn a_type_may_be_called_new() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let (to, page) = console.done("/event-types", &[("name", "new"), ("group", "odd")]);
    holds(&page, &["<h1>new</h1>", "value=\"odd\""]);
    holds(&console.page("/event-types"), &[&format!("href=\"{to}\"")]);
    holds(&console.page("/event-types/new"), &["<h1>New event type</h1>"]);
}

#[test]
fn a_viewer_reads_a_type_and_finds_no_form() {
    let app = TestApp::start();
    app.put_event_type("a", &json!({ "example": { "n": "<script>" }, "schema": true })).expect(201);
    let viewer = Console::viewer(&app);
    let page = viewer.page("/event-types/a");
    holds(&page, &["&#34;n&#34;: &#34;&#60;script&#62;&#34;", "<pre class=\"wrapped\">true</pre>"]);
    lacks(&page, &["action=\"/event-types\"", "/events/new", "<script>"]);
    for what in ["save", "check", "delete"] {
        viewer.post("/event-types", &[("old", "a"), ("do", what)]).expect(403);
    }
}

#[test]
fn what_a_page_has_no_room_for_is_saved_as_a_file_and_left_alone() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let example = json!({ "text": "<".repeat(20_000) });
    app.put_event_type("long", &json!({ "example": example, "description": "before" })).expect(201);
    let page = console.page("/event-types/long");
    lacks(&page, &["name=\"example\"", "&#60;&#60;"]);
    holds(&page, &["name=\"left_out\" value=\"example\"", "name=\"schema\"", "?save=example"]);
    let file = console.get("/event-types/long?save=example").expect(200);
    assert_eq!(file.json(), example);
    console.get("/event-types/long?save=group").expect(404);
    let fields = [("old", "long"), ("left_out", "example"), ("description", "after"), ("do", "save")];
    console.done("/event-types", &fields);
    let kept = app.get("/event-types/long");
    assert_eq!((&kept["example"], &kept["description"]), (&example, &json!("after")));
    let fields =
        [("old", "long"), ("left_out", "example"), ("schema", "{\"type\":\"array\"}"), ("do", "check")];
    holds(&console.refused("/event-types", &fields, 422), &["id=\"example-wrong\""]);
}
