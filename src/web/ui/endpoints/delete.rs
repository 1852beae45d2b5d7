//! Deleting an endpoint, by typing what it is called.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use askama::Template;
use url::Url;

use crate::domain::scope::Scope;
use crate::service::endpoints::EndpointDetail;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::visit::{Posted, Visit};

use super::tabs::{Head, Tab};
use super::{PATH, find};

/// Registers the page.
pub fn routes(config: &mut ServiceConfig) {
    config.service(
        web::resource("/endpoints/{id}/delete").route(read().to(show)).route(web::post().to(delete)),
    );
}

#[derive(Template)]
#[template(path = "ui/endpoint_delete.html")]
struct Delete {
    frame: Frame,
    head: Head,
    form: Form,
    /// What has to be typed.
    name: String,
    held: u32,
    held_more: bool,
}

impl Delete {
    /// What the field says below itself.
    fn hint(&self) -> String {
        format!("{}, or its id {}", self.name, self.head.endpoint.id)
    }
}

async fn show(state: Data<AppState>, visit: Visit, id: Path<String>) -> Result<HttpResponse, Problem> {
    page(&visit, find(&state, &visit, &id, Scope::EndpointsWrite).await?, Form::default())
}

async fn delete(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let found = find(&state, &visit, &id, Scope::EndpointsWrite).await?;
    let (name, id) = (host(&found.endpoint.url), found.endpoint.id.to_string());
    let typed = form.text("name").trim();
    if !typed.eq_ignore_ascii_case(&name) && typed != id {
        form.invalid().push("name", format!("must be {name}, or {id}"));
    }
    if form.is_refused() {
        return page(&visit, found, form);
    }
    state.service.delete_endpoint(&visit.caller.tenant_scope(Scope::EndpointsWrite)?, &id, None).await?;
    Ok(visit.done(PATH, &format!("The endpoint {id} is deleted.")))
}

/// The host of a URL, as it is written there: what people call an endpoint.
fn host(url: &str) -> String {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_else(|| url.to_owned())
}

fn page(visit: &Visit, found: EndpointDetail, form: Form) -> Result<HttpResponse, Problem> {
    let (held, held_more, name) = (found.held, found.held_more, host(&found.endpoint.url));
    let status = form.status();
    let top = Head::new(found.endpoint, Tab::Settings);
    let frame = visit.frame(&top.title("Delete"), PATH);
    visit.page_with(&Delete { frame, head: top, form, name, held, held_more }, status)
}
