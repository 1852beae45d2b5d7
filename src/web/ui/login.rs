//! Signing in and out.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::web::problem::Problem;
use crate::web::state::AppState;

use super::form::Form;
use super::frame::Frame;
use super::page;
use super::visit::{Stranger, Visit};

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/login").route(web::get().to(show)).route(web::post().to(sign_in)))
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
    let signed = state.read(move |service| service.sign_in(&email, &password, &visitor)).await;
    match signed {
        Ok(session) => Ok(stranger.signed_in(&session, page::within_site(form.text("to")))),
        Err(problem) => {
            form.refuse(problem)?;
            let status = form.status();
            stranger.page_with(&Login { frame: stranger.frame("Sign in"), form }, status)
        }
    }
}

async fn sign_out(
    state: Data<AppState>,
    visit: Visit,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    visit.form(&request, payload).await?;
    state.service.sign_out(&visit.session).await?;
    Ok(visit.signed_out())
}
