//! A cleanup by hand.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};

use crate::service::{Code, Error, Patch};
use crate::web::problem::Problem;
use crate::web::state::AppState;
use crate::web::ui::amounts::some;
use crate::web::ui::form::Form;
use crate::web::ui::visit::Posted;

const DAY_SECONDS: i64 = 86_400;
const BACK: &str = "/settings#cleanup";

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/settings/cleanup").route(web::post().to(clean)));
}

/// A count is waited for; a cleanup goes on by itself, and the page shows how far it is.
async fn clean(state: Data<AppState>, Posted(visit, mut form): Posted) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.admin()?;
    let days = match form.number("older_than_days") {
        Patch::Set(days) => Some(days),
        _ => None,
    };
    let older_than = days.map(|days| days.saturating_mul(DAY_SECONDS));
    if form.is_refused() {
        return super::page(&state, &visit, Form::default(), form, Form::default()).await;
    }
    let dry_run = !form.has("what", "clean");
    match state.service.cleanup(&scope, older_than, dry_run) {
        Ok(answer) if dry_run => {
            let report = answer.await.map_err(Error::from)?;
            let (deliveries, events) = (report.deliveries, report.events);
            let counted = some(deliveries, "delivery", "deliveries");
            let (than, back) = match days {
                Some(days) => {
                    (some(days, "day", "days"), format!("/settings?older_than_days={days}#cleanup"))
                }
                None => ("the settings say".to_owned(), BACK.to_owned()),
            };
            let events = some(events, "event", "events");
            Ok(visit
                .done(&back, &format!("{counted} and {events} are older than {than} and would be deleted.")))
        }
        Ok(_begun) => Ok(visit.done(BACK, "The cleanup has begun. It goes on if you leave this page.")),
        Err(error) if error.code != Code::Invalid => Err(error.into()),
        Err(_) => {
            form.invalid().push("older_than_days", "must be a whole number of days from 1 to 3650, or empty");
            form.is_refused();
            super::page(&state, &visit, Form::default(), form, Form::default()).await
        }
    }
}
