//! The end of a tenant: its name is typed, its data goes in the background, and the list says how far that is.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::ids::TenantDeletionId;
use crate::service::tenant_deletions::{DeletionStatus, TenantDeletionView};
use crate::store::Listed;
use crate::web::problem::Problem;
use crate::web::query::DEFAULT_LIMIT;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::amounts::grouped;
use crate::web::ui::filters;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::pager::Pager;
use crate::web::ui::visit::{Posted, Visit};

use super::one;

const DELETIONS: &str = "/tenant-deletions";

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/tenants/{tenant}/delete").route(web::post().to(delete)))
        .service(web::resource("/tenant-deletions").route(read().to(list)));
}

#[derive(Template)]
#[template(path = "ui/tenant_deletions.html")]
struct Deletions {
    frame: Frame,
    form: Form,
    rows: Vec<TenantDeletionView>,
    pager: Pager,
}

impl Deletions {
    /// Whether any is under way: then the list is refreshed.
    fn is_live(&self) -> bool {
        self.rows.iter().any(|row| row.status == DeletionStatus::Running)
    }
}

async fn delete(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
    tenant: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    if form.filled("confirm") != Some(tenant.as_str()) {
        form.invalid().push("confirm", format!("must be the tenant's name, {tenant}; nothing was deleted"));
        form.is_refused();
        return one::page(&state, &visit, &tenant, Form::default(), None, form).await;
    }
    let deletion = state.service.delete_tenant(&scope, &tenant).await?;
    let notice =
        format!("The tenant {} is gone from all lists; its data goes in the background.", deletion.tenant);
    Ok(visit.done(DELETIONS, &notice))
}

async fn list(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (scope, query) = (visit.caller.view()?, request.query_string());
    let mut form = Form::of_query(query);
    let before = filters::cursor(&mut form, TenantDeletionId::parse);
    let listed = if form.is_refused() {
        Listed { rows: Vec::new(), next: None }
    } else {
        state.read(move |service| service.tenant_deletions(&scope, before, DEFAULT_LIMIT)).await?
    };
    let next = listed.next.map(|id| TenantDeletionId(id).to_string());
    let deletions = Deletions {
        frame: visit.frame("Deleted tenants", super::PATH),
        pager: Pager::new(DELETIONS, query, next.as_deref()),
        rows: listed.rows,
        form,
    };
    visit.page_with(&deletions, deletions.form.status())
}
