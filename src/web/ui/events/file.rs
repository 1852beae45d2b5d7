//! The data of an event as a file: a page shows its beginning.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::scope::Scope;
use crate::service::{Code, Error};
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::form::Form;
use crate::web::ui::shown;
use crate::web::ui::visit::Visit;

use super::show;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/events/{id}/data").route(read().to(data)));
}

async fn data(
    state: Data<AppState>,
    visit: Visit,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::EventsRead)?;
    let tenant = show::tenant(&Form::of_query(request.query_string()))?;
    let event = state.read(move |service| service.event(&scope, &id, tenant.as_ref())).await?;
    if event.blanked_at.is_some() {
        let detail = format!("the data of {} was deleted", event.public_id());
        return Err(Error::new(Code::NotFound, detail).into());
    }
    Ok(shown::file("data.json", event.data))
}
