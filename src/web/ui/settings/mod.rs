//! Settings, backups, the cleanup, and room on the disk.

mod backups;
mod cleanup;
mod fields;
mod room;

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::schedule::Schedule;
use crate::domain::time::UnixMs;
use crate::service::Service;
use crate::store::cleanup::{CleanupReport, CleanupsNow};
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;

use super::amounts::{bytes, grouped};
use super::form::{Form, sentence};
use super::frame::Frame;
use super::visit::{Posted, Visit};
use backups::Backups;
use fields::Group;
use room::Room;

const PATH: &str = "/settings";
/// Cleanups that are shown.
const LAST: usize = 10;

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/settings").route(read().to(show)).route(web::post().to(save)));
    backups::routes(config);
    cleanup::routes(config);
}

#[derive(Template)]
#[template(path = "ui/settings.html")]
struct Settings {
    frame: Frame,
    groups: Vec<Group>,
    /// With all settings: what was typed, else those in force.
    form: Form,
    /// Of the cleanup, and of a backup.
    cleaning: Form,
    copying: Form,
    backups: Backups,
    waits: Option<String>,
    now: CleanupsNow,
    last: Vec<CleanupReport>,
    /// When the next one begins by the schedule.
    next: Option<UnixMs>,
    room: Room,
}

impl Settings {
    /// Whether a cleanup is under way, or about to be.
    fn is_live(&self) -> bool {
        self.now.running.is_some() || (self.now.queued > 0 && self.waits.is_none())
    }

    /// How a cleanup of the list stands.
    fn status(&self, report: &CleanupReport) -> &'static str {
        let runs = self.now.running.as_ref().is_some_and(|now| now.started_at == report.started_at);
        match (report.ended_at, &report.error) {
            (_, Some(_)) => "failed",
            (Some(_), None) => "done",
            (None, None) if runs => "running",
            (None, None) => "canceled",
        }
    }
}

/// What a cleanup gave back. The file may have grown meanwhile: then it was nothing.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates hand references over")]
fn freed(change: &i64) -> String {
    u64::try_from(*change).ok().filter(|freed| *freed > 0).map_or_else(|| "nothing".to_owned(), bytes)
}

async fn show(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    // What was counted for is still there to be cleaned up.
    let days = Form::of_query(request.query_string()).text("older_than_days").to_owned();
    page(&state, &visit, Form::default(), Form::of([("older_than_days", days)]), Form::default()).await
}

async fn save(state: Data<AppState>, Posted(visit, mut form): Posted) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    let patch = fields::patch(&form);
    if patch.is_empty() {
        return Ok(visit.done(&fields::place(&form), "Nothing was changed here."));
    }
    match state.service.change_settings(&scope, patch).await {
        Ok(_) => Ok(visit.done(&fields::place(&form), "The settings are saved and in force.")),
        Err(error) => {
            form.refuse(error.into())?;
            page(&state, &visit, form, Form::default(), Form::default()).await
        }
    }
}

async fn page(
    state: &AppState,
    visit: &Visit,
    mut form: Form,
    cleaning: Form,
    mut copying: Form,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.view()?;
    let settings = state.service.settings(&scope);
    let read = state.read(move |service: &Service| {
        let (waits, now) = (service.cleanup_waits(&scope), service.cleanups_now(&scope));
        let last = service.cleanups(&scope, None, LAST)?.rows;
        Ok((waits, now, last, service.storage(&scope)?, Backups::read(service, &scope)?))
    });
    let (waits, now, last, storage, backups) = read.await?;
    let refused = [&cleaning, &copying].into_iter().find(|form| form.alert().is_some());
    let status = refused.unwrap_or(&form).status();
    if backups.compress && copying.alert().is_none() {
        copying.add("compress", "true".to_owned());
    }
    fields::fill(&mut form, &settings);
    let schedule = Schedule::parse(&settings.cleanup_schedule).ok();
    let page = Settings {
        frame: visit.frame("Settings", PATH),
        groups: fields::groups(&settings, &form),
        form,
        cleaning,
        copying,
        backups,
        waits,
        now,
        last,
        next: schedule.and_then(|schedule| schedule.next_after(visit.now())),
        room: Room::of(&storage, visit.zone()),
    };
    visit.page_with(&page, status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cleanup_gave_back_is_never_less_than_nothing() {
        assert_eq!([-20_400, 0, 20_400].map(|change| freed(&change)), ["nothing", "nothing", "20.4 kB"]);
    }
}
