//! Ways through the console, by clicking only.

use crate::support::app::TestApp;
use crate::support::browser::Window;

#[test]
fn a_look_is_chosen_and_kept() {
    let app = TestApp::start();
    let browser = super::admin(&app, Window::default());
    let ground = || browser.script("return getComputedStyle(document.body).backgroundColor");
    let light = ground();
    browser.navigate("dark");
    browser.wait_until("the dark look", |browser| browser.has("html[data-theme='dark']"));
    assert_ne!(ground(), light);
    browser.open("/keys");
    assert!(browser.has("html[data-theme='dark']"));
    browser.navigate("system");
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
