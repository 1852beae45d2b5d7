//! The console without a mouse.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::app::TestApp;
use crate::support::browser::{Browser, DOWN, ENTER, ESCAPE, TAB, Window};

use super::furnished::Furnished;

/// Names an element by what it is, not by which: parts of a page that are refreshed are other elements afterwards.
const NAME: &str = "const name = e => e.tagName + ' ' + (e.getAttribute('href') ?? e.name ?? '') + ' ' + \
                    (e.labels?.[0] ?? e).textContent.trim().slice(0, 60) + ' ' + (e.form?.getAttribute('action') ?? '');";

/// Everything on the page that a person clicks on or types into.
fn acts(browser: &Browser) -> BTreeSet<String> {
    let found = browser.script(&format!(
        "{NAME} return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
             .filter(e => !e.disabled && e.checkVisibility({{ visibilityProperty: true }}))
             .filter(e => e.type !== 'radio' || e.checked).map(name)"
    ));
    let names = found.as_array().expect("a list of names");
    names.iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

/// What has the focus, and whether that can be seen.
fn focused(browser: &Browser) -> (String, bool) {
    let found = browser.script(&format!(
        "{NAME} const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
         const within = box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight;
         return [name(e), within && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2]"
    ));
    (found[0].as_str().expect("a name").to_owned(), found[1] == Value::Bool(true))
}

/// Goes through a page by Tab until everything was reached.
fn tab_through(browser: &Browser, path: &str) {
    browser.open(path);
    let wanted = acts(browser);
    assert!(wanted.len() > 15, "{path}: {wanted:?}");
    let mut missing = wanted.clone();
    for _ in 0..2 * wanted.len() + 20 {
        browser.press(TAB);
        let (name, seen) = focused(browser);
        assert!(seen || name.starts_with("BODY"), "{path}: the focus on {name:?} is not seen");
        missing.remove(&name);
        if missing.is_empty() {
            return;
        }
    }
    panic!("{path}: Tab does not come to {missing:?}");
}

#[test]
fn everything_on_a_page_is_reached_by_tab_and_the_focus_is_seen() {
    let app = TestApp::start();
    let furnished = Furnished::new(&app);
    let browser = super::admin(&app, Window::default());
    let pages = furnished.pages();
    for name in ["overview", "endpoints", "endpoint-new", "endpoint-enable", "delivery-failed", "operators"] {
        let (_, path) = pages.iter().find(|(known, _)| known == name).expect("a page");
        tab_through(&browser, path);
    }
}

#[test]
fn the_keyboard_skips_the_navigation_finds_the_search_and_leaves_it() {
    let app = TestApp::start();
    Furnished::new(&app);
    let browser = super::admin(&app, Window::default());
    browser.open("/endpoints");
    browser.press(TAB);
    assert_eq!(browser.script("return document.activeElement.textContent"), "Skip to the page");
    browser.press(ENTER);
    browser.press(TAB);
    let in_page = "return document.activeElement.closest('main') !== null";
    assert_eq!(browser.script(in_page), true, "{:?}", focused(&browser));
    // Where somebody types, it is a letter like any other.
    browser.press('/');
    let name = || browser.script("return document.activeElement.name");
    assert_eq!(name(), "search");
    for letter in "glo/".chars() {
        browser.press(letter);
    }
    let search = || browser.script("return document.getElementById('search').value");
    assert_eq!(search(), "glo/");
    browser.press(ESCAPE);
    assert_ne!(name(), "search", "Escape leaves");
    browser.press('/');
    browser.fill("search", "globex");
    browser.press(ENTER);
    browser.wait_until("what is found", |browser| browser.path().contains("search=globex"));
    assert_eq!(browser.count("tbody tr"), 2);
}

#[test]
fn a_filter_is_chosen_by_its_arrows_and_only_what_is_filled_in_stands_in_the_address() {
    let app = TestApp::start();
    Furnished::new(&app);
    let browser = super::admin(&app, Window::default());
    browser.open("/deliveries");
    browser.script("document.getElementById('status').focus()");
    for _ in 0..2 {
        browser.press(DOWN);
    }
    assert_eq!(browser.path(), "/deliveries", "what is passed by on the way is not chosen");
    let chosen = browser.script("return document.activeElement.value");
    let chosen = chosen.as_str().filter(|chosen| !chosen.is_empty()).expect("a status").to_owned();
    browser.press(TAB);
    browser.press(ENTER);
    browser.wait_until("what is chosen", |browser| browser.path() == format!("/deliveries?status={chosen}"));
    // Where a page has no search, the key leads to that of the events.
    browser.open("/account");
    browser.press('/');
    browser.wait_until("the search", |browser| browser.path() == "/events");
    browser.wait_until("the focus on it", |browser| {
        browser.script("return document.activeElement.matches('[data-search]')") == true
    });
}

#[test]
fn a_form_is_filled_in_and_sent_without_a_mouse() {
    use crate::support::browser as keys;

    let app = TestApp::start();
    let browser = super::admin(&app, Window::default());
    browser.open("/endpoints/new");
    let to = |name: &str| {
        for _ in 0..60 {
            browser.press(TAB);
            if focused(&browser).0.contains(name) {
                return;
            }
        }
        panic!("Tab does not come to {name}");
    };
    let typed = |text: &str| text.chars().for_each(|letter| browser.press(letter));
    to("INPUT url ");
    typed("http://127.0.0.1:1024/a");
    to("TEXTAREA events ");
    // In the place of the pattern for everything.
    browser.press(keys::DELETE);
    browser.press(keys::BACKSPACE);
    typed("order.*");
    to("BUTTON  Make the endpoint");
    browser.press(ENTER);
    browser.wait_for("it is shown this once");
    let made = app.list("/endpoints");
    assert_eq!(
        (&made[0]["url"], &made[0]["events"][0]),
        (&"http://127.0.0.1:1024/a".into(), &"order.*".into())
    );
}
