//! Somebody who is not signed in, with a browser without JavaScript.

use url::form_urlencoded;

use super::app::TestApp;
use super::client::{Client, Response};
use super::console;

/// See the module.
pub struct Stranger {
    client: Client,
}

impl Stranger {
    /// Somebody at this machine.
    pub fn of(app: &TestApp) -> Self {
        Self { client: Client::tcp(app.address()).with_header("Accept", "text/html") }
    }

    /// Somebody whose requests say that they were forwarded for this address.
    pub fn forwarded(app: &TestApp, address: &str) -> Self {
        Self { client: Self::of(app).client.with_header("X-Forwarded-For", address) }
    }

    /// Signs in as a browser does: the page first, then its form.
    #[track_caller]
    pub fn sign_in(&self, email: &str, password: &str, to: &str) -> Response {
        self.sign_in_with("", email, password, to)
    }

    /// The same with other cookies that the browser has by now: the page was there before them, in another tab.
    #[track_caller]
    pub fn sign_in_with(&self, cookies: &str, email: &str, password: &str, to: &str) -> Response {
        let page = self.get_with("", "/login").expect(200);
        let (form, _) = cookie(&page, "-form").expect("a cookie for the form");
        let csrf = console::value(page.text(), "csrf");
        let fields = [("csrf", csrf.as_str()), ("email", email), ("password", password), ("to", to)];
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let cookies = format!("{form}; {cookies}");
        let headers = [("Cookie", &*cookies), ("Content-Type", "application/x-www-form-urlencoded")];
        self.client.request("POST", "/login", &headers, Some(body.as_bytes()))
    }

    /// The answer to a page's address with these cookies, whatever it is.
    #[track_caller]
    pub fn get_with(&self, cookies: &str, path: &str) -> Response {
        self.client.request("GET", path, &[("Cookie", cookies)], None)
    }
}

/// The first cookie that an answer sets whose name ends so, as `name=value`, and its whole line.
pub fn cookie(answer: &Response, name: &str) -> Option<(String, String)> {
    let lines = answer.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let named = |line: &&String| line.split('=').next().is_some_and(|found| found.ends_with(name));
    let line = lines.map(|(_, line)| line).find(named)?;
    Some((line.split(';').next()?.to_owned(), line.clone()))
}
