//! Who may sign in, and as what.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::ids::OperatorId;
use crate::domain::operator::Role;
use crate::service::endpoints::search;
use crate::service::operators::OperatorView;
use crate::store::Listed;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::filters;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::pager::Pager;
use crate::web::ui::shown::called;
use crate::web::ui::visit::Visit;

use super::{PATH, invite};

/// Rows of a page: each has forms.
const ROWS: usize = 20;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/operators").route(read().to(show)).route(web::post().to(invite::invite)));
}

#[derive(Template)]
#[template(path = "ui/operators.html")]
struct Operators {
    frame: Frame,
    filters: Form,
    rows: Vec<OperatorView>,
    pager: Pager,
    /// Who looks.
    me: OperatorId,
    roles: Vec<(&'static str, &'static str)>,
    /// Of the invitation.
    form: Form,
    /// Why a change was refused.
    refused: Form,
}

async fn show(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    page(&state, &visit, request.query_string(), Form::default(), Form::default()).await
}

/// The page, with the invitation as it was typed, or why a change was refused.
pub(super) async fn page(
    state: &AppState,
    visit: &Visit,
    query: &str,
    form: Form,
    refused: Form,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.view()?;
    let mut filters = Form::of_query(query);
    let search = filters::taken(&mut filters, "search", search);
    let before = filters::cursor(&mut filters, OperatorId::parse);
    let listed = if filters.is_refused() {
        Listed { rows: Vec::new(), next: None }
    } else {
        state.read(move |service| service.operators(&scope, search.as_deref(), before, ROWS)).await?
    };
    let next = listed.next.map(|id| OperatorId(id).to_string());
    let told = [&refused, &filters, &form].into_iter().find(|form| form.alert().is_some());
    let status = told.map_or(StatusCode::OK, Form::status);
    let operators = Operators {
        frame: visit.frame("Operators", PATH),
        filters,
        rows: listed.rows,
        pager: Pager::new(PATH, query, next.as_deref()),
        me: visit.session.operator,
        roles: Role::ALL.iter().rev().map(|role| (role.as_str(), role.as_str())).collect(),
        form,
        refused,
    };
    visit.page_with(&operators, status)
}
