//! Operators: who signs in here. Invited by a link that is shown once; an admin changes what they may do.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::ids::OperatorId;
use crate::domain::operator::{Email, Role};
use crate::domain::time::UnixMs;
use crate::service::operators::{LinkMade, OperatorView};
use crate::web::problem::Problem;
use crate::web::query::DEFAULT_LIMIT;
use crate::web::read;
use crate::web::state::AppState;

use super::form::Form;
use super::frame::Frame;
use super::pager::Pager;
use super::visit::{Posted, Visit};

const PATH: &str = "/operators";

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/operators").route(read().to(show)).route(web::post().to(invite)))
        .service(web::resource("/operators/{id}").route(web::post().to(change)))
        .service(web::resource("/operators/{id}/link").route(web::post().to(link)));
}

/// A link that was just made.
struct Shown {
    email: String,
    address: String,
    expires_at: UnixMs,
}

#[derive(Template)]
#[template(path = "ui/operators.html")]
struct Operators {
    frame: Frame,
    rows: Vec<OperatorView>,
    pager: Pager,
    /// Who looks.
    me: OperatorId,
    roles: Vec<(&'static str, String)>,
    /// Of the invitation.
    form: Form,
    /// Why a change was refused.
    refused: Form,
    link: Option<Shown>,
}

async fn show(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    page(&state, &visit, request.query_string(), Form::default(), Form::default(), None).await
}

async fn invite(state: Data<AppState>, Posted(visit, mut form): Posted) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    let (email, role) = (Email::parse(form.text("email").trim()), Role::parse(form.text("role")));
    let (email, role) = (form.invalid().check("email", email), form.invalid().check("role", role));
    let (Some(email), Some(role), false) = (email, role, form.is_refused()) else {
        return page(&state, &visit, "", form, Form::default(), None).await;
    };
    match state.service.invite(&scope, email, role).await {
        Ok(invited) => {
            let link = Shown::of(&state, invited.operator.email.to_string(), &invited.link);
            page(&state, &visit, "", Form::default(), Form::default(), Some(link)).await
        }
        Err(error) => {
            form.refuse(error.into())?;
            page(&state, &visit, "", form, Form::default(), None).await
        }
    }
}

/// What they may do, or whether they may sign in at all: what the form holds is changed.
async fn change(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    let role = form.filled("role").map(Role::parse).transpose();
    let active = form.filled("active").map(|text| text == "true");
    let Some(role) = form.invalid().check("role", role) else {
        form.is_refused();
        return page(&state, &visit, "", Form::default(), form, None).await;
    };
    match state.service.change_operator(&scope, &id, role, active).await {
        Ok(operator) => Ok(visit.done(PATH, &changed(&operator))),
        Err(error) => {
            form.refuse(error.into())?;
            page(&state, &visit, "", Form::default(), form, None).await
        }
    }
}

fn changed(operator: &OperatorView) -> String {
    let OperatorView { email, role, active, .. } = operator;
    if *active {
        format!("{email} may sign in, as {role}.")
    } else {
        format!("{email} is deactivated: signed out everywhere, and no link of theirs works any more.")
    }
}

async fn link(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let (scope, view, wanted) = (visit.caller.admin()?, visit.caller.view()?, id.clone());
    let operator = state.read(move |service| service.operator(&view, &wanted)).await?;
    match state.service.make_operator_link(&scope, &id).await {
        Ok(made) => {
            let link = Shown::of(&state, operator.email.to_string(), &made);
            page(&state, &visit, "", Form::default(), Form::default(), Some(link)).await
        }
        Err(error) => {
            form.refuse(error.into())?;
            page(&state, &visit, "", Form::default(), form, None).await
        }
    }
}

impl Shown {
    fn of(state: &AppState, email: String, link: &LinkMade) -> Self {
        Self { email, address: state.link(link), expires_at: link.expires_at }
    }
}

async fn page(
    state: &AppState,
    visit: &Visit,
    query: &str,
    form: Form,
    refused: Form,
    link: Option<Shown>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.view()?;
    let before = Form::of_query(query).filled("cursor").and_then(OperatorId::parse);
    let listed = state.read(move |service| service.operators(&scope, before, DEFAULT_LIMIT)).await?;
    let next = listed.next.map(|id| OperatorId(id).to_string());
    let status = match (&link, refused.alert()) {
        (Some(_), _) => StatusCode::CREATED,
        (None, Some(_)) => refused.status(),
        (None, None) => form.status(),
    };
    let role = |role: &Role| (role.as_str(), format!("{role}: {}", role.about()));
    let operators = Operators {
        frame: visit.frame("Operators", PATH),
        rows: listed.rows,
        pager: Pager::new(PATH, query, next.as_deref()),
        me: visit.session.operator_id,
        roles: Role::ALL.iter().rev().map(role).collect(),
        form,
        refused,
        link,
    };
    visit.page_with(&operators, status)
}
