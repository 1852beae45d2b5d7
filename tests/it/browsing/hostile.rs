//! What publishers, receivers and colleagues have written stays text on every page that shows it.

use serde_json::json;

use crate::support::app::TestApp;
use crate::support::browser::Window;
use crate::support::poisoned::{Poison, poisoned};
use crate::support::receiver::Receiver;

/// Ends what it may stand in, and runs something if it can.
const EVIL: &str =
    "'\"></title></pre></textarea></svg><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}";

/// The same as a part of what a URL may hold, and of what a key may be called.
const SHORT: &str = "'\"><script>alert(1)</script>";

const POISON: Poison = Poison {
    typed: EVIL,
    short: SHORT,
    sent: EVIL,
    url: "?'\"><script>alert(1)</script>",
    answered: (EVIL, b"'\"></pre><script>alert(1)</script><img src=x onerror=alert(2)>\0\x1b[31m\xff"),
};

#[test]
fn what_others_have_written_does_nothing() {
    let app = TestApp::start();
    let receiver = Receiver::start();
    let paths = poisoned(&app, &receiver, &POISON);
    let browser = super::admin(&app, Window::default());
    let mut shown = 0;
    for path in &paths {
        browser.open(path);
        // A question that is asked by a script would fail everything that follows.
        let foreign = browser.script(
            "return [...document.querySelectorAll('script:not([src]), [onerror], [style], img, b > script, base, iframe')]
                 .map(e => e.outerHTML)",
        );
        assert_eq!(foreign, json!([]), "{path}");
        let complaints = browser.complaints();
        let refused = |line: &String| line.contains("status of 4");
        assert!(complaints.iter().all(refused), "{path}: {complaints:?}");
        // In the text, or in a field.
        let there = browser.script(
            "return (document.body.innerText + [...document.querySelectorAll('input, textarea')].map(e => e.value)).includes('<script>alert(1)')",
        );
        shown += usize::from(there == true);
    }
    assert!(shown >= 15, "it is shown on {shown} of {} pages", paths.len());
}
