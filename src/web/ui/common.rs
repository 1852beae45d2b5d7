//! What every request to the console brings, whoever makes it: the look, a notice, the token of its forms.

use actix_web::http::{StatusCode, header};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use crate::domain::operator::Role;
use crate::domain::time::UnixMs;
use crate::service::operators::Visitor;
use crate::store::sessions::Session;
use crate::web::client_address;
use crate::web::problem::Problem;
use crate::web::state::AppState;

use super::cookies::{self, Kind};
use super::form::Form;
use super::frame::{Frame, Notice, Who};
use super::moments::Zone;
use super::sent::Sent;
use super::{origin, page, theme};

/// See the module.
pub(super) struct Common {
    pub(super) secure: bool,
    pub(super) now: UnixMs,
    csrf: String,
    theme: Option<&'static str>,
    notice: Option<Notice>,
    here: String,
}

impl Common {
    /// Of a request whose forms have the token that belongs to `secret`.
    pub(super) fn of(request: &HttpRequest, state: &AppState, secret: &str) -> Self {
        let secure = state.is_https();
        Self {
            secure,
            csrf: token(secret),
            theme: theme::chosen(request, state),
            notice: cookies::read(request, Kind::Notice, secure)
                .map(|written| Notice::read(&written, request.path())),
            here: request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            now: state.service.store().times().wall(),
        }
    }

    /// What is around a page of whoever has this session, or of a stranger.
    pub(super) fn frame(&self, title: &str, section: &'static str, session: Option<&Session>) -> Frame {
        Frame {
            title: title.to_owned(),
            section,
            who: session
                .map(|session| Who { email: session.email.to_string(), admin: session.role == Role::Admin }),
            csrf: self.csrf.clone(),
            theme: self.theme,
            notice: self.notice.clone(),
            here: self.here.clone(),
            assets: Frame::assets(),
            zone: session.map_or_else(Zone::utc, zone),
            now: self.now,
        }
    }

    /// Reads a form that has to come from one of our pages.
    ///
    /// # Errors
    /// 403 where it comes from elsewhere; what cannot be read.
    pub(super) async fn read(
        &self,
        state: &AppState,
        request: &HttpRequest,
        payload: Payload,
        limit: usize,
    ) -> Result<Sent, Problem> {
        origin::check(request, state)?;
        let form = Form::read(request, payload, limit).await?;
        match origin::check_token(form.text("csrf"), &self.csrf) {
            Ok(()) => Ok(Sent::Now(form)),
            Err(problem) => match origin::without_cookies(request, state) {
                Some(explained) => Err(explained),
                None if origin::is_told(request, state) => Ok(Sent::Stale(form, problem)),
                None => Err(problem),
            },
        }
    }

    pub(super) fn page(&self, template: &impl Template, status: StatusCode) -> Result<HttpResponse, Problem> {
        let mut response = page::html(template, status)?;
        if self.notice.is_some() {
            cookies::set(&mut response, Kind::Notice, "", self.secure);
        }
        Ok(response)
    }

    pub(super) fn go(&self, to: &str, notice: &str) -> HttpResponse {
        let mut response = HttpResponse::SeeOther().insert_header((header::LOCATION, to)).finish();
        if !notice.is_empty() {
            cookies::set(&mut response, Kind::Notice, &Notice::written(to, notice), self.secure);
        }
        response
    }
}

/// What the forms of a page send back. Only who knows the secret can make it, and it does not tell the secret.
fn token(secret: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"postrider form\0");
    hash.update(secret.as_bytes());
    BASE64URL_NOPAD.encode(&hash.finalize())
}

/// In which whoever has this session is shown times.
pub(super) fn zone(session: &Session) -> Zone {
    let named = session.time_zone.as_ref().and_then(|name| Zone::named(name.as_str()));
    named.unwrap_or_else(Zone::utc)
}

/// From where a request comes, for the record.
pub(super) fn visitor(request: &HttpRequest, state: &AppState) -> Visitor {
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    Visitor::new(client_address::of(request.peer_addr(), request.headers(), &state.trusted_proxy), agent)
}
