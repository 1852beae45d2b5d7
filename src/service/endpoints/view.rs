//! What an endpoint looks like outside: everything but its secrets.

use std::sync::Arc;

use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;

use crate::domain::headers::MASK;
use crate::domain::health::Health;
use crate::domain::ids::EndpointId;
use crate::domain::limits;
use crate::domain::names::{TenantName, Uid};
use crate::domain::settings::Settings;
use crate::domain::time::UnixMs;
use crate::store::directory::Route;
use crate::store::endpoints::{DisabledReason, EndpointRow, Rotation};
use crate::store::times::Times;

/// How an endpoint does, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// It receives.
    Ok,
    /// Its last attempts failed, or a delivery was given up, and nothing has succeeded since.
    Failing,
    /// It receives nothing.
    Disabled,
}

impl HealthStatus {
    /// The word of the API and the console.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failing => "failing",
            Self::Disabled => "disabled",
        }
    }

    /// Reads a word of `?health=`.
    ///
    /// # Errors
    /// The words that there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "ok" => Ok(Self::Ok),
            "failing" => Ok(Self::Failing),
            "disabled" => Ok(Self::Disabled),
            _ => Err("must be ok, failing or disabled".to_owned()),
        }
    }

    /// The health of an endpoint, which is `failing` from so many failed attempts in a row.
    pub fn of(enabled: bool, health: &Health, failing_after_failures: u32) -> Self {
        match (enabled, health.is_failing(failing_after_failures)) {
            (false, _) => Self::Disabled,
            (true, true) => Self::Failing,
            (true, false) => Self::Ok,
        }
    }
}

/// What health is judged by: the settings, and the moment on both scales of time.
#[derive(Debug, Clone)]
pub struct Judging {
    settings: Arc<Settings>,
    now: UnixMs,
    up_ms: i64,
}

impl Judging {
    /// By these settings, now.
    pub fn by(settings: Arc<Settings>, times: &Times) -> Self {
        Self { settings, now: times.wall(), up_ms: times.up_ms() }
    }

    /// How an endpoint does.
    pub fn status(&self, enabled: bool, health: &Health) -> HealthStatus {
        HealthStatus::of(enabled, health, self.settings.failing_after_failures)
    }

    /// Before when it is not disabled; see [`Health::earliest_disable_at`].
    pub fn earliest_disable_at(&self, enabled: bool, health: &Health) -> Option<UnixMs> {
        let hours = self.settings.disable_after_hours;
        if enabled { health.earliest_disable_at(hours, self.now, self.up_ms) } else { None }
    }

    /// When its next failed attempt disables it; see [`Health::disable_at`].
    pub fn disable_at(&self, enabled: bool, health: &Health) -> Option<UnixMs> {
        let (failures, hours) = (self.settings.disable_after_failures, self.settings.disable_after_hours);
        if enabled { health.disable_at(failures, hours, self.now, self.up_ms) } else { None }
    }
}

/// An endpoint as the API and the console show it. Values of headers are masked.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are those of the API, whose reference explains them")]
pub struct EndpointView {
    pub id: EndpointId,
    pub uid: Option<Uid>,
    pub tenant: TenantName,
    pub url: String,
    pub description: String,
    pub events: Vec<String>,
    /// JSON text of an object.
    #[serde(serialize_with = "raw")]
    pub filters: String,
    #[serde(serialize_with = "object")]
    pub headers: Vec<(String, String)>,
    pub format: String,
    #[serde(serialize_with = "object")]
    pub metadata: Vec<(String, String)>,
    pub enabled: bool,
    pub disabled_reason: Option<DisabledReason>,
    pub disabled_note: Option<String>,
    pub disabled_at: Option<UnixMs>,
    pub disable_at: Option<UnixMs>,
    pub health: HealthStatus,
    pub failure_count: u32,
    pub first_failure_at: Option<UnixMs>,
    pub last_failure_at: Option<UnixMs>,
    pub last_success_at: Option<UnixMs>,
    pub retry_schedule: Option<Vec<u32>>,
    pub timeout_seconds: u32,
    pub rate_limit: Option<u32>,
    pub max_in_flight: u32,
    pub while_disabled: &'static str,
    pub unsigned: bool,
    pub public_key: Option<String>,
    pub last_rotation: Option<Rotation>,
    pub created_at: UnixMs,
    pub updated_at: UnixMs,
}

impl EndpointView {
    /// Shows `row`. What it signs with stands in its parsed form, and what its health is judged by elsewhere.
    pub fn of(row: &EndpointRow, route: Option<&Route>, judging: &Judging) -> Self {
        let (settings, revision, health) = (&row.settings, &row.revision, &row.health.health);
        Self {
            id: row.id,
            uid: settings.uid.clone(),
            tenant: row.tenant.clone(),
            url: revision.url.clone(),
            description: settings.description.clone(),
            events: settings.events.clone(),
            filters: settings.filters.clone(),
            headers: revision.headers.iter().map(|(name, _)| (name.clone(), MASK.to_owned())).collect(),
            format: revision.format.clone(),
            metadata: settings.metadata.clone(),
            enabled: row.enabled,
            disabled_reason: row.disabled_reason,
            disabled_note: row.disabled_note.clone(),
            disabled_at: row.disabled_at,
            disable_at: judging.disable_at(row.enabled, health),
            health: judging.status(row.enabled, health),
            failure_count: health.failure_count,
            first_failure_at: health.first_failure_at,
            last_failure_at: health.last_failure_at,
            last_success_at: health.last_success_at,
            retry_schedule: settings.retry_schedule.clone(),
            timeout_seconds: revision.timeout_seconds.unwrap_or(limits::DEFAULT_TIMEOUT_SECONDS),
            rate_limit: settings.rate_limit,
            max_in_flight: settings.max_in_flight.unwrap_or(limits::DEFAULT_MAX_IN_FLIGHT),
            while_disabled: if settings.hold_while_disabled { "hold" } else { "skip" },
            unsigned: route.is_some_and(|route| route.signers.is_empty()),
            public_key: route.and_then(|route| route.public_key.clone()),
            last_rotation: row.rotation,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The answer to a create or a change.
#[derive(Clone, Serialize)]
pub struct EndpointSaved {
    /// The endpoint as it is now.
    #[serde(flatten)]
    pub endpoint: EndpointView,
    /// The signing secret, in the one answer to the call that set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Sentences about what is allowed and probably not meant.
    pub warnings: Vec<String>,
}

/// JSON text as it is.
fn raw<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serde_json::from_str::<&RawValue>(text).map_err(S::Error::custom)?.serialize(serializer)
}

/// Pairs as an object, in their order.
fn object<S: Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}
