//! Sending an endpoint something now, and what it answers.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::json_pretty;
use crate::domain::names::EventType;
use crate::domain::scope::Scope;
use crate::service::endpoints::{EndpointView, TEST_TYPE, TestDraft};
use crate::service::render::Detail;
use crate::service::{Error, Service, TenantScope};
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::endpoints::tabs::{Head, Tab};
use crate::web::ui::filters;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::visit::{Posted, Visit};
use crate::web::ui::weight::weight;

use super::SECTION;
use super::exchange::Exchange;
use super::types::Types;

/// Bytes of the page that data to begin with takes.
const DATA: usize = 12 * 1024;

/// Registers the page.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/endpoints/{id}/test").route(read().to(show)).route(web::post().to(send)));
}

#[derive(Template)]
#[template(path = "ui/endpoint_tabs/test.html")]
struct Test {
    frame: Frame,
    head: Head,
    form: Form,
    types: Types,
    /// Whether the data to begin with is longer than the page has room for.
    is_long: bool,
    /// What was sent, and what came back.
    exchange: Option<Exchange>,
}

/// What the page reads.
struct Seen {
    endpoint: EndpointView,
    catalogue: Vec<String>,
    sent: Option<Detail>,
    /// Type and data to begin with.
    given: Option<(String, String)>,
}

async fn show(
    state: Data<AppState>,
    visit: Visit,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let mut form = Form::of_query(request.query_string());
    let chosen = filters::taken(&mut form, "type", EventType::parse).map(|name| name.to_string());
    form.is_refused();
    let delivery = form.filled("delivery").map(str::to_owned);
    let scope = visit.caller.tenant_scope(Scope::DeliveriesRead)?;
    let seen = state.read(move |service| see(service, &scope, &id, chosen.as_deref(), delivery.as_deref()));
    page(&visit, form, seen.await?)
}

async fn send(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::EndpointsWrite)?;
    let text = |name: &str| form.filled(name).map(str::to_owned);
    let draft = TestDraft { event_type: text("type"), data: text("data") };
    let sent = match state.service.test_endpoint(&scope, &id, None, &draft) {
        Ok(testing) => testing.finished().await,
        Err(error) => Err(error),
    };
    match sent {
        Ok(result) => Ok(visit.done(&format!("/endpoints/{id}/test?delivery={}", result.delivery_id), "")),
        Err(error) => {
            form.refuse(error.into())?;
            let seen = state.read(move |service| {
                let endpoint = service.endpoint(&scope, &id, None)?.endpoint;
                Ok(Seen { endpoint, catalogue: service.published_types(&scope), sent: None, given: None })
            });
            page(&visit, form, seen.await?)
        }
    }
}

/// The endpoint, a delivery to it if one is named, and data to begin with: that delivery's, else the type's example.
fn see(
    service: &Service,
    scope: &TenantScope,
    id: &str,
    chosen: Option<&str>,
    delivery: Option<&str>,
) -> Result<Seen, Error> {
    let endpoint = service.endpoint(scope, id, None)?.endpoint;
    let sent = delivery.map(|delivery| service.delivery(scope, delivery)).transpose()?;
    let sent = sent.filter(|detail| detail.row.endpoint == endpoint.id);
    let event = match &sent {
        Some(detail) if chosen.is_none() => {
            let event = service.event(scope, &detail.row.event_public_id, Some(&detail.row.tenant))?;
            event.blanked_at.is_none().then_some((event.event_type.to_string(), event.data))
        }
        _ => None,
    };
    let given = match event {
        Some(event) => event,
        None => (chosen.unwrap_or(TEST_TYPE).to_owned(), service.test_sample(scope, chosen)?),
    };
    Ok(Seen { endpoint, catalogue: service.published_types(scope), sent, given: Some(given) })
}

fn page(visit: &Visit, mut form: Form, seen: Seen) -> Result<HttpResponse, Problem> {
    let (status, mut is_long) = (form.status(), false);
    if let Some((event_type, data)) = seen.given.filter(|_| form.alert().is_none()) {
        let data = Some(json_pretty::spread(&data, DATA)).filter(|data| weight(data) <= DATA);
        is_long = data.is_none();
        form = Form::of([("type", event_type), ("data", data.unwrap_or_default())]);
    }
    let head = Head::new(seen.endpoint, Tab::Test);
    let page = Test {
        frame: visit.frame(&head.title("Test"), SECTION),
        types: Types::of(&head.endpoint.events, seen.catalogue, form.text("type")),
        head,
        form,
        is_long,
        exchange: seen.sent.and_then(Exchange::of),
    };
    visit.page_with(&page, status)
}
