//! The audit log: who did what, found by filters.

mod line;

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::ids::AuditId;
use crate::domain::matching::Pattern;
use crate::domain::names::TenantName;
use crate::service::audit::AuditQuery;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;

use super::filters;
use super::form::Form;
use super::frame::Frame;
use super::pager::Pager;
use super::shown::called;
use super::visit::Visit;
use line::Line;

const PATH: &str = "/audit";
/// Lines of a page: one may hold a whole endpoint.
const LINES: usize = 20;

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
    let before = filters::cursor(&mut form, AuditId::parse);
    let filtered = filters::any(&form, &["actor", "action", "target", "tenant", "since", "until"]);
    let (lines, next) = if form.is_refused() {
        (Vec::new(), None)
    } else {
        let read = state.read(move |service| service.audit(&scope, wanted, before, LINES));
        let listed = read.await?;
        let lines = listed.rows.iter().map(|row| Line::of(row.line())).collect();
        (lines, listed.next.map(|id| AuditId(id).to_string()))
    };
    let (pager, status) = (Pager::new(PATH, query, next.as_deref()), form.status());
    let page = Audit { frame: visit.frame("Audit log", PATH), form, filtered, lines, pager };
    visit.page_with(&page, status)
}

/// What the filters ask for; what is wrong with them is noted.
fn wanted(form: &mut Form, visit: &Visit) -> AuditQuery {
    let text = |form: &Form, name: &str| form.filled(name).map(str::to_owned);
    let action = |text: &str| {
        Pattern::parse(text).map_err(|_| {
            "must be an action such as endpoint.create, or endpoint.* for all of them".to_owned()
        })
    };
    AuditQuery {
        actor: text(form, "actor"),
        action: filters::taken(form, "action", action),
        target: text(form, "target"),
        tenant: filters::taken(form, "tenant", TenantName::parse),
        span: filters::span(form, visit.zone()),
    }
}
