//! All deliveries, filtered.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::delivery::StatusFilter;
use crate::domain::ids::DeliveryId;
use crate::domain::matching::Pattern;
use crate::domain::scope::Scope;
use crate::service::deliveries::DeliveryQuery;
use crate::service::{Code, TenantScope};
use crate::web::problem::Problem;
use crate::web::query::DEFAULT_LIMIT;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::filters;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::moments::Zone;
use crate::web::ui::pager::Pager;
use crate::web::ui::visit::Visit;

use super::rows::{self, Row};

const PATH: &str = "/deliveries";
const FILTERS: [&str; 6] = ["status", "type", "tenant", "endpoint", "since", "until"];

/// What can be chosen for the status.
const STATUSES: &[(&str, &str)] = &[
    ("", "any"),
    ("pending", "pending"),
    ("retrying", "retrying"),
    ("held", "held"),
    ("delivered", "delivered"),
    ("failed", "failed"),
    ("canceled", "canceled"),
];

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/deliveries").route(read().to(show)));
}

#[derive(Template)]
#[template(path = "ui/deliveries.html")]
struct Deliveries {
    frame: Frame,
    form: Form,
    statuses: &'static [(&'static str, &'static str)],
    filtered: bool,
    rows: Vec<Row>,
    /// Where its rows are looked at again.
    again: Option<String>,
    pager: Pager,
}

async fn show(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::DeliveriesRead)?;
    let query = request.query_string();
    let mut form = Form::of_query(query);
    let wanted = gather(&mut form, &state, visit.zone());
    let (rows, next) =
        if form.is_refused() { (Vec::new(), None) } else { find(&state, scope, wanted, &mut form).await? };
    let status = form.status();
    let page = Deliveries {
        frame: visit.frame("Deliveries", PATH),
        filtered: filters::any(&form, &FILTERS),
        form,
        statuses: STATUSES,
        again: rows::again(PATH, query, rows.iter().map(|row| &row.delivery)),
        rows,
        pager: Pager::new(PATH, query, next.map(|id| id.to_string()).as_deref()),
    };
    visit.page_with(&page, status)
}

fn gather(form: &mut Form, state: &AppState, zone: &Zone) -> DeliveryQuery {
    DeliveryQuery {
        endpoint: form.filled("endpoint").map(str::to_owned),
        tenant: filters::tenant(form, state),
        status: filters::taken(form, "status", |text| {
            StatusFilter::parse(text).ok_or_else(|| format!("must be {}", StatusFilter::WORDS))
        }),
        event_type: filters::taken(form, "type", Pattern::parse),
        span: filters::span(form, zone),
        before: filters::cursor(form, DeliveryId::parse),
        limit: DEFAULT_LIMIT,
    }
}

async fn find(
    state: &AppState,
    scope: TenantScope,
    wanted: DeliveryQuery,
    form: &mut Form,
) -> Result<(Vec<Row>, Option<DeliveryId>), Problem> {
    let by_endpoint = wanted.endpoint.is_some();
    let found = state
        .read(move |service| {
            let page = service.deliveries(&scope, wanted)?;
            let rows = page.rows.into_iter().map(|row| Row::of(service, &scope, row)).collect();
            Ok((rows, page.next.map(DeliveryId)))
        })
        .await;
    match found {
        // An operator sees every tenant: what is not there is the endpoint.
        Err(problem) if by_endpoint && problem.0.code == Code::NotFound => {
            let wrong =
                "is that of no endpoint; a uid is looked up in the tenant that is named, else in default";
            form.invalid().push("endpoint", wrong);
            form.is_refused();
            Ok((Vec::new(), None))
        }
        found => found,
    }
}
