//! Signing in and out.

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::operator::Role;
use crate::service::operators::SignInError;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;

use super::cookies;
use super::form::Form;
use super::frame::Frame;
use super::kept::Kept;
use super::page;
use super::shelf::Shelf;
use super::stranger::Stranger;
use super::typed::Typed;
use super::visit::Posted;

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/login").route(read().to(show)).route(web::post().to(sign_in)))
        .service(web::resource("/logout").route(web::post().to(sign_out)));
}

#[derive(Template)]
#[template(path = "ui/login.html")]
struct Login {
    frame: Frame,
    form: Form,
}

async fn show(
    state: Data<AppState>,
    stranger: Stranger,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    // Nothing else: what a link brings is nothing that was typed.
    let to = Form::of_query(request.query_string()).text("to").to_owned();
    let session = cookies::read(&request, cookies::Kind::Session, state.is_https());
    if session.is_some_and(|text| state.service.session(&text).is_some()) {
        return Ok(stranger.done(page::within_site(&to), ""));
    }
    page(&stranger, Form::of([("to", to)]))
}

/// The page to sign in. It carries what the form holds as `to` and, of what was typed, as `kept`.
///
/// # Errors
/// A template that fails, which is a defect.
pub(super) fn page(stranger: &Stranger, form: Form) -> Result<HttpResponse, Problem> {
    let status = form.status();
    stranger.page_with(&Login { frame: stranger.frame("Sign in"), form }, status)
}

async fn sign_in(
    state: Data<AppState>,
    stranger: Stranger,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let mut form = match stranger.form(&request, payload).await?.now() {
        Ok(form) => form,
        Err(again) => return page(&stranger, again),
    };
    let visitor = stranger.visitor.clone();
    let (email, password) = (form.text("email").trim().to_owned(), form.text("password").to_owned());
    let signed = state.read(move |service| Ok(service.sign_in(&email, &password, &visitor))).await?;
    let error = match signed {
        Ok(signed) => {
            // It may hold what a viewer does not see, and a viewer can send none of it.
            let carried = Typed::from_carried(&state, &form).filter(|_| signed.session.role == Role::Admin);
            let to = match carried {
                Some(typed) => Shelf::put(&state, signed.session.id, Kept::Typed(typed)),
                None => page::within_site(form.text("to")).to_owned(),
            };
            return stranger.enter(&signed, &form, &to).await;
        }
        Err(error) => error,
    };
    let seconds = refuse(&mut form, error)?;
    let mut response = page(&stranger, form)?;
    if let Some(seconds) = seconds {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

/// Notes in the form why a password was not taken. Answers in how many seconds it may be tried again, if not at once.
///
/// # Errors
/// What the form cannot mend.
pub(super) fn refuse(form: &mut Form, error: SignInError) -> Result<Option<u32>, Problem> {
    match error {
        SignInError::Failed(error) => form.refuse(error.into()).map(|()| None),
        SignInError::Wrong => {
            form.reject(StatusCode::UNAUTHORIZED, &error.to_string());
            Ok(None)
        }
        SignInError::TooOften { seconds } => {
            form.reject(StatusCode::TOO_MANY_REQUESTS, &error.to_string());
            Ok(Some(seconds))
        }
    }
}

async fn sign_out(state: Data<AppState>, Posted(visit, _): Posted) -> Result<HttpResponse, Problem> {
    state.service.sign_out(&visit.session, &visit.visitor).await?;
    Ok(visit.signed_out())
}
