//! What an operator changes while the server runs, with defaults, ranges and one table that names them all.

use serde::{Deserialize, Serialize};

use super::invalid::Invalid;
use super::retry::RetrySchedule;
use super::whole::Whole;

/// The settings in force. Serialized, they are the answer of `GET /settings`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own, with a name of its own")]
pub struct Settings {
    /// Deliveries and attempts older than so many days are deleted at night.
    pub retention_days: u32,
    /// The same for events that no delivery refers to; null: as `retention_days`; 0: never.
    pub event_retention_days: Option<u32>,
    /// Cron, five or six fields, UTC.
    pub cleanup_schedule: String,
    /// For endpoints that have none of their own; seconds.
    pub retry_schedule: RetrySchedule,
    /// Failed attempts in a row after which an endpoint's health is `failing`.
    pub failing_after_failures: u32,
    /// Failed attempts in a row before an endpoint is disabled; 0 leaves the condition out.
    pub disable_after_failures: u32,
    /// Hours since the first of them before an endpoint is disabled; 0 leaves the condition out.
    pub disable_after_hours: u32,
    /// Bytes of an event's `data`.
    pub data_limit_bytes: u32,
    /// Endpoints of a tenant that has no limit of its own.
    pub endpoint_limit: u32,
    /// Refuse tenants that were not made before.
    pub strict_tenants: bool,
    /// Refuse event types that are not in the catalogue.
    pub strict_event_types: bool,
    /// Days that the audit log is kept; 0: for ever.
    pub audit_retention_days: u32,
    /// Minutes that alerts collect what happens before they tell it in one message.
    pub alert_collect_minutes: u32,
    /// Minutes that a delivery may be due before alerts speak of a backlog; 0: never.
    pub alert_backlog_minutes: u32,
    /// Percent of the disk that may be used before alerts speak of it; 0: never.
    pub alert_disk_percent: u32,
    /// Days until the disk is full, at the present growth, from which on alerts speak of it; 0: never.
    pub alert_disk_days: u32,
    /// Whether `/metrics` tells some counters of each tenant.
    pub metrics_per_tenant: bool,
    /// When a backup is made: cron, five or six fields, UTC; empty: never.
    pub backup_schedule: String,
    /// So many backups of the schedule are kept, and as many made by hand.
    pub backups_keep: u32,
    /// Whether backups of the schedule are compressed.
    pub backup_compress: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            retention_days: 30,
            event_retention_days: None,
            cleanup_schedule: "0 30 3 * * *".to_owned(),
            retry_schedule: RetrySchedule::default(),
            failing_after_failures: 5,
            disable_after_failures: 10,
            disable_after_hours: 120,
            data_limit_bytes: 256 * 1024,
            endpoint_limit: 10,
            strict_tenants: false,
            strict_event_types: false,
            audit_retention_days: 365,
            alert_collect_minutes: 5,
            alert_backlog_minutes: 60,
            alert_disk_percent: 90,
            alert_disk_days: 7,
            metrics_per_tenant: false,
            backup_schedule: "0 30 2 * * *".to_owned(),
            backups_keep: 7,
            backup_compress: true,
        }
    }
}

/// The least and the most of each setting that is a whole number.
const RANGES: [(&str, u32, u32); 13] = [
    ("retention_days", 1, 3650),
    ("event_retention_days", 0, 3650),
    ("failing_after_failures", 1, 10_000),
    ("disable_after_failures", 0, 1_000_000),
    ("disable_after_hours", 0, 8760),
    ("data_limit_bytes", 1024, 1024 * 1024),
    ("endpoint_limit", 0, MAX_ENDPOINT_LIMIT),
    ("audit_retention_days", 0, 36_500),
    ("alert_collect_minutes", 0, 120),
    ("alert_backlog_minutes", 0, 10_080),
    ("alert_disk_percent", 0, 99),
    ("alert_disk_days", 0, 365),
    ("backups_keep", 1, 1000),
];
/// Most endpoints of a tenant that a setting may allow.
pub const MAX_ENDPOINT_LIMIT: u32 = 100_000;

/// The least and the most of a setting that is a whole number; `None` for any other name.
pub fn range(name: &str) -> Option<(u32, u32)> {
    RANGES.iter().find(|(known, ..)| *known == name).map(|(_, least, most)| (*least, *most))
}

impl Settings {
    /// Days that events are kept after acceptance; `None`: for ever.
    pub fn event_days(&self) -> Option<u32> {
        match self.event_retention_days {
            None => Some(self.retention_days),
            Some(0) => None,
            Some(days) => Some(days),
        }
    }

