//! From the first start to the first delivery, as somebody does it who is new: with the link that the server prints, and
//! then by clicking only.

use crate::support::browser::{Browser, Window};
use crate::support::console::{ADMIN, PASSWORD};
use crate::support::mac;
use crate::support::receiver::{Receiver, Reply};
use crate::support::server::Start;

/// What the program prints before the link for the first operator.
const LINK: &str = "open this link within 30 minutes to make the first operator: ";

/// The first operator is made with the link, and sees what to do first.
fn set_up(browser: &Browser, token: &str) {
    browser.open("/");
    browser.wait_for("Set up Postrider");
    browser.wait_for("the link that the server has printed");
    browser.open(&format!("/setup/{token}"));
    browser.fill("email", ADMIN);
    browser.fill("password", "short");
    browser.click("Make the first operator");
    browser.wait_until("what is wrong", |browser| browser.has("#password[aria-invalid='true']"));
    browser.fill("password", PASSWORD);
    browser.click("Make the first operator");
    browser.wait_for("Three steps to the first delivery");
    assert_eq!(browser.path(), "/");
}

/// Back on the overview, so many of the three steps are made.
fn has_made(browser: &Browser, steps: usize) {
    browser.navigate("Overview");
    browser.wait_until("the steps that are made", |browser| browser.count(".steps .made") == steps);
}

/// Makes a key and an endpoint where the steps lead to. The endpoint's secret is answered.
fn take_two_steps(browser: &Browser, receiver: &Receiver) -> String {
    has_made(browser, 0);
    browser.click_on(".steps a[href='/keys']");
    browser.fill("name", "My application");
    browser.click_on("input[value='events:write']");
    browser.click("Make the key");
    browser.wait_for("The key My application is made");
    has_made(browser, 1);
    browser.click_on(".steps a[href='/endpoints']");
    browser.wait_for("No endpoints yet");
    browser.click("New endpoint");
    browser.fill("url", &receiver.url("/hook"));
    browser.fill("events", "order.*");
    browser.click("Make the endpoint");
    browser.wait_for("it is shown this once");
    let secret = browser.text_of("#secret");
    has_made(browser, 2);
    secret
}

/// The third step: an event by hand, and the delivery that is made of it.
fn deliver(browser: &Browser, receiver: &Receiver, secret: &str) {
    browser.click_on(".steps a[href='/events/new']");
    browser.fill("type", "order.paid");
    browser.fill("data", "{\"order\": 17, \"total\": 29.90}");
    browser.click("Send it");
    browser.wait_for("Where it went");
    browser.reload_until("delivered");
    browser.click_on("#went a[href^='/deliveries/']");
    browser.wait_for("answered 202");
    let shown = browser.text();
    for part in ["Attempt 1", "thanks", "webhook-signature", "29.90"] {
        assert!(shown.contains(part), "{part} is missing in {shown}");
    }
    let request = receiver.next();
    assert_eq!(request.json()["data"]["order"], 17);
    assert_eq!(request.header("webhook-signature"), Some(mac::standard(secret, &request).as_str()));
    has_made(browser, 0);
    browser.wait_for("All is well.");
    assert!(!browser.has(".steps"), "what was to do first is done");
}

/// Signs out, and in again with the second password that is tried.
fn come_back(browser: &Browser, token: &str) {
    browser.open(&format!("/setup/{token}"));
    browser.wait_for("used already");
    browser.open("/");
    browser.click("Sign out");
    browser.wait_for("You are signed out.");
    browser.fill("email", ADMIN);
    browser.fill("password", "wrong password");
    browser.click("Sign in");
    browser.wait_for("The address or the password is wrong.");
    assert_eq!(browser.script("return document.getElementById('email').value"), ADMIN);
    browser.fill("password", PASSWORD);
    browser.click("Sign in");
    browser.wait_for("All is well.");
}

fn first_start(window: Window) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let process = Start::on(&dir.path().join("data")).with("POSTRIDER_API_KEY", "").spawn();
    let link = process.line(LINK).expect("a link");
    let (base, token) = link.split_once("/setup/").expect("a link to the setup");
    let receiver = Receiver::start();
    receiver.always(Reply::status(202).body("{\"thanks\":true}"));
    let browser = Browser::start(base, window);
    set_up(&browser, token);
    let secret = take_two_steps(&browser, &receiver);
    deliver(&browser, &receiver, &secret);
    come_back(&browser, token);
    // What was refused is told as a status, too.
    let complaints = browser.complaints();
    let refused =
        |line: &String| ["status of 422", "status of 404", "status of 401"].iter().any(|s| line.contains(s));
    assert!(complaints.iter().all(refused), "{complaints:?}");
}

#[test]
fn who_is_new_comes_from_the_printed_link_to_the_first_delivery() {
    first_start(Window::default());
}

#[test]
fn who_is_new_needs_no_scripts() {
    first_start(Window { scripts: false, ..Window::default() });
}
