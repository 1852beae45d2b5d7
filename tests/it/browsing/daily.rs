//! From an empty server to a first delivery, and what a team does when a receiver breaks: all of it by clicking.

use crate::support::app::TestApp;
use crate::support::browser::{Browser, Window};
use crate::support::receiver::{Receiver, Reply};

/// Sends an event by hand; its page is shown afterwards.
fn send(browser: &Browser, event_type: &str, data: &str) {
    browser.open("/events/new");
    browser.fill("type", event_type);
    browser.fill("data", data);
    browser.click("Send it");
    browser.wait_for(event_type);
}

/// Makes an endpoint for invoices; the page of it is shown afterwards. Its address is answered.
fn make(browser: &Browser, receiver: &Receiver) -> String {
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
    browser.path()
}

fn a_day(window: Window) {
    let app = TestApp::start();
    let receiver = Receiver::start();
    let browser = super::admin(&app, window);
    let endpoint = make(&browser, &receiver);

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

    // It breaks: the delivery fails for good, and the console says why.
    receiver.always(Reply::status(500));
    send(&browser, "invoice.paid", "{\"amount\": 2}");
    browser.reload_until("failed");
    browser.open(&endpoint);
    browser.reload_until("It is failing");

    // It is disabled; what comes meanwhile is held.
    browser.click("Disable…");
    browser.fill("note", "the disk of their server is full");
    browser.click("Disable");
    browser.wait_for("the disk of their server is full");
    send(&browser, "invoice.paid", "{\"amount\": 3}");
    browser.reload_until("held");
    let before = receiver.count();

    // It is well again: what is held is delivered, what failed is sent again.
    receiver.always(Reply::status(200));
    browser.open(&endpoint);
    browser.click("Enable…");
    browser.click("Enable");
    receiver.wait_for(before + 1);
    browser.open(&format!("{endpoint}/replay"));
    browser.choose("status", "failed");
    browser.fill("since", "2020-01-01 00:00");
    browser.click("Count");
    // A reload would come before what the click begins.
    browser.wait_for("to send again");
    browser.reload_until("1 delivery to send again");
    browser.click("Send it again");
    receiver.wait_for(before + 2);
    browser.open(&format!("{endpoint}/deliveries?status=failed"));
    browser.reload_until("No delivery");
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
