//! How an endpoint does: its state in a sentence, what happened lately, what is under way.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::scope::Scope;
use crate::domain::stats::Window;
use crate::domain::time::UnixMs;
use crate::service::endpoints::EndpointDetail;
use crate::service::replay_view::ReplayView;
use crate::service::replays::ReplayQuery;
use crate::service::stats::{Stats, StatsOf};
use crate::store::endpoints::DisabledReason;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::charts::{Figures, Windows, step};
use crate::web::ui::endpoints::tabs::{Head, Tab};
use crate::web::ui::filters;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::plot::Plot;
use crate::web::ui::visit::Visit;

use super::{SECTION, charts, standing};

/// Registers the page. Only ids of ours, so that pages such as `/endpoints/new` are others.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/endpoints/{id:ep_[0-9a-z]+}").route(read().to(show)));
}

#[derive(Template)]
#[template(path = "ui/endpoint_tabs/overview.html")]
struct Overview {
    frame: Frame,
    head: Head,
    held: u32,
    held_more: bool,
    /// Whether a restore holds it, and not the endpoint.
    restored: bool,
    /// When the cleanup deletes the first of it, if that is soon.
    held_until: Option<UnixMs>,
    next_retry_at: Option<UnixMs>,
    /// When its last attempt failed, where that counts no more: it was enabled since.
    failed_before: Option<UnixMs>,
    /// Who disabled it.
    disabled_by: Option<String>,
    /// When failures disable it.
    forecast: String,
    form: Form,
    windows: Windows,
    figures: Figures,
    /// Since when that counts.
    since: UnixMs,
    outcomes: Plot,
    latency: Plot,
    running: Vec<ReplayView>,
}

impl Overview {
    fn is_gone(&self) -> bool {
        self.head.endpoint.disabled_reason == Some(DisabledReason::Gone)
    }

    fn is_given_up(&self) -> bool {
        self.head.endpoint.disabled_reason == Some(DisabledReason::Failing)
    }

    /// Whether something here is about to change by itself.
    fn is_live(&self) -> bool {
        let releases = self.head.endpoint.enabled && self.held > 0 && !self.restored;
        releases || self.next_retry_at.is_some() || !self.running.is_empty()
    }
}

/// All that the page reads.
struct Seen {
    detail: EndpointDetail,
    disabled_by: Option<String>,
    restored: bool,
    held_until: Option<UnixMs>,
    stats: Stats,
    running: Vec<ReplayView>,
}

async fn show(
    state: Data<AppState>,
    visit: Visit,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let (scope, view) = (visit.caller.tenant_scope(Scope::DeliveriesRead)?, visit.caller.view()?);
    let mut form = Form::of_query(request.query_string());
    let window = filters::taken(&mut form, "window", Window::parse).unwrap_or_default();
    form.is_refused();
    let seen = state.read(move |service| {
        let detail = service.endpoint(&scope, &id, None)?;
        let query = ReplayQuery { endpoint: Some(id.to_string()), limit: RUNNING, ..ReplayQuery::default() };
        let replays = service.replays(&scope, &query)?.rows;
        let of = StatsOf::Endpoint(id.into_inner(), None);
        Ok(Seen {
            disabled_by: standing::disabled_by(service, &view, &detail)?,
            held_until: if detail.held > 0 { service.held_until(&view, detail.endpoint.id)? } else { None },
            restored: standing::is_held_by_restore(service, &scope, &detail)?,
            detail,
            stats: service.stats_by(&scope, &of, window, step(window))?,
            running: replays.into_iter().filter(|replay| !replay.status.is_over()).collect(),
        })
    });
    let seen = seen.await?;
    let forecast =
        standing::forecast(&seen.detail, &state.service.store().directory().settings(), visit.zone());
    answer(&visit, form, window, forecast, seen)
}

/// One replay at a time goes on, and it is among the newest.
const RUNNING: usize = 10;

fn answer(
    visit: &Visit,
    form: Form,
    window: Window,
    forecast: String,
    seen: Seen,
) -> Result<HttpResponse, Problem> {
    let Seen { detail, disabled_by, restored, held_until, stats, running } = seen;
    let failed_before = detail.endpoint.last_failure_at.filter(|_| detail.is_unproven);
    let head = Head::new(detail.endpoint, Tab::Overview);
    let (windows, status) = (Windows { shown: window, path: head.path("") }, form.status());
    let page = Overview {
        frame: visit.frame(&head.title("Overview"), SECTION),
        head,
        held: detail.held,
        held_more: detail.held_more,
        restored,
        held_until,
        next_retry_at: detail.next_retry_at,
        failed_before,
        disabled_by,
        forecast,
        form,
        windows,
        figures: Figures::of(&stats.all),
        since: stats.since,
        outcomes: charts::outcomes(&stats, visit.zone()),
        latency: charts::latency(&stats, visit.zone()),
        running,
    };
    visit.page_with(&page, status)
}
