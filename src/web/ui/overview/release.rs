//! What becomes of the deliveries that a restore holds back.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};

use crate::domain::scope::Scope;
use crate::service::Error;
use crate::service::endpoints::Held;
use crate::web::problem::Problem;
use crate::web::state::AppState;
use crate::web::ui::visit::Posted;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/release").route(web::post().to(release)));
}

async fn release(state: Data<AppState>, Posted(visit, form): Posted) -> Result<HttpResponse, Problem> {
    visit.caller.admin()?;
    let scope = visit.caller.tenant_scope(Scope::DeliveriesWrite)?;
    let held = Held::parse(form.filled("held").unwrap_or_default());
    let held = held.map_err(|message| Error::field("held", message))?;
    state.service.release(&scope, held, None, None)?.await?;
    let done = match held {
        Held::Deliver => "What the restore held back is being delivered.",
        Held::Discard => "What the restore held back is discarded.",
    };
    Ok(visit.done(super::PATH, done))
}
