//! Ways through the console, by clicking only.

use crate::support::app::TestApp;
use crate::support::browser::{Browser, Window};
use crate::support::console::{ADMIN, PASSWORD};
use crate::support::server::Start;

/// Sets the server up as the printed link says, and ends on the overview.
fn set_up(browser: &Browser, path: &str) {
    browser.open(path);
    browser.fill("email", ADMIN);
    browser.fill("password", PASSWORD);
    browser.click("Make the first operator");
    browser.wait_for("Overview");
}

/// What the program prints before the link for the first operator.
const LINK: &str = "open this link within 30 minutes to make the first operator: ";

fn first_start(window: Window) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let process = Start::on(&dir.path().join("data")).spawn();
    let link = process.line(LINK).expect("a link");
    let (base, token) = link.split_once("/setup/").expect("a link to the setup");
    let browser = Browser::start(base, window);
    browser.open("/");
    browser.wait_for("Set up Postrider");
    set_up(&browser, &format!("/setup/{token}"));
    assert_eq!(browser.path(), "/");
    browser.open(&format!("/setup/{token}"));
    browser.wait_for("used already");
    browser.open("/");
    browser.click("Sign out");
    browser.wait_for("You are signed out.");
    browser.fill("email", ADMIN);
    browser.fill("password", "wrong password");
    browser.click("Sign in");
    browser.wait_for("The address or the password is wrong.");
    browser.fill("password", PASSWORD);
    browser.click("Sign in");
    browser.wait_for("Overview");
}

#[test]
fn the_first_operator_is_made_with_the_printed_link_and_signs_in() {
    first_start(Window::default());
}

#[test]
fn the_first_operator_needs_no_scripts() {
    first_start(Window { scripts: false, ..Window::default() });
}

#[test]
fn a_look_is_chosen_and_kept() {
    let app = TestApp::start();
    let browser = super::admin(&app, Window::default());
    let ground = || browser.script("return getComputedStyle(document.body).backgroundColor");
    let light = ground();
    browser.click("dark");
    browser.wait_until("the dark look", |browser| browser.has("html[data-theme='dark']"));
    assert_ne!(ground(), light);
    browser.open("/keys");
    assert!(browser.has("html[data-theme='dark']"));
    browser.click("system");
    browser.wait_until("no look", |browser| !browser.has("html[data-theme]"));
    assert_eq!((ground(), browser.path().as_str()), (light, "/keys"));
}

#[test]
fn a_key_is_made_copied_and_revoked() {
    let app = TestApp::start();
    let browser = super::admin(&app, Window::default());
    browser.navigate("API keys");
    browser.fill("name", "the shop");
    browser.click("Make the key");
    browser.wait_for("Must hold at least one");
    browser.click_on("input[value='events:write']");
    browser.click("Make the key");
    browser.wait_for("it is shown this once");
    let key = browser.script("return document.getElementById('secret').textContent");
    assert!(key.as_str().is_some_and(|key| key.starts_with("pr_")), "{key}");
    browser.open("/keys");
    assert!(!browser.has("#secret"));
    browser.click_on("tbody tr:first-child button");
    browser.confirm();
    browser.wait_for("The key is revoked");
    assert!(!browser.text().contains("the shop"));
}
