//! A real Chromium, driven through its driver, with a method for each thing that a person does.

use std::time::Duration;

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::TimeoutConfiguration;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use postrider::clock::Stopwatch;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::process::Process;

mod driver;

use driver::{Own, capabilities};

/// The Tab key, for [`Browser::press`].
pub const TAB: char = '\u{e004}';
/// The key that deletes what is before the cursor.
pub const BACKSPACE: char = '\u{e003}';
/// The one that deletes what is behind it.
pub const DELETE: char = '\u{e017}';
/// The Escape key.
pub const ESCAPE: char = '\u{e00c}';
/// The Enter key.
pub const ENTER: char = '\u{e007}';
/// The arrow that points down.
pub const DOWN: char = '\u{e015}';

/// Whether a page was painted: a browser drops the keys and clicks that come before, which nobody sees who looks at it.
const PAINTED: &str = "performance.getEntriesByName('first-contentful-paint').length > 0";
/// Whether a page has come as a whole: what it does not hold then will not come by itself.
const WHOLE: &str = "document.readyState === 'complete'";

/// How long a page may take to show what it should.
const PATIENCE: Duration = Duration::from_secs(40);

/// How a browser is to be.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// CSS pixels; below 500 it is a phone.
    pub width: u32,
    /// The colour scheme that the system prefers.
    pub dark: bool,
    /// Whether scripts run.
    pub scripts: bool,
}

impl Default for Window {
    fn default() -> Self {
        Self { width: 1440, dark: false, scripts: true }
    }
}

