//! API keys: listed, made (the text is shown once, on a page of its own), revoked.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::ids::KeyId;
use crate::domain::names::TenantName;
use crate::domain::scope::Scope;
use crate::service::endpoints::search;
use crate::service::keys::{KeyDraft, KeyMade, KeyQuery, KeyView};
use crate::store::Listed;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;

use super::filters;
use super::form::Form;
use super::frame::Frame;
use super::kept::{Kept, Secret};
use super::lost::Of;
use super::overview::first_steps::FirstSteps;
use super::pager::Pager;
use super::shown::called;
use super::visit::{Posted, Visit};

const PATH: &str = "/keys";
/// Rows of a page: each has forms.
const ROWS: usize = 25;

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
    filters: Form,
    /// Whether only some are asked for.
    filtered: bool,
    form: Form,
    rows: Vec<KeyView>,
    pager: Pager,
    scopes: &'static [Scope],
}

async fn show(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    page(&state, &visit, request.query_string(), Form::default()).await
}

async fn create(state: Data<AppState>, Posted(visit, mut form): Posted) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    let draft = KeyDraft {
        name: form.text("name").trim().to_owned(),
        scopes: form.all("scopes").map(str::to_owned).collect(),
        tenant: form.filled("tenant").map(str::to_owned),
    };
    let caller = visit.caller.clone();
    let begins = state.read(move |service| FirstSteps::look(service, &caller)).await?.is_some();
    match state.service.create_key(&scope, &draft).await {
        Ok(made) => Ok(visit.show_once(Kept::Secret(Box::new(secret(made, begins))))),
        Err(error) => {
            form.has_field("scopes");
            form.refuse(error.into())?;
            page(&state, &visit, "", form).await
        }
    }
}

/// `begins`: the first steps are not all made, and go on with this key.
fn secret(made: KeyMade, begins: bool) -> Secret {
    let mut next = vec![
        (PATH.to_owned(), "All keys".to_owned()),
        ("/docs".to_owned(), "What to do with it: the API reference".to_owned()),
    ];
    if begins {
        next.insert(0, ("/".to_owned(), "The next step to the first delivery".to_owned()));
    }
    Secret {
        of: Of::Key,
        section: PATH,
        done: format!("The key {} is made.", made.view.name),
        about: "Copy its text now: it is shown this once.",
        command: Some(format!("export KEY={}", made.key)),
        text: Some(made.key),
        until: None,
        warnings: Vec::new(),
        next,
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

async fn page(state: &AppState, visit: &Visit, query: &str, form: Form) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.view()?;
    let mut filters = Form::of_query(query);
    let wanted = KeyQuery {
        tenant: filters::taken(&mut filters, "tenant", TenantName::parse),
        search: filters::taken(&mut filters, "search", search),
    };
    let before = filters::cursor(&mut filters, KeyId::parse);
    let listed = if filters.is_refused() {
        Listed { rows: Vec::new(), next: None }
    } else {
        state.read(move |service| service.keys(&scope, &wanted, before, ROWS)).await?
    };
    let next = listed.next.map(|id| KeyId(id).to_string());
    let status = if filters.alert().is_some() { filters.status() } else { form.status() };
    let keys = Keys {
        frame: visit.frame("API keys", PATH),
        filtered: filters::any(&filters, &["search", "tenant"]),
        filters,
        form,
        rows: listed.rows,
        pager: Pager::new(PATH, query, next.as_deref()),
        scopes: Scope::ALL,
    };
    visit.page_with(&keys, status)
}
