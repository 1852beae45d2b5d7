//! A tenant: what it has, what it did, its name and its limit.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::scope::Scope;
use crate::service::endpoints::{EndpointQuery, EndpointView};
use crate::service::keys::{KeyQuery, KeyView};
use crate::service::stats::StatsOf;
use crate::service::tenants::TenantDetail;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::amounts::{counted, grouped};
use crate::web::ui::charts::{self, Figures, Windows};
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::plot::Plot;
use crate::web::ui::shown::{called, url};
use crate::web::ui::visit::{Posted, Visit};

use super::PATH;

/// Rows of its endpoints and of its keys: the lists have all of them.
const ENDPOINTS: usize = 20;
const KEYS: usize = 10;

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/tenants/{tenant}").route(read().to(show)).route(web::post().to(change)));
}

#[derive(Template)]
#[template(path = "ui/tenant.html")]
struct Tenant {
    frame: Frame,
    one: TenantDetail,
    /// What it may have.
    limit: u32,
    /// The window that is asked for.
    asked: Form,
    windows: Windows,
    figures: Figures,
    plot: Plot,
    endpoints: Vec<EndpointView>,
    keys: Vec<KeyView>,
    keys_more: bool,
    edit: Form,
    delete: Form,
}

impl Tenant {
    /// Whether it has more endpoints than are shown.
    fn has_more(&self) -> bool {
        usize::try_from(self.one.endpoints).is_ok_and(|all| all > self.endpoints.len())
    }
}

async fn show(
    state: Data<AppState>,
    visit: Visit,
    request: HttpRequest,
    tenant: Path<String>,
) -> Result<HttpResponse, Problem> {
    page(&state, &visit, &tenant, Form::of_query(request.query_string()), None, Form::default()).await
}

async fn change(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
    tenant: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    // One that is gone meanwhile is not to be made anew by its old form.
    let (caller, name) = (visit.caller.clone(), tenant.clone());
    state.read(move |service| service.tenant(&caller, &name)).await?;
    let draft = super::draft(&mut form);
    let wrong = draft.wrong(&tenant);
    form.invalid().merge(wrong);
    if form.is_refused() {
        return page(&state, &visit, &tenant, Form::default(), Some(form), Form::default()).await;
    }
    match state.service.put_tenant(&scope, &tenant, &draft).await {
        Ok(_) => Ok(visit.done(&format!("{PATH}/{tenant}"), "The tenant is changed.")),
        Err(error) => {
            form.refuse(error.into())?;
            page(&state, &visit, &tenant, Form::default(), Some(form), Form::default()).await
        }
    }
}

/// The page; `edit` is what was typed, else what there is.
pub(super) async fn page(
    state: &AppState,
    visit: &Visit,
    name: &str,
    mut asked: Form,
    edit: Option<Form>,
    delete: Form,
) -> Result<HttpResponse, Problem> {
    let windows = Windows::of(&format!("{PATH}/{name}"), &mut asked);
    let (caller, view, name) = (visit.caller.clone(), visit.caller.view()?, name.to_owned());
    let (setting, window) = (state.service.settings(&view).endpoint_limit, windows.shown);
    let step = charts::step(window);
    let read = state.read(move |service| {
        let one = service.tenant(&caller, &name)?;
        let tenant = one.tenant.tenant.clone();
        let query = EndpointQuery { tenant: Some(tenant.clone()), ..EndpointQuery::default() };
        let scope = caller.tenant_scope(Scope::EndpointsRead)?;
        let endpoints = service.endpoints(&scope, &query, None, ENDPOINTS)?.rows;
        let bound = KeyQuery { tenant: Some(tenant.clone()), search: None };
        let keys = service.keys(&view, &bound, None, KEYS)?;
        let scope = caller.tenant_scope(Scope::DeliveriesRead)?;
        let past = service.stats_by(&scope, &StatsOf::Tenant(Some(tenant)), window, step)?;
        Ok((one, endpoints, keys, past))
    });
    let (one, endpoints, keys, past) = read.await?;
    let edit = edit.unwrap_or_else(|| {
        let limit = one.tenant.endpoint_limit.map(|limit| limit.to_string()).unwrap_or_default();
        Form::of([("name", one.tenant.name.clone().unwrap_or_default()), ("endpoint_limit", limit)])
    });
    let refused = [&delete, &edit].into_iter().find(|form| form.alert().is_some());
    let status = refused.unwrap_or(&asked).status();
    let page = Tenant {
        frame: visit.frame(one.tenant.tenant.as_str(), PATH),
        limit: one.tenant.endpoint_limit.unwrap_or(setting),
        figures: Figures::of(&past.all),
        plot: charts::outcomes(&past, visit.zone()),
        keys: keys.rows,
        keys_more: keys.next.is_some(),
        one,
        asked,
        windows,
        endpoints,
        edit,
        delete,
    };
    visit.page_with(&page, status)
}
