//! What holds on every page: no barrier that axe-core knows, nothing that the browser complains about, nothing from
//! another host, and all of it fits the window.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::app::TestApp;
use crate::support::browser::{Browser, Window};
use crate::support::extremes::Extremes;

use super::furnished::Furnished;

/// What a page of the console may weigh, with everything that it loads. The reference of the API is a book.
const WEIGHT: u64 = 100 * 1024;

fn axe() -> String {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(target)
        .join("browser/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}; tests/run --prepare installs it", file.display()))
}

/// What axe-core finds on the page that is shown: rule, and where.
fn barriers(browser: &Browser, axe: &str) -> Vec<String> {
    // Injected by the driver, which the page's policy does not stop.
    browser.script(axe);
    let found = browser.script_later(
        "const done = arguments[arguments.length - 1];
         axe.run(document, { resultTypes: ['violations'] }).then(
             found => done(found.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target + ' ' + n.failureSummary).join(' | '))),
             error => done(['axe has failed: ' + error]));",
    );
    let found = found.as_array().cloned().unwrap_or_else(|| vec![Value::from("axe says nothing")]);
    found.iter().map(|line| line.as_str().unwrap_or_default().to_owned()).collect()
}

/// Everything that is wrong with the page that is shown.
fn faults(browser: &Browser, base: &str, width: u32, axe: &str) -> Vec<String> {
    let mut faults = barriers(browser, axe);
    faults.extend(browser.complaints());
    faults.extend(browser.loaded().into_iter().filter(|address| !address.starts_with(base)));
    let wide = browser.script("return document.documentElement.scrollWidth").as_u64().unwrap_or(0);
    if wide > u64::from(width) {
        faults.push(format!("it is {wide} px wide"));
    }
    let weight = browser.script(
        "return performance.getEntries().filter(e => 'encodedBodySize' in e).reduce((sum, e) => sum + e.encodedBodySize, 0)",
    );
    let is_console = !browser.path().starts_with("/docs");
    if is_console && weight.as_u64().is_none_or(|weight| weight == 0 || weight > WEIGHT) {
        faults.push(format!("it weighs {weight} bytes"));
    }
    faults
}

fn look_at_all(window: Window) {
    let app = TestApp::start();
    let furnished = Furnished::new(&app);
    let axe = axe();
    let base = format!("http://{}/", app.address());
    let mut all = Vec::new();
    let stranger = super::stranger(&app, window);
    for path in ["/login", "/setup/none", "/join/none", "/docs", "/docs/formats"] {
        stranger.open(path);
        let found = faults(&stranger, &base, window.width, &axe);
        // Links that are over answer 404, and a browser says so.
        all.extend(
            found.into_iter().filter(|fault| !fault.contains("404")).map(|fault| format!("{path}: {fault}")),
        );
    }
    drop(stranger);
    let admin = super::admin(&app, window);
    for (_, path) in furnished.pages() {
        admin.open(&path);
        all.extend(
            faults(&admin, &base, window.width, &axe).into_iter().map(|fault| format!("{path}: {fault}")),
        );
    }
    assert!(all.is_empty(), "{} faults:\n{}", all.len(), all.join("\n"));
}

#[test]
fn every_page_is_without_fault_in_light() {
    look_at_all(Window::default());
}

#[test]
fn every_page_is_without_fault_in_dark() {
    look_at_all(Window { dark: true, ..Window::default() });
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
        let wide = admin.script("return document.documentElement.scrollWidth").as_u64().unwrap_or(0);
        if wide > 360 {
            all.push(format!("{path}: it is {wide} px wide"));
        }
    }
    assert!(all.is_empty(), "{} faults:\n{}", all.len(), all.join("\n"));
}

#[test]
fn every_page_is_without_fault_on_a_phone() {
    look_at_all(Window { width: 360, ..Window::default() });
}
