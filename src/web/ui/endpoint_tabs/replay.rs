//! Sending an endpoint again what it has missed: counted first, then confirmed, then watched; and its replays so far.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::ids::ReplayId;
use crate::domain::scope::Scope;
use crate::domain::time::UnixMs;
use crate::service::replay_view::ReplayView;
use crate::service::replays::ReplayQuery;
use crate::store::Listed;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::endpoints::tabs::{Head, Tab};
use crate::web::ui::filters;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::pager::Pager;
use crate::web::ui::shown;
use crate::web::ui::visit::Visit;

use super::{SECTION, replay_start};

/// What can be sent again: the word of the API, and what it means.
const CHOICES: [(&str, &str); 3] = [
    ("failed", "failed: deliveries that were given up"),
    ("missing", "missing: events that match now and never had a delivery here"),
    ("delivered", "delivered: what was received, once more"),
];
/// Rows of a page.
const ROWS: usize = 25;
/// Characters that a row has room for of patterns, and of a reason.
const WORDS: usize = 150;
/// How far back the form begins with.
const DAY_MS: i64 = 24 * 3_600_000;

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/endpoints/{id}/replay")
                .route(read().to(show))
                .route(web::post().to(replay_start::start)),
        )
        .service(
            web::resource("/endpoints/{id}/replay/{replay}/cancel")
                .route(web::post().to(replay_start::cancel)),
        );
}

#[derive(Template)]
#[template(path = "ui/endpoint_tabs/replay.html")]
struct Replaying {
    frame: Frame,
    head: Head,
    /// What the address asks for.
    asked: Form,
    form: Form,
    /// What was counted, to be confirmed.
    counted: Option<ReplayView>,
    replays: Vec<ReplayView>,
    pager: Pager,
}

impl Replaying {
    /// The beginning of the patterns that a replay was asked for.
    #[expect(clippy::unused_self, reason = "templates call methods")]
    fn patterns(&self, events: &[String]) -> String {
        shown::short(&events.join(", "), WORDS)
    }

    /// The beginning of a reason.
    #[expect(clippy::unused_self, reason = "templates call methods")]
    fn reason(&self, text: &str) -> String {
        shown::short(text, WORDS)
    }
}

async fn show(
    state: Data<AppState>,
    visit: Visit,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let query = Form::of_query(request.query_string());
    let value = |name: &str, default: &str| query.filled(name).unwrap_or(default).to_owned();
    let a_day_ago = visit.zone().typed(UnixMs(visit.now().0 - DAY_MS));
    let form = Form::of([
        ("status", value("status", "failed")),
        ("since", value("since", &a_day_ago)),
        ("until", value("until", "")),
        ("events", value("events", "")),
    ]);
    page(&state, &visit, &id, request.query_string(), form).await
}

/// The page, with this form.
pub(super) async fn page(
    state: &AppState,
    visit: &Visit,
    id: &str,
    query: &str,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::DeliveriesRead)?;
    let mut asked = Form::of_query(query);
    let (id, count) = (id.to_owned(), asked.filled("count").map(str::to_owned));
    let before = filters::cursor(&mut asked, ReplayId::parse);
    let refused = asked.is_refused();
    let (endpoint, counted, listed) = state
        .read(move |service| {
            let endpoint = service.endpoint(&scope, &id, None)?.endpoint;
            let counted = count.map(|count| service.replay(&scope, &count)).transpose()?;
            let endpoint_id = endpoint.id.to_string();
            let query = ReplayQuery { endpoint: Some(endpoint_id), tenant: None, before, limit: ROWS };
            let none = Listed { rows: Vec::new(), next: None };
            Ok((endpoint, counted, if refused { none } else { service.replays(&scope, &query)? }))
        })
        .await?;
    let counted = counted.filter(|count| count.dry_run && count.endpoint_id == endpoint.id);
    if let Some(count) = &counted {
        form = replay_start::again(count, visit.zone());
    }
    let status = if refused { asked.status() } else { form.status() };
    let head = Head::new(endpoint, Tab::Replay);
    let next = listed.next.map(|id| ReplayId(id).to_string());
    let page = Replaying {
        frame: visit.frame(&head.title("Replay"), SECTION),
        pager: Pager::new(&head.path("/replay"), query, next.as_deref()),
        head,
        asked,
        form,
        counted,
        replays: listed.rows,
    };
    visit.page_with(&page, status)
}
