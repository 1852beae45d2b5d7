//! The look: light, dark, or as the system has it. Kept by the browser.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::web::problem::Problem;
use crate::web::state::AppState;

use super::cookies::{self, Kind};
use super::page;
use super::visit::Posted;

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/theme").route(web::post().to(choose)));
}

/// The look that whoever asks has chosen; `None`: as the system has it.
pub fn chosen(request: &HttpRequest, state: &AppState) -> Option<&'static str> {
    let theme = cookies::read(request, Kind::Theme, state.is_https())?;
    known(&theme)
}

/// The two looks that a person can choose.
fn known(name: &str) -> Option<&'static str> {
    ["light", "dark"].into_iter().find(|known| *known == name)
}

async fn choose(Posted(visit, form): Posted) -> Result<HttpResponse, Problem> {
    let mut response = visit.done(page::within_site(form.text("to")), "");
    let theme = known(form.text("theme")).unwrap_or_default();
    cookies::set(&mut response, Kind::Theme, theme, visit.is_secure());
    Ok(response)
}
