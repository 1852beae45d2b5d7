//! A link for one operator: an invitation, or a new password.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::service::operators::LinkView;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;

use super::form::Form;
use super::setup::Setup;
use super::stranger::Stranger;

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/join/{token}").route(read().to(show)).route(web::post().to(join)));
}

fn page(stranger: &Stranger, form: Form, token: &str, link: &LinkView) -> Setup {
    let (email, role) = match &link.operator {
        Some((email, role)) => (email.to_string(), role.about()),
        None => (String::new(), ""),
    };
    Setup {
        frame: stranger.frame("Set your password"),
        form,
        title: "Set your password",
        about: format!("With this address and the password you sign in. Your role: {role}"),
        action: format!("/join/{token}"),
        email,
        button: "Set it and sign in",
    }
}

async fn show(
    state: Data<AppState>,
    stranger: Stranger,
    token: Path<String>,
) -> Result<HttpResponse, Problem> {
    let text = token.clone();
    let link = state.read(move |service| service.open_link(&text)).await?;
    if link.operator.is_none() {
        return Ok(stranger.done(&format!("/setup/{token}"), ""));
    }
    stranger.page_with(&page(&stranger, Form::default(), &token, &link), StatusCode::OK)
}

async fn join(
    state: Data<AppState>,
    stranger: Stranger,
    request: HttpRequest,
    payload: Payload,
    token: Path<String>,
) -> Result<HttpResponse, Problem> {
    let sent = stranger.form(&request, payload).await?;
    let text = token.clone();
    let link = state.read(move |service| service.open_link(&text)).await?;
    let mut form = match sent.now() {
        Ok(form) => form,
        Err(again) => {
            return stranger.page_with(&page(&stranger, again, &token, &link), StatusCode::FORBIDDEN);
        }
    };
    let (text, password, visitor) =
        (token.clone(), form.text("password").to_owned(), stranger.visitor.clone());
    match state.read(move |service| service.accept_invitation(&text, &password, &visitor)).await {
        Ok(signed) => stranger.enter(&signed, &form, "/").await,
        Err(problem) => {
            form.refuse(problem)?;
            let status = form.status();
            stranger.page_with(&page(&stranger, form, &token, &link), status)
        }
    }
}
