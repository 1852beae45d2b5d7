//! What a person does to a delivery: send it again, give it up.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};

use crate::domain::scope::Scope;
use crate::web::problem::Problem;
use crate::web::state::AppState;
use crate::web::ui::form::Form;
use crate::web::ui::visit::{Posted, Visit};

use super::show;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/deliveries/{id}/retry").route(web::post().to(retry)))
        .service(web::resource("/deliveries/{id}/cancel").route(web::post().to(cancel)));
}

async fn retry(
    state: Data<AppState>,
    Posted(visit, form): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::DeliveriesWrite)?;
    match state.service.retry(&scope, &id)?.await {
        Ok(sent) => {
            let again = sent.id.to_string() != *id;
            let done = if again { "It is sent again: this is the new delivery." } else { "It is sent now." };
            Ok(visit.done(&format!("/deliveries/{}", sent.id), done))
        }
        Err(error) => refused(&state, &visit, &id, form, error.into()).await,
    }
}

async fn cancel(
    state: Data<AppState>,
    Posted(visit, form): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::DeliveriesWrite)?;
    match state.service.cancel(&scope, &id)?.await {
        Ok(row) => {
            Ok(visit.done(&format!("/deliveries/{}", row.id), "The delivery is canceled: it is not sent."))
        }
        Err(error) => refused(&state, &visit, &id, form, error.into()).await,
    }
}

/// The delivery as it is by now, with why not.
async fn refused(
    state: &AppState,
    visit: &Visit,
    id: &str,
    mut form: Form,
    problem: Problem,
) -> Result<HttpResponse, Problem> {
    form.refuse(problem)?;
    show::page(state, visit, id, &Form::default(), form).await
}
