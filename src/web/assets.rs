//! What pages load: the files of `static/`, inside the binary. A file's path holds a hash of what is in it, so it is
//! kept for ever by whoever got it, and another version of the program has another path.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Path, ServiceConfig};
use data_encoding::HEXLOWER;
use rust_embed::{Embed, EmbeddedFile};

use crate::service::Code;
use crate::web::read;

use super::problem::Problem;

#[derive(Embed)]
#[folder = "static/"]
struct Files;

/// Registers the call.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/static/{hash}/{name}").route(read().to(serve)));
}

/// Where a file is served; empty for one that is not there.
pub fn path(name: &str) -> String {
    Files::get(name).map(|file| format!("/static/{}/{name}", hash(&file))).unwrap_or_default()
}

fn hash(file: &EmbeddedFile) -> String {
    HEXLOWER.encode(&file.metadata.sha256_hash()[..8])
}

async fn serve(path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (wanted, name) = path.into_inner();
    let Some(file) = Files::get(&name).filter(|file| hash(file) == wanted) else {
        return Err(Problem::new(Code::UnknownPath, "there is no such file; load the page again"));
    };
    let media_type = match name.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "application/octet-stream",
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media_type))
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(file.data.into_owned()))
}
