//! A form whose session has ended. What was typed is not lost: it is carried through the page to sign in, and shown again
//! behind it, to be looked over and sent. Nothing is done with it before: whoever has signed in since may be somebody else.
//! Where somebody has signed in again in another tab, it is shown at once.

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::service::Code;
use crate::web::problem::Problem;
use crate::web::state::AppState;

use super::form::{CARRIED_LIMIT, Form};
use super::frame::Frame;
use super::stranger::Stranger;
use super::typed::Typed;
use super::visit::Visit;
use super::{login, origin, page};

/// Characters from which on a value gets several lines.
const LONG: usize = 80;

/// The page to sign in for a form that has come without a session. `None`: there is nothing to carry on, or it does not
/// come from a page of ours, as far as a browser tells: then the page to sign in is enough.
///
/// # Errors
/// A template that fails, which is a defect.
pub(super) async fn after_sign_in(
    request: &HttpRequest,
    body: Payload,
) -> Result<Option<HttpResponse>, Problem> {
    let state = AppState::of(request)?;
    if state.service.needs_setup() || !origin::is_told(request, state) {
        return Ok(None);
    }
    let (mut form, said) = match Form::read(request, body, CARRIED_LIMIT).await {
        Ok(sent) => match Typed::of(action(request), &sent) {
            Some(typed) => (typed.carried(state), "sign in, and what you typed is there again"),
            None => return Ok(None),
        },
        Err(problem) if problem.0.code == Code::TooLarge => {
            let to = page::above(request.path()).to_owned();
            (Form::of([("to", to)]), "what you sent is too long to be kept here")
        }
        // It is no form of ours.
        Err(_) => return Ok(None),
    };
    form.reject(StatusCode::UNAUTHORIZED, &format!("your session has ended, so nothing was changed; {said}"));
    login::page(&Stranger::of(request)?, form).map(Some)
}

/// The page to send a form again from whose token is that of another session than the one that there is. `None`: nothing
/// was typed there.
///
/// # Errors
/// A template that fails, which is a defect.
pub(super) fn in_this_session(
    visit: &Visit,
    request: &HttpRequest,
    sent: &Form,
) -> Result<Option<HttpResponse>, Problem> {
    let typed = Typed::of(action(request), sent);
    typed.map(|typed| show(visit, typed, StatusCode::FORBIDDEN)).transpose()
}

fn action(request: &HttpRequest) -> &str {
    request.uri().path_and_query().map_or("/", |path| path.as_str())
}

#[derive(Template)]
#[template(path = "ui/send_again.html")]
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
    show(visit, typed, StatusCode::OK)
}

fn show(visit: &Visit, typed: Typed, status: StatusCode) -> Result<HttpResponse, Problem> {
    visit.page_with(&Page { frame: visit.frame("Send what you typed", ""), typed }, status)
}
