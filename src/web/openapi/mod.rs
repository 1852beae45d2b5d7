//! The reference of the API, as data beside the code: what each call takes and answers, who may make it, how it may
//! fail. `/openapi.json` is made of it, and so is the page at `/docs`.
//!
//! - [`resources`]: a file for each resource. Limits and patterns come from the domain.
//! - [`operation`] and [`schema`]: what calls and shapes are described with; [`words`]: what several share; [`links`]: where
//!   answers lead.
//! - [`document`]: OpenAPI 3.1 of all that. [`json`]: JSON in its order.
//!
//! *Describe a new call:* an `Operation` in its resource's file. Tests compare the document with the routes in both
//! directions, send its examples, and hold the answers against its schemas.

pub mod document;
pub mod json;
pub mod links;
pub mod operation;
pub mod resources;
pub mod schema;
pub mod words;

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::web::{self, Bytes, ServiceConfig};

use crate::web::read;
use resources::Resource;

/// All resources, described once.
pub static RESOURCES: LazyLock<Vec<Resource>> = LazyLock::new(resources::all);
static TEXT: LazyLock<Bytes> = LazyLock::new(|| document::build(&RESOURCES).to_string().into());

/// Registers the call.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/openapi.json").route(read().to(serve)));
}

async fn serve() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(TEXT.clone())
}

#[cfg(test)]
mod tests;
