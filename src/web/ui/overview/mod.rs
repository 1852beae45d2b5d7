//! The answer to "is all well?".

mod concerns;
pub(super) mod first_steps;
mod release;

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::scope::Scope;
use crate::domain::time::UnixMs;
use crate::service::stats::StatsOf;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;

use super::amounts;
use super::charts::{self, Figures, Windows};
use super::form::Form;
use super::frame::Frame;
use super::plot::Plot;
use super::visit::Visit;
use concerns::Concerns;
use first_steps::FirstSteps;

const PATH: &str = "/";

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/").route(read().to(show)));
    release::routes(config);
}

#[derive(Template)]
#[template(path = "ui/overview.html")]
struct Overview {
    frame: Frame,
    concerns: Concerns,
    /// `None`: the first delivery was made.
    steps: Option<FirstSteps>,
    form: Form,
    windows: Windows,
    figures: Figures,
    plot: Plot,
    waiting: String,
    oldest: Option<UnixMs>,
    held: String,
}

async fn show(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut form = Form::of_query(request.query_string());
    let windows = Windows::of(PATH, &mut form);
    let (caller, view, window) = (visit.caller.clone(), visit.caller.view()?, windows.shown);
    let seen = state.read(move |service| {
        let deliveries = caller.tenant_scope(Scope::DeliveriesRead)?;
        let (attention, more) = service.attention(&view)?;
        let now = service.waiting_now(&deliveries, None)?;
        let past = service.stats_by(&deliveries, &StatsOf::Tenant(None), window, charts::step(window))?;
        Ok((attention, more, now, past, FirstSteps::look(service, &caller)?))
    });
    let (attention, more, now, past, steps) = seen.await?;
    let status = form.status();
    let overview = Overview {
        frame: visit.frame("Overview", PATH),
        concerns: Concerns::of(attention, more, visit.zone()),
        steps: steps.map(|steps| steps.at(&state.public_url)),
        form,
        windows,
        figures: Figures::of(&past.all),
        plot: charts::outcomes(&past, visit.zone()),
        waiting: amounts::up_to(now.waiting, now.waiting_more),
        oldest: now.oldest_waiting_at,
        held: amounts::up_to(now.held, now.held_more),
    };
    visit.page_with(&overview, status)
}
