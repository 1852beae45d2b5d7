//! All endpoints, with how each has done in the last day.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::ids::EndpointId;
use crate::domain::scope::Scope;
use crate::service::endpoints::{self, Day, EndpointQuery, EndpointView, HealthStatus};
use crate::web::problem::Problem;
use crate::web::query::DEFAULT_LIMIT;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::amounts::{grouped, some};
use crate::web::ui::filters;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::pager::Pager;
use crate::web::ui::shown;
use crate::web::ui::visit::Visit;

use super::PATH;

/// Registers the page.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/endpoints").route(read().to(show)));
}

#[derive(Template)]
#[template(path = "ui/endpoints.html")]
struct Endpoints {
    frame: Frame,
    form: Form,
    rows: Vec<Row>,
    pager: Pager,
    /// Whether only some are asked for.
    filtered: bool,
}

/// An endpoint in the list.
struct Row {
    endpoint: EndpointView,
    day: Day,
}

impl Row {
    /// The beginning of its description.
    fn about(&self) -> String {
        shown::called(&self.endpoint.description)
    }

    /// The beginning of its URL.
    fn url(&self) -> String {
        shown::url(&self.endpoint.url)
    }

    /// Attempts of deliveries of which none has come to an end; `None` without an attempt.
    fn so_far(&self) -> Option<String> {
        let Day { attempts, attempts_failed: failed, .. } = self.day;
        let failed =
            if failed == attempts { "all failed".to_owned() } else { format!("{} failed", grouped(failed)) };
        (attempts > 0).then(|| format!("{}, {failed}", some(attempts, "attempt", "attempts")))
    }

    /// `99 % of 1240`; `None` without an outcome.
    fn share(&self) -> Option<String> {
        let all = self.day.delivered + self.day.failed;
        (all > 0).then(|| format!("{} % of {all}", self.day.delivered * 100 / all))
    }
}

async fn show(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = request.query_string();
    let mut form = Form::of_query(query);
    let wanted = wanted(&mut form, &state);
    let before = filters::cursor(&mut form, EndpointId::parse);
    let filtered = filters::any(&form, &["search", "tenant", "enabled", "health"]);
    let (rows, next) =
        if form.is_refused() { (Vec::new(), None) } else { gather(&state, &visit, wanted, before).await? };
    let status = form.status();
    let page = Endpoints {
        frame: visit.frame("Endpoints", PATH),
        form,
        rows,
        pager: Pager::new(PATH, query, next.as_deref()),
        filtered,
    };
    visit.page_with(&page, status)
}

/// What the filters ask for; what is wrong with them is noted.
fn wanted(form: &mut Form, state: &AppState) -> EndpointQuery {
    let flag = |text: &str| match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("must be true (enabled) or false (disabled)".to_owned()),
    };
    EndpointQuery {
        tenant: filters::tenant(form, state),
        enabled: filters::taken(form, "enabled", flag),
        health: filters::taken(form, "health", HealthStatus::parse),
        search: filters::taken(form, "search", endpoints::search),
    }
}

async fn gather(
    state: &AppState,
    visit: &Visit,
    wanted: EndpointQuery,
    before: Option<EndpointId>,
) -> Result<(Vec<Row>, Option<String>), Problem> {
    let scope = visit.caller.tenant_scope(Scope::EndpointsRead)?;
    let deliveries = visit.caller.tenant_scope(Scope::DeliveriesRead)?;
    let read = state.read(move |service| {
        let page = service.endpoints(&scope, &wanted, before, DEFAULT_LIMIT)?;
        let ids: Vec<EndpointId> = page.rows.iter().map(|endpoint| endpoint.id).collect();
        let days = service.endpoints_day(&deliveries, &ids)?;
        let rows = page.rows.into_iter().zip(days).map(|(endpoint, day)| Row { endpoint, day });
        Ok((rows.collect(), page.next.map(|id| EndpointId(id).to_string())))
    });
    read.await
}
