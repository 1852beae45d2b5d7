//! Whoever looks at a page: an operator who is signed in ([`Visit`]), or anybody ([`Stranger`]).
//!
//! A page takes one of them as an argument, and what changes something a [`Posted`] form, so that none can be forgotten;
//! every answer with a page goes through one of them, so that its headers can't be either.

use std::future::{Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload as BodyStream;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Payload};
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use askama::Template;
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use crate::domain::time::UnixMs;
use crate::service::Caller;
use crate::service::operators::{SessionView, SignedIn, Visitor};
use crate::web::client_address;
use crate::web::problem::Problem;
use crate::web::state::AppState;

use super::cookies::{self, Kind};
use super::form::{self, Form};
use super::frame::{Frame, Who};
use super::moments::Zone;
use super::origin;
use super::page;
use super::theme;

/// What every request to the console brings, whoever makes it.
struct Common {
    secure: bool,
    csrf: String,
    theme: Option<&'static str>,
    notice: Option<String>,
    here: String,
    now: UnixMs,
}

impl Common {
    fn of(request: &HttpRequest, state: &AppState, secret: &str) -> Self {
        let secure = state.is_https();
        Self {
            secure,
            csrf: token(secret),
            theme: theme::chosen(request, state),
            notice: cookies::read(request, Kind::Notice, secure),
            here: request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            now: state.service.store().times().wall(),
        }
    }

    fn frame(&self, title: &str, section: &'static str, who: Option<Who>, zone: Zone) -> Frame {
        Frame {
            title: title.to_owned(),
            section,
            who,
            csrf: self.csrf.clone(),
            theme: self.theme,
            notice: self.notice.clone(),
            here: self.here.clone(),
            assets: Frame::assets(),
            zone,
            now: self.now,
        }
    }

    async fn read(
        &self,
        state: &AppState,
        request: &HttpRequest,
        payload: Payload,
        limit: usize,
    ) -> Result<Form, Problem> {
        origin::check(request, state)?;
        let form = Form::read(request, payload, limit).await?;
        origin::check_token(form.text("csrf"), &self.csrf)?;
        Ok(form)
    }

    fn page(&self, template: &impl Template, status: StatusCode) -> Result<HttpResponse, Problem> {
        let mut response = page::html(template, status)?;
        if self.notice.is_some() {
            cookies::set(&mut response, Kind::Notice, "", self.secure);
        }
        Ok(response)
    }

    fn go(&self, to: &str, notice: &str) -> HttpResponse {
        let mut response = HttpResponse::SeeOther().insert_header((header::LOCATION, to)).finish();
        if !notice.is_empty() {
            cookies::set(&mut response, Kind::Notice, notice, self.secure);
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

/// An operator who is signed in.
pub struct Visit {
    /// What they may do.
    pub caller: Caller,
    /// Their session.
    pub session: SessionView,
    /// From where they come.
    pub visitor: Visitor,
    state: Data<AppState>,
    common: Common,
    zone: Zone,
}

impl Visit {
    /// What is around a page that belongs to the navigation's link `section`, which is empty for none.
    pub fn frame(&self, title: &str, section: &'static str) -> Frame {
        let who = Who { email: self.session.email.to_string(), admin: self.caller.admin().is_ok() };
        self.common.frame(title, section, Some(who), self.zone.clone())
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

    /// Goes to another page of the console, which says what was done.
    pub fn done(&self, to: &str, notice: &str) -> HttpResponse {
        self.common.go(to, notice)
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
    let visitor = visitor(request, &state);
    let caller = Caller::operator(&session, visitor.address);
    let zone = session.time_zone.as_ref().and_then(|name| Zone::named(name.as_str()));
    let common = Common::of(request, &state, &text);
    Ok(Visit { caller, session, visitor, common, zone: zone.unwrap_or_else(Zone::utc), state })
}

/// An operator who is signed in, and the form that one of our pages has sent for them: what changes something takes it,
/// so that neither the session nor where the form comes from can be left unchecked.
///
/// # Errors
/// As for a [`Visit`]; 403 where the form comes from elsewhere; what cannot be read.
pub struct Posted(pub Visit, pub Form);

impl FromRequest for Posted {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut BodyStream) -> Self::Future {
        let (request, body) = (request.clone(), Payload::from_request(request, payload));
        Box::pin(async move {
            let visit = visit(&request)?;
            let form = visit.common.read(&visit.state, &request, body.await?, form::LIMIT).await?;
            Ok(Self(visit, form))
        })
    }
}

/// Where who is not signed in has to go first.
fn sign_in(request: &HttpRequest, state: &AppState) -> String {
    if state.service.needs_setup() {
        return "/setup".to_owned();
    }
    let here = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if here == "/" || request.method() != actix_web::http::Method::GET {
        return "/login".to_owned();
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("to", here).finish();
    format!("/login?{query}")
}

fn visitor(request: &HttpRequest, state: &AppState) -> Visitor {
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    Visitor::new(client_address::of(request.peer_addr(), request.headers(), &state.trusted_proxy), agent)
}

/// Anybody, for the pages before there is a session.
pub struct Stranger {
    state: Data<AppState>,
    common: Common,
    /// A secret that was made for this answer, which sets it.
    fresh: Option<String>,
}

impl Stranger {
    /// What is around a page without navigation.
    pub fn frame(&self, title: &str) -> Frame {
        self.common.frame(title, "", None, Zone::utc())
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
    pub async fn form(&self, request: &HttpRequest, payload: Payload) -> Result<Form, Problem> {
        self.common.read(&self.state, request, payload, form::STRANGERS_LIMIT).await
    }

    /// From where they come, for the record and for slowing down whoever guesses.
    pub fn visitor(&self, request: &HttpRequest) -> Visitor {
        visitor(request, &self.state)
    }

    /// Goes on with a session that has just begun.
    pub fn signed_in(&self, signed: &SignedIn, to: &str) -> HttpResponse {
        let mut response = self.common.go(to, "");
        cookies::set(&mut response, Kind::Session, signed.token.expose(), self.common.secure);
        cookies::set(&mut response, Kind::Form, "", self.common.secure);
        response
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
        ready(stranger(request))
    }
}

fn stranger(request: &HttpRequest) -> Result<Stranger, actix_web::Error> {
    let state = AppState::of(request)?.clone();
    let known = cookies::read(request, Kind::Form, state.is_https());
    let fresh = known
        .is_none()
        .then(|| BASE64URL_NOPAD.encode(&crate::random::bytes::<32>(&**state.service.store().random())));
    let secret = known.as_deref().or(fresh.as_deref()).unwrap_or_default();
    let common = Common::of(request, &state, secret);
    Ok(Stranger { state, common, fresh })
}
