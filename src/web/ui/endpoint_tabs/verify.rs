//! Code that verifies the deliveries of an endpoint, in its own format.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::format::code::Language;
use crate::domain::scope::Scope;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::endpoints::tabs::{Head, Tab};
use crate::web::ui::filters;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::visit::Visit;

use super::SECTION;

/// Registers the page.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/endpoints/{id}/verify").route(read().to(show)));
}

#[derive(Template)]
#[template(path = "ui/endpoint_tabs/verify.html")]
struct Verify {
    frame: Frame,
    head: Head,
    form: Form,
    language: Language,
    code: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, clippy::unused_self, reason = "called by a template")]
impl Verify {
    /// What people call a language.
    fn called(&self, language: &Language) -> &'static str {
        match language.as_str() {
            "python" => "Python",
            "node" => "Node",
            "php" => "PHP",
            "ruby" => "Ruby",
            "go" => "Go",
            "rust" => "Rust",
            other => other,
        }
    }
}

async fn show(
    state: Data<AppState>,
    visit: Visit,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::EndpointsRead)?;
    let mut form = Form::of_query(request.query_string());
    let language = filters::taken(&mut form, "language", Language::parse).unwrap_or(Language::Python);
    form.is_refused();
    let (endpoint, code) = state
        .read(move |service| {
            let endpoint = service.endpoint(&scope, &id, None)?.endpoint;
            Ok((endpoint, service.verify_code(&scope, &id, None, language)?))
        })
        .await?;
    let (head, status) = (Head::new(endpoint, Tab::Verify), form.status());
    let frame = visit.frame(&head.title("Verify"), SECTION);
    visit.page_with(&Verify { frame, head, form, language, code }, status)
}
