//! All types of the catalogue, searched by what they are known by.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::scope::Scope;
use crate::service::endpoints::search;
use crate::store::Listed;
use crate::store::event_types::EventTypeRow;
use crate::web::api::event_types::{cursor, cursor_text};
use crate::web::problem::Problem;
use crate::web::query::DEFAULT_LIMIT;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::filters;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::pager::Pager;
use crate::web::ui::shown;
use crate::web::ui::visit::Visit;

use super::{PATH, address, change};

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/event-types").route(read().to(show)).route(web::post().to(change::change)));
}

#[derive(Template)]
#[template(path = "ui/event_types.html")]
struct EventTypes {
    frame: Frame,
    form: Form,
    rows: Vec<Row>,
    pager: Pager,
}

struct Row {
    link: String,
    /// The list of its group.
    group: Option<(String, String)>,
    /// The beginning of its description.
    about: String,
    shown: EventTypeRow,
}

impl From<EventTypeRow> for Row {
    fn from(shown: EventTypeRow) -> Self {
        let others = |group: &String| {
            let query =
                url::form_urlencoded::Serializer::new(String::new()).append_pair("search", group).finish();
            (shown::called(group), format!("{PATH}?{query}"))
        };
        Self {
            link: address(shown.name.as_str()),
            group: shown.group.as_ref().map(others),
            about: shown::called(shown.description.as_deref().unwrap_or_default()),
            shown,
        }
    }
}

async fn show(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::EndpointsRead)?;
    let query = request.query_string();
    let mut form = Form::of_query(query);
    let wanted = filters::taken(&mut form, "search", search);
    let before = filters::cursor(&mut form, cursor);
    let Listed { rows, next } = if form.is_refused() {
        Listed { rows: Vec::new(), next: None }
    } else {
        let list = move |service: &crate::service::Service| {
            service.event_types(&scope, wanted.as_deref(), before.as_ref(), DEFAULT_LIMIT)
        };
        state.read(list).await?
    };
    let page = EventTypes {
        frame: visit.frame("Event types", PATH),
        pager: Pager::new(PATH, query, next.as_ref().map(cursor_text).as_deref()),
        rows: rows.into_iter().map(Row::from).collect(),
        form,
    };
    visit.page_with(&page, page.form.status())
}
