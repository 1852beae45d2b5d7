//! Alerts: whom this server tells, what came of it, and new ones. [`one`]: changing and testing. [`mail`]: the mail server.

mod fields;
mod mail;
mod one;

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::alert::{Kind, Topic};
use crate::domain::ids::AlertId;
use crate::service::alerts::{AlertDraft, AlertView, MailServerView};
use crate::service::{Error, Kind as Failure};
use crate::web::problem::Problem;
use crate::web::query::DEFAULT_LIMIT;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::filters;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::pager::Pager;
use crate::web::ui::visit::{Posted, Visit};

pub(super) const PATH: &str = "/alerts";

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/alerts").route(read().to(show)).route(web::post().to(create)));
    mail::routes(config);
    one::routes(config);
}

#[derive(Template)]
#[template(path = "ui/alerts.html")]
struct Alerts {
    frame: Frame,
    rows: Vec<AlertView>,
    pager: Pager,
    kinds: Vec<(&'static str, &'static str)>,
    topics: [Topic; Topic::ALL.len()],
    /// Of a new alert.
    form: Form,
    server: Option<MailServerView>,
    /// Of the mail server.
    mail: Form,
    securities: Vec<(&'static str, &'static str)>,
}

async fn show(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    page(&state, &visit, request.query_string(), fields::fresh(), Form::default()).await
}

async fn create(state: Data<AppState>, Posted(visit, mut form): Posted) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    let draft = AlertDraft {
        kind: form.filled("kind").map(str::to_owned),
        tenant: form.filled("tenant").map(str::to_owned),
        ..fields::draft(&form)
    };
    let checked = state.read(move |service| service.check_alert(&scope, &draft)).await;
    let saved = match checked {
        Ok(checked) => state.service.save_alert(checked).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match saved {
        Ok(alert) => {
            Ok(visit
                .done(PATH, &format!("The alert {} is made. A test shows whether it arrives.", alert.name)))
        }
        Err(problem) => {
            form.has_field("conditions");
            form.refuse(problem)?;
            page(&state, &visit, "", form, Form::default()).await
        }
    }
}

/// The page with both forms.
async fn page(
    state: &AppState,
    visit: &Visit,
    query: &str,
    form: Form,
    mut mail: Form,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.view()?;
    let before = filters::exactly(&Form::of_query(query), "cursor", AlertId::parse)?;
    let read = move |service: &crate::service::Service| {
        let server = match service.mail_server(&scope) {
            Err(error) if error.code.kind() == Failure::NotFound => None,
            other => Some(other?),
        };
        Ok::<_, Error>((service.alerts(&scope, before, DEFAULT_LIMIT)?, server))
    };
    let (listed, server) = state.read(read).await?;
    let next = listed.next.map(|id| AlertId(id).to_string());
    let status = if mail.alert().is_some() { mail.status() } else { form.status() };
    if mail.alert().is_none() {
        mail = fields::of_server(server.as_ref());
    }
    let alerts = Alerts {
        frame: visit.frame("Alerts", PATH),
        rows: listed.rows,
        pager: Pager::new(PATH, query, next.as_deref()),
        kinds: Kind::ALL.map(|kind| (kind.as_str(), fields::kind_words(kind))).into(),
        topics: Topic::ALL,
        form,
        server,
        mail,
        securities: fields::securities(),
    };
    visit.page_with(&alerts, status)
}
