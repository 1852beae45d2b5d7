//! All tenants, and a new one.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::names::TenantName;
use crate::service::endpoints::search;
use crate::service::tenants::TenantView;
use crate::service::tenants_day::TenantDay;
use crate::service::{Code, Error, Service};
use crate::web::problem::Problem;
use crate::web::query::{DEFAULT_LIMIT, Numbered};
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::amounts::grouped;
use crate::web::ui::filters;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::pager::Pager;
use crate::web::ui::visit::{Posted, Visit};

use super::PATH;

const CURSOR: Numbered = Numbered("tenants");

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/tenants").route(read().to(show)).route(web::post().to(make)));
}

#[derive(Template)]
#[template(path = "ui/tenants.html")]
struct Tenants {
    frame: Frame,
    filters: Form,
    form: Form,
    rows: Vec<(TenantView, TenantDay)>,
    pager: Pager,
    /// What a tenant without a limit of its own may have.
    limit: u32,
}

async fn show(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    page(&state, &visit, request.query_string(), Form::default()).await
}

async fn make(state: Data<AppState>, Posted(visit, mut form): Posted) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    let (name, draft) = (form.text("tenant").trim().to_owned(), super::draft(&mut form));
    if is_there(&state, &visit, &name).await? {
        form.invalid().push("tenant", "is there already; open it to change it");
    }
    let wrong = draft.wrong(&name);
    form.invalid().merge(wrong);
    if form.is_refused() {
        return page(&state, &visit, "", form).await;
    }
    match state.service.put_tenant(&scope, &name, &draft).await {
        Ok(put) => Ok(visit.done(&format!("{PATH}/{}", put.tenant.tenant), "The tenant is made.")),
        Err(error) => {
            form.refuse(error.into())?;
            page(&state, &visit, "", form).await
        }
    }
}

/// Whether a tenant of this name is there.
async fn is_there(state: &AppState, visit: &Visit, name: &str) -> Result<bool, Problem> {
    let (caller, name) = (visit.caller.clone(), name.to_owned());
    let found = state.read(move |service| match service.tenant(&caller, &name) {
        Ok(_) => Ok(true),
        Err(Error { code: Code::NotFound, .. }) => Ok(false),
        Err(error) => Err(error),
    });
    found.await
}

async fn page(state: &AppState, visit: &Visit, query: &str, form: Form) -> Result<HttpResponse, Problem> {
    let view = visit.caller.view()?;
    let limit = state.service.settings(&view).endpoint_limit;
    let mut filters = Form::of_query(query);
    let search = filters::taken(&mut filters, "search", search);
    let before = filters::cursor(&mut filters, |text| CURSOR.parse(text));
    let read = move |service: &Service| {
        let listed = service.tenants(&view, search.as_deref(), before, DEFAULT_LIMIT)?;
        let names: Vec<TenantName> = listed.rows.iter().map(|row| row.tenant.clone()).collect();
        let days = service.tenants_day(&view, &names)?;
        Ok((listed.rows.into_iter().zip(days).collect(), listed.next))
    };
    let (rows, next) = if filters.is_refused() { (Vec::new(), None) } else { state.read(read).await? };
    let next = next.map(|row| CURSOR.cursor(row));
    let status = if filters.alert().is_some() { filters.status() } else { form.status() };
    let tenants = Tenants {
        frame: visit.frame("Tenants", PATH),
        pager: Pager::new(PATH, query, next.as_deref()),
        rows,
        filters,
        form,
        limit,
    };
    visit.page_with(&tenants, status)
}
