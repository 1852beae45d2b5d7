//! From an empty server to a first delivery, and what a team does when a receiver breaks: all of it by clicking.

use crate::support::app::TestApp;
use crate::support::browser::{Browser, Window};
use crate::support::receiver::{Receiver, Reply};

/// Sends an event by hand; its page is shown afterwards.
fn send(browser: &Browser, event_type: &str, data: &str) {
    browser.navigate("Events");
    browser.click("Send an event");
    browser.fill("type", event_type);
    browser.fill("data", data);
    browser.click("Send it");
    browser.wait_for(event_type);
}

/// Goes to the page of the only endpoint.
fn look_at(browser: &Browser, receiver: &Receiver) {
    browser.navigate("Endpoints");
    browser.click(&receiver.url("/hook"));
    browser.wait_for("Failures in a row");
}

/// Makes an endpoint for invoices; the page of it is shown afterwards.
fn make(browser: &Browser, receiver: &Receiver) {
    browser.navigate("Endpoints");
    browser.click("New endpoint");
    browser.fill("url", "ftp://nowhere");
    browser.fill("events", "invoice.*");
    browser.fill("retry_schedule", "1");
    browser.click("Make the endpoint");
    browser.wait_for("Must be a full URL");
    assert!(browser.has("#url[aria-invalid='true']"));
    browser.fill("url", &receiver.url("/hook"));
    browser.click("Make the endpoint");
    browser.wait_for("it is shown this once");
    assert!(browser.text().contains("whsec_"));
    browser.click("The endpoint");
    browser.wait_for("It is ready");
}

/// The receiver breaks: what is sent fails for good, and the console says why.
fn break_down(browser: &Browser, receiver: &Receiver) {
    receiver.always(Reply::status(500).body("out of order"));
    send(browser, "invoice.paid", "{\"amount\": 2}");
    browser.reload_until("failed");
    browser.click_on("#went a[href^='/deliveries/']");
    browser.wait_for("out of order");
    look_at(browser, receiver);
    browser.reload_until("It has been failing since");
}

/// It is disabled; what comes meanwhile is held, and delivered when it is enabled, because it is well again.
fn hold(browser: &Browser, receiver: &Receiver) {
    browser.click("Disable…");
    browser.fill("note", "the disk of their server is full");
    browser.click("Disable");
    browser.wait_for("the disk of their server is full");
    send(browser, "invoice.paid", "{\"amount\": 3}");
    browser.reload_until("held");
    let before = receiver.count();
    receiver.always(Reply::status(200));
    look_at(browser, receiver);
    browser.click("Enable…");
    browser.wait_for("1 delivery is held");
    browser.click("Enable");
    browser.wait_for("what was held is on its way.");
    receiver.wait_for(before + 1);
    assert_eq!(receiver.received()[before].json()["data"]["amount"], 3);
}

/// What failed is sent again, after it was counted.
fn replay(browser: &Browser, receiver: &Receiver) {
    let before = receiver.count();
    browser.click("Replay");
    browser.choose("status", "failed");
    browser.fill("since", "2020-01-01 00:00");
    browser.click("Count");
    // A reload would come before what the click begins.
    browser.wait_for("to send again");
    browser.reload_until("1 delivery to send again");
    browser.click("Send it again");
    // The page that the click leads to: one that is left before is one whose links may be lost.
    browser.wait_for("The replay is under way.");
    receiver.wait_for(before + 1);
    assert_eq!(receiver.received()[before].json()["data"]["amount"], 2);
    browser.click_on(".tabs a[href$='/deliveries']");
    browser.choose("status", "failed");
    browser.click("Filter");
    browser.wait_until("the filter", |browser| browser.path().contains("status=failed"));
    browser.reload_until("No delivery matches");
}

fn a_day(window: Window) {
    let app = TestApp::start();
    let receiver = Receiver::start();
    let browser = super::admin(&app, window);
    make(&browser, &receiver);

    // A test is received.
    browser.click("Test");
    browser.fill("type", "invoice.paid");
    browser.fill("data", "{\"test\": true}");
    browser.click("Send");
    browser.wait_for("It was received");
    assert_eq!(receiver.next().json()["data"]["test"], true);

    // The first event is delivered, and seen.
    send(&browser, "invoice.paid", "{\"amount\": 1}");
    browser.reload_until("delivered");
    receiver.wait_for(2);

    break_down(&browser, &receiver);
    hold(&browser, &receiver);
    replay(&browser, &receiver);
    // What was typed wrong at first is told as a status, too.
    let complaints = browser.complaints();
    assert!(
        complaints.iter().all(|line| line.contains("/endpoints/new") && line.contains("422")),
        "{complaints:?}"
    );
}

#[test]
fn a_day_with_a_receiver_that_breaks() {
    a_day(Window::default());
}

#[test]
fn the_same_day_without_scripts() {
    a_day(Window { scripts: false, ..Window::default() });
}

#[test]
fn the_same_day_on_a_phone() {
    a_day(Window { width: 390, ..Window::default() });
}
