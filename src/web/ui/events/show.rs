//! One event: its data, where it went, and why it did not go elsewhere.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::names::TenantName;
use crate::domain::scope::Scope;
use crate::service::matching::{Matching, Reason};
use crate::store::events::StoredEvent;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::deliveries::rows::Row;
use crate::web::ui::event_types;
use crate::web::ui::filters;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::shown::{self, Body};
use crate::web::ui::visit::Visit;

use super::gather::{Read, gather};
use super::links::Links;
use super::once;

/// Characters of a reason that a row has room for.
const REASON: usize = 200;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/events/{id}").route(read().to(show)));
}

#[derive(Template)]
#[template(path = "ui/event.html")]
struct Page {
    frame: Frame,
    /// Where to send it again, and why that was refused.
    form: Form,
    event: StoredEvent,
    id: String,
    /// Where more is told of its type: the catalogue, or the events of this type.
    type_path: String,
    data: Body,
    raw: bool,
    deliveries: Vec<Row>,
    more_deliveries: Option<String>,
    /// Endpoints that it did not go to.
    elsewhere: Vec<Elsewhere>,
    more_endpoints: Option<String>,
    choices: Vec<(String, String)>,
    /// Whether its tenant has any endpoint that it could be sent to again.
    has_endpoints: bool,
    /// Makes a repetition of the same replay harmless.
    once: String,
    links: Links,
    live: bool,
}

/// An endpoint that an event did not go to.
struct Elsewhere {
    of: Matching,
    url: String,
    why: String,
}

impl Elsewhere {
    fn of(of: Matching) -> Self {
        Self { url: shown::url(&of.url), why: shown::short(&of.message, REASON), of }
    }

    /// Whether it was made after the event: then it had no other rule before.
    fn is_later(&self) -> bool {
        self.of.reason == Reason::MadeLater
    }
}

async fn show(
    state: Data<AppState>,
    visit: Visit,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    page(&state, &visit, &id, &Form::of_query(request.query_string()), Form::default()).await
}

/// Which tenant an own id is looked up in.
///
/// # Errors
/// 422: that is no name of a tenant.
pub(super) fn tenant(asked: &Form) -> Result<Option<TenantName>, Problem> {
    filters::exactly(asked, "tenant", |name| TenantName::parse(name).ok())
}

/// The page. `asked` holds the address's query; `form` what was refused.
pub(super) async fn page(
    state: &AppState,
    visit: &Visit,
    id: &str,
    asked: &Form,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::EventsRead)?;
    visit.caller.tenant_scope(Scope::DeliveriesRead)?;
    let (id, tenant, raw) = (id.to_owned(), tenant(asked)?, asked.has("data", "raw"));
    let below = filters::exactly(asked, "below", DeliveryId::parse)?;
    let beside = filters::exactly(asked, "beside", EndpointId::parse)?;
    let read =
        state.read(move |service| gather(service, &scope, &id, tenant.as_ref(), below, beside)).await?;
    let title = format!("{} · Event", read.event.event_type);
    let (frame, once) = (visit.frame(&title, "/events"), once::nonce(state));
    let status = form.status();
    visit.page_with(&event(frame, form, read, raw, once), status)
}

fn event(frame: Frame, form: Form, read: Read, raw: bool, once: String) -> Page {
    let id = read.event.public_id().to_string();
    let links = Links::of(&id, &read.event.tenant);
    let mut choices = vec![(String::new(), "all that it matches today".to_owned())];
    let enabled = read.endpoints.iter().filter(|endpoint| endpoint.enabled);
    choices.extend(enabled.map(|endpoint| (endpoint.endpoint_id.to_string(), shown::url(&endpoint.url))));
    let has_endpoints = !read.endpoints.is_empty() || read.is_continued;
    let event_type = read.event.event_type.as_str();
    let type_path =
        if read.catalogued { event_types::address(event_type) } else { format!("/events?type={event_type}") };
    let elsewhere = read.endpoints.into_iter().filter(|endpoint| endpoint.reason != Reason::DeliveredTo);
    Page {
        data: Body::of(read.event.data.as_bytes(), raw),
        event: read.event,
        live: read.deliveries.iter().any(|row| row.delivery.state.is_pending()),
        deliveries: read.deliveries,
        more_deliveries: read.below.map(|below| links.with("below", &below.to_string())),
        elsewhere: elsewhere.map(Elsewhere::of).collect(),
        more_endpoints: read.beside.map(|beside| links.with("beside", &beside.to_string())),
        frame,
        form,
        id,
        type_path,
        raw,
        choices,
        has_endpoints,
        once,
        links,
    }
}
