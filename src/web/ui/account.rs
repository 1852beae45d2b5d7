//! One's own account: the password, the time zone, where one is signed in.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use askama::Template;

use crate::service::operators::SignInError;
use crate::store::sessions::Session;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;

use super::form::Form;
use super::frame::Frame;
use super::login;
use super::shown::called;
use super::visit::{Posted, Visit};

const PATH: &str = "/account";

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/account").route(read().to(show)))
        .service(web::resource("/account/password").route(web::post().to(change_password)))
        .service(web::resource("/account/time-zone").route(web::post().to(set_time_zone)))
        .service(web::resource("/account/sessions/{id}/end").route(web::post().to(end_session)));
}

#[derive(Template)]
#[template(path = "ui/account.html")]
struct Account {
    frame: Frame,
    session: Session,
    sessions: Vec<Session>,
    password: Form,
    zone: Form,
}

async fn show(state: Data<AppState>, visit: Visit) -> Result<HttpResponse, Problem> {
    page(&state, &visit, Form::default(), zone(&visit))
}

fn zone(visit: &Visit) -> Form {
    let name = visit.session.time_zone.as_ref().map_or("", |zone| zone.as_str());
    Form::of([("time_zone", name.to_owned())])
}

fn page(state: &AppState, visit: &Visit, password: Form, zone: Form) -> Result<HttpResponse, Problem> {
    let status = if password.alert().is_some() { password.status() } else { zone.status() };
    let account = Account {
        frame: visit.frame("Your account", PATH),
        session: visit.session.clone(),
        sessions: state.service.sessions(&visit.session),
        password,
        zone,
    };
    visit.page_with(&account, status)
}

async fn change_password(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
) -> Result<HttpResponse, Problem> {
    let (session, visitor) = (visit.session.clone(), visit.visitor.clone());
    let typed = (form.text("old_password").to_owned(), form.text("new_password").to_owned());
    let change =
        state.read(move |service| Ok(service.change_password(&session, &typed.0, &typed.1, &visitor)));
    match change.await? {
        Ok(()) => Ok(visit.done(PATH, "The password is changed, and you are signed out everywhere else.")),
        Err(error) => {
            if error == SignInError::Wrong {
                form.invalid().push("old_password", "is not the present password");
                form.is_refused();
            } else {
                login::refuse(&mut form, error)?;
            }
            page(&state, &visit, form, zone(&visit))
        }
    }
}

async fn set_time_zone(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
) -> Result<HttpResponse, Problem> {
    match state.service.set_time_zone(&visit.session, form.filled("time_zone"), &visit.visitor).await {
        Ok(()) => Ok(visit.done(PATH, "The time zone is changed.")),
        Err(error) => {
            form.refuse(error.into())?;
            page(&state, &visit, Form::default(), form)
        }
    }
}

async fn end_session(
    state: Data<AppState>,
    Posted(visit, _): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    state.service.end_session(&visit.session, &id, &visit.visitor).await?;
    Ok(visit.done(PATH, "The session is ended."))
}