    /// The names of all settings.
    pub fn names() -> Vec<String> {
        match serde_json::to_value(Self::default()) {
            Ok(serde_json::Value::Object(all)) => all.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// Takes over one setting by name; `null` resets it to its default.
    ///
    /// # Errors
    /// The field's message: unknown name, wrong type, or out of range.
    pub fn set(&mut self, name: &str, value: &serde_json::Value) -> Result<(), String> {
        let default = Self::default();
        match name {
            "retention_days" => self.retention_days = number(name, value, default.retention_days)?,
            "event_retention_days" => {
                self.event_retention_days =
                    if value.is_null() { None } else { Some(number(name, value, 0)?) };
            }
            "cleanup_schedule" => self.cleanup_schedule = schedule(value, default.cleanup_schedule)?,
            "retry_schedule" => self.retry_schedule = retries(value, default.retry_schedule)?,
            "failing_after_failures" => {
                self.failing_after_failures = number(name, value, default.failing_after_failures)?;
            }
            "disable_after_failures" => {
                self.disable_after_failures = number(name, value, default.disable_after_failures)?;
            }
            "disable_after_hours" => {
                self.disable_after_hours = number(name, value, default.disable_after_hours)?;
            }
            "data_limit_bytes" => {
                self.data_limit_bytes = number(name, value, default.data_limit_bytes)?;
            }
            "endpoint_limit" => self.endpoint_limit = number(name, value, default.endpoint_limit)?,
            "strict_tenants" => self.strict_tenants = flag(value)?,
            "strict_event_types" => self.strict_event_types = flag(value)?,
            "audit_retention_days" => {
                self.audit_retention_days = number(name, value, default.audit_retention_days)?;
            }
            "alert_collect_minutes" => {
                self.alert_collect_minutes = number(name, value, default.alert_collect_minutes)?;
            }
            "alert_backlog_minutes" => {
                self.alert_backlog_minutes = number(name, value, default.alert_backlog_minutes)?;
            }
            "alert_disk_percent" => {
                self.alert_disk_percent = number(name, value, default.alert_disk_percent)?;
            }
            "alert_disk_days" => self.alert_disk_days = number(name, value, default.alert_disk_days)?,
            "metrics_per_tenant" => self.metrics_per_tenant = flag(value)?,
            "backup_schedule" => {
                let never = value.as_str() == Some("");
                self.backup_schedule =
                    if never { String::new() } else { schedule(value, default.backup_schedule)? };
            }
            "backups_keep" => self.backups_keep = number(name, value, default.backups_keep)?,
            "backup_compress" => {
                self.backup_compress = if value.is_null() { default.backup_compress } else { flag(value)? };
            }
            _ => return Err(format!("is not a setting; there are {}", Self::names().join(", "))),
        }
        Ok(())
    }

    /// Takes over several settings, all or none.
    ///
    /// # Errors
    /// One message for every field that is wrong.
    pub fn patched(&self, patch: &serde_json::Map<String, serde_json::Value>) -> Result<Self, Invalid> {
        let mut settings = self.clone();
        let mut invalid = Invalid::default();
        for (name, value) in patch {
            if let Err(message) = settings.set(name, value) {
                invalid.push(name, message);
            }
        }
        invalid.into_result(settings)
    }
}

fn number(name: &str, value: &serde_json::Value, default: u32) -> Result<u32, String> {
    let (least, most) = range(name).unwrap_or((0, u32::MAX));
    if value.is_null() {
        return Ok(default);
    }
    Whole::deserialize(value)
        .ok()
        .and_then(|whole| u32::try_from(whole.0).ok())
        .filter(|n| (least..=most).contains(n))
        .ok_or_else(|| format!("must be a whole number from {least} to {most}"))
}

fn flag(value: &serde_json::Value) -> Result<bool, String> {
    if value.is_null() {
        Ok(false)
    } else {
        value.as_bool().ok_or_else(|| "must be true or false".to_owned())
    }
}

fn retries(value: &serde_json::Value, default: RetrySchedule) -> Result<RetrySchedule, String> {
    if value.is_null() {
        return Ok(default);
    }
    let steps = Vec::<Whole>::deserialize(value)
        .map_err(|_| "must be a list of whole seconds, such as [60, 300, 1800]".to_owned())?;
    RetrySchedule::parse(&steps.iter().map(|step| step.0).collect::<Vec<_>>())
}

fn schedule(value: &serde_json::Value, default: String) -> Result<String, String> {
    if value.is_null() {
        return Ok(default);
    }
    let text = value.as_str().ok_or("must be a text of five or six cron fields, such as 0 30 3 * * *")?;
    super::schedule::Schedule::parse(text)?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_setting_can_be_set_to_its_own_default_and_reset() {
        let defaults = serde_json::to_value(Settings::default()).unwrap();
        let mut settings = Settings::default();
        for name in Settings::names() {
            settings.set(&name, &defaults[&name]).unwrap();
            settings.set(&name, &serde_json::Value::Null).unwrap();
        }
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn backups_can_be_left_to_others() {
        let mut settings = Settings::default();
        settings.set("backup_schedule", &json!("")).unwrap();
        assert_eq!(settings.backup_schedule, "");
        assert!(settings.set("backup_schedule", &json!("never")).is_err());
        settings.set("backup_schedule", &json!(null)).unwrap();
        assert_eq!(settings.backup_schedule, "0 30 2 * * *");
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        let mut settings = Settings::default();
        settings.set("endpoint_limit", &json!(5.0)).unwrap();
        settings.set("retry_schedule", &json!([60.0, 5])).unwrap();
        assert_eq!(settings.endpoint_limit, 5);
        assert!(settings.set("endpoint_limit", &json!(5.5)).is_err());
    }

    #[test]
    fn all_wrong_fields_are_named_at_once() {
        let patch = json!({"retention_days": 0, "strict_tenants": 1, "colour": "red", "endpoint_limit": 5});
        let invalid = Settings::default().patched(patch.as_object().unwrap()).unwrap_err();
        let fields: Vec<_> = invalid.0.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields.len(), 3);
        assert!(fields.contains(&"colour") && fields.contains(&"retention_days"));
    }

    #[test]
    fn events_are_kept_as_long_as_deliveries_unless_said_otherwise() {
        let mut settings = Settings::default();
        assert_eq!(settings.event_days(), Some(30));
        settings.set("event_retention_days", &json!(0)).unwrap();
        assert_eq!(settings.event_days(), None);
    }
}
