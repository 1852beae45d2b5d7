//! Backups by hand, and what became of the last ones.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};

use crate::domain::schedule::Schedule;
use crate::domain::settings::Settings;
use crate::domain::time::UnixMs;
use crate::service::backups::{BackupStatus, BackupView};
use crate::service::{Error, Service, ViewScope};
use crate::store::backup::{Stage, is_elsewhere};
use crate::web::problem::Problem;
use crate::web::state::AppState;
use crate::web::ui::amounts::bytes;
use crate::web::ui::form::Form;
use crate::web::ui::visit::Posted;

const BACK: &str = "/settings#backups";
/// Backups that are shown.
const LAST: usize = 10;

/// Registers the pages.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/settings/backup").route(web::post().to(begin)))
        .service(web::resource("/settings/backup/{id}/cancel").route(web::post().to(cancel)));
}

/// What the page tells of backups.
pub(super) struct Backups {
    /// The one that is under way.
    pub(super) running: Option<BackupView>,
    /// The last ones, the newest first, however they ended.
    pub(super) last: Vec<BackupView>,
    /// When the next one begins by the schedule.
    pub(super) next: Option<UnixMs>,
    /// Whether one begins when it is begun by hand that is compressed.
    pub(super) compress: bool,
}

impl Backups {
    /// Reads them. Blocks.
    pub(super) fn read(service: &Service, scope: &ViewScope) -> Result<Self, Error> {
        let settings = service.settings(scope);
        let all = service.backups(scope, None, LAST)?.rows;
        let (running, last): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|backup| backup.status == BackupStatus::Running);
        let running = running.into_iter().next();
        let next = next(&settings, service.store().times().wall());
        Ok(Self { running, last, next, compress: settings.backup_compress })
    }

    /// What the one that is under way is at.
    pub(super) fn at(backup: &BackupView) -> String {
        let stage = match backup.stage.unwrap_or_default() {
            Stage::Copying => "copying",
            Stage::Checking => "checking the copy",
            Stage::Compressing => "compressing",
        };
        backup.percent.map_or_else(|| stage.to_owned(), |percent| format!("{stage}, {percent} %"))
    }

    /// What stands for its file, and what has become of that.
    pub(super) fn file(backup: &BackupView) -> (&str, &'static str) {
        match backup.file.as_deref() {
            Some(name) if !backup.kept && is_elsewhere(name) => ("", "made to a file elsewhere"),
            Some(name) if !backup.kept => (name, "not there any more"),
            name => (name.unwrap_or_default(), ""),
        }
    }

    /// How large one is.
    pub(super) fn size(backup: &BackupView) -> String {
        backup.bytes.map_or_else(String::new, bytes)
    }
}

fn next(settings: &Settings, now: UnixMs) -> Option<UnixMs> {
    Schedule::parse(&settings.backup_schedule).ok()?.next_after(now)
}

async fn begin(state: Data<AppState>, Posted(visit, mut form): Posted) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    let begun = match state.service.backup(&scope, Some(form.has("compress", "true")), false) {
        Ok(answer) => answer.await.map_err(Error::from),
        Err(error) => Err(error),
    };
    match begun {
        Ok(_) => Ok(visit.done(BACK, "The backup has begun. It goes on if you leave this page.")),
        Err(error) => {
            form.refuse(error.into())?;
            super::page(&state, &visit, Form::default(), Form::default(), form).await
        }
    }
}

async fn cancel(
    state: Data<AppState>,
    Posted(visit, _): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    state.service.cancel_backup(&scope, &id)?.await?;
    Ok(visit.done(BACK, "The backup is canceled, and what was made of it is removed."))
}
