//! One delivery: what becomes of it, and its attempts.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::scope::Scope;
use crate::service::endpoints::EndpointDetail;
use crate::store::deliveries::DeliveryRow;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::events;
use crate::web::ui::filters;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::shown::{self, Body};
use crate::web::ui::visit::Visit;

use super::attempts::{self, Chosen, Timeline};
use super::gather::{Read, gather};
use super::story::{self, Again};

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/deliveries/{id}").route(read().to(show)))
        .service(web::resource("/deliveries/{id}/curl").route(read().to(curl)));
}

#[derive(Template)]
#[template(path = "ui/delivery.html")]
struct Delivery {
    frame: Frame,
    /// Why what was asked for was refused.
    form: Form,
    row: DeliveryRow,
    word: &'static str,
    story: String,
    own_trouble: Option<String>,
    /// The page of its event.
    event: String,
    endpoint: Option<EndpointDetail>,
    /// Where that is.
    url: String,
    again: Again,
    cancel: bool,
    timeline: Timeline,
    chosen: Option<Chosen>,
    /// Before the first attempt: what would be sent.
    to_send: Option<Body>,
    raw: bool,
    live: bool,
}

async fn show(
    state: Data<AppState>,
    visit: Visit,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    page(&state, &visit, &id, &Form::of_query(request.query_string()), Form::default()).await
}

/// The page. `asked` holds which attempt is shown in full, where the list of them begins, and whether bodies are shown
/// raw; `form` why something was refused.
pub(super) async fn page(
    state: &AppState,
    visit: &Visit,
    id: &str,
    asked: &Form,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::DeliveriesRead)?;
    let number = |name| filters::exactly(asked, name, |text| text.parse().ok());
    let (attempt, below, raw, id) =
        (number("attempt")?, number("below")?, asked.has("body", "raw"), id.to_owned());
    let read = state.read(move |service| gather(service, &scope, &id, attempt)).await?;
    let status = form.status();
    let row = &read.detail.row;
    let title = format!("{} {} · Delivery", row.event_type, row.state.status().word());
    visit.page_with(&delivery(visit.frame(&title, "/deliveries"), form, read, below, raw), status)
}

fn delivery(frame: Frame, form: Form, read: Read, below: Option<u32>, raw: bool) -> Delivery {
    let Read { detail, endpoint, next, in_round, chosen } = read;
    let timeline = Timeline::of(&detail, chosen.as_ref().map(|(number, _)| *number), below);
    let url = endpoint.as_ref().map(|known| shown::short(&known.endpoint.url, attempts::URL));
    let shown = chosen.and_then(|(number, request)| {
        let attempt = detail.attempts.iter().find(|attempt| attempt.row.number == number)?;
        Some(Chosen::of(attempt, request.as_ref(), raw))
    });
    let to_send = detail.request_body.as_ref().filter(|_| detail.attempts.is_empty());
    Delivery {
        story: story::story(&frame, &detail, endpoint.as_ref(), in_round, next),
        own_trouble: story::own_trouble(&detail).map(|trouble| shown::short(trouble, 500)),
        event: events::path(&detail.row.event_public_id, &detail.row.tenant),
        again: Again::of(&detail, endpoint.as_ref()),
        cancel: story::cancel(&detail),
        to_send: to_send.map(|body| Body::of(body.as_bytes(), raw)),
        word: detail.row.state.status().word(),
        live: detail.row.state.is_pending(),
        row: detail.row,
        chosen: shown,
        frame,
        form,
        endpoint,
        url: url.unwrap_or_default(),
        timeline,
        raw,
    }
}

/// The request of an attempt as a file, for a command that is too long for the page.
async fn curl(
    state: Data<AppState>,
    visit: Visit,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::DeliveriesRead)?;
    let asked = Form::of_query(request.query_string());
    let number = filters::exactly(&asked, "attempt", |text| text.parse().ok())?;
    let command = state.read(move |service| service.curl(&scope, &id, number)).await?;
    Ok(shown::file("curl.sh", command))
}
