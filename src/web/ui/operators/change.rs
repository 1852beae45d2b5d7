//! What an operator may do, and whether they may sign in at all.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};

use crate::domain::operator::Role;
use crate::service::operators::OperatorView;
use crate::web::problem::Problem;
use crate::web::state::AppState;
use crate::web::ui::form::Form;
use crate::web::ui::visit::Posted;

use super::{PATH, list};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/operators/{id}").route(web::post().to(change)));
}

/// What the form holds is changed.
async fn change(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    let role = form.filled("role").map(Role::parse).transpose();
    let active = form.filled("active").map(|text| text == "true");
    let Some(role) = form.invalid().check("role", role) else {
        form.is_refused();
        return list::page(&state, &visit, "", Form::default(), form).await;
    };
    match state.service.change_operator(&scope, &id, role, active).await {
        Ok(operator) => Ok(visit.done(PATH, &changed(&operator))),
        Err(error) => {
            form.refuse(error.into())?;
            list::page(&state, &visit, "", Form::default(), form).await
        }
    }
}

fn changed(operator: &OperatorView) -> String {
    let OperatorView { email, role, active, .. } = operator;
    if *active {
        format!("{email} may sign in, as {role}.")
    } else {
        format!("{email} is deactivated: signed out everywhere, and no link of theirs works any more.")
    }
}
