//! All events, filtered; and one, found by its id.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::ids::{DeliveryId, EventId};
use crate::domain::matching::Pattern;
use crate::domain::names::TenantName;
use crate::domain::scope::Scope;
use crate::service::events::EventQuery;
use crate::service::{Code, Error, TenantScope};
use crate::store::event_deliveries::OfEvent;
use crate::store::events::StoredEvent;
use crate::web::problem::Problem;
use crate::web::query::DEFAULT_LIMIT;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::amounts;
use crate::web::ui::filters;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::pager::Pager;
use crate::web::ui::visit::Visit;

const PATH: &str = "/events";
const FILTERS: [&str; 5] = ["id", "type", "tenant", "since", "until"];

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/events").route(read().to(show)));
}

/// An event as the list shows it.
struct Row {
    event: StoredEvent,
    id: String,
    path: String,
    /// How many deliveries it has now.
    deliveries: String,
    test: bool,
}

impl Row {
    fn of((event, has): (StoredEvent, OfEvent)) -> Self {
        let id = event.public_id().to_string();
        let path = super::path(&id, &event.tenant);
        Self { deliveries: amounts::up_to(has.count, has.more), test: has.test, path, id, event }
    }
}

#[derive(Template)]
#[template(path = "ui/events.html")]
struct Events {
    frame: Frame,
    form: Form,
    filtered: bool,
    rows: Vec<Row>,
    pager: Pager,
}

async fn show(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::EventsRead)?;
    let query = request.query_string();
    let mut form = Form::of_query(query);
    let wanted = EventQuery {
        tenant: filters::tenant(&mut form, &state),
        event_type: filters::taken(&mut form, "type", Pattern::parse),
        span: filters::span(&mut form, visit.zone()),
        before: filters::cursor(&mut form, EventId::parse),
        limit: DEFAULT_LIMIT,
    };
    if let Some(id) = form.filled("id").map(str::to_owned)
        && let Some(path) = find(&state, &scope, id, wanted.tenant.clone(), &mut form).await?
    {
        return Ok(visit.done(&path, ""));
    }
    let (rows, next) = if form.is_refused() {
        (Vec::new(), None)
    } else {
        let sent = visit.caller.tenant_scope(Scope::DeliveriesRead)?;
        let read = state.read(move |service| {
            let page = service.events(&scope, wanted)?;
            let has = service.deliveries_of_events(&sent, &page.rows)?;
            Ok((page.rows.into_iter().zip(has).map(Row::of).collect(), page.next.map(EventId)))
        });
        read.await?
    };
    let status = form.status();
    let page = Events {
        frame: visit.frame("Events", PATH),
        filtered: filters::any(&form, &FILTERS),
        form,
        rows,
        pager: Pager::new(PATH, query, next.map(|id| id.to_string()).as_deref()),
    };
    visit.page_with(&page, status)
}

/// The page of the event, or delivery, with this id. `None`: there is none, which is noted.
async fn find(
    state: &AppState,
    scope: &TenantScope,
    id: String,
    tenant: Option<TenantName>,
    form: &mut Form,
) -> Result<Option<String>, Problem> {
    if let Some(delivery) = DeliveryId::parse(&id) {
        return Ok(Some(format!("/deliveries/{delivery}")));
    }
    let (scope, named) = (scope.clone(), tenant.is_some());
    let found = state.read(move |service| Ok(service.event(&scope, &id, tenant.as_ref()))).await?;
    match found {
        Ok(event) => Ok(Some(super::path(&event.public_id(), &event.tenant))),
        Err(Error { code: Code::NotFound, .. }) => {
            let wrong = if named {
                "is that of no event of this tenant; it may have been deleted because of its age"
            } else {
                "is that of no event; one that the publisher gave is looked for in the tenant default, unless another is named"
            };
            form.invalid().push("id", wrong);
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
