//! Rows that are under way change by themselves: not under the hands of whoever reads them, and not for ever.

use postrider::service::operators::Visitor;
use serde_json::json;

use crate::support::app::{TestApp, text};
use crate::support::browser::{Browser, Window};
use crate::support::console::{ADMIN, PASSWORD};
use crate::support::receiver::{Receiver, Reply};

const PENDING: &str = "tbody tr .status.pending";
const DELIVERED: &str = "tbody tr .status.delivered";

/// A delivery that waits for a retry which the clock never reaches; its event and itself.
fn waiting(app: &TestApp, receiver: &Receiver) -> (String, String, String) {
    receiver.always(Reply::status(500));
    let endpoint = app.endpoint_at(receiver, "/hook");
    let event = app.publish("invoice.paid", &json!({ "n": 1 }));
    app.settle();
    receiver.always(Reply::status(200));
    (endpoint, text(&event, "id"), text(&app.delivery_of(&event), "id"))
}

/// Opens a page that counts from then on how often it asks for itself again.
fn open(browser: &Browser, path: &str) {
    browser.open(path);
    browser.script("const real = fetch; window.looks = 0; window.fetch = (...all) => { looks += 1; return real(...all); }");
}

/// How often the page has begun to ask for itself again.
fn asked(browser: &Browser) -> u64 {
    browser.script("return looks").as_u64().expect("a number")
}

fn changes_by_itself(page: impl Fn(&str, &str) -> String) {
    let app = TestApp::with_manual_clock();
    let receiver = Receiver::start();
    let browser = super::admin(&app, Window::default());
    let (endpoint, event, delivery) = waiting(&app, &receiver);
    open(&browser, &page(&endpoint, &event));
    assert!(browser.has(PENDING), "{}", browser.text());
    app.retry(&delivery).expect(202);
    app.settle();
    browser.wait_until("the row of what was delivered", |browser| browser.has(DELIVERED));
    browser.wait_until("nothing under way", |browser| !browser.has("[data-live]"));
    let before = asked(&browser);
    browser.script("return refresh()");
    assert_eq!(asked(&browser), before, "it asks on although nothing is under way");
}

#[test]
fn a_pending_row_changes_by_itself_in_the_list_of_deliveries() {
    changes_by_itself(|_, _| "/deliveries".to_owned());
}

#[test]
fn a_pending_row_changes_by_itself_in_the_list_of_an_endpoint() {
    changes_by_itself(|endpoint, _| format!("/endpoints/{endpoint}/deliveries"));
}

#[test]
fn a_pending_row_changes_by_itself_on_the_page_of_its_event() {
    changes_by_itself(|_, event| format!("/events/{event}"));
}

#[test]
fn what_somebody_has_selected_is_left_alone_until_they_let_go() {
    let app = TestApp::with_manual_clock();
    let receiver = Receiver::start();
    let browser = super::admin(&app, Window::default());
    let (_, _, delivery) = waiting(&app, &receiver);
    open(&browser, "/deliveries");
    browser.script("getSelection().selectAllChildren(document.querySelector('tbody tr td:last-child'))");
    app.retry(&delivery).expect(202);
    app.settle();
    let before = asked(&browser);
    // The second one begins when the answer to the first has been looked at.
    browser.wait_until("a look at the page", |browser| asked(browser) > before + 1);
    assert!(browser.has(PENDING), "the row was replaced under the selection");
    browser.script("getSelection().removeAllRanges()");
    browser.wait_until("the row of what was delivered", |browser| browser.has(DELIVERED));
}

#[test]
fn a_page_whose_session_has_ended_says_so_and_asks_no_more() {
    let app = TestApp::with_manual_clock();
    let receiver = Receiver::start();
    let browser = super::admin(&app, Window::default());
    waiting(&app, &receiver);
    browser.open("/deliveries?status=pending");
    let service = app.service();
    let mine = service.sign_in(ADMIN, PASSWORD, &Visitor::default()).expect("a session").session;
    for session in service.sessions(&mine) {
        service.end_session(&mine, &session.id.to_string(), &Visitor::default()).wait().expect("its end");
    }
    browser.wait_for("Your session has ended");
    assert!(!browser.has("[data-live]"));
    browser.click("Sign in again");
    browser.wait_for("Forgotten?");
    assert_eq!(browser.path(), "/login?to=%2Fdeliveries%3Fstatus%3Dpending");
}

#[test]
fn a_page_whose_server_is_away_asks_ever_more_rarely() {
    let mut app = TestApp::with_manual_clock();
    let receiver = Receiver::start();
    let browser = super::admin(&app, Window::default());
    waiting(&app, &receiver);
    browser.open("/deliveries");
    assert_eq!(browser.script("return pause"), 3);
    app.stop();
    browser.wait_until("a longer pause", |browser| browser.script("return pause").as_u64() > Some(3));
    assert!(browser.has(PENDING), "what was shown stays");
}

#[test]
fn distances_in_time_grow_in_the_words_of_the_server_by_its_clock() {
    let app = TestApp::with_manual_clock();
    let browser = super::admin(&app, Window::default());
    app.change_settings(&json!({ "retention_days": 90 }));
    browser.open("/audit?action=settings.*");
    let said = |later: u64| {
        // The clock of the browser is years ahead of the server's.
        browser.script(&format!(
            "const real = Date.now, loaded = Date.parse(document.body.dataset.now) - ahead;
             Date.now = () => loaded + {later}; tick(); Date.now = real;
             return document.querySelector('tbody time').textContent"
        ))
    };
    let words = [0, 45_000, 89_000, 3_599_000, 2 * 86_400_000, 40 * 86_400_000].map(said);
    assert_eq!(words, ["just now", "45 s ago", "1 min ago", "1 h ago", "2 days ago", "2 days ago"]);
}
