//! The audit log: who did what, found by filters.

mod line;

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::ids::AuditId;
use crate::domain::matching::Pattern;
use crate::domain::names::TenantName;
use crate::service::audit::AuditQuery;
use crate::store::lists::Span;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;

use super::form::Form;
use super::frame::Frame;
use super::pager::Pager;
use super::visit::Visit;
use line::Line;

const PATH: &str = "/audit";
/// Lines of a page: one may hold a whole endpoint.
const LINES: usize = 25;

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/audit").route(read().to(show)));
}

#[derive(Template)]
#[template(path = "ui/audit.html")]
struct Audit {
    frame: Frame,
    form: Form,
    /// Whether anything is filtered.
    filtered: bool,
    lines: Vec<Line>,
    pager: Pager,
}

async fn show(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (scope, query) = (visit.caller.view()?, request.query_string());
    let mut form = Form::of_query(query);
    let wanted = wanted(&mut form, &visit);
    let before = form.filled("cursor").and_then(AuditId::parse);
    let filtered = ["actor", "action", "target", "tenant", "since", "until"]
        .iter()
        .any(|name| form.filled(name).is_some());
    let (lines, next) = if form.invalid().is_empty() {
        let read = state.read(move |service| service.audit(&scope, wanted, before, LINES));
        let listed = read.await?;
        let lines = listed.rows.iter().map(|row| Line::of(row.line())).collect();
        (lines, listed.next.map(|id| AuditId(id).to_string()))
    } else {
        (Vec::new(), None)
    };
    let pager = Pager::new(PATH, query, next.as_deref());
    visit.page(&Audit { frame: visit.frame("Audit log", PATH), form, filtered, lines, pager })
}

/// What the filters ask for; what is wrong with them is noted.
fn wanted(form: &mut Form, visit: &Visit) -> AuditQuery {
    let text = |form: &Form, name: &str| form.filled(name).map(str::to_owned);
    let action = |text: &str| {
        Pattern::parse(text).map_err(|_| {
            "must be an action such as endpoint.create, or endpoint.* for all of them".to_owned()
        })
    };
    let (zone, since, until) = (visit.zone(), text(form, "since"), text(form, "until"));
    AuditQuery {
        actor: text(form, "actor"),
        action: text(form, "action").and_then(|text| form.invalid().check("action", action(&text))),
        target: text(form, "target"),
        tenant: text(form, "tenant")
            .and_then(|text| form.invalid().check("tenant", TenantName::parse(&text))),
        span: Span {
            since: since.and_then(|text| form.invalid().check("since", zone.parse(&text))),
            until: until.and_then(|text| form.invalid().check("until", zone.parse(&text))),
        },
    }
}
