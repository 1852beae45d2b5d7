//! One delivery: what becomes of it, and its attempts.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::delivery::Made;
use crate::domain::scope::Scope;
use crate::domain::time::UnixMs;
use crate::service::curl::SentRequest;
use crate::service::endpoints::EndpointDetail;
use crate::service::render::Detail;
use crate::service::{Code, Error, Service, TenantScope};
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

impl Delivery {
    fn is_test(&self) -> bool {
        self.row.made == Made::Test
    }
}

/// What is read for the page.
struct Read {
    detail: Detail,
    endpoint: Option<EndpointDetail>,
    next: Option<UnixMs>,
    /// Attempts that the schedule of its endpoint has.
    in_round: Option<u32>,
    /// The number of the attempt that is shown in full, and its request.
    chosen: Option<(u32, Option<SentRequest>)>,
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

fn gather(service: &Service, scope: &TenantScope, id: &str, number: Option<u32>) -> Result<Read, Error> {
    let detail = service.delivery(scope, id)?;
    let endpoint = found(service.endpoint(scope, &detail.row.endpoint.to_string(), None))?;
    let last = detail.attempts.last().map(|attempt| attempt.row.number);
    let number = number.filter(|number| detail.attempts.iter().any(|attempt| attempt.row.number == *number));
    let chosen = match number.or(last) {
        Some(number) => Some((number, found(service.sent_request(scope, id, Some(number)))?)),
        None => None,
    };
    let in_round = endpoint.as_ref().map(|known| attempts_in_round(service, known));
    Ok(Read { in_round, next: service.next_retry_at(&detail.row), detail, endpoint, chosen })
}

/// By the endpoint's own schedule, else by the server's setting.
fn attempts_in_round(service: &Service, endpoint: &EndpointDetail) -> u32 {
    match &endpoint.endpoint.retry_schedule {
        Some(own) => u32::try_from(own.len()).unwrap_or(u32::MAX).saturating_add(1),
        None => service.store().directory().settings().retry_schedule.attempts_in_round(),
    }
}

/// What is not there is not shown.
fn found<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Err(error) if error.code == Code::NotFound => Ok(None),
        other => other.map(Some),
    }
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
