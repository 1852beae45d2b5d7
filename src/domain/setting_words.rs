//! What each setting means, in words: for the reference of the API and for the page of the console.

/// What settings are about: those of a kind are shown together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// How long things are kept.
    Keeping,
    /// Backups.
    BackingUp,
    /// What follows a failed attempt.
    Failing,
    /// What is refused.
    Refusing,
    /// Alerts and metrics.
    Telling,
}

impl About {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Keeping, Self::BackingUp, Self::Failing, Self::Refusing, Self::Telling];

    /// A name for a form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keeping => "keeping",
            Self::BackingUp => "backing-up",
            Self::Failing => "failing",
            Self::Refusing => "refusing",
            Self::Telling => "telling",
        }
    }

    /// A heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Keeping => "How long things are kept",
            Self::BackingUp => "Backups by a schedule",
            Self::Failing => "Retries and health",
            Self::Refusing => "Limits",
            Self::Telling => "Alerts and metrics",
        }
    }
}

/// A setting in words.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// Its name in the API.
    pub name: &'static str,
    /// What it is about.
    pub about: About,
    /// What people call it.
    pub title: &'static str,
    /// What it counts; empty: it is no number.
    pub unit: &'static str,
    /// What it says, in the API's words.
    pub says: &'static str,
    /// What follows from it.
    pub consequence: &'static str,
}

