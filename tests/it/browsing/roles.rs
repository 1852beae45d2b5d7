//! Who may do what, as two people see it in browsers of their own.

use serde_json::Value;

use crate::support::app::TestApp;
use crate::support::browser::{Browser, Window};
use crate::support::console::{ADMIN, PASSWORD};
use crate::support::routes;
use crate::ui_routes::{For, TABLE};

use super::faults::Inspector;
use super::furnished::Furnished;

/// Who is invited to look.
const EVE: &str = "eve@example.com";

/// For whom the page at this path is.
#[track_caller]
fn whose(path: &str) -> For {
    let pages = || TABLE.iter().filter(|(method, _, _)| *method == "GET");
    let route = routes::serving(pages().map(|(_, route, _)| *route), path);
    let row = route.and_then(|route| pages().find(|(_, known, _)| *known == route));
    row.unwrap_or_else(|| panic!("{path} is no page of the console")).2
}

/// An admin makes a link for somebody; it is answered.
fn invite(admin: &Browser) -> String {
    admin.navigate("Operators");
    admin.fill("email", EVE);
    admin.choose("role", "viewer");
    admin.click("Make a link");
    admin.wait_for("The link for eve@example.com is made");
    admin.text_of("#secret")
}

/// Somebody sets their password with the link that they were given.
fn join(viewer: &Browser, link: &str) {
    viewer.open(link);
    viewer.wait_for(EVE);
    viewer.fill("password", "short");
    viewer.click("Set it and sign in");
    viewer.wait_until("what is wrong", |browser| browser.has("#password[aria-invalid='true']"));
    viewer.fill("password", PASSWORD);
    viewer.click("Set it and sign in");
    viewer.wait_for("(viewer)");
    viewer.open(link);
    viewer.wait_for("used already");
}

fn texts(found: &Value) -> Vec<String> {
    let found = found.as_array().expect("a list");
    found.iter().map(|one| one.as_str().expect("a text").to_owned()).collect()
}

/// What the page that is shown offers to change: forms that post, as `address button=value`, and links to pages with such
/// a form. What a person does to their own session and look is not among it, nor a look at what a format makes.
fn changes(browser: &Browser) -> Vec<String> {
    let forms = browser.script(
        "return [...document.querySelectorAll('form')].filter(form => form.method === 'post').flatMap(form =>
             [...form.querySelectorAll('button, input[type=submit]')].map(button =>
                 new URL(button.getAttribute('formaction') ?? form.getAttribute('action') ?? '', location).pathname + ' ' + button.name + '=' + button.value))",
    );
    let own = |form: &String| {
        ["/theme ", "/logout ", "/account/"].iter().any(|start| form.starts_with(start))
            || form == "/formats do=preview"
    };
    let links = browser.script(
        "return [...document.querySelectorAll('a[href]:not([href^=\"#\"])')].map(link => new URL(link.href))
             .filter(url => url.host === location.host && !/^\\/(docs|login|static)/.test(url.pathname)).map(url => url.pathname)",
    );
    let forms = texts(&forms).into_iter().filter(|form| !own(form));
    forms.chain(texts(&links).into_iter().filter(|path| whose(path) == For::AdminsPage)).collect()
}

/// Every page is there for a viewer, without fault, and offers nothing that changes anything.
fn sees_everything(viewer: &Browser, furnished: &Furnished) {
    let inspector = Inspector::chosen(false);
    let mut faults = Vec::new();
    for (_, path) in furnished.pages() {
        viewer.open(&path);
        let status = if whose(&path) == For::AdminsPage { 403 } else { 200 };
        faults.extend(inspector.faults(viewer, status, &[1440]));
        faults.extend(changes(viewer).into_iter().map(|change| format!("{path} offers {change}")));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// What the page does not offer is refused behind it, with the token of this very session.
fn is_refused(viewer: &Browser) {
    viewer.open("/keys");
    for fields in
        ["'/keys', { name: 'mine', scopes: 'admin' }", "'/endpoints/new', { url: 'https://example.com' }"]
    {
        let status = viewer.script_later(&format!(
            "const post = (to, fields) => fetch(to, {{ method: 'POST', redirect: 'manual', body: new URLSearchParams(
                 {{ csrf: document.querySelector('[name=csrf]').value, ...fields }}) }});
             post({fields}).then(answer => arguments[arguments.length - 1](answer.status))"
        ));
        assert_eq!(status, 403, "{fields}");
    }
}

#[test]
fn who_is_invited_to_look_sees_everything_changes_nothing_and_is_out_when_deactivated() {
    let app = TestApp::start();
    let furnished = Furnished::new(&app);
    let admin = super::admin(&app, Window::default());
    let viewer = super::stranger(&app, Window::default());
    join(&viewer, &invite(&admin));
    viewer.complaints();
    sees_everything(&viewer, &furnished);
    is_refused(&viewer);
    admin.navigate("Operators");
    admin.wait_until("the list without the link", |browser| !browser.has("#secret"));
    assert_eq!(changes(&admin).iter().filter(|change| change.starts_with("/operators")).count(), 10);
    admin.click_on(&format!(
        "//tr[contains(., '{EVE}')]//button[starts-with(normalize-space(.), 'Deactivate')]"
    ));
    admin.confirm();
    admin.wait_for("eve@example.com is deactivated");
    viewer.navigate("Events");
    viewer.wait_for("Sign in");
    assert_eq!(viewer.path(), "/login?to=%2Fevents");
    super::sign_in(&viewer, EVE);
    viewer.wait_for("The address or the password is wrong.");
    assert!(!viewer.has("nav"));
}

#[test]
fn signing_in_leads_back_to_a_page_of_this_site_only() {
    let app = TestApp::start();
    let browser = super::admin(&app, Window::default());
    browser.navigate("Sign out");
    browser.wait_for("You are signed out.");
    browser.open("/deliveries?status=failed");
    super::sign_in(&browser, ADMIN);
    browser.wait_for("An event on its way to an endpoint.");
    assert_eq!(browser.path(), "/deliveries?status=failed");
    for elsewhere in ["//evil.example/", "https://evil.example/", "/%5Cevil.example", "/%09/evil.example"] {
        browser.navigate("Sign out");
        browser.wait_for("You are signed out.");
        browser.open(&format!("/login?to={elsewhere}"));
        super::sign_in(&browser, ADMIN);
        browser.wait_for("Overview");
        assert_eq!(browser.path(), "/", "{elsewhere}");
        assert!(
            browser
                .script("return location.href")
                .as_str()
                .is_some_and(|url| url.starts_with(browser.base()))
        );
    }
}
