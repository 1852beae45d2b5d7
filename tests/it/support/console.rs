//! The console as a browser without JavaScript sees it: pages are got, forms are posted with the page's token.

use postrider::domain::operator::{Email, Role};
use postrider::service::Caller;
use postrider::service::operators::{SignedIn, Visitor};
use url::form_urlencoded;

use super::app::TestApp;
use super::client::{Client, Response};

/// The first operator, an admin.
pub const ADMIN: &str = "ada@example.com";
/// An operator who changes nothing.
pub const VIEWER: &str = "vic@example.com";
/// The password of both.
pub const PASSWORD: &str = "correct horse";

/// Somebody who is signed in.
pub struct Console {
    client: Client,
    cookie: String,
    csrf: String,
}

impl Console {
    /// An admin, who is made if need be.
    #[track_caller]
    pub fn admin(app: &TestApp) -> Self {
        let service = app.service();
        if service.needs_setup() {
            service.register_first_operator(ADMIN, PASSWORD).wait().expect("an operator");
        }
        Self::of(app, &service.sign_in(ADMIN, PASSWORD, &here()).expect("a session"))
    }

    /// A viewer, who is invited now. Once for each server.
    #[track_caller]
    pub fn viewer(app: &TestApp) -> Self {
        let (service, scope) = (app.service(), Caller::local(0).admin().expect("everything"));
        if service.needs_setup() {
            service.register_first_operator(ADMIN, PASSWORD).wait().expect("an operator");
        }
        let email = Email::parse(VIEWER).expect("an address");
        let invited = service.invite(&scope, email, Role::Viewer).wait().expect("an operator");
        let joined = service.accept_invitation(invited.link.token.expose(), PASSWORD, &here());
        Self::of(app, &joined.expect("a session"))
    }

    fn of(app: &TestApp, signed_in: &SignedIn) -> Self {
        let client = Client::tcp(app.address()).with_header("Accept", "text/html");
        let cookie = format!("postrider-session={}", signed_in.token.expose());
        let mut console = Self { client, cookie, csrf: String::new() };
        console.csrf = value(&console.page("/account"), "csrf");
        console
    }

    /// The answer to a page's address, whatever it is.
    #[track_caller]
    pub fn get(&self, path: &str) -> Response {
        self.client.request("GET", path, &[("Cookie", &self.cookie)], None)
    }

    /// A page that is there.
    #[track_caller]
    pub fn page(&self, path: &str) -> String {
        self.get(path).expect(200).text().to_owned()
    }

    /// Posts a form; the answer, whatever it is.
    #[track_caller]
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.post_with(&self.csrf, path, fields)
    }

    /// The token of the forms of this session.
    pub fn csrf(&self) -> &str {
        &self.csrf
    }

    /// Posts a form with another token.
    #[track_caller]
    pub fn post_with(&self, csrf: &str, path: &str, fields: &[(&str, &str)]) -> Response {
        self.send(path, &[("csrf", csrf)], fields, None)
    }

    /// Posts a form with the right token and another header, such as its origin.
    #[track_caller]
    pub fn post_from(&self, header: (&str, &str), path: &str, fields: &[(&str, &str)]) -> Response {
        self.send(path, &[("csrf", &self.csrf)], fields, Some(header))
    }

    /// Posts a form as a browser does from a page of an earlier session.
    #[track_caller]
    pub fn post_late(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.send(path, &[("csrf", "old")], fields, Some(("Sec-Fetch-Site", "same-origin")))
    }

    #[track_caller]
    fn send(
        &self,
        path: &str,
        token: &[(&str, &str)],
        fields: &[(&str, &str)],
        header: Option<(&str, &str)>,
    ) -> Response {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(token).extend_pairs(fields);
        let mut headers =
            vec![("Cookie", self.cookie.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
        headers.extend(header);
        self.client.request("POST", path, &headers, Some(form.finish().as_bytes()))
    }

    /// Posts a form that is taken, and leads to this address.
    #[track_caller]
    pub fn goes(&self, path: &str, fields: &[(&str, &str)], to: &str) {
        assert_eq!(self.post(path, fields).expect(303).header("location"), Some(to));
    }

    /// Posts a form that is taken: the address that it leads to, and the page there, with its notice.
    #[track_caller]
    pub fn done(&self, path: &str, fields: &[(&str, &str)]) -> (String, String) {
        let answer = self.post(path, fields).expect(303);
        let to = answer.header("location").expect("an address").to_owned();
        let notice = answer.header("set-cookie").and_then(|line| line.split(';').next()).unwrap_or_default();
        let cookies = format!("{}; {notice}", self.cookie);
        let page = self.client.request("GET", &to, &[("Cookie", &cookies)], None).expect(200);
        (to, page.text().to_owned())
    }

    /// Posts a form that is refused: the page with what is wrong.
    #[track_caller]
    pub fn refused(&self, path: &str, fields: &[(&str, &str)], status: u16) -> String {
        self.post(path, fields).expect(status).text().to_owned()
    }
}

/// Fails unless an answer of the console says what may run in it, and that nobody on the way keeps it.
#[track_caller]
pub fn guarded(answer: &Response) {
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
    if answer.status == 303 {
        assert!(answer.body.is_empty(), "{answer:?}");
        return;
    }
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer:?}");
    if !answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
        let kept = answer.header("content-disposition").is_some_and(|how| how.starts_with("attachment"));
        assert!(kept, "a file is saved and not shown: {answer:?}");
        return;
    }
    let policy = answer.header("content-security-policy").expect("a policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
    let page = answer.text();
    let inline = [" style=", " onclick=", " onsubmit=", "<style", "<script>", "javascript:", "http-equiv"];
    lacks(page, &inline);
}

fn here() -> Visitor {
    Visitor::new(None, Some("Firefox"))
}

/// What the first input of this name on a page holds.
#[track_caller]
pub fn value(page: &str, name: &str) -> String {
    let (_, rest) =
        page.split_once(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no {name} in {page}"));
    let (_, rest) = rest.split_once("value=\"").expect("a value");
    rest.split('"').next().expect("its end").to_owned()
}

/// Fails unless the page holds each of these.
#[track_caller]
pub fn holds(page: &str, parts: &[&str]) {
    let missing: Vec<_> = parts.iter().filter(|part| !page.contains(**part)).collect();
    assert!(missing.is_empty(), "{missing:?} are missing in {page}");
}

/// Fails if the page holds any of these.
#[track_caller]
pub fn lacks(page: &str, parts: &[&str]) {
    let found: Vec<_> = parts.iter().filter(|part| page.contains(**part)).collect();
    assert!(found.is_empty(), "{found:?} are in {page}");
}