/// All settings, in the order in which they are shown.
pub static SETTINGS: [Words; 20] = [
    Words {
        name: "retention_days",
        about: About::Keeping,
        title: "Deliveries are kept for",
        unit: "days",
        says: "Deliveries and attempts older than so many days are deleted at night.",
        consequence: "Older deliveries cannot be looked up or replayed. Held ones go too; pending ones stay until they end.",
    },
    Words {
        name: "event_retention_days",
        about: About::Keeping,
        title: "Events are kept for",
        unit: "days",
        says: "The same for events that no delivery refers to; null: as `retention_days`; 0: never.",
        consequence: "Empty: as long as deliveries. 0: for ever, and the file grows for ever.",
    },
    Words {
        name: "audit_retention_days",
        about: About::Keeping,
        title: "The audit log is kept for",
        unit: "days",
        says: "Days that the audit log is kept; 0: for ever.",
        consequence: "Who changed what before that is forgotten. 0: for ever.",
    },
    Words {
        name: "cleanup_schedule",
        about: About::Keeping,
        title: "The cleanup begins at",
        unit: "",
        says: "Cron, five or six fields, UTC.",
        consequence: "Cron, five or six fields, in UTC. It works in small steps beside deliveries; a quiet hour is best.",
    },
    Words {
        name: "backup_schedule",
        about: About::BackingUp,
        title: "A backup is made at",
        unit: "",
        says: "Cron, five or six fields, UTC; empty: never.",
        consequence: "Cron, five or six fields, in UTC. It goes into backups/ of the data directory, on the same disk: copy it away. \
                      The word none: never.",
    },
    Words {
        name: "backups_keep",
        about: About::BackingUp,
        title: "So many of these are kept",
        unit: "backups",
        says: "So many backups of the schedule are kept, and as many made by hand; older ones go once a new one was made.",
        consequence: "And as many that were made by hand. Older ones are removed once a new one was made, never before.",
    },
    Words {
        name: "backup_compress",
        about: About::BackingUp,
        title: "They are compressed",
        unit: "",
        says: "Whether backups of the schedule are compressed (gzip).",
        consequence: "Takes a quarter of the room, as a rule, and a minute of one processor for some gigabytes.",
    },
    Words {
        name: "retry_schedule",
        about: About::Failing,
        title: "Waits between attempts",
        unit: "seconds",
        says: "For endpoints that have none of their own; seconds.",
        consequence: "For endpoints without a schedule of their own. After the last wait and one more attempt a delivery is failed. \
                      The word none: a single attempt.",
    },
    Words {
        name: "failing_after_failures",
        about: About::Failing,
        title: "An endpoint is called failing after",
        unit: "failed attempts in a row",
        says: "Failed attempts in a row after which an endpoint's health is `failing`.",
        consequence: "From then on the overview shows it. It still gets everything.",
    },
    Words {
        name: "disable_after_failures",
        about: About::Failing,
        title: "An endpoint is disabled after",
        unit: "failed attempts in a row",
        says: "Failed attempts in a row before an endpoint is disabled; 0 leaves the condition out.",
        consequence: "And after the hours below, whichever comes last. 0 leaves this out; with both 0 none is ever disabled for failing.",
    },
    Words {
        name: "disable_after_hours",
        about: About::Failing,
        title: "And at the earliest",
        unit: "hours after the first of them",
        says: "Hours since the first of them before an endpoint is disabled; 0 leaves the condition out.",
        consequence: "Time in which the server was down does not count. What comes for a disabled endpoint is held. 0 leaves this out.",
    },
    Words {
        name: "data_limit_bytes",
        about: About::Refusing,
        title: "An event's data may have",
        unit: "bytes",
        says: "Bytes of an event's `data`.",
        consequence: "More is refused with 413.",
    },
    Words {
        name: "endpoint_limit",
        about: About::Refusing,
        title: "A tenant may have",
        unit: "endpoints",
        says: "Endpoints of a tenant that has no limit of its own.",
        consequence: "The next one is refused with 409. A tenant can have a limit of its own.",
    },
    Words {
        name: "strict_tenants",
        about: About::Refusing,
        title: "Tenants that are not known",
        unit: "",
        says: "Refuse tenants that were not made before.",
        consequence: "Refusing guards against misspelt names; then a tenant has to be made before it is used.",
    },
    Words {
        name: "strict_event_types",
        about: About::Refusing,
        title: "Event types that are not in the catalogue",
        unit: "",
        says: "Refuse event types that are not in the catalogue.",
        consequence: "Refusing guards against misspelt types, in events and in what endpoints subscribe to by exact name.",
    },
    Words {
        name: "alert_collect_minutes",
        about: About::Telling,
        title: "Alerts collect for",
        unit: "minutes",
        says: "Minutes that alerts collect what happens before they tell it in one message.",
        consequence: "A night with many dead endpoints is one message. What is over again by then is not told.",
    },
    Words {
        name: "alert_backlog_minutes",
        about: About::Telling,
        title: "A backlog is told of when a delivery has been due for",
        unit: "minutes",
        says: "Minutes that a delivery may be due before alerts speak of a backlog; 0: never.",
        consequence: "Deliveries that wait for a retry do not count. 0: never.",
    },
    Words {
        name: "alert_disk_percent",
        about: About::Telling,
        title: "The disk is told of when it is used to",
        unit: "percent",
        says: "Percent of the disk that may be used before alerts speak of it; 0: never.",
        consequence: "Of the file system that holds the database. 0: never.",
    },
    Words {
        name: "alert_disk_days",
        about: About::Telling,
        title: "Or when at this growth it is full within",
        unit: "days",
        says: "Days until the disk is full, at the present growth, from which on alerts speak of it; 0: never.",
        consequence: "The growth is that of the last week. 0: never.",
    },
    Words {
        name: "metrics_per_tenant",
        about: About::Telling,
        title: "Counters for each tenant in /metrics",
        unit: "",
        says: "Whether `/metrics` tells some counters of each tenant.",
        consequence: "Deliveries and attempts of the first 200 tenants, since midnight. Their names are seen by whoever reads the metrics.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::settings::Settings;

    #[test]
    fn every_setting_has_its_words() {
        let mut told: Vec<_> = SETTINGS.iter().map(|words| words.name.to_owned()).collect();
        told.sort();
        let mut all = Settings::names();
        all.sort();
        assert_eq!(told, all);
    }
}
