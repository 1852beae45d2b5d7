//! What a person does to an event: send it again, delete its data.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde_json::Value;

use crate::domain::scope::Scope;
use crate::service::replays::ReplayEvent;
use crate::store::events::StoredEvent;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::visit::{Posted, Visit};

use super::held::with_held;
use super::{links, once, show};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/events/{id}/replay").route(web::post().to(replay))).service(
        web::resource("/events/{id}/delete-data").route(read().to(ask)).route(web::post().to(empty)),
    );
}

async fn replay(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::DeliveriesWrite)?;
    let asked = Form::of_query(request.query_string());
    let content = ["replay", &id, request.query_string(), form.text("endpoint")];
    let event = (id.to_string(), show::tenant(&asked)?);
    let again = ReplayEvent {
        id: event.0.clone(),
        tenant: event.1.clone(),
        endpoint: form.filled("endpoint").map(str::to_owned),
        idempotency: once::key(&form, &content),
    };
    let told = async {
        let answer = state.read(move |service| service.replay_event(&scope, again)).await?;
        answer.await.map_err(Problem::from)
    };
    match told.await {
        Ok(answer) => {
            let (count, scope) = (count(&answer.text), visit.caller.tenant_scope(Scope::DeliveriesRead)?);
            let told = with_held(replayed(count), &state, scope, event, count).await;
            Ok(visit.done(&here(&id, &request), &told))
        }
        Err(problem) => {
            form.refuse(problem)?;
            show::page(&state, &visit, &id, &asked, form).await
        }
    }
}

/// The page of the event, under the address that was used.
fn here(id: &str, request: &HttpRequest) -> String {
    match request.query_string() {
        "" => format!("/events/{id}"),
        query => format!("/events/{id}?{query}"),
    }
}

/// How many deliveries a replay has made, as its answer says.
fn count(answer: &str) -> usize {
    let count = serde_json::from_str::<Value>(answer).ok().and_then(|answer| answer["deliveries"].as_u64());
    count.and_then(|count| usize::try_from(count).ok()).unwrap_or_default()
}

fn replayed(count: usize) -> String {
    match count {
        0 => "No endpoint matches it today: nothing is sent.".to_owned(),
        1 => "It is sent again, to one endpoint.".to_owned(),
        many => format!("It is sent again, to {many} endpoints."),
    }
}

#[derive(Template)]
#[template(path = "ui/event_delete_data.html")]
struct Ask {
    frame: Frame,
    event: StoredEvent,
    id: String,
    /// The event's page, and where the form goes to.
    back: String,
    action: String,
}

async fn ask(
    state: Data<AppState>,
    visit: Visit,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::EventsWrite)?;
    let tenant = show::tenant(&Form::of_query(request.query_string()))?;
    let event = state.read(move |service| service.event(&scope, &id, tenant.as_ref())).await?;
    let id = event.public_id().to_string();
    let back = links::path(&id, &event.tenant);
    let action = links::at(&id, &event.tenant, "/delete-data");
    visit.page(&Ask { frame: visit.frame("Delete the data of an event", "/events"), event, id, back, action })
}

async fn empty(
    state: Data<AppState>,
    Posted(visit, _): Posted,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::EventsWrite)?;
    let tenant = show::tenant(&Form::of_query(request.query_string()))?;
    let to = here(&id, &request);
    state.read(move |service| service.blank_event(&scope, &id, tenant.as_ref())).await?.await?;
    Ok(visit.done(&to, "The data is deleted."))
}
