//! The console in a real Chromium: what a person sees, clicks and is told.
//!
//! `tests/run --pictures` makes a picture of every page, wide and narrow, light and dark, below `target/pictures`.

mod daily;
mod faults;
mod first;
mod furnished;
mod hostile;
mod keyboard;
mod live;
mod looks;
mod pictures;
mod roles;
mod ways;

use crate::support::app::TestApp;
use crate::support::browser::{Browser, Window};
use crate::support::console::{ADMIN, PASSWORD};

/// A browser at this server, with nobody signed in.
fn stranger(app: &TestApp, window: Window) -> Browser {
    Browser::start(&format!("http://{}", app.address()), window)
}

/// A browser in which the first operator has signed in by hand.
fn admin(app: &TestApp, window: Window) -> Browser {
    if app.service().needs_setup() {
        app.service().register_first_operator(ADMIN, PASSWORD).wait().expect("an operator");
    }
    let browser = stranger(app, window);
    browser.open("/login");
    sign_in(&browser, ADMIN);
    browser.wait_for("Overview");
    browser
}

/// Fills in the page to sign in, which is shown.
fn sign_in(browser: &Browser, email: &str) {
    browser.fill("email", email);
    browser.fill("password", PASSWORD);
    browser.click("Sign in");
}
