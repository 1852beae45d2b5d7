//! The answer to "is all well?".

use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};
use askama::Template;

use crate::web::problem::Problem;
use crate::web::read;

use super::frame::Frame;
use super::visit::Visit;

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/").route(read().to(show)));
}

#[derive(Template)]
#[template(path = "ui/overview.html")]
struct Overview {
    frame: Frame,
}

async fn show(visit: Visit) -> Result<HttpResponse, Problem> {
    visit.page(&Overview { frame: visit.frame("Overview", "/") })
}
