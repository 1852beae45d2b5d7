//! Files that the guides offer, as they are in `templates/monitoring`.

use actix_web::HttpResponse;
use actix_web::http::header;

/// A file.
pub struct Download {
    /// Its name in the path: `/docs/NAME`.
    pub name: &'static str,
    media_type: &'static str,
    text: &'static str,
}

/// All of them.
pub static DOWNLOADS: [Download; 2] = [
    Download {
        name: "grafana-dashboard.json",
        media_type: "application/json",
        text: include_str!("../../../templates/monitoring/grafana-dashboard.json"),
    },
    Download {
        name: "prometheus-rules.yml",
        media_type: "application/yaml",
        text: include_str!("../../../templates/monitoring/prometheus-rules.yml"),
    },
];

/// The file of this name, for a browser to save.
pub(super) fn find(name: &str) -> Option<HttpResponse> {
    let file = DOWNLOADS.iter().find(|file| file.name == name)?;
    let disposition = format!("attachment; filename=\"{}\"", file.name);
    let answer = HttpResponse::Ok()
        .content_type(file.media_type)
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(file.text);
    Some(answer)
}
