//! What holds on every page, in both looks, chosen by the system and by hand, on a desk and on a phone: see `faults`.

use crate::support::app::TestApp;
use crate::support::browser::{Browser, Window};
use crate::support::extremes::Extremes;

use super::faults::Inspector;
use super::furnished::Furnished;

/// The widths of phones that pages have to fit.
const PHONES: [u32; 2] = [390, 360];

/// Looks at the pages before there is an operator.
fn look_at_the_start(window: Window, inspector: &Inspector, widths: &[u32]) -> Vec<String> {
    let app = TestApp::start();
    let link = app.service().make_setup_link().wait().expect("a link");
    let browser = super::stranger(&app, window);
    let mut all = Vec::new();
    for (path, status) in
        [("/setup", 200), (&*format!("/setup/{}", link.token.expose()), 200), ("/setup/none", 404)]
    {
        browser.resize(widths[0], 900);
        browser.open(path);
        all.extend(inspector.faults(&browser, status, widths));
    }
    all
}

/// Looks at the pages for whoever is not signed in.
fn look_from_outside(browser: &Browser, link: &str, inspector: &Inspector, widths: &[u32]) -> Vec<String> {
    let mut all = Vec::new();
    for (path, status) in [
        ("/login", 200),
        (link, 200),
        ("/join/none", 404),
        ("/nowhere", 404),
        ("/docs", 200),
        ("/docs/formats", 200),
    ] {
        browser.resize(widths[0], 900);
        browser.open(path);
        all.extend(inspector.faults(browser, status, widths));
    }
    all
}

/// Looks at all pages, as an admin and from outside.
fn look_at_all(admin: &Browser, furnished: &Furnished, inspector: &Inspector, widths: &[u32]) -> Vec<String> {
    let mut all = Vec::new();
    for (_, path) in furnished.pages() {
        admin.resize(widths[0], 900);
        admin.open(&path);
        all.extend(inspector.faults(admin, 200, widths));
    }
    admin.resize(widths[0], 900);
    admin.navigate("Sign out");
    admin.wait_for("You are signed out.");
    all.extend(look_from_outside(admin, furnished.link(), inspector, widths));
    all
}

/// Chooses a look by hand, which leads back to where it was chosen.
fn choose(browser: &Browser, look: &str) {
    browser.open("/deliveries?status=failed&tenant=acme");
    browser.navigate(look);
    browser.wait_until("the look", |browser| browser.has(&format!("html[data-theme='{look}']")));
    assert_eq!(browser.path(), "/deliveries?status=failed&tenant=acme");
}

#[test]
fn every_page_is_without_fault_on_a_desk_in_the_look_that_the_system_prefers() {
    let app = TestApp::start();
    let furnished = Furnished::new(&app);
    let (inspector, widths) = (Inspector::preferred(), [1440, 960, 2560]);
    let admin = super::admin(&app, Window::default());
    let mut faults = look_at_all(&admin, &furnished, &inspector, &widths);
    drop(admin);
    faults.extend(look_at_the_start(Window::default(), &inspector, &widths));
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_page_is_without_fault_on_a_phone_in_the_dark_look_chosen_by_hand() {
    let app = TestApp::start();
    let furnished = Furnished::new(&app);
    let phone = super::admin(&app, Window { width: PHONES[0], ..Window::default() });
    choose(&phone, "dark");
    let faults = look_at_all(&phone, &furnished, &Inspector::chosen(true), &PHONES);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn on_a_phone_the_manual_begins_with_its_text_and_a_link_leads_to_its_contents() {
    let app = TestApp::start();
    let phone = super::stranger(&app, Window { width: PHONES[0], ..Window::default() });
    for path in ["/docs", "/docs/verifying-php"] {
        phone.open(path);
        let top = |css: &str| {
            let top =
                phone.script(&format!("return document.querySelector('{css}').getBoundingClientRect().top"));
            top.as_f64().expect("a number")
        };
        assert!(top("h1") < 200.0, "{path}: {}", top("h1"));
        assert!(top("#contents") > top("main"), "{path}");
        phone.click_on(".to-contents");
        phone.wait_until("the contents", |_| (0.0..400.0).contains(&top("#contents")));
    }
}

/// Pages that come after a form, or with it once more.
fn look_after_forms(browser: &Browser, inspector: &Inspector, widths: &[u32]) -> Vec<String> {
    let mut all = Vec::new();
    let mut look = |shows: &str, refused: bool| {
        browser.wait_for(shows);
        let status = browser.status();
        assert_eq!(status >= 400, refused, "{shows}");
        all.extend(inspector.faults(browser, status, widths));
        browser.resize(widths[0], 900);
    };
    browser.open("/keys");
    browser.fill("name", "the shop");
    browser.click("Make the key");
    look("Must hold at least one", true);
    browser.click_on("input[value='events:write']");
    browser.click("Make the key");
    look("it is shown this once", false);
    browser.open("/operators");
    browser.fill("email", "eve@example.com");
    browser.click("Make a link");
    look("The link for eve@example.com is made", false);
    browser.open("/endpoints/new");
    browser.fill("url", "ftp://nowhere");
    browser.fill("retry_schedule", "soon");
    browser.click("Make the endpoint");
    look("Must be a full URL", true);
    browser.fill("url", "http://127.0.0.1:1024/");
    browser.fill("retry_schedule", "");
    browser.click("Make the endpoint");
    look("it is shown this once", false);
    browser.click("Send it a test");
    browser.fill("type", "a");
    browser.click("Send");
    look("It failed", false);
    browser.open("/deliveries?since=soon");
    browser.wait_until("what is wrong", |browser| browser.has("#since[aria-invalid='true']"));
    look("Deliveries", true);
    browser.open("/events/new?type=a");
    browser.fill("data", "{");
    browser.click("Send it");
    browser.wait_until("what is wrong", |browser| browser.has("#data[aria-invalid='true']"));
    look("Send an event", true);
    all
}

#[test]
fn what_comes_after_a_form_is_without_fault() {
    let app = TestApp::start();
    let inspector = Inspector::chosen(false);
    // A phone whose system prefers the dark look, and whose owner does not.
    let phone = super::admin(&app, Window { width: PHONES[0], dark: true, ..Window::default() });
    choose(&phone, "light");
    let faults = look_after_forms(&phone, &inspector, &PHONES);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_page_fits_a_phone_with_every_row_at_its_limits() {
    let app = TestApp::with_manual_clock();
    let extremes = Extremes::new(&app);
    let window = Window { width: 360, ..Window::default() };
    let (admin, mut all) = (super::admin(&app, window), Vec::new());
    // Files are saved, and lead nowhere.
    let is_page = |path: &String| !path.contains("/curl") && !path.contains("/data");
    for path in extremes.pages().iter().filter(|path| is_page(path)) {
        admin.open(path);
        let wide = admin.width();
        if wide > 360 {
            all.push(format!("{path}: it is {wide} px wide"));
        }
    }
    assert!(all.is_empty(), "{} faults:\n{}", all.len(), all.join("\n"));
}
