//! All formats, with how many endpoints use each.

use std::collections::HashMap;

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::names::FormatName;
use crate::domain::scope::Scope;
use crate::service::Service;
use crate::service::endpoints::search;
use crate::service::formats::FormatView;
use crate::store::Listed;
use crate::web::api::formats::{cursor, cursor_text};
use crate::web::problem::Problem;
use crate::web::query::DEFAULT_LIMIT;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::filters;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::pager::Pager;
use crate::web::ui::visit::Visit;

use super::{PATH, address, change};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/formats").route(read().to(show)).route(web::post().to(change::change)));
}

#[derive(Template)]
#[template(path = "ui/formats.html")]
struct Formats {
    frame: Frame,
    form: Form,
    rows: Vec<Row>,
    pager: Pager,
}

struct Row {
    link: String,
    users: usize,
    shown: FormatView,
}

async fn show(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (scope, view) = (visit.caller.tenant_scope(Scope::EndpointsRead)?, visit.caller.view()?);
    let query = request.query_string();
    let mut form = Form::of_query(query);
    let search = filters::taken(&mut form, "search", search);
    let after = filters::cursor(&mut form, cursor);
    let list = move |service: &Service| {
        let after = after.as_ref().map(FormatName::as_str);
        Ok((service.formats(&scope, search.as_deref(), after, DEFAULT_LIMIT)?, service.format_users(&view)))
    };
    let (listed, users) = if form.is_refused() {
        (Listed { rows: Vec::new(), next: None }, HashMap::new())
    } else {
        state.read(list).await?
    };
    let row = |shown: FormatView| Row {
        link: address(&shown.name),
        users: users.get(&shown.name).copied().unwrap_or_default(),
        shown,
    };
    let page = Formats {
        frame: visit.frame("Formats", PATH),
        rows: listed.rows.into_iter().map(row).collect(),
        pager: Pager::new(PATH, query, listed.next.as_deref().map(cursor_text).as_deref()),
        form,
    };
    visit.page_with(&page, page.form.status())
}
