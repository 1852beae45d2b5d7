//! The look: light, dark, or as the system has it. Kept by the browser.

use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::web::problem::Problem;

use super::cookies::{self, Kind};
use super::page;
use super::visit::{self, Visit};

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/theme").route(web::post().to(choose)));
}

async fn choose(visit: Visit, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let form = visit.form(&request, payload).await?;
    let mut response = visit.done(page::within_site(form.text("to")), "");
    let theme = visit::known_theme(form.text("theme")).unwrap_or_default();
    cookies::set(&mut response, Kind::Theme, theme, visit.is_secure());
    Ok(response)
}
