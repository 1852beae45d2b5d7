//! What was sent to an endpoint: the newest first, with what it answered.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::delivery::StatusFilter;
use crate::domain::ids::DeliveryId;
use crate::domain::matching::Pattern;
use crate::domain::scope::Scope;
use crate::domain::time::UnixMs;
use crate::service::deliveries::DeliveryQuery;
use crate::store::Listed;
use crate::store::deliveries::DeliveryRow;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::deliveries;
use crate::web::ui::endpoints::tabs::{Head, Tab};
use crate::web::ui::filters;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::moments::Zone;
use crate::web::ui::pager::Pager;
use crate::web::ui::shown;
use crate::web::ui::visit::Visit;
use crate::web::ui::weight::Room;

use super::SECTION;
use super::answer::{self, Answer};

/// Rows of a page: fewer than elsewhere, for each has an answer of up to 2 KB.
const ROWS: usize = 25;
/// What a list can be filtered by.
const FILTERS: [&str; 4] = ["status", "type", "since", "until"];
/// The words of the filter by status, and for none.
const STATUSES: [(&str, &str); 7] = [
    ("", "any"),
    ("pending", "pending"),
    ("retrying", "retrying"),
    ("held", "held"),
    ("delivered", "delivered"),
    ("failed", "failed"),
    ("canceled", "canceled"),
];

/// Registers the page.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/endpoints/{id}/deliveries").route(read().to(show)));
}

#[derive(Template)]
#[template(path = "ui/endpoint_tabs/deliveries.html")]
struct Deliveries {
    frame: Frame,
    head: Head,
    form: Form,
    filtered: bool,
    rows: Vec<Row>,
    /// Where its rows are looked at again.
    again: Option<String>,
    pager: Pager,
}

/// A delivery.
struct Row {
    of: DeliveryRow,
    next_retry_at: Option<UnixMs>,
    /// Why it is where it is, if something went wrong.
    error: Option<String>,
    answer: Answer,
}

async fn show(
    state: Data<AppState>,
    visit: Visit,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::DeliveriesRead)?;
    let mut form = Form::of_query(request.query_string());
    let mut query = wanted(&mut form, visit.zone());
    let refused = form.is_refused();
    let (endpoint, rows, next) = state
        .read(move |service| {
            let endpoint = service.endpoint(&scope, &id, None)?.endpoint;
            query.endpoint = Some(endpoint.id.to_string());
            let none = Listed { rows: Vec::new(), next: None };
            let page = if refused { none } else { service.deliveries(&scope, query)? };
            let mut room = Room::new(answer::ROOM);
            let row = |of: DeliveryRow| Row {
                next_retry_at: service.next_retry_at(&of),
                error: of.error.as_deref().map(shown::cause),
                answer: Answer::of(of.response_body.as_deref(), &mut room),
                of,
            };
            Ok((endpoint, page.rows.into_iter().map(row).collect::<Vec<_>>(), page.next))
        })
        .await?;
    let head = Head::new(endpoint, Tab::Deliveries);
    let (path, status) = (head.path("/deliveries"), form.status());
    let next = next.map(|id| DeliveryId(id).to_string());
    let page = Deliveries {
        frame: visit.frame(&head.title("Deliveries"), SECTION),
        pager: Pager::new(&path, request.query_string(), next.as_deref()),
        head,
        filtered: filters::any(&form, &FILTERS),
        form,
        again: deliveries::rows::again(&path, request.query_string(), rows.iter().map(|row| &row.of)),
        rows,
    };
    visit.page_with(&page, status)
}

/// The deliveries that a filter asks for.
fn wanted(form: &mut Form, zone: &Zone) -> DeliveryQuery {
    let status =
        |text: &str| StatusFilter::parse(text).ok_or_else(|| format!("must be {}", StatusFilter::WORDS));
    DeliveryQuery {
        status: filters::taken(form, "status", status),
        event_type: filters::taken(form, "type", Pattern::parse),
        span: filters::span(form, zone),
        before: filters::cursor(form, DeliveryId::parse),
        limit: ROWS,
        ..DeliveryQuery::default()
    }
}
