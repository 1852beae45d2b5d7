//! An alert: changed, tested, deleted.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use askama::Template;

use crate::domain::alert::Topic;
use crate::service::alerts::{AlertDraft, AlertTested, AlertView};
use crate::service::patch::Patch;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::visit::{Posted, Visit};

use super::{PATH, fields};

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/alerts/{id}").route(read().to(show)).route(web::post().to(change)))
        .service(web::resource("/alerts/{id}/test").route(web::post().to(test)))
        .service(web::resource("/alerts/{id}/delete").route(web::post().to(delete)));
}

#[derive(Template)]
#[template(path = "ui/alert.html")]
struct AlertPage {
    frame: Frame,
    alert: AlertView,
    topics: Vec<Topic>,
    form: Form,
    /// What came of the test that was just made.
    tested: Option<AlertTested>,
}

async fn show(state: Data<AppState>, visit: Visit, id: Path<String>) -> Result<HttpResponse, Problem> {
    page(&state, &visit, &id, None, None).await
}

async fn change(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let (scope, wanted) = (visit.caller.admin()?, id.clone());
    let enabled = Patch::Set(form.has("enabled", "true"));
    let draft = AlertDraft { enabled, ..fields::draft(&form) };
    let checked = state.read(move |service| service.check_alert_change(&scope, &wanted, &draft)).await;
    let saved = match checked {
        Ok(checked) => state.service.save_alert(checked).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match saved {
        Ok(alert) => Ok(visit.done(PATH, &format!("The alert {} is saved.", alert.name))),
        Err(problem) => {
            form.has_field("conditions");
            form.refuse(problem)?;
            page(&state, &visit, &id, Some(form), None).await
        }
    }
}

async fn test(
    state: Data<AppState>,
    Posted(visit, _): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let (scope, wanted) = (visit.caller.admin()?, id.clone());
    let tested = state.read(move |service| service.test_alert(&scope, &wanted)).await?.await?;
    page(&state, &visit, &id, None, Some(tested)).await
}

async fn delete(
    state: Data<AppState>,
    Posted(visit, _): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    state.service.delete_alert(&visit.caller.admin()?, &id).await?;
    Ok(visit.done(PATH, "The alert is deleted: nobody is told by it any more."))
}

async fn page(
    state: &AppState,
    visit: &Visit,
    id: &str,
    form: Option<Form>,
    tested: Option<AlertTested>,
) -> Result<HttpResponse, Problem> {
    let (scope, wanted) = (visit.caller.view()?, id.to_owned());
    let alert = state.read(move |service| service.alert(&scope, &wanted)).await?;
    let form = form.unwrap_or_else(|| fields::of_alert(&alert));
    let status = form.status();
    let possible = |topic: &Topic| alert.tenant.is_none() || topic.is_of_endpoint();
    let topics = Topic::ALL.into_iter().filter(possible).collect();
    visit.page_with(&AlertPage { frame: visit.frame(&alert.name, PATH), topics, form, tested, alert }, status)
}
