//! Signing in and out.

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::service::operators::SignInError;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;

use super::form::Form;
use super::frame::Frame;
use super::page;
use super::visit::{Posted, Stranger};

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

async fn show(stranger: Stranger, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let form = Form::of_query(request.query_string());
    stranger.page_with(&Login { frame: stranger.frame("Sign in"), form }, StatusCode::OK)
}

async fn sign_in(
    state: Data<AppState>,
    stranger: Stranger,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let mut form = stranger.form(&request, payload).await?;
    let visitor = stranger.visitor(&request);
    let (email, password) = (form.text("email").to_owned(), form.text("password").to_owned());
    let signed = state.read(move |service| Ok(service.sign_in(&email, &password, &visitor))).await?;
    let error = match signed {
        Ok(signed) => return Ok(stranger.signed_in(&signed, page::within_site(form.text("to")))),
        Err(error) => error,
    };
    let seconds = refuse(&mut form, error)?;
    let status = form.status();
    let mut response = stranger.page_with(&Login { frame: stranger.frame("Sign in"), form }, status)?;
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
