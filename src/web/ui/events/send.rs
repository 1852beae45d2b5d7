//! An event sent by hand.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::json_pretty;
use crate::domain::scope::Scope;
use crate::service::Error;
use crate::store::event_types::EventTypeRow;
use crate::store::publish::Published;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::visit::{Posted, Visit};
use crate::web::ui::weight::{Room, weight};

use super::draft::{self, Draft};
use super::held::with_held;
use super::{once, show};

/// Bytes of the page that the choices of types take, what stands around each, and what an example takes.
const TYPES: usize = 24 * 1024;
const AROUND: usize = 40;
const EXAMPLE: usize = 24 * 1024;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/events/new").route(read().to(show_new)).route(web::post().to(send)));
}

#[derive(Template)]
#[template(path = "ui/event_new.html")]
struct New {
    frame: Frame,
    form: Form,
    types: Vec<(String, String)>,
    /// Whether the catalogue has more than these.
    more: bool,
    chosen: Option<EventTypeRow>,
    /// Whether its example is longer than the page has room for.
    is_long: bool,
}

async fn show_new(
    state: Data<AppState>,
    visit: Visit,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let asked = Form::of_query(request.query_string());
    // An event may have the id `new`: its links name the tenant and no type.
    if asked.filled("tenant").is_some() && asked.all("type").next().is_none() {
        return show::page(&state, &visit, "new", &asked, Form::default()).await;
    }
    let form = Form::of([
        ("type", asked.text("type").trim().to_owned()),
        ("tenant", asked.text("tenant").trim().to_owned()),
        ("id", String::new()),
        ("once", once::nonce(&state)),
    ]);
    page(&state, &visit, form, true).await
}

/// The page; `fresh`: the data is to be the example of the type.
async fn page(state: &AppState, visit: &Visit, mut form: Form, fresh: bool) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::EventsWrite)?;
    let name = form.text("type").to_owned();
    let read = state
        .read(move |service| Ok((service.published_types(&scope), service.event_type(&scope, &name).ok())));
    let (mut types, chosen) = read.await?;
    let all = types.len();
    Room::new(TYPES).cut(&mut types, AROUND);
    let more = types.len() < all;
    let mut choices = vec![(String::new(), "choose …".to_owned())];
    choices.extend(types.into_iter().map(|name| (name.clone(), name)));
    let example = example(chosen.as_ref()).filter(|_| fresh);
    let is_long = fresh && example.is_none();
    form.add("data", example.unwrap_or_default());
    let status = form.status();
    let page =
        New { frame: visit.frame("Send an event", "/events"), form, types: choices, more, chosen, is_long };
    visit.page_with(&page, status)
}

/// What the data may look like; `None`: longer than the page has room for.
fn example(of: Option<&EventTypeRow>) -> Option<String> {
    let text = of.and_then(|row| row.example.as_deref()).unwrap_or("{}");
    Some(json_pretty::spread(text, EXAMPLE)).filter(|text| weight(text) <= EXAMPLE)
}

async fn send(state: Data<AppState>, Posted(visit, mut form): Posted) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::EventsWrite)?;
    let draft = Draft::read(&mut form);
    let published = async {
        let answer = state.read(move |service| draft::publish(service, &scope, draft)).await?;
        answer.await.map_err(|error| Problem::from(Error::from(error)))
    };
    match published.await {
        Ok(published) => {
            let scope = visit.caller.tenant_scope(Scope::DeliveriesRead)?;
            let event = (published.id.to_string(), Some(published.tenant.clone()));
            let made = if published.replayed { 0 } else { published.deliveries as usize };
            let told = with_held(told(&published), &state, scope, event, made).await;
            Ok(visit.done(&super::path(&published.id, &published.tenant), &told))
        }
        Err(problem) => {
            form.refuse(problem)?;
            page(&state, &visit, form, false).await
        }
    }
}

/// What became of it.
fn told(published: &Published) -> String {
    match published.deliveries {
        _ if published.replayed => "It was accepted before: this is it.".to_owned(),
        0 if published.without_endpoints => {
            "The event is accepted. Its tenant has no endpoint, so it goes nowhere.".to_owned()
        }
        0 => "The event is accepted. No endpoint matches it: below is why.".to_owned(),
        1 => "The event is accepted and goes to one endpoint.".to_owned(),
        many => format!("The event is accepted and goes to {many} endpoints."),
    }
}
