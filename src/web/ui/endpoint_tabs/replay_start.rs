//! Starting a replay, or only counting what it would send; and canceling one.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde::Deserialize;

use crate::domain::names::IdempotencyKey;
use crate::domain::replay::Replayed;
use crate::domain::scope::Scope;
use crate::domain::time::UnixMs;
use crate::service::TenantScope;
use crate::service::replay_view::ReplayView;
use crate::service::replays::ReplayDraft;
use crate::web::problem::Problem;
use crate::web::state::AppState;
use crate::web::ui::filters;
use crate::web::ui::form::Form;
use crate::web::ui::moments::Zone;
use crate::web::ui::visit::Posted;
use crate::web::ui::weight::weight;

use super::replay;

/// Bytes of a page that patterns take.
const PATTERNS: usize = 8 * 1024;

/// What is read of a replay that was started.
#[derive(Deserialize)]
struct Started {
    id: String,
    endpoint_id: String,
    dry_run: bool,
}

/// Starts a replay, or counts what it would send.
pub(super) async fn start(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::DeliveriesWrite)?;
    let counted = form.filled("counted").map(str::to_owned);
    let draft = match &counted {
        Some(counted) => Some(as_counted(&state, &scope, counted).await?),
        None => draft(&mut form, visit.zone()),
    };
    let Some(draft) = draft else { return replay::page(&state, &visit, &id, "", form).await };
    // What was counted is sent once, however often its page is come back to.
    let once = counted.and_then(|counted| IdempotencyKey::parse(&format!("console-{counted}")).ok());
    let once = once.map(|key| (key, [0; 16]));
    match state.service.replay_endpoint(&scope, &id, None, draft, once).await {
        Ok(told) => {
            let started: Started = serde_json::from_str(&told.text)
                .map_err(|error| Problem::internal(format!("a replay that was started: {error}")))?;
            let path = format!("/endpoints/{}/replay", started.endpoint_id);
            Ok(if started.dry_run {
                visit.done(&format!("{path}?count={}", started.id), "")
            } else if told.replayed {
                visit.done(
                    &path,
                    "A replay of this count was started before: count anew to see what is missing now.",
                )
            } else {
                visit.done(&path, "The replay is under way. It goes on also when you leave this page.")
            })
        }
        Err(error) => {
            form.refuse(error.into())?;
            replay::page(&state, &visit, &id, "", form).await
        }
    }
}

/// What was counted, to be sent: up to the moment at which it was counted.
async fn as_counted(state: &AppState, scope: &TenantScope, id: &str) -> Result<ReplayDraft, Problem> {
    let (scope, id) = (scope.clone(), id.to_owned());
    let counted = state.read(move |service| service.replay(&scope, &id)).await?;
    Ok(ReplayDraft {
        since: counted.since,
        until: Some(counted.until.unwrap_or(counted.created_at)),
        status: counted.replayed_status,
        events: counted.events,
        dry_run: false,
    })
}

/// Ends a replay.
pub(super) async fn cancel(
    state: Data<AppState>,
    Posted(visit, _): Posted,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::DeliveriesWrite)?;
    let (_, replay) = path.into_inner();
    let replay = state.service.cancel_replay(&scope, &replay)?.await?;
    let path = format!("/endpoints/{}/replay", replay.endpoint_id);
    Ok(visit.done(&path, "The replay is ended. What it has put on its way stays so."))
}

/// What the form asks for; `None`: something is wrong with it, and all of that is noted.
fn draft(form: &mut Form, zone: &Zone) -> Option<ReplayDraft> {
    if form.filled("since").is_none() {
        form.invalid().push("since", "must be a time: from when on to look");
    }
    let span = filters::span(form, zone);
    let events = form.lines("events");
    let draft = ReplayDraft {
        since: span.since.unwrap_or(UnixMs(0)),
        until: span.until,
        status: filters::taken(form, "status", Replayed::parse).unwrap_or_default(),
        events: (!events.is_empty()).then_some(events),
        dry_run: form.has("dry_run", "true"),
    };
    form.invalid().merge(draft.wrong());
    (!form.is_refused()).then_some(draft)
}

/// The form that asks for the same as a replay did, up to the moment at which that was asked for.
pub(super) fn again(replay: &ReplayView, zone: &Zone) -> Form {
    let until = replay.until.map(|at| written(at, zone));
    Form::of([
        ("status", replay.replayed_status.word().to_owned()),
        ("since", written(replay.since, zone)),
        ("until", until.unwrap_or_default()),
        ("events", replay.events.as_deref().map(lines).unwrap_or_default()),
    ])
}

/// Patterns as the form has them, a line for each; nothing where a page has no room for them.
fn lines(patterns: &[String]) -> String {
    let text = patterns.join("\n");
    if weight(&text) <= PATTERNS { text } else { String::new() }
}

/// A moment as the form has it: short, where that says all of it.
fn written(at: UnixMs, zone: &Zone) -> String {
    let short = zone.typed(at);
    if zone.parse(&short) == Ok(at) { short } else { at.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_wrong_is_noted_at_once() {
        let mut form = Form::of_query("until=soon&status=lost&events=a..b&dry_run=true");
        assert!(draft(&mut form, &Zone::utc()).is_none());
        for field in ["since", "until", "status", "events"] {
            assert!(form.is_wrong(field), "{field}");
        }
        let mut backwards = Form::of_query("since=2026-02-23&until=2026-02-22");
        assert!(draft(&mut backwards, &Zone::utc()).is_none() && backwards.is_wrong("until"));
    }

    #[test]
    fn a_form_reads_as_it_is_meant() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let mut form =
            Form::of_query("since=2026-02-23+15:30&until=&status=missing&events=a.*%0Ab%0A&dry_run=true");
        let read = draft(&mut form, &zone).unwrap();
        assert_eq!(
            (read.since, read.until, read.status),
            (UnixMs(1_771_857_000_000), None, Replayed::Missing)
        );
        assert_eq!((read.events, read.dry_run), (Some(vec!["a.*".to_owned(), "b".to_owned()]), true));
        assert_eq!(written(read.since, &zone), "2026-02-23 15:30");
        assert_eq!(written(UnixMs(1_771_857_000_001), &zone), "2026-02-23T14:30:00.001Z");
    }
}
