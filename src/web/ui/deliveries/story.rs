//! A delivery's status in a sentence: what has become of it, what happens next and when.

use crate::domain::delivery::{HeldReason, Status};
use crate::domain::time::UnixMs;
use crate::service::endpoints::EndpointDetail;
use crate::service::render::Detail;
use crate::web::ui::frame::Frame;

/// The sentence. `in_round`: attempts that the schedule of its endpoint has; `next`: when it is tried again.
pub(super) fn story(
    frame: &Frame,
    detail: &Detail,
    endpoint: Option<&EndpointDetail>,
    in_round: Option<u32>,
    next: Option<UnixMs>,
) -> String {
    let row = &detail.row;
    let attempts = match row.attempts {
        0 => "before its first attempt".to_owned(),
        1 => "after one attempt".to_owned(),
        many => format!("after {many} attempts"),
    };
    match row.state.status() {
        Status::Delivered => {
            let when = row.delivered_at.map(|at| format!(" {}", frame.relative(&at))).unwrap_or_default();
            let answer = row.status_code.map(|code| format!(": the receiver answered {code}")).unwrap_or_default();
            format!("Delivered{when}, {attempts}{answer}.")
        }
        Status::Pending => pending(frame, detail, in_round, next),
        Status::Held if row.held_reason == Some(HeldReason::Restored) => {
            "Held since a backup was restored in which it was pending. It is sent or given up when somebody says on the \
             overview what becomes of what the restore holds back."
                .to_owned()
        }
        Status::Held => format!(
            "Held {attempts}, because its endpoint is disabled. Enabling the endpoint delivers or discards what is held."
        ),
        Status::Failed if detail.row.is_test() => {
            "This was a test, and it failed. A test is sent once and is not retried.".to_owned()
        }
        Status::Failed => {
            format!("Given up {attempts}: no more are left in its schedule. {}", how_again(detail, endpoint))
        }
        Status::Canceled => format!("Canceled {attempts}. {}", how_again(detail, endpoint)),
    }
}

/// How what is over is sent again, or why it is not.
fn how_again(detail: &Detail, endpoint: Option<&EndpointDetail>) -> &'static str {
    match endpoint {
        None => "Its endpoint was deleted, so it cannot be sent again.",
        Some(_) if detail.request_body.is_none() => "There is nothing left to send again.",
        Some(known) if !known.endpoint.enabled => {
            "Its endpoint is disabled: it can be sent again when that is enabled."
        }
        Some(_) => "It is sent again only by a retry.",
    }
}

fn pending(frame: &Frame, detail: &Detail, in_round: Option<u32>, next: Option<UnixMs>) -> String {
    let made = detail.row.attempts;
    let due = next.filter(|at| !frame.is_due(at));
    let when = match due {
        Some(at) => format!("is made {} ({})", frame.relative(&at), frame.moment(&at)),
        None => "is made as soon as its turn comes".to_owned(),
    };
    if made == 0 {
        return format!("Its first attempt {when}.");
    }
    let rest = match left_after_next(detail, in_round) {
        Some(0) => "It is the last one of its schedule.".to_owned(),
        Some(1) => "If it fails as well, one more follows.".to_owned(),
        Some(many) => format!("If it fails as well, {many} more follow."),
        None => String::new(),
    };
    format!("Attempt {made} did not succeed. Attempt {} {when}. {rest}", made + 1).trim_end().to_owned()
}

/// Attempts that the schedule has left behind the next one.
fn left_after_next(detail: &Detail, in_round: Option<u32>) -> Option<u32> {
    let made = detail.attempts.iter().filter(|attempt| attempt.row.round == detail.row.round).count();
    Some(in_round?.saturating_sub(u32::try_from(made).ok()?).saturating_sub(1))
}

/// What stands in the way on our side; it uses up no attempt.
pub(super) fn own_trouble(detail: &Detail) -> Option<&str> {
    let said = detail.row.error.as_deref().filter(|_| detail.row.state.is_pending())?;
    let last = detail.attempts.last().and_then(|attempt| attempt.row.record.error.as_deref());
    (last != Some(said)).then_some(said)
}

/// What can be done to send it again, by what is known now.
pub(super) enum Again {
    /// A button that says this.
    Send(&'static str),
    /// Its endpoint has to be enabled first.
    Enable,
    /// A test is sent anew from its endpoint's page.
    Test,
    /// Nothing.
    Not,
}

impl Again {
    pub(super) fn of(detail: &Detail, endpoint: Option<&EndpointDetail>) -> Self {
        let Some(endpoint) = endpoint else { return Self::Not };
        // Without a body there is nothing to send: the data was deleted.
        let nothing = detail.request_body.is_none();
        match (detail.row.state.status(), endpoint.endpoint.enabled) {
            _ if detail.row.is_test() => Self::Test,
            (Status::Held, _) => Self::Not,
            _ if nothing => Self::Not,
            (Status::Pending, true) => Self::Send("Send now"),
            (Status::Delivered, true) => Self::Send("Send again"),
            (Status::Failed | Status::Canceled, true) => Self::Send("Retry"),
            (Status::Failed | Status::Canceled, false) => Self::Enable,
            (_, false) => Self::Not,
        }
    }
}

/// Whether it can be given up.
pub(super) fn cancel(detail: &Detail) -> bool {
    matches!(detail.row.state.status(), Status::Pending | Status::Held)
}
