//! Many pieces of news as one message: for each topic a sentence, the first few by name, the rest by number.

use std::fmt::Write;

use serde::Serialize;

use crate::domain::time::UnixMs;

use super::Topic;

/// So many of a group are named.
pub const NAMED: usize = 5;
/// Longest URL that is told, in characters.
const URL_MAX: usize = 120;

/// An endpoint that news is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub tenant: String,
    /// Where it is, without its query: that may hold a token.
    pub url: String,
}

/// One piece of news that is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// A sentence that says what is the matter and what to do, without a full stop.
    pub message: String,
    /// Since when, where that is known.
    pub since: Option<UnixMs>,
    /// With which endpoint.
    pub endpoint: Option<Endpoint>,
}

/// News of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What it is about.
    pub condition: Topic,
    /// Whether this is over; else it began, or still lasts.
    pub ended: bool,
    /// How many there are.
    pub count: usize,
    /// The first [`NAMED`] of them.
    pub first: Vec<Item>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Groups in the order of [`Topic::ALL`].
    pub groups: Vec<Group>,
    /// Where the console is; `None`: nobody knows.
    pub console: Option<String>,
    /// Somebody only wants to see that it arrives.
    pub test: bool,
}

impl Endpoint {
    /// An endpoint with its URL as it is told.
    pub fn new(id: &impl ToString, tenant: &impl ToString, url: &str) -> Self {
        let bare = url.split('?').next().unwrap_or(url);
        let mut shown: String = bare.chars().take(URL_MAX).collect();
        if shown.len() < url.len() {
            shown.push('…');
        }
        Self { id: id.to_string(), tenant: tenant.to_string(), url: shown }
    }
}

impl Group {
    /// Says how many of what.
    pub fn sentence(&self) -> String {
        let endpoints = |one: &str, many: &str| match self.count {
            1 => format!("1 endpoint {one}"),
            count => format!("{count} endpoints {many}"),
        };
        match (self.condition, self.ended) {
            (Topic::OwnTrouble, false) => "this server cannot accept or deliver".to_owned(),
            (Topic::OwnTrouble, true) => "this server accepts and delivers again".to_owned(),
            (Topic::Disk, false) => "the disk is nearly full".to_owned(),
            (Topic::Disk, true) => "the disk has room again".to_owned(),
            (Topic::Backlog, false) => "deliveries wait for too long".to_owned(),
            (Topic::Backlog, true) => "deliveries do not wait any more".to_owned(),
            (Topic::Cleanup, false) => "the cleanup does not work".to_owned(),
            (Topic::Cleanup, true) => "the cleanup works again".to_owned(),
            (Topic::Backup, false) => "the last backup failed".to_owned(),
            (Topic::Backup, true) => "the last backup is complete again".to_owned(),
            (Topic::HeldExpires, false) => "held deliveries are about to be deleted".to_owned(),
            (Topic::HeldExpires, true) => "no held deliveries are near their deletion now".to_owned(),
            (Topic::EndpointDisabled, false) => endpoints("was disabled", "were disabled"),
            (Topic::EndpointFailing, false) => endpoints("is failing", "are failing"),
            (Topic::EndpointRecovered | Topic::EndpointDisabled | Topic::EndpointFailing, _) => {
                endpoints("has recovered", "have recovered")
            }
        }
    }
}

impl Message {
    /// The message that a test sends.
    pub fn test(console: Option<String>) -> Self {
        Self { groups: Vec::new(), console, test: true }
    }

    /// What it is about, in a line.
    pub fn title(&self) -> String {
        if self.test {
            return "This is a test".to_owned();
        }
        self.groups.iter().map(Group::sentence).collect::<Vec<_>>().join(", ")
    }

    /// What it says below its title, for people; lines without marks of any kind.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if self.test {
            text.push_str("Alerts arrive here. Nothing has happened.\n");
        }
        for group in &self.groups {
            let sentence = capitalized(&group.sentence());
            let _ = writeln!(text, "{sentence}{}", if group.first.is_empty() { "." } else { ":" });
            for item in &group.first {
                let _ = writeln!(text, "- {}", line(item));
            }
            let more = group.count.saturating_sub(group.first.len());
            // The server is one thing; that something of it is over needs no more words.
            if more > 0 && group.condition.is_of_endpoint() {
                let _ = writeln!(text, "- and {more} more");
            }
            text.push('\n');
        }
        if let Some(console) = &self.console {
            let _ = writeln!(text, "{console}");
        }
        text.trim_end().to_owned()
    }
}

fn line(item: &Item) -> String {
    let since = item.since.map_or_else(String::new, |at| format!(", since {at}"));
    match &item.endpoint {
        Some(endpoint) => format!("{} {}: {}{since}", endpoint.tenant, endpoint.url, item.message),
        None => format!("{}{since}", item.message),
    }
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    first + characters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(n: usize) -> Item {
        Item {
            message: "9 attempts in a row have failed".to_owned(),
            since: Some(UnixMs(1_771_857_000_000)),
            endpoint: Some(Endpoint::new(
                &format!("ep_{n}"),
                &"acme",
                &format!("https://{n}.test/hook?key=s"),
            )),
        }
    }

    fn group(condition: Topic, ended: bool, count: usize) -> Group {
        let first = (0..count.min(NAMED)).map(item).collect();
        Group { condition, ended, count, first }
    }

    #[test]
    fn five_hundred_endpoints_are_five_lines_and_a_number() {
        let groups =
            vec![group(Topic::EndpointFailing, false, 500), group(Topic::EndpointRecovered, true, 1)];
        let message = Message { groups, console: Some("https://hooks.test".to_owned()), test: false };
        assert_eq!(message.title(), "500 endpoints are failing, 1 endpoint has recovered");
        let text = message.text();
        assert!(
            text.starts_with("500 endpoints are failing:\n- acme https://0.test/hook…: 9 attempts"),
            "{text}"
        );
        assert!(text.contains("\n- and 495 more\n") && text.ends_with("\nhttps://hooks.test"), "{text}");
        assert_eq!(text.lines().filter(|line| line.contains("0.test")).count(), 2);
        assert!(!text.contains("key=s"), "{text}");
    }

    #[test]
    fn every_topic_has_a_sentence_for_its_beginning_and_its_end() {
        for topic in Topic::ALL {
            let [began, ended] = [false, true].map(|ended| group(topic, ended, 2).sentence());
            assert!(!began.is_empty() && (began != ended || topic == Topic::EndpointRecovered), "{topic}");
        }
    }

    #[test]
    fn a_test_says_that_it_is_one() {
        let message = Message::test(None);
        assert_eq!(message.title(), "This is a test");
        assert_eq!(message.text(), "Alerts arrive here. Nothing has happened.");
    }

    #[test]
    fn long_urls_are_cut() {
        let shown = Endpoint::new(&"ep_1", &"a", &format!("https://a.test/{}", "ü".repeat(500))).url;
        assert_eq!((shown.chars().count(), shown.chars().last()), (URL_MAX + 1, Some('…')));
        assert_eq!(Endpoint::new(&"ep_1", &"a", "https://a.test/").url, "https://a.test/");
    }
}
