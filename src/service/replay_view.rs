//! A replay as it is shown.

use serde::Serialize;

use crate::domain::ids::{EndpointId, ReplayId};
use crate::domain::names::TenantName;
use crate::domain::replay::{ReplayStatus, Replayed};
use crate::domain::time::UnixMs;
use crate::store::replays::ReplayRow;

/// A replay as the API and the console show it.
#[derive(Debug, Clone, Serialize)]
pub struct ReplayView {
    /// Its id.
    pub id: ReplayId,
    /// The endpoint that receives again.
    pub endpoint_id: EndpointId,
    /// Its tenant.
    pub tenant: TenantName,
    /// How it stands.
    pub status: ReplayStatus,
    /// What is sent again.
    pub replayed_status: Replayed,
    /// Accepted from this time on.
    pub since: UnixMs,
    /// And before this; null: until the replay was asked for.
    pub until: Option<UnixMs>,
    /// Of events whose type matches one of these patterns; null: of all.
    pub events: Option<Vec<String>>,
    /// Whether it only counts.
    pub dry_run: bool,
    /// Deliveries (for `missing`: events) of the span that were looked at so far.
    pub examined: u64,
    /// Of these, how many are to be sent again.
    pub matched: u64,
    /// Of these, how many are on their way. 0 in a dry run.
    pub done: u64,
    /// Passed over: the data of the event was deleted.
    pub blanked: u64,
    /// Passed over: deliveries of the event were pruned, so whether one was for this endpoint is not known.
    pub pruned: u64,
    /// Why it was canceled.
    pub reason: Option<String>,
    /// When it was asked for.
    pub created_at: UnixMs,
    /// When it ended.
    pub ended_at: Option<UnixMs>,
}

impl ReplayView {
    /// `enabled`: the endpoint is, as far as it is there.
    pub(super) fn of(row: ReplayRow, enabled: bool) -> Self {
        let status = match (&row.canceled, row.ended_at) {
            (Some(_), _) => ReplayStatus::Canceled,
            (None, Some(_)) => ReplayStatus::Done,
            (None, None) if enabled || row.wanted.dry_run => ReplayStatus::Running,
            (None, None) => ReplayStatus::Waiting,
        };
        let (wanted, counts) = (row.wanted, row.counts);
        Self {
            id: row.id,
            endpoint_id: wanted.endpoint,
            tenant: row.tenant,
            status,
            replayed_status: wanted.kind,
            since: wanted.since,
            until: wanted.until,
            events: wanted.events,
            dry_run: wanted.dry_run,
            examined: counts.examined,
            matched: counts.matched,
            done: counts.done,
            blanked: counts.blanked,
            pruned: counts.pruned,
            reason: row.canceled,
            created_at: row.created_at,
            ended_at: row.ended_at,
        }
    }
}
