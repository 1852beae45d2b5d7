//! Alerts that leave the machine: what they are about, whom they reach, and the rules that keep them quiet.
//!
//! - here: the words. [`told`]: what is news to somebody who was told something before, and when it is sent.
//! - [`message`]: many pieces of news as one message. [`form`]: that message for each kind of receiver.
//! - [`mail`]: how a mail server is spoken to.

pub mod form;
pub mod mail;
pub mod message;
pub mod told;

use std::fmt;

/// Longest name of an alert, in characters.
pub const NAME_MAX: usize = 100;

/// What an alert can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// This server cannot accept or deliver.
    OwnTrouble,
    /// The disk is nearly full.
    Disk,
    /// Deliveries that are due wait for too long.
    Backlog,
    /// The last cleanup failed, or waits for a person's word.
    Cleanup,
    /// The last backup failed.
    Backup,
    /// The cleanup will soon delete held deliveries because of their age.
    HeldExpires,
    /// An endpoint was disabled because it failed, or said that it is gone.
    EndpointDisabled,
    /// An endpoint fails.
    EndpointFailing,
    /// An endpoint that was told of does not fail any more. An end, never a condition.
    EndpointRecovered,
}

impl Topic {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 9] = [
        Self::OwnTrouble,
        Self::Disk,
        Self::Backlog,
        Self::Cleanup,
        Self::Backup,
        Self::HeldExpires,
        Self::EndpointDisabled,
        Self::EndpointFailing,
        Self::EndpointRecovered,
    ];

    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OwnTrouble => "own_trouble",
            Self::Disk => "disk",
            Self::Backlog => "backlog",
            Self::Cleanup => "cleanup",
            Self::Backup => "backup",
            Self::HeldExpires => "held_expires",
            Self::EndpointDisabled => "endpoint_disabled",
            Self::EndpointFailing => "endpoint_failing",
            Self::EndpointRecovered => "endpoint_recovered",
        }
    }

    /// What it says, in a sentence.
    pub const fn about(self) -> &'static str {
        match self {
            Self::OwnTrouble => {
                "This server cannot accept or deliver: nothing can be written, no route, no resolver."
            }
            Self::Disk => "The disk is nearly full, or will be soon at its present growth.",
            Self::Backlog => "Deliveries that are due wait for too long.",
            Self::Cleanup => "The last cleanup failed, or waits for a person's word.",
            Self::Backup => "The last backup failed.",
            Self::HeldExpires => "The cleanup will soon delete held deliveries because of their age.",
            Self::EndpointDisabled => "An endpoint was disabled, because it failed for too long or is gone.",
            Self::EndpointFailing => "An endpoint fails.",
            Self::EndpointRecovered => "An endpoint that was told of receives again.",
        }
    }

    /// Whether it is about an endpoint, and so about its tenant.
    pub const fn is_of_endpoint(self) -> bool {
        matches!(self, Self::EndpointDisabled | Self::EndpointFailing | Self::EndpointRecovered)
    }

    /// Reads a name.
    ///
    /// # Errors
    /// What is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|topic| topic.as_str() == text);
        found.ok_or_else(|| format!("must be one of {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Topic {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How an alert reaches somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An event of the type [`form::EVENT_TYPE`] for one endpoint of this server: signed, retried, recorded as any other.
    Webhook,
    /// An incoming webhook of Slack, or of what speaks like it (Mattermost, Rocket.Chat).
    Slack,
    /// A webhook of a Discord channel.
    Discord,
    /// Mail.
    Email,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Webhook, Self::Slack, Self::Discord, Self::Email];

    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Email => "email",
        }
    }

    /// The field that says where it goes.
    pub const fn address_field(self) -> &'static str {
        match self {
            Self::Webhook => "endpoint",
            Self::Slack | Self::Discord => "url",
            Self::Email => "email",
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// What is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| format!("must be one of {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Reads the conditions of an alert; without any: all that it may be about. `of_tenant`: it is bound to a tenant.
///
/// # Errors
/// What is allowed.
pub fn parse_topics(names: Option<&[String]>, of_tenant: bool) -> Result<Vec<Topic>, String> {
    let possible = || Topic::ALL.into_iter().filter(|topic| !of_tenant || topic.is_of_endpoint());
    let Some(names) = names else { return Ok(possible().collect()) };
    let mut topics = names.iter().map(|name| Topic::parse(name)).collect::<Result<Vec<_>, _>>()?;
    topics.sort_unstable();
    topics.dedup();
    if topics.iter().all(|topic| *topic == Topic::EndpointRecovered) {
        return Err("must name something that begins, such as endpoint_failing".to_owned());
    }
    if of_tenant && topics.iter().any(|topic| !topic.is_of_endpoint()) {
        let allowed: Vec<_> = possible().map(Topic::as_str).collect();
        return Err(format!("may be {} for an alert of one tenant", allowed.join(", ")));
    }
    Ok(topics)
}

/// Reads the name of an alert.
///
/// # Errors
/// What is allowed.
pub fn parse_name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > NAME_MAX || text.chars().any(char::is_control) {
        return Err(format!("must be a text of 1 to {NAME_MAX} characters"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for topic in Topic::ALL {
            assert_eq!(Topic::parse(topic.as_str()), Ok(topic));
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Ok(kind));
        }
        assert!(Topic::parse("fire").unwrap_err().contains("endpoint_failing"));
    }

    #[test]
    fn an_alert_of_a_tenant_is_about_its_endpoints() {
        let names = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(parse_topics(None, false).unwrap().len(), 9);
        assert_eq!(parse_topics(None, true).unwrap().len(), 3);
        let twice = names(&["disk", "backlog", "disk"]);
        assert_eq!(parse_topics(Some(&twice), false), Ok(vec![Topic::Disk, Topic::Backlog]));
        assert!(parse_topics(Some(&twice), true).unwrap_err().contains("endpoint_disabled"));
        assert!(parse_topics(Some(&names(&["endpoint_recovered"])), false).is_err());
        assert!(parse_topics(Some(&[]), false).is_err());
    }

    #[test]
    fn a_name_is_a_line() {
        assert_eq!(parse_name(" The team "), Ok("The team".to_owned()));
        for wrong in ["", "  ", "a\nb", &"x".repeat(101)] {
            assert!(parse_name(wrong).is_err(), "{wrong:?}");
        }
    }
}
