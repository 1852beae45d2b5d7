//! What is particular to Chromium and its driver: how they are started, and commands that the standard does not know.

use std::process::Command;

use fantoccini::error::{CmdError, ErrorStatus};
use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};

use super::Window;
use crate::support::process::{PATIENCE, Process};

/// A command of this driver that the standard does not know.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) path: &'static str,
    pub(super) body: Value,
}

impl WebDriverCompatibleCommand for Own {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _url: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

/// Starts the driver: its process, and the port that it listens on. It takes a free port of IPv4 and wants the same of IPv6,
/// which somebody else may have; then it ends, and another one has better luck.
pub(super) fn start() -> (Process, String) {
    const STARTED: &str = "ChromeDriver was started successfully on port ";
    let mut last = None;
    for _ in 0..5 {
        let mut driver = Process::spawn(Command::new("chromedriver").args(["--port=0"]));
        if let Some(port) = driver.line(STARTED) {
            return (driver, port.trim_end_matches('.').to_owned());
        }
        last = Some(driver.wait_for_end(PATIENCE));
    }
    panic!("a driver that does not start; tests/run installs it: {last:?}")
}

/// How a browser is to be started.
pub(super) fn capabilities(window: Window, profile: &std::path::Path) -> serde_json::Map<String, Value> {
    let mut arguments = vec![
        "--headless=new".to_owned(),
        // Root, as in a container, has no sandbox; and what is shown is our own.
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--disable-quic".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--hide-scrollbars".to_owned(),
        "--lang=en".to_owned(),
        format!("--user-data-dir={}", profile.display()),
    ];
    if window.dark {
        arguments.push("--force-dark-mode".to_owned());
    }
    let mut options = json!({ "args": arguments });
    if !window.scripts {
        options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
    }
    let all = json!({ "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" },
        "unhandledPromptBehavior": "ignore" });
    all.as_object().cloned().expect("an object")
}

/// Whether something has failed because the page is on its way or is being changed: tried again, it may succeed.
pub(super) fn passes(error: &CmdError) -> bool {
    // How this driver tells that another page has come between, by the moment at which it did.
    const BETWEEN: [&str; 6] = [
        "does not belong to the document",
        "document unloaded",
        "aborted by navigation",
        "execution context",
        "Cannot find context",
        "target navigated",
    ];
    let CmdError::Standard(told) = error else { return matches!(error, CmdError::WaitTimeout) };
    match told.error {
        ErrorStatus::NoSuchElement
        | ErrorStatus::NoSuchAlert
        | ErrorStatus::StaleElementReference
        | ErrorStatus::ElementNotInteractable
        | ErrorStatus::ElementClickIntercepted => true,
        _ => BETWEEN.iter().any(|words| told.message.contains(words)),
    }
}
