//! Anybody: for the pages before there is a session, and the way into one.

use std::future::{Ready, ready};

use actix_web::dev::Payload as BodyStream;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use askama::Template;
use data_encoding::BASE64URL_NOPAD;

use crate::service::Code;
use crate::service::operators::{SignedIn, Visitor};
use crate::web::problem::Problem;
use crate::web::state::AppState;

use super::common::{self, Common};
use super::cookies::{self, Kind};
use super::form::{self, Form};
use super::frame::Frame;
use super::sent::Sent;

/// Anybody.
pub struct Stranger {
    state: Data<AppState>,
    common: Common,
    /// A secret that was made for this answer, which sets it.
    fresh: Option<String>,
    /// From where they come, for the record and for slowing down whoever guesses. Whoever signs in leaves the session
    /// that this browser had.
    pub visitor: Visitor,
}

impl Stranger {
    /// Whoever has sent this request.
    ///
    /// # Errors
    /// A defect: a server without a state.
    pub(super) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let state = AppState::of(request)?.clone();
        let known = cookies::read(request, Kind::Form, state.is_https());
        let fresh = known
            .is_none()
            .then(|| BASE64URL_NOPAD.encode(&crate::random::bytes::<32>(&**state.service.store().random())));
        let secret = known.as_deref().or(fresh.as_deref()).unwrap_or_default();
        let common = Common::of(request, &state, secret);
        let before = cookies::read(request, Kind::Session, state.is_https());
        let visitor = common::visitor(request, &state).leaving(before.as_deref());
        Ok(Self { state, common, fresh, visitor })
    }

    /// What is around a page without navigation.
    pub fn frame(&self, title: &str) -> Frame {
        self.common.frame(title, "", None)
    }

    /// A page.
    ///
    /// # Errors
    /// A template that fails, which is a defect.
    pub fn page_with(&self, template: &impl Template, status: StatusCode) -> Result<HttpResponse, Problem> {
        let mut response = self.common.page(template, status)?;
        if let Some(secret) = &self.fresh {
            cookies::set(&mut response, Kind::Form, secret, self.common.secure);
        }
        Ok(response)
    }

    /// Reads a form that one of our pages has sent.
    ///
    /// # Errors
    /// 403 where it comes from elsewhere; what cannot be read.
    pub(super) async fn form(&self, request: &HttpRequest, payload: Payload) -> Result<Sent, Problem> {
        self.common.read(&self.state, request, payload, form::STRANGERS_LIMIT).await
    }

    /// Goes on with a session that has just begun. Who has no time zone yet gets the browser's, which a script has
    /// filled in; one that is not known is left out: nobody has typed it.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn enter(&self, signed: &SignedIn, form: &Form, to: &str) -> Result<HttpResponse, Problem> {
        let zone = form.filled("time_zone").filter(|_| signed.session.time_zone.is_none());
        if let Some(zone) = zone {
            match self.state.service.set_time_zone(&signed.session, Some(zone), &self.visitor).await {
                Err(error) if error.code != Code::Invalid => return Err(error.into()),
                _ => {}
            }
        }
        let mut response = self.common.go(to, "");
        // The cookie of forms stays: another tab may have a page to sign in, with something that is carried.
        cookies::set(&mut response, Kind::Session, signed.token.expose(), self.common.secure);
        Ok(response)
    }

    /// Goes to another page, which says what was done.
    pub fn done(&self, to: &str, notice: &str) -> HttpResponse {
        self.common.go(to, notice)
    }
}

impl FromRequest for Stranger {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _payload: &mut BodyStream) -> Self::Future {
        ready(Self::of(request).map_err(Into::into))
    }
}