/// A browser with one window, closed when it is dropped.
pub struct Browser {
    runtime: Runtime,
    client: Option<Client>,
    base: String,
    /// Whether the navigation is folded away.
    narrow: bool,
    // Declared last, dropped last.
    _driver: Process,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one, for the server at this address.
    pub fn start(base: &str, window: Window) -> Self {
        let (driver, port) = driver::start();
        let profile = tempfile::tempdir().expect("a temporary directory");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(window, profile.path()));
        let client = runtime
            .block_on(builder.connect(&format!("http://127.0.0.1:{port}")))
            .expect("a browser that starts");
        let browser = Self {
            runtime,
            client: Some(client),
            base: base.to_owned(),
            narrow: window.width < 960,
            _driver: driver,
            _profile: profile,
        };
        // A slow machine has time; where nothing comes of it, a test says so after its own patience.
        let patience = TimeoutConfiguration::new(Some(2 * PATIENCE), Some(2 * PATIENCE), None);
        browser.run("the limits", browser.client().update_timeouts(patience));
        browser.prefer(if window.dark { "dark" } else { "light" });
        browser.resize(window.width, 900);
        browser
    }

    /// Makes the window so large; a narrow one is a phone's.
    pub fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.tool("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Makes the system prefer this colour scheme from now on.
    pub fn prefer(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.tool("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    fn client(&self) -> &Client {
        self.client.as_ref().expect("a browser that is not closed")
    }

    #[track_caller]
    fn run<T>(&self, what: &str, work: impl Future<Output = Result<T, CmdError>>) -> T {
        self.runtime.block_on(work).unwrap_or_else(|error| panic!("{what}: {error}\n{}", self.seen()))
    }

    /// A command of the browser's developer tools.
    fn tool(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.run(command, self.client().issue_cmd(Own { path: "goog/cdp/execute", body }))
    }

    /// What the page shows, for messages.
    fn seen(&self) -> String {
        let script = "return location.href + '\\n' + document.body.innerText";
        let seen = self.runtime.block_on(self.client().execute(script, Vec::new()));
        seen.ok().and_then(|seen| seen.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Goes to a path of the server.
    #[track_caller]
    pub fn open(&self, path: &str) {
        let url = if path.starts_with('/') { format!("{}{path}", self.base) } else { path.to_owned() };
        self.run(&url, self.client().goto(&url));
    }

    /// Path and query of the page that is shown.
    #[track_caller]
    pub fn path(&self) -> String {
        let url = self.act("the address", async || self.client().current_url().await);
        url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
    }

    /// Where its server is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Everything that the page shows as text.
    #[track_caller]
    pub fn text(&self) -> String {
        self.text_of("body")
    }

    /// What the first element that this selector finds shows as text, on a page that has come as a whole.
    #[track_caller]
    pub fn text_of(&self, css: &str) -> String {
        self.act(css, async || {
            self.is_so(WHOLE).await?;
            self.client().find(Locator::Css(css)).await?.text().await
        })
    }

    /// How many such elements there are, at this moment: on a page that has come as a whole, so that none is one that stands
    /// nowhere, and not one that is still to come. An error is no answer.
    #[track_caller]
    pub fn count(&self, css: &str) -> usize {
        let script = format!("return {WHOLE} ? document.querySelectorAll(arguments[0]).length : null");
        let found = self.act(css, async || {
            let found = self.client().execute(&script, vec![json!(css)]).await?;
            found.as_u64().ok_or(CmdError::WaitTimeout)
        });
        usize::try_from(found).expect("a few")
    }

    /// Does something that may have to wait: for a page that is on its way, or while a script changes it. What fails for
    /// such a reason is begun anew.
    #[track_caller]
    fn act<T>(&self, what: &str, mut work: impl AsyncFnMut() -> Result<T, CmdError>) -> T {
        let waiting = Stopwatch::start();
        loop {
            match self.runtime.block_on(work()) {
                Ok(done) => return done,
                Err(error) if driver::passes(&error) && !waiting.left(PATIENCE).is_zero() => {
                    std::thread::park_timeout(Duration::from_millis(50));
                }
                Err(error) => panic!("{what}: {error}\n{}", self.seen()),
            }
        }
    }

    /// Whether there is such an element, at this moment.
    #[track_caller]
    pub fn has(&self, css: &str) -> bool {
        self.count(css) > 0
    }

    /// What a mouse or a key is meant for, on a page that takes them.
    async fn target(&self, locator: Locator<'_>) -> Result<Element, CmdError> {
        let element = self.client().find(locator).await?;
        self.is_so(PAINTED).await?;
        Ok(element)
    }

    /// Whether this is so of the page. What fails because it is not is begun anew.
    async fn is_so(&self, what: &str) -> Result<(), CmdError> {
        match self.client().execute(&format!("return {what}"), Vec::new()).await {
            Ok(Value::Bool(true)) => Ok(()),
            Ok(_) => Err(CmdError::WaitTimeout),
            Err(error) => Err(error),
        }
    }

    /// Clicks on a link or a button, or the summary of something folded, with exactly this text.
    #[track_caller]
    pub fn click(&self, text: &str) {
        let path = format!(
            "//*[self::a or self::button or self::summary][normalize-space(.) = '{text}' or \
             normalize-space(text()) = '{text}'][not(ancestor::*[contains(@class, 'narrow')])]"
        );
        self.act(text, async || self.target(Locator::XPath(&path)).await?.click().await);
    }

    /// Clicks on a link or a button of the navigation, which a narrow window folds away.
    #[track_caller]
    pub fn navigate(&self, name: &str) {
        let place = if self.narrow { "narrow" } else { "wide" };
        if self.narrow && !self.has(".narrow[open]") {
            self.click_on(".narrow > summary");
        }
        let within = format!("//*[contains(@class, '{place}')]//*[self::a or self::button]");
        self.click_on(&format!("{within}[normalize-space(.) = '{name}']"));
    }

    /// Clicks on the first element that this selector finds: CSS, or `XPath` where it begins with two slashes.
    #[track_caller]
    pub fn click_on(&self, css_or_xpath: &str) {
        let locator = if css_or_xpath.starts_with("//") {
            Locator::XPath(css_or_xpath)
        } else {
            Locator::Css(css_or_xpath)
        };
        self.act(css_or_xpath, async || self.target(locator).await?.click().await);
    }

    /// Types into the field of this name, in the place of what is there.
    #[track_caller]
    pub fn fill(&self, name: &str, text: &str) {
        let field = format!(":is(input, textarea)[name='{name}']:not([type='hidden'])");
        self.act(name, async || {
            let element = self.target(Locator::Css(&field)).await?;
            element.clear().await?;
            element.send_keys(text).await
        });
    }

    /// Chooses by value from a list.
    #[track_caller]
    pub fn choose(&self, name: &str, value: &str) {
        let list = format!("select[name='{name}']");
        self.act(name, async || self.target(Locator::Css(&list)).await?.select_by_value(value).await);
    }

    /// Presses a key, wherever the focus is. After one that leads to another page, wait for something that stands there
    /// alone: until then it is the page before that is looked at, and the next key may get lost between the two.
    #[track_caller]
    pub fn press(&self, key: char) {
        self.act("a page", async || self.is_so(PAINTED).await);
        let keys = KeyActions::new("keyboard".to_owned());
        let keys = keys.then(KeyAction::Down { value: key }).then(KeyAction::Up { value: key });
        self.run("a key", self.client().perform_actions(keys));
    }

    /// Answers the question that a dialog asks with yes.
    #[track_caller]
    pub fn confirm(&self) {
        self.act("a dialog", async || self.client().accept_alert().await);
    }

    /// Waits until the page shows a text.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        self.wait(text, || self.shows(text));
    }

    /// Waits for something else about the page.
    #[track_caller]
    pub fn wait_until(&self, what: &str, ready: impl Fn(&Self) -> bool) {
        self.wait(what, || ready(self));
    }

    /// The same without a script that changes the page: it is loaded again until it does.
    #[track_caller]
    pub fn reload_until(&self, text: &str) {
        self.wait(text, || {
            // A page may be on its way, which a reload comes between: the next one counts.
            self.runtime.block_on(self.client().refresh()).is_ok() && self.shows(text)
        });
    }

    /// Whether the page shows a text; not while it is on its way.
    fn shows(&self, text: &str) -> bool {
        let shown = async { self.client().find(Locator::Css("body")).await?.text().await };
        self.runtime.block_on(shown).is_ok_and(|shown| shown.contains(text))
    }

    #[track_caller]
    fn wait(&self, what: &str, ready: impl Fn() -> bool) {
        let waiting = Stopwatch::start();
        while !ready() {
            assert!(!waiting.left(PATIENCE).is_zero(), "the page does not show {what:?}:\n{}", self.seen());
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }

    /// Runs a script in the page; what it returns. One that a page on its way has cut off is begun anew on that page.
    #[track_caller]
    pub fn script(&self, script: &str) -> Value {
        self.act("a script", async || self.client().execute(script, Vec::new()).await)
    }

    /// The same for one that calls its last argument when it is done.
    #[track_caller]
    pub fn script_later(&self, script: &str) -> Value {
        self.run("a script", self.client().execute_async(script, Vec::new()))
    }

    /// What the browser has complained about since it was last asked: errors of scripts, things that were not loaded,
    /// violations of the policy.
    #[track_caller]
    pub fn complaints(&self) -> Vec<String> {
        let body = json!({ "type": "browser" });
        let log = self.run("the log", self.client().issue_cmd(Own { path: "se/log", body }));
        let lines = log.as_array().expect("a list of lines");
        lines.iter().map(|line| line["message"].as_str().expect("a message").to_owned()).collect()
    }

    /// What the page has loaded, as addresses.
    #[track_caller]
    pub fn loaded(&self) -> Vec<String> {
        let script = "return performance.getEntries().filter(e => e.name.includes('://')).map(e => e.name)";
        let names = self.script(script);
        let names = names.as_array().expect("a list of addresses");
        names.iter().map(|name| name.as_str().expect("an address").to_owned()).collect()
    }

    /// The status code that the page was answered with.
    #[track_caller]
    pub fn status(&self) -> u64 {
        let script = "return performance.getEntriesByType('navigation')[0].responseStatus";
        self.script(script).as_u64().expect("a status")
    }

    /// What the page weighs on the way, with everything that it has loaded: bytes.
    #[track_caller]
    pub fn weight(&self) -> u64 {
        let script =
            "return performance.getEntries().reduce((sum, entry) => sum + (entry.encodedBodySize ?? 0), 0)";
        self.script(script).as_u64().expect("a weight")
    }

    /// How wide the page is, with what does not fit into the window: CSS pixels.
    #[track_caller]
    pub fn width(&self) -> u64 {
        self.script("return document.documentElement.scrollWidth").as_u64().expect("a width")
    }

    /// A picture of the whole page, as PNG.
    #[track_caller]
    pub fn picture(&self, width: u32) -> Vec<u8> {
        let height = self.script("return document.documentElement.scrollHeight").as_u64().unwrap_or(900);
        self.resize(width, u32::try_from(height).unwrap_or(900).clamp(900, 4_000));
        self.run("a picture", self.client().screenshot())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            // The driver, which is killed next, closes what could not be closed.
            let _ = self.runtime.block_on(client.close());
        }
    }
}
