//! The first start: the first operator is made with the link that the server has printed.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::service::Code;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;

use super::form::Form;
use super::frame::Frame;
use super::stranger::Stranger;

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/setup").route(read().to(explain)))
        .service(web::resource("/setup/{token}").route(read().to(show)).route(web::post().to(set_up)));
}

/// Also what is shown for a link to a password of one's own (`join`).
#[derive(Template)]
#[template(path = "ui/setup.html")]
pub(super) struct Setup {
    pub(super) frame: Frame,
    pub(super) form: Form,
    pub(super) title: &'static str,
    pub(super) about: String,
    /// Where the form goes to; empty: there is none, but an explanation.
    pub(super) action: String,
    /// Whose password it will be; empty: the form asks.
    pub(super) email: String,
    pub(super) button: &'static str,
}

fn page(stranger: &Stranger, form: Form, token: &str) -> Setup {
    Setup {
        frame: stranger.frame("Set up Postrider"),
        form,
        title: "Set up Postrider",
        about: "You will be the first operator, an admin: you can invite others.".to_owned(),
        action: if token.is_empty() { String::new() } else { format!("/setup/{token}") },
        email: String::new(),
        button: "Make the first operator",
    }
}

async fn explain(state: Data<AppState>, stranger: Stranger) -> Result<HttpResponse, Problem> {
    if !state.service.needs_setup() {
        return Ok(stranger.done("/login", ""));
    }
    stranger.page_with(&page(&stranger, Form::default(), ""), StatusCode::OK)
}

async fn show(
    state: Data<AppState>,
    stranger: Stranger,
    token: Path<String>,
) -> Result<HttpResponse, Problem> {
    let token = token.into_inner();
    let text = token.clone();
    match state.read(move |service| service.open_link(&text)).await {
        Ok(_) => stranger.page_with(&page(&stranger, Form::default(), &token), StatusCode::OK),
        Err(problem) if problem.0.code == Code::NotFound && state.service.needs_setup() => {
            stranger.page_with(&page(&stranger, Form::default(), ""), StatusCode::NOT_FOUND)
        }
        Err(problem) => Err(problem),
    }
}

async fn set_up(
    state: Data<AppState>,
    stranger: Stranger,
    request: HttpRequest,
    payload: Payload,
    token: Path<String>,
) -> Result<HttpResponse, Problem> {
    let mut form = match stranger.form(&request, payload).await?.now() {
        Ok(form) => form,
        Err(again) => return stranger.page_with(&page(&stranger, again, &token), StatusCode::FORBIDDEN),
    };
    let (token, visitor) = (token.into_inner(), stranger.visitor.clone());
    let typed = (token.clone(), form.text("email").trim().to_owned(), form.text("password").to_owned());
    let made = state.read(move |service| service.set_up(&typed.0, &typed.1, &typed.2, &visitor)).await;
    match made {
        Ok(signed) => stranger.enter(&signed, &form, "/").await,
        Err(problem) => {
            form.refuse(problem)?;
            let status = form.status();
            stranger.page_with(&page(&stranger, form, &token), status)
        }
    }
}
