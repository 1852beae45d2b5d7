//! What the form of a format is sent for: to look at the request, to save it, to delete it.

use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::domain::invalid::Invalid;
use crate::service::formats::under_definition;
use crate::service::{Code, Error};
use crate::web::problem::Problem;
use crate::web::state::AppState;
use crate::web::ui::form::Form;
use crate::web::ui::visit::{Posted, Visit};

use super::show::{Known, find, form as form_of, page};
use super::{PATH, address};

pub(super) async fn change(
    state: Data<AppState>,
    Posted(visit, form): Posted,
) -> Result<HttpResponse, Problem> {
    match form.text("do") {
        // It changes nothing: whoever sees the page may.
        "preview" => {
            let known = known(&state, &visit, form.filled("old")).await?;
            page(&state, &visit, form, known).await
        }
        "delete" => delete(&state, &visit, &form).await,
        _ => save(&state, &visit, form).await,
    }
}

/// A format, if there is one of this name.
async fn known(state: &AppState, visit: &Visit, name: Option<&str>) -> Result<Option<Known>, Problem> {
    let Some(name) = name else { return Ok(None) };
    match find(state, visit, name).await {
        Ok(known) => Ok(Some(known)),
        Err(problem) if problem.0.code == Code::NotFound => Ok(None),
        Err(problem) => Err(problem),
    }
}

async fn save(state: &AppState, visit: &Visit, mut form: Form) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    let old = form.filled("old").map(str::to_owned);
    let name = old.clone().or(form.filled("name").map(str::to_owned)).unwrap_or_default();
    let known = known(state, visit, Some(&name)).await?;
    if old.is_none() && known.is_some() {
        form.invalid().push("name", "is the name of another format: choose one, or change that one");
        form.is_refused();
        return page(state, visit, form, None).await;
    }
    match state.service.put_format(&scope, &name, form.text("definition")).await {
        Ok(put) => {
            let told = if put.made {
                "The format is made. Endpoints use it once it stands in their settings."
            } else {
                "Saved. It is in force for the next attempt of every endpoint that uses it."
            };
            Ok(visit.done(&address(&put.format.name), told))
        }
        Err(error) => {
            form.refuse(placed(error).into())?;
            page(state, visit, form, known).await
        }
    }
}

/// Everything but the name is wrong somewhere in the definition.
fn placed(error: Error) -> Error {
    let (mut fields, inside) = error.fields.into_iter().partition::<Vec<_>, _>(|wrong| wrong.field == "name");
    fields.extend(under_definition(Invalid(inside)).0);
    Error { fields, ..error }
}

async fn delete(state: &AppState, visit: &Visit, form: &Form) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    let name = form.filled("old").unwrap_or_default().to_owned();
    match state.service.delete_format(&scope, &name).await {
        Ok(()) => Ok(visit.done(PATH, "The format is deleted.")),
        Err(error) => {
            let known = find(state, visit, &name).await?;
            let mut form = form_of("old", &name, &known)?;
            form.refuse(error.into())?;
            page(state, visit, form, Some(known)).await
        }
    }
}
