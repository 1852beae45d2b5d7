//! What the form of a type is sent for: to save it, to look whether the example fits, to delete it.

use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::service::event_types::{CheckedEventType, EventTypeDraft};
use crate::service::{AdminScope, Error};
use crate::store::event_types::EventTypeRow;
use crate::web::problem::Problem;
use crate::web::state::AppState;
use crate::web::ui::form::Form;
use crate::web::ui::visit::{Posted, Visit};

use super::{PATH, address, draft, show};

pub(super) async fn change(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    let old = form.filled("old").map(str::to_owned);
    if form.has("do", "delete") {
        state.service.delete_event_type(&scope, &old.unwrap_or_default()).await?;
        return Ok(visit.done(PATH, "The event type is deleted. Subscriptions and events of it stay."));
    }
    let known = known(&state, &visit, &form).await?;
    if old.is_none() && known.is_some() {
        form.invalid().push("name", "is in the catalogue already: change it there");
    }
    let known = old.is_some().then_some(known).flatten();
    let said = said(&form, known.as_ref());
    let told = verdict(&said);
    let checked = check(&state, &scope, &mut form, said).await?;
    match checked {
        Some(_) if form.has("do", "check") => show::page(&visit, form, known, Some(told)),
        Some(checked) => save(&state, &visit, form, known, checked).await,
        None => show::page(&visit, form, known, None),
    }
}

/// The type that the form is about, if it is in the catalogue.
async fn known(state: &AppState, visit: &Visit, form: &Form) -> Result<Option<EventTypeRow>, Problem> {
    match show::find(state, visit, name(form)).await {
        Ok(row) => Ok(Some(row)),
        Err(problem) if problem.0.code == crate::service::Code::NotFound => Ok(None),
        Err(problem) => Err(problem),
    }
}

fn name(form: &Form) -> &str {
    form.filled("old").or(form.filled("name")).unwrap_or_default()
}

/// What the form says. What its page had no room for stays as it is.
fn said(form: &Form, known: Option<&EventTypeRow>) -> EventTypeDraft {
    let kept = |name: &str| {
        let row = known.filter(|_| form.has("left_out", name));
        row.and_then(|row| show::long(row, name)).map(str::to_owned)
    };
    let said = draft(form);
    let (example, schema) =
        (said.example.or_else(|| kept("example")), said.schema.or_else(|| kept("schema")));
    EventTypeDraft { example, schema, ..said }
}

/// Checks all that the form says. `None`: something is wrong, and the form tells what.
async fn check(
    state: &AppState,
    scope: &AdminScope,
    form: &mut Form,
    draft: EventTypeDraft,
) -> Result<Option<CheckedEventType>, Problem> {
    let (scope, name) = (scope.clone(), name(form).to_owned());
    let checked = state.read(move |service| Ok(service.check_event_type(&scope, &name, draft))).await?;
    match checked {
        Ok(checked) if !form.is_refused() => Ok(Some(checked)),
        Ok(_) => Ok(None),
        Err(invalid) => {
            form.refuse(Error::from(invalid).into())?;
            Ok(None)
        }
    }
}

/// What is told of an example, where all of it was found good.
fn verdict(said: &EventTypeDraft) -> &'static str {
    match said {
        said if said.schema.is_none() => "There is no schema: any data fits.",
        said if said.example.is_none() => "The schema is a good one. There is no example to hold against it.",
        _ => "The example fits the schema.",
    }
}

async fn save(
    state: &AppState,
    visit: &Visit,
    mut form: Form,
    known: Option<EventTypeRow>,
    checked: CheckedEventType,
) -> Result<HttpResponse, Problem> {
    match state.service.put_event_type(checked).await {
        Ok(put) => {
            let name = put.event_type.name.as_str();
            Ok(visit.done(&address(name), "Saved. It is in force for what is published from now on."))
        }
        Err(error) => {
            form.refuse(error.into())?;
            show::page(visit, form, known, None)
        }
    }
}
