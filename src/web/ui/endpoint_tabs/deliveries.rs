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
use crate::web::state::AppState;
use crate::web::ui::endpoints::tabs::{Head, Tab};
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::moments::Zone;
use crate::web::ui::pager::Pager;
use crate::web::ui::visit::Visit;
use crate::web::ui::{filters, shown};

use super::SECTION;

/// Rows of a page: fewer than elsewhere, for each has an answer of up to 2 KB.
const ROWS: usize = 25;
/// Bytes of answers on a page at most, as its text has them: a page has 100 KB in all.
const ROOM: usize = 40 * 1024;
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
    config.service(web::resource("/endpoints/{id}/deliveries").route(web::get().to(show)));
}

#[derive(Template)]
#[template(path = "ui/endpoint_tabs/deliveries.html")]
struct Deliveries {
    frame: Frame,
    head: Head,
    form: Form,
    filtered: bool,
    rows: Vec<Row>,
    pager: Pager,
}

/// A delivery.
struct Row {
    of: DeliveryRow,
    next_retry_at: Option<UnixMs>,
    answer: Answer,
}

/// What the receiver answered last.
enum Answer {
    None,
    /// The text, and how long it is.
    Text(String, String),
    /// The page has no room for it.
    Elsewhere,
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
            let mut room = ROOM;
            let row = |of: DeliveryRow| Row {
                next_retry_at: service.next_retry_at(&of),
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
        before: form.filled("cursor").and_then(DeliveryId::parse),
        limit: ROWS,
        ..DeliveryQuery::default()
    }
}

impl Answer {
    /// The answer, as far as there is room for it.
    fn of(body: Option<&[u8]>, room: &mut usize) -> Self {
        let Some(body) = body.filter(|body| !body.is_empty()) else { return Self::None };
        let text = shown::inert(&String::from_utf8_lossy(body));
        // Escaped, each of these becomes four characters longer.
        let length = text.len() + 4 * text.bytes().filter(|byte| b"<>&\"'".contains(byte)).count();
        match room.checked_sub(length) {
            Some(left) => {
                *room = left;
                Self::Text(text, shown::size(body.len()))
            }
            None => Self::Elsewhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_fill_a_page_so_far_and_no_further() {
        let mut room = ROOM;
        let shown = |body: &[u8], room: &mut usize| matches!(Answer::of(Some(body), room), Answer::Text(..));
        let count = (0..10).filter(|_| shown(&[b'<'; 2048], &mut room)).count();
        assert_eq!(count, 4);
        assert!(shown("ä".repeat(99).as_bytes(), &mut room), "a short one fits into none: {room}");
    }
}
