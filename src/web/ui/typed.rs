//! A form that was sent after its session had ended. What was typed is not lost: it is carried through the page to sign
//! in, and shown again behind it, to be looked over and sent. Nothing is done with it before: whoever has signed in since
//! may be somebody else.

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use url::form_urlencoded;

use crate::service::Code;
use crate::web::problem::Problem;
use crate::web::state::AppState;

use super::cookies::{self, Kind};
use super::form::{CARRIED_LIMIT, Form};
use super::frame::Frame;
use super::stranger::Stranger;
use super::visit::Visit;
use super::{login, origin, page};

/// Characters from which on a value gets several lines.
const LONG: usize = 80;

/// Fields that no page shows.
const HIDDEN: [&str; 2] = ["once", "shown"];

/// A form to be sent again.
#[derive(Clone, Default)]
pub(super) struct Typed {
    /// Where it goes to.
    action: String,
    /// What it holds, without its token.
    fields: Vec<(String, String)>,
}

impl Typed {
    /// What a page to sign in has carried: `to` and `kept`. `None`: there is nothing.
    pub(super) fn of(form: &Form) -> Option<Self> {
        let fields: Vec<_> = form_urlencoded::parse(form.text("kept").as_bytes()).into_owned().collect();
        let action = page::within_site(form.text("to")).to_owned();
        (!fields.is_empty()).then_some(Self { action, fields })
    }

    /// The page above where it goes to.
    fn above(&self) -> &str {
        page::above(self.action.split('?').next().unwrap_or_default())
    }
}

/// The page to sign in for a form that has come without a session. `None`: there is nothing to carry on, or it does not
/// come from a page of ours: then the page to sign in is enough.
///
/// # Errors
/// A template that fails, which is a defect.
pub(super) async fn carried_on(
    request: &HttpRequest,
    body: Payload,
) -> Result<Option<HttpResponse>, Problem> {
    let state = AppState::of(request)?;
    let had_session = cookies::read(request, Kind::Session, state.is_https()).is_some();
    if !had_session || state.service.needs_setup() || !origin::is_told(request, state) {
        return Ok(None);
    }
    let stranger = Stranger::of(request)?;
    let action = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut form = match Form::read(request, body, CARRIED_LIMIT).await {
        Ok(sent) => match encoded(&sent) {
            kept if kept.is_empty() => return Ok(None),
            kept => Form::of([("to", action.to_owned()), ("kept", kept)]),
        },
        Err(problem) if problem.0.code == Code::TooLarge => {
            Form::of([("to", page::above(request.path()).to_owned())])
        }
        // It is no form of ours.
        Err(_) => return Ok(None),
    };
    let said = if form.text("kept").is_empty() {
        "your session has ended, so nothing was changed; what you sent is too long to be kept here"
    } else {
        "your session has ended, so nothing was changed; sign in, and what you typed is there again"
    };
    form.reject(StatusCode::UNAUTHORIZED, said);
    login::page(&stranger, form).map(Some)
}

/// What was typed. Not passwords, and nothing of a form that says itself where it goes on, such as that of the look.
fn encoded(sent: &Form) -> String {
    let typed = |(name, _): &(&str, &str)| *name != "csrf" && !name.contains("password");
    if sent.fields().any(|(name, _)| name == "to") {
        return String::new();
    }
    form_urlencoded::Serializer::new(String::new()).extend_pairs(sent.fields().filter(typed)).finish()
}

#[derive(Template)]
#[template(path = "ui/typed.html")]
struct Page {
    frame: Frame,
    typed: Typed,
}

impl Page {
    /// A name of a field for people.
    #[expect(clippy::unused_self, reason = "templates call methods")]
    fn label(&self, name: &str) -> String {
        // Of what is changed or deleted, the name that it has.
        if name == "old" { "of".to_owned() } else { name.replace('_', " ") }
    }

    /// Whether the field is the page's own business, or nothing was typed there.
    #[expect(clippy::unused_self, reason = "templates call methods")]
    fn is_hidden(&self, name: &str, value: &str) -> bool {
        value.is_empty() || HIDDEN.contains(&name)
    }

    /// Whether a value needs several lines.
    #[expect(clippy::unused_self, reason = "templates call methods")]
    fn is_long(&self, value: &str) -> bool {
        value.contains('\n') || value.chars().count() > LONG
    }
}

/// What was typed, to be looked over and sent.
///
/// # Errors
/// A template that fails, which is a defect.
pub(super) fn page(visit: &Visit, typed: Typed) -> Result<HttpResponse, Problem> {
    visit.page(&Page { frame: visit.frame("Send what you typed", ""), typed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_carried_and_neither_tokens_nor_passwords_are() {
        let sent = Form::of_query("csrf=t&name=CI+%26+co&scopes=a&scopes=b&old_password=x");
        let kept = encoded(&sent);
        assert_eq!(kept, "name=CI+%26+co&scopes=a&scopes=b");
        let typed = Typed::of(&Form::of([("to", "/keys?x=1".to_owned()), ("kept", kept)])).unwrap();
        assert_eq!((typed.action.as_str(), typed.above(), typed.fields.len()), ("/keys?x=1", "/", 3));
    }

    #[test]
    fn a_form_without_anything_typed_is_not_carried() {
        for query in ["csrf=t", "", "csrf=t&theme=dark&to=%2F"] {
            assert_eq!(encoded(&Form::of_query(query)), "", "{query}");
        }
        assert!(Typed::of(&Form::of_query("to=%2Fkeys&kept=")).is_none());
        let foreign = Typed::of(&Form::of_query("to=%2F%2Fevil.example&kept=a%3Db")).unwrap();
        assert_eq!(foreign.action, "/");
    }
}
