//! One-time links: for somebody who is invited, or who has forgotten the password.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};

use crate::domain::operator::{Email, Role};
use crate::service::operators::LinkMade;
use crate::web::problem::Problem;
use crate::web::state::AppState;
use crate::web::ui::form::Form;
use crate::web::ui::kept::{Kept, Secret};
use crate::web::ui::lost::Of;
use crate::web::ui::visit::Posted;

use super::{PATH, list};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/operators/{id}/link").route(web::post().to(link)));
}

pub(super) async fn invite(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    let (email, role) = (Email::parse(form.text("email").trim()), Role::parse(form.text("role")));
    let (email, role) = (form.invalid().check("email", email), form.invalid().check("role", role));
    let (Some(email), Some(role), false) = (email, role, form.is_refused()) else {
        return list::page(&state, &visit, "", form, Form::default()).await;
    };
    match state.service.invite(&scope, email, role).await {
        Ok(invited) => {
            let secret = secret(&state, invited.operator.email.as_str(), &invited.link);
            Ok(visit.show_once(Kept::Secret(Box::new(secret))))
        }
        Err(error) => {
            form.refuse(error.into())?;
            list::page(&state, &visit, "", form, Form::default()).await
        }
    }
}

async fn link(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let (scope, view, wanted) = (visit.caller.admin()?, visit.caller.view()?, id.clone());
    let operator = state.read(move |service| service.operator(&view, &wanted)).await?;
    match state.service.make_operator_link(&scope, &id).await {
        Ok(made) => {
            let secret = secret(&state, operator.email.as_str(), &made);
            Ok(visit.show_once(Kept::Secret(Box::new(secret))))
        }
        Err(error) => {
            form.refuse(error.into())?;
            list::page(&state, &visit, "", Form::default(), form).await
        }
    }
}

fn secret(state: &AppState, email: &str, link: &LinkMade) -> Secret {
    Secret {
        of: Of::Operator,
        section: PATH,
        done: format!("The link for {email} is made."),
        about: "Hand it over now: it is shown this once, and works once. With it they set their password. Nothing is \
                sent by mail.",
        text: Some(state.link(link)),
        command: None,
        until: Some(("It ends", link.expires_at)),
        warnings: Vec::new(),
        next: vec![(PATH.to_owned(), "All operators".to_owned())],
    }
}
