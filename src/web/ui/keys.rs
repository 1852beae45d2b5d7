//! API keys: listed, made (the text is shown once), revoked.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::ids::KeyId;
use crate::domain::scope::Scope;
use crate::service::keys::{KeyDraft, KeyMade, KeyView};
use crate::web::problem::Problem;
use crate::web::query::DEFAULT_LIMIT;
use crate::web::read;
use crate::web::state::AppState;

use super::form::Form;
use super::frame::Frame;
use super::pager::Pager;
use super::visit::{Posted, Visit};

const PATH: &str = "/keys";

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/keys").route(read().to(show)).route(web::post().to(create)))
        .service(web::resource("/keys/{id}/revoke").route(web::post().to(revoke)));
}

#[derive(Template)]
#[template(path = "ui/keys.html")]
struct Keys {
    frame: Frame,
    form: Form,
    rows: Vec<KeyView>,
    pager: Pager,
    scopes: &'static [Scope],
    /// The key that was just made.
    made: Option<KeyMade>,
}

async fn show(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    page(&state, &visit, request.query_string(), Form::default(), None).await
}

async fn create(state: Data<AppState>, Posted(visit, mut form): Posted) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    let draft = KeyDraft {
        name: form.text("name").trim().to_owned(),
        scopes: form.all("scopes").map(str::to_owned).collect(),
        tenant: form.filled("tenant").map(str::to_owned),
    };
    match state.service.create_key(&scope, &draft).await {
        Ok(made) => page(&state, &visit, "", Form::default(), Some(made)).await,
        Err(error) => {
            form.refuse(error.into())?;
            page(&state, &visit, "", form, None).await
        }
    }
}

async fn revoke(
    state: Data<AppState>,
    Posted(visit, _): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    state.service.revoke_key(&visit.caller.admin()?, &id).await?;
    Ok(visit.done(PATH, "The key is revoked: requests with it are refused from now on."))
}

async fn page(
    state: &AppState,
    visit: &Visit,
    query: &str,
    form: Form,
    made: Option<KeyMade>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.view()?;
    let before = Form::of_query(query).filled("cursor").and_then(KeyId::parse);
    let listed = state.read(move |service| service.keys(&scope, before, DEFAULT_LIMIT)).await?;
    let next = listed.next.map(|id| KeyId(id).to_string());
    let status = if made.is_some() { StatusCode::CREATED } else { form.status() };
    let keys = Keys {
        frame: visit.frame("API keys", PATH),
        form,
        rows: listed.rows,
        pager: Pager::new(PATH, query, next.as_deref()),
        scopes: Scope::ALL,
        made,
    };
    visit.page_with(&keys, status)
}
