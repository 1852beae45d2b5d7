//! What may be wrong with any page: barriers that axe-core knows, complaints of the browser, things from another host,
//! more than fits the window, more than a page may weigh, another look than was chosen.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::browser::Browser;

/// What a page of the console may weigh, with everything that it loads. The reference of the API is a book.
const WEIGHT: u64 = 100 * 1024;

/// Looks for faults.
pub struct Inspector {
    axe: String,
    /// Whether every page has to look dark.
    dark: bool,
    /// Whether the dark look, that the system prefers, is looked at besides.
    both: bool,
}

impl Inspector {
    /// For pages that have to look dark, or light, whatever the system prefers.
    pub fn chosen(dark: bool) -> Self {
        Self { dark, both: false, axe: axe() }
    }

    /// For pages that have to look light, and dark where the system prefers it.
    pub fn preferred() -> Self {
        Self { dark: false, both: true, axe: axe() }
    }

    /// Everything that is wrong with the page that is shown, which answered with `status`, in windows so wide. The first
    /// of them is that of the window.
    pub fn faults(&self, browser: &Browser, status: u64, widths: &[u32]) -> Vec<String> {
        let mut faults = self.barriers(browser);
        // A page that tells a failure has its status, and a browser says so.
        let told = format!("status of {status} ");
        faults.extend(browser.complaints().into_iter().filter(|line| status < 400 || !line.contains(&told)));
        faults.extend(browser.loaded().into_iter().filter(|address| !address.starts_with(browser.base())));
        faults.extend(widths.iter().filter_map(|width| too_wide(browser, *width)));
        faults.extend(is_dark(browser, self.dark));
        let seen = browser.status();
        if seen != status {
            faults.push(format!("it answers {seen} and not {status}"));
        }
        let weight = browser.weight();
        if !browser.path().starts_with("/docs") && (weight == 0 || weight > WEIGHT) {
            faults.push(format!("it weighs {weight} bytes"));
        }
        let path = browser.path();
        faults.into_iter().map(|fault| format!("{path}: {fault}")).collect()
    }

    /// What axe-core finds: rule, and where.
    fn barriers(&self, browser: &Browser) -> Vec<String> {
        // Injected by the driver, which the page's policy does not stop.
        browser.script(&self.axe);
        let mut found = Self::run(browser, "{ resultTypes: ['violations'] }");
        if self.both {
            // In another look only colours are others.
            browser.prefer("dark");
            found.extend(Self::run(browser, "{ resultTypes: ['violations'], runOnly: ['color-contrast'] }"));
            found.extend(is_dark(browser, true));
            browser.prefer("light");
        }
        found
    }

    fn run(browser: &Browser, how: &str) -> Vec<String> {
        let found = browser.script_later(&format!(
            "const done = arguments[arguments.length - 1];
             axe.run(document, {how}).then(
                 found => done(found.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target + ' ' + n.failureSummary).join(' | '))),
                 error => done(['axe has failed: ' + error]));",
        ));
        let found = found.as_array().cloned().unwrap_or_else(|| vec![Value::from("axe says nothing")]);
        found.iter().map(|line| line.as_str().expect("a line").to_owned()).collect()
    }
}

/// What is wrong where the ground of the page is not as dark as it should be.
fn is_dark(browser: &Browser, wanted: bool) -> Option<String> {
    let dark = browser.script(
        "return getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).slice(0, 3).every(part => part < 128)",
    );
    (dark != wanted).then(|| format!("is its ground dark? {dark}"))
}

fn too_wide(browser: &Browser, width: u32) -> Option<String> {
    browser.resize(width, 900);
    let needed = browser.width();
    (needed > u64::from(width)).then(|| format!("it needs {needed} px of {width}"))
}

fn axe() -> String {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(target)
        .join("browser/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}; tests/run --prepare installs it", file.display()))
}
