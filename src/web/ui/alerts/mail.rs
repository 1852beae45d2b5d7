//! The mail server: set and forgotten.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};

use crate::domain::headers::MASK;
use crate::service::alerts::MailServerDraft;
use crate::service::patch::Patch;
use crate::web::problem::Problem;
use crate::web::state::AppState;
use crate::web::ui::visit::Posted;

use super::{PATH, fields, page};

/// Registers the forms' targets. Above `/alerts/{id}`.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/alerts/mail-server").route(web::post().to(put)))
        .service(web::resource("/alerts/mail-server/delete").route(web::post().to(delete)));
}

async fn put(state: Data<AppState>, Posted(visit, mut form): Posted) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    let port = match form.number("port") {
        Patch::Set(port) => Some(port),
        Patch::Keep | Patch::Reset => None,
    };
    let wrong = std::mem::take(form.invalid());
    let filled = |name: &str| form.filled(name).map(str::to_owned);
    // Left blank, the password stays; without a user there is none.
    let user = filled("user");
    let kept = user.as_ref().filter(|_| form.has("has_password", "true")).map(|_| MASK.to_owned());
    let draft = MailServerDraft {
        wrong,
        host: filled("host"),
        port,
        security: filled("security"),
        password: filled("password").or(kept),
        user,
        from: filled("from"),
    };
    match state.service.put_mail_server(&scope, &draft).await {
        Ok(server) => Ok(visit.done(PATH, &format!("Mail goes through {} from now on.", server.host))),
        Err(error) => {
            form.refuse(error.into())?;
            page(&state, &visit, "", fields::fresh(), form).await
        }
    }
}

async fn delete(state: Data<AppState>, Posted(visit, _): Posted) -> Result<HttpResponse, Problem> {
    state.service.delete_mail_server(&visit.caller.admin()?).await?;
    Ok(visit.done(PATH, "The mail server is forgotten, and its password."))
}
