//! One format: its definition, and the exact request that it makes of a sample. Also the form for a new one.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::scope::Scope;
use crate::service::Service;
use crate::service::endpoints::TestDraft;
use crate::service::formats::{FormatView, Preview, PreviewDraft};
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::shown::{self, Body, ShownHeaders};
use crate::web::ui::visit::Visit;
use crate::web::ui::weight::weight;

use super::PATH;

/// Bytes of the page that a definition takes. A longer one can be saved as a file and changed by the API.
const DEFINITION: usize = 40 * 1024;
/// The sample that a preview begins with.
const SAMPLE: (&str, &str) = ("invoice.paid", r#"{"invoice":"in_17","total":1200}"#);

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/formats/new").route(read().to(add)))
        .service(web::resource("/formats/{name}").route(read().to(show)));
}

#[derive(Template)]
#[template(path = "ui/format.html")]
struct Page {
    frame: Frame,
    form: Form,
    /// The format as it is; `None`: a new one.
    known: Option<Known>,
    /// Whether whoever looks may delete it.
    own: bool,
    /// Whether they may save what stands in the form.
    editable: bool,
    preview: Option<Preview>,
}

#[expect(clippy::unused_self, reason = "templates call methods")]
impl Page {
    /// As many headers of a request as the page has room for.
    fn headers(&self, of: &Preview) -> ShownHeaders {
        ShownHeaders::of(&of.headers)
    }

    /// As much of its body.
    fn body(&self, of: &Preview) -> Body {
        Body::of(of.body.as_bytes(), true)
    }
}

/// A format that is there.
pub(super) struct Known {
    format: FormatView,
    /// Endpoints that use it.
    users: usize,
}

/// For `?from=NAME` the form begins with the definition of that one.
async fn add(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let given = Form::of_query(request.query_string());
    if given.has("format", "new") {
        return one(&state, &visit, "new").await;
    }
    visit.caller.admin()?;
    let from = find(&state, &visit, given.filled("from").unwrap_or("standard")).await?;
    page(&state, &visit, form("name", "", &from)?, None).await
}

/// The page; for `?save=definition` that as a file, for one that a page has no room for.
async fn show(
    state: Data<AppState>,
    visit: Visit,
    request: HttpRequest,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    if !Form::of_query(request.query_string()).has("save", "definition") {
        return one(&state, &visit, &name).await;
    }
    let known = find(&state, &visit, &name).await?;
    Ok(shown::file("definition.json", definition(&known)?))
}

async fn one(state: &AppState, visit: &Visit, name: &str) -> Result<HttpResponse, Problem> {
    let known = find(state, visit, name).await?;
    let form = form("old", name, &known)?;
    page(state, visit, form, Some(known)).await
}

/// A format, and how much it is used.
pub(super) async fn find(state: &AppState, visit: &Visit, name: &str) -> Result<Known, Problem> {
    let (scope, view) = (visit.caller.tenant_scope(Scope::EndpointsRead)?, visit.caller.view()?);
    let name = name.to_owned();
    let find = move |service: &Service| {
        let format = service.format(&scope, &name)?;
        let users = service.format_users(&view).get(&name).copied().unwrap_or_default();
        Ok(Known { format, users })
    };
    state.read(find).await
}

fn definition(known: &Known) -> Result<String, Problem> {
    let definition = serde_json::to_string_pretty(&known.format.definition);
    definition.map_err(|error| Problem::internal(format!("a format: {error}")))
}

/// A format as its form shows it, under this name in this field.
pub(super) fn form(field: &str, name: &str, known: &Known) -> Result<Form, Problem> {
    let mut form = Form::of([
        (field, name.to_owned()),
        ("type", SAMPLE.0.to_owned()),
        ("data", SAMPLE.1.to_owned()),
        ("secret", String::new()),
    ]);
    let definition = definition(known)?;
    if weight(&definition) <= DEFINITION {
        form.add("definition", definition);
    } else {
        form.add("left_out", "definition");
    }
    Ok(form)
}

/// The page, with what was typed and the request that it makes; what keeps it from making one stands beside its field.
pub(super) async fn page(
    state: &AppState,
    visit: &Visit,
    mut form: Form,
    known: Option<Known>,
) -> Result<HttpResponse, Problem> {
    // A look that finds something wrong is answered as every other: nothing was refused.
    let status = form.status();
    let left_out = known.as_ref().filter(|_| form.has("left_out", "definition"));
    let preview = preview(state, visit, &mut form, left_out.map(definition).transpose()?).await?;
    let title = known.as_ref().map_or("New format", |known| known.format.name.as_str());
    let built_in = known.as_ref().is_some_and(|known| known.format.built_in);
    let frame = visit.frame(title, PATH);
    let own = frame.admin() && !built_in;
    let editable = own && !form.has("left_out", "definition");
    let page = Page { frame, form, known, own, editable, preview };
    visit.page_with(&page, status)
}

/// What a form makes; `known`: the definition that it has no room for.
async fn preview(
    state: &AppState,
    visit: &Visit,
    form: &mut Form,
    known: Option<String>,
) -> Result<Option<Preview>, Problem> {
    let scope = visit.caller.tenant_scope(Scope::EndpointsRead)?;
    let text = |name| form.filled(name).map(str::to_owned);
    let event = TestDraft { event_type: text("type"), data: text("data") };
    let draft = PreviewDraft { event, secret: text("secret") };
    let definition = known.unwrap_or_else(|| form.text("definition").to_owned());
    let preview = move |service: &Service| Ok(service.preview_definition(&scope, &definition, &draft));
    match state.read(preview).await? {
        Ok(preview) => Ok(Some(preview)),
        // It was refused before, with the same errors.
        Err(_) if form.alert().is_some() => Ok(None),
        Err(error) => form.refuse(error.into()).map(|()| None),
    }
}
