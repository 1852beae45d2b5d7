//! All endpoints, with how each has done in the last day.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::ids::EndpointId;
use crate::domain::names::TenantName;
use crate::domain::scope::Scope;
use crate::service::endpoints::{self, Day, EndpointQuery, EndpointView, HealthStatus};
use crate::web::problem::Problem;
use crate::web::query::DEFAULT_LIMIT;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::pager::Pager;
use crate::web::ui::visit::Visit;

use super::PATH;

/// Characters of a description that a row shows.
const ABOUT: usize = 120;

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
        let line = self.endpoint.description.lines().next().unwrap_or_default();
        let about: String = line.chars().take(ABOUT).collect();
        if about.len() < self.endpoint.description.len() { format!("{about}…") } else { about }
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
    let wanted = wanted(&mut form);
    let before = form.filled("cursor").and_then(EndpointId::parse);
    let filtered = ["search", "tenant", "enabled", "health"].iter().any(|name| form.filled(name).is_some());
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
fn wanted(form: &mut Form) -> EndpointQuery {
    let flag = |text: &str| match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    };
    EndpointQuery {
        tenant: filter(form, "tenant", TenantName::parse),
        enabled: filter(form, "enabled", flag),
        health: filter(form, "health", HealthStatus::parse),
        search: filter(form, "search", endpoints::search),
    }
}

fn filter<T>(form: &mut Form, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
    let read = parse(form.filled(name)?);
    form.invalid().check(name, read)
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
