//! Why an event did and did not go to the endpoints of its tenant, by today's settings.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::domain::filters;
use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::matching::Verdict;
use crate::domain::names::{TenantName, Uid};
use crate::store::Listed;
use crate::store::directory::Route;
use crate::store::endpoints::EndpointRow;
use crate::store::events::StoredEvent;

use super::{Error, Service, TenantScope};

/// A value of the data that is longer than this, in bytes, is not shown.
const SHOWN_VALUE: usize = 1024;

/// Why, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It has a delivery to this endpoint.
    DeliveredTo,
    /// The endpoint was made after the event.
    MadeLater,
    /// No pattern in `events` means its type.
    NotSubscribed,
    /// A filter does not hold for its data.
    Filter,
    /// Filters cannot be judged: the data was deleted.
    DataDeleted,
    /// The endpoint was disabled and does not want what happens meanwhile.
    SkippedWhileDisabled,
    /// It would go there today, and has not: something has changed, or its delivery is not kept any more.
    MatchesNow,
}

/// A filter that does not hold.
#[derive(Debug, Clone, Serialize)]
pub struct UnmetFilter {
    /// Where it looks.
    pub path: String,
    /// The value that it wants, or a list of values.
    pub wanted: Box<RawValue>,
    /// What is there; null where nothing is, or where it is longer than 1 KB.
    pub got: Option<Box<RawValue>>,
    /// What kind of value is there: `missing` or a type of JSON.
    pub got_kind: &'static str,
}

/// An endpoint and the event.
#[derive(Debug, Clone, Serialize)]
pub struct Matching {
    /// The endpoint.
    pub endpoint_id: EndpointId,
    /// Its owner's handle.
    pub uid: Option<Uid>,
    /// Where it is.
    pub url: String,
    /// Whether it receives.
    pub enabled: bool,
    /// Whether the event matches by today's settings; null where its data was deleted and filters would decide.
    pub matched: Option<bool>,
    /// The first delivery of the event to it.
    pub delivery_id: Option<DeliveryId>,
    /// Why.
    pub reason: Reason,
    /// The filter that does not hold.
    pub filter: Option<UnmetFilter>,
    /// A sentence that says so.
    pub message: String,
    /// Whether the endpoint was changed after the event was accepted, so that another rule may have held then.
    pub changed_since: bool,
}

impl Service {
    /// How an event and the endpoints of its tenant match, the newest endpoint first, below `before`; at most `limit`.
    /// Blocks.
    ///
    /// # Errors
    /// `not_found` for an event that is not there or that the caller may not see.
    pub fn matching(
        &self,
        scope: &TenantScope,
        id: &str,
        tenant: Option<&TenantName>,
        before: Option<EndpointId>,
        limit: usize,
    ) -> Result<Listed<Matching>, Error> {
        self.store.read(|reader| {
            let event = self.find_event(reader, scope, id, tenant)?;
            let page = reader.endpoints(Some(event.tenant_id), before, limit, |_| true)?;
            let went = reader.where_event_went(event.id, event.deliveries)?;
            let directory = self.store.directory();
            let rows = page.rows.iter().filter_map(|row| {
                // One that was deleted meanwhile has none.
                let route = directory.route(row.id)?;
                Some(explain(&event, row, &route, went.get(&row.id).copied()))
            });
            Ok(Listed { rows: rows.collect(), next: page.next })
        })
    }
}

fn explain(event: &StoredEvent, row: &EndpointRow, route: &Route, delivery: Option<DeliveryId>) -> Matching {
    let verdict = route.subscription.judge(event.event_type.as_str(), &event.data);
    let unknown =
        event.blanked_at.is_some() && route.subscription.has_filters() && verdict != Verdict::NotSubscribed;
    let filter = match verdict {
        Verdict::Filtered(unmet) if !unknown => {
            filters::at(&row.settings.filters, unmet.index).and_then(|(path, wanted)| {
                let wanted = RawValue::from_string(wanted).ok()?;
                let short = unmet.got.filter(|got| got.len() <= SHOWN_VALUE);
                let got = short.and_then(|got| RawValue::from_string(got.to_owned()).ok());
                Some(UnmetFilter { path, wanted, got, got_kind: kind(unmet.got) })
            })
        }
        _ => None,
    };
    let reason = reason(event, row, verdict, unknown, delivery);
    Matching {
        endpoint_id: row.id,
        uid: row.settings.uid.clone(),
        url: row.revision.url.clone(),
        enabled: row.enabled,
        matched: (!unknown).then_some(verdict == Verdict::Matches),
        delivery_id: delivery,
        reason,
        message: message(reason, event, delivery, filter.as_ref()),
        filter,
        changed_since: row.updated_at > event.created_at,
    }
}

fn reason(
    event: &StoredEvent,
    row: &EndpointRow,
    verdict: Verdict<'_>,
    unknown: bool,
    delivery: Option<DeliveryId>,
) -> Reason {
    let skips = !row.enabled && !row.settings.hold_while_disabled;
    match verdict {
        _ if delivery.is_some() => Reason::DeliveredTo,
        _ if row.created_at > event.created_at => Reason::MadeLater,
        Verdict::NotSubscribed => Reason::NotSubscribed,
        _ if unknown => Reason::DataDeleted,
        Verdict::Filtered(_) => Reason::Filter,
        Verdict::Matches if skips && row.disabled_at.is_some_and(|at| at <= event.created_at) => {
            Reason::SkippedWhileDisabled
        }
        Verdict::Matches => Reason::MatchesNow,
    }
}

fn message(
    reason: Reason,
    event: &StoredEvent,
    delivery: Option<DeliveryId>,
    filter: Option<&UnmetFilter>,
) -> String {
    let event_type = event.event_type.as_str();
    match (reason, delivery, filter) {
        (Reason::DeliveredTo, Some(delivery), _) => format!("It has the delivery {delivery}."),
        (Reason::MadeLater, ..) => {
            "The endpoint was made after the event was accepted; a replay of the event can send it.".to_owned()
        }
        (Reason::NotSubscribed, ..) => format!("The endpoint does not subscribe to {event_type}."),
        (Reason::DataDeleted, ..) => {
            "The endpoint subscribes to the type; what its filters said cannot be told, because the data was deleted."
                .to_owned()
        }
        (Reason::Filter, _, Some(UnmetFilter { path, wanted, got, got_kind })) => match got {
            Some(got) => format!("The filter {path} wants {wanted}, and the data has {got}."),
            None if *got_kind == "missing" => format!("The filter {path} wants {wanted}, and the data has no {path}."),
            None => format!("The filter {path} wants {wanted}, and the data has a long value ({got_kind})."),
        },
        (Reason::SkippedWhileDisabled, ..) => {
            "The endpoint was disabled, and its setting while_disabled skips what happens meanwhile.".to_owned()
        }
        _ => format!(
            "{event_type} matches today and has no delivery here: the endpoint was changed, or disabled with \
             while_disabled skip, or the delivery was deleted because of its age."
        ),
    }
}

/// The type of a JSON text.
fn kind(text: Option<&str>) -> &'static str {
    match text.and_then(|text| text.bytes().next()) {
        None => "missing",
        Some(b'"') => "string",
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b't' | b'f') => "boolean",
        Some(b'n') => "null",
        Some(_) => "number",
    }
}
