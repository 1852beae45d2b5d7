//! One type: what is said about it, as a form for who may change it. Also the form for a new one.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::json_pretty;
use crate::domain::scope::Scope;
use crate::service::Error;
use crate::store::event_types::EventTypeRow;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::shown;
use crate::web::ui::visit::Visit;
use crate::web::ui::weight::Room;

use super::PATH;

/// Bytes of a schema or an example that are written over several lines.
const MOST: usize = 256 * 1024;
/// Bytes of the page that both take. What does not fit is left out, and can be saved as a file and changed by the API.
const ROOM: usize = 44 * 1024;
/// What of a type may be long.
pub(super) const LONG: [&str; 2] = ["example", "schema"];

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/event-types/new").route(read().to(add)))
        .service(web::resource("/event-types/{name:.+}").route(read().to(show)));
}

#[derive(Template)]
#[template(path = "ui/event_type.html")]
struct Page<'a> {
    frame: Frame,
    form: Form,
    /// The type as it is in the catalogue; `None`: a new one.
    known: Option<EventTypeRow>,
    /// What came of looking whether the example fits.
    checked: Option<&'a str>,
}

async fn add(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let given = Form::of_query(request.query_string());
    if given.has("type", "new") {
        return one(&state, &visit, "new").await;
    }
    visit.caller.admin()?;
    page(&visit, Form::of([("name", given.text("name").to_owned())]), None, None)
}

/// The page; for `?save=example` or `?save=schema` that as a file, for what a page has no room for.
async fn show(
    state: Data<AppState>,
    visit: Visit,
    request: HttpRequest,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    let asked = Form::of_query(request.query_string());
    let Some(wanted) = asked.filled("save") else { return one(&state, &visit, &name).await };
    let row = find(&state, &visit, &name).await?;
    let text = long(&row, wanted).ok_or_else(|| Error::not_found("part of an event type", wanted))?;
    Ok(shown::file(&format!("{wanted}.json"), text.to_owned()))
}

/// What a type says under one of the names that may be [`LONG`].
pub(super) fn long<'a>(row: &'a EventTypeRow, name: &str) -> Option<&'a str> {
    match name {
        "example" => row.example.as_deref(),
        "schema" => row.schema.as_deref(),
        _ => None,
    }
}

async fn one(state: &AppState, visit: &Visit, name: &str) -> Result<HttpResponse, Problem> {
    let row = find(state, visit, name).await?;
    page(visit, form(&row), Some(row), None)
}

/// A type of the catalogue.
pub(super) async fn find(state: &AppState, visit: &Visit, name: &str) -> Result<EventTypeRow, Problem> {
    let (scope, name) = (visit.caller.tenant_scope(Scope::EndpointsRead)?, name.to_owned());
    state.read(move |service| service.event_type(&scope, &name)).await
}

/// What is said about a type, as its form holds it.
fn form(row: &EventTypeRow) -> Form {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut form = Form::of([
        ("old", row.name.to_string()),
        ("description", text(&row.description)),
        ("group", text(&row.group)),
    ]);
    let mut room = Room::new(ROOM);
    for name in LONG {
        let whole = long(row, name).unwrap_or_default();
        let text = [spread(whole), whole.to_owned()].into_iter().find(|text| room.takes(text, 0));
        match text {
            Some(text) => form.add(name, text),
            None => form.add("left_out", name),
        }
    }
    if row.reserved {
        form.add("reserved", "yes");
    }
    form
}

/// JSON over several lines, unless whoever wrote it has seen to that.
fn spread(text: &str) -> String {
    if text.contains('\n') { text.to_owned() } else { json_pretty::spread(text, MOST) }
}

/// The page, with what was typed.
pub(super) fn page(
    visit: &Visit,
    form: Form,
    known: Option<EventTypeRow>,
    checked: Option<&str>,
) -> Result<HttpResponse, Problem> {
    let title = known.as_ref().map_or("New event type", |row| row.name.as_str());
    let page = Page { frame: visit.frame(title, PATH), form, known, checked };
    visit.page_with(&page, page.form.status())
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn json_in_one_line_is_spread_and_other_stays() {
        assert_eq!(spread(r#"{"a":1.0e0}"#), "{\n  \"a\": 1.0e0\n}");
        for same in ["{\"a\":\n1}", "7", "{"] {
            assert_eq!(spread(same), same);
        }
    }
}
