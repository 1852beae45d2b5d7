//! No page of the console is over 100 KB in all, with what it loads, also where every row is at its limits.

use std::collections::BTreeMap;

use crate::support::app::TestApp;
use crate::support::console::Console;
use crate::support::extremes::Extremes;

/// What a page may weigh, with everything that it loads.
const WEIGHT: usize = 100 * 1024;

/// The files that a page loads.
fn loaded(page: &str) -> Vec<&str> {
    page.split("\"/static/").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn no_page_is_over_100_kb_with_what_it_loads() {
    let app = TestApp::with_manual_clock();
    let all = Extremes::new(&app);
    let (mut files, mut faults, mut seen) = (BTreeMap::new(), Vec::new(), 0);
    for console in [Console::admin(&app), Console::viewer(&app)] {
        for path in all.pages() {
            let answer = console.get(&path);
            let is_page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
            if !is_page {
                assert!(answer.status == 303 || answer.header("content-disposition").is_some(), "{path}");
                continue;
            }
            // Links that are over.
            let over = ["/setup", "/setup/none", "/join/none", "/shown/none", "/alerts/none"]
                .contains(&path.as_str());
            assert!(over || answer.status != 404, "{path} is not there");
            let page = answer.text();
            let mut weight = page.len();
            for file in loaded(page) {
                let length = || console.get(&format!("/static/{file}")).expect(200).text().len();
                weight += *files.entry(file.to_owned()).or_insert_with(length);
            }
            seen += 1;
            if weight > WEIGHT {
                faults.push(format!("{path}: {weight} bytes"));
            }
        }
    }
    assert!(seen > 100 && files.len() > 3, "{seen} pages, {files:?}");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
