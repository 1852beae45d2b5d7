//! An operator who is signed in.
//!
//! A page takes a [`Visit`] as an argument, and what changes something a [`Posted`] form, so that neither can be
//! forgotten; every answer with a page goes through one, so that its headers can't be either.

use std::future::{Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload as BodyStream;
use actix_web::error::InternalError;
use actix_web::http::{Method, StatusCode, header};
use actix_web::web::{Data, Payload};
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use crate::domain::time::UnixMs;
use crate::service::Caller;
use crate::service::operators::Visitor;
use crate::store::sessions::Session;
use crate::web::problem::Problem;
use crate::web::state::AppState;

use super::common::{self, Common};
use super::cookies::{self, Kind};
use super::form::{self, Form};
use super::frame::Frame;
use super::kept::Kept;
use super::moments::Zone;
use super::sent::Sent;
use super::shelf::Shelf;
use super::{page, send_again};

/// An operator who is signed in.
pub struct Visit {
    /// What they may do.
    pub caller: Caller,
    /// Their session.
    pub session: Session,
    /// From where they come.
    pub visitor: Visitor,
    state: Data<AppState>,
    common: Common,
    zone: Zone,
}

impl Visit {
    /// What is around a page that belongs to the navigation's link `section`, which is empty for none.
    pub fn frame(&self, title: &str, section: &'static str) -> Frame {
        self.common.frame(title, section, Some(&self.session))
    }

    /// A page, or the part of one.
    ///
    /// # Errors
    /// A template that fails, which is a defect.
    pub fn page(&self, template: &impl Template) -> Result<HttpResponse, Problem> {
        self.page_with(template, StatusCode::OK)
    }

    /// A page with another status: a form that is shown again with what is wrong.
    ///
    /// # Errors
    /// As [`Visit::page`].
    pub fn page_with(&self, template: &impl Template, status: StatusCode) -> Result<HttpResponse, Problem> {
        self.common.page(template, status)
    }

    /// Goes to another page of the console, which says what was done: in the section that `to` leads to with a fragment,
    /// which that page has a place for, else at its top.
    pub fn done(&self, to: &str, notice: &str) -> HttpResponse {
        self.common.go(to, notice)
    }

    /// Goes to a page that shows this, once: so a reload repeats nothing.
    pub(super) fn show_once(&self, what: Kept) -> HttpResponse {
        let of = match &what {
            Kept::Secret(secret) => Some(secret.of),
            Kept::Typed(_) => None,
        };
        let path = Shelf::put(&self.state, self.session.id, what);
        self.common.go(&of.map_or_else(|| path.clone(), |of| of.address(&path)), "")
    }

    /// Goes to the page to sign in, without the session.
    pub fn signed_out(&self) -> HttpResponse {
        let mut response = self.common.go("/login", "You are signed out.");
        cookies::set(&mut response, Kind::Session, "", self.common.secure);
        response
    }

    /// The zone that times are shown and read in.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Now, as the page sees it.
    pub fn now(&self) -> UnixMs {
        self.common.now
    }

    /// Whether cookies are only for https.
    pub(super) fn is_secure(&self) -> bool {
        self.common.secure
    }
}

/// Nobody is signed in: the page to sign in comes first, and leads back here.
#[derive(Debug)]
pub struct SignInFirst(String);

impl std::fmt::Display for SignInFirst {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("nobody is signed in")
    }
}

impl ResponseError for SignInFirst {
    fn status_code(&self) -> StatusCode {
        StatusCode::SEE_OTHER
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::SeeOther().insert_header((header::LOCATION, self.0.as_str())).finish()
    }
}

impl FromRequest for Visit {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _payload: &mut BodyStream) -> Self::Future {
        ready(visit(request))
    }
}

fn visit(request: &HttpRequest) -> Result<Visit, actix_web::Error> {
    let state = AppState::of(request)?.clone();
    let text = cookies::read(request, Kind::Session, state.is_https());
    let found = text.and_then(|text| Some((state.service.session(&text)?, text)));
    let Some((session, text)) = found else { return Err(SignInFirst(sign_in(request, &state)).into()) };
    let visitor = common::visitor(request, &state);
    let caller = Caller::operator(&session, visitor.address);
    let common = Common::of(request, &state, &text);
    Ok(Visit { caller, zone: common::zone(&session), session, visitor, common, state })
}

/// An operator who is signed in, and the form that one of our pages has sent for them: what changes something takes it,
/// so that neither the session nor where the form comes from can be left unchecked.
///
/// # Errors
/// As for a [`Visit`]; where the session has ended, a page to sign in that carries on what was typed, and where the form
/// is of another session, a page to send it again from ([`send_again`]); 403 where the form comes from elsewhere; what cannot
/// be read.
pub struct Posted(pub Visit, pub Form);

impl FromRequest for Posted {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut BodyStream) -> Self::Future {
        let (request, body) = (request.clone(), Payload::from_request(request, payload));
        Box::pin(async move {
            let body = body.await?;
            let visit = match visit(&request) {
                Ok(visit) => visit,
                Err(error) => {
                    let Some(page) = send_again::after_sign_in(&request, body).await? else {
                        return Err(error);
                    };
                    return Err(InternalError::from_response("the session has ended", page).into());
                }
            };
            match visit.common.read(&visit.state, &request, body, form::LIMIT).await? {
                Sent::Now(form) => Ok(Self(visit, form)),
                Sent::Stale(form, problem) => {
                    let page = send_again::in_this_session(&visit, &request, &form)?.ok_or(problem)?;
                    Err(InternalError::from_response("the form is of another session", page).into())
                }
            }
        })
    }
}

/// Where who is not signed in has to go first.
fn sign_in(request: &HttpRequest, state: &AppState) -> String {
    if state.service.needs_setup() {
        return "/setup".to_owned();
    }
    let here = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let to = if request.method() == Method::POST { page::above(request.path()) } else { here };
    if to == "/" {
        return "/login".to_owned();
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish();
    format!("/login?{query}")
}
