//! A message in the form that each kind of receiver takes.

use serde_json::{Value, json};

use super::message::Message;

/// The type of the event that an alert of the kind `webhook` is.
pub const EVENT_TYPE: &str = "postrider.alert";
/// Most characters of a message in Discord.
const DISCORD_MAX: usize = 2_000;
/// Slack cuts a text that is longer than 40,000 characters; this is well below and still read by somebody.
const SLACK_MAX: usize = 8_000;
/// Most characters of a subject. Longer lines are broken on the way, and nobody reads them.
const SUBJECT_MAX: usize = 150;
/// What stands before everything, so that people know who speaks.
const WHO: &str = "Postrider";

/// The `data` of the event.
pub fn event_data(message: &Message) -> Value {
    json!({
        "title": message.title(),
        "text": message.text(),
        "test": message.test,
        "groups": message.groups,
    })
}

/// The body for an incoming webhook of Slack: `text` in its own markup, where `&`, `<` and `>` are escaped
/// (docs.slack.dev, formatting message text), so that nothing from outside calls people or makes links.
pub fn slack(message: &Message) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let text = format!("*{WHO}: {}*\n{}", escaped(&message.title()), escaped(&message.text()));
    json!({ "text": cut(&text, SLACK_MAX) }).to_string()
}

/// The body for a webhook of Discord: `content`, in which nobody is mentioned whatever it holds, and whose links show
/// no preview (flag 4).
pub fn discord(message: &Message) -> String {
    let escaped = |text: &str| {
        let mut escaped = String::with_capacity(text.len());
        for character in text.chars() {
            if matches!(character, '*' | '_' | '~' | '`' | '|' | '>' | '\\') {
                escaped.push('\\');
            }
            escaped.push(character);
        }
        escaped
    };
    let text = format!("**{WHO}: {}**\n{}", escaped(&message.title()), escaped(&message.text()));
    json!({ "content": cut(&text, DISCORD_MAX), "allowed_mentions": { "parse": [] }, "flags": 4 }).to_string()
}

/// The subject of a mail: one line.
pub fn subject(message: &Message) -> String {
    let line = format!("[{WHO}] {}", message.title());
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    cut(&line, SUBJECT_MAX)
}

/// The text of a mail.
pub fn mail(message: &Message) -> String {
    format!("{}\n", message.text())
}

/// At most so many characters, with a sign where something is missing.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alert::Topic;
    use crate::domain::alert::message::{Endpoint, Group, Item};

    fn message(what: &str) -> Message {
        let item = Item {
            message: what.to_owned(),
            since: None,
            endpoint: Some(Endpoint::new(&"ep_1", &"acme", "https://a.test/<!channel>")),
        };
        let group = Group { condition: Topic::EndpointFailing, ended: false, count: 1, first: vec![item] };
        Message { groups: vec![group], console: None, test: false }
    }

    #[test]
    fn slack_gets_a_text_in_which_nothing_is_markup() {
        let body: Value = serde_json::from_str(&slack(&message("a & b"))).unwrap();
        let expected = "*Postrider: 1 endpoint is failing*\n1 endpoint is failing:\n\
                        - acme https://a.test/&lt;!channel&gt;: a &amp; b";
        assert_eq!(body, json!({ "text": expected }));
    }

    #[test]
    fn discord_gets_a_content_that_mentions_nobody_and_fits() {
        let body: Value = serde_json::from_str(&discord(&message("**@everyone**"))).unwrap();
        let expected = "**Postrider: 1 endpoint is failing**\n1 endpoint is failing:\n\
                        - acme https://a.test/<!channel\\>: \\*\\*@everyone\\*\\*";
        assert_eq!(body["content"], expected);
        assert_eq!(body["allowed_mentions"], json!({ "parse": [] }));
        let long: Value = serde_json::from_str(&discord(&message(&"ü".repeat(5_000)))).unwrap();
        assert_eq!(long["content"].as_str().unwrap().chars().count(), DISCORD_MAX);
    }

    #[test]
    fn a_subject_is_one_line() {
        assert_eq!(subject(&message("x")), "[Postrider] 1 endpoint is failing");
        assert_eq!(subject(&Message::test(None)), "[Postrider] This is a test");
    }

    #[test]
    fn an_event_says_all_of_it_for_programs() {
        let data = event_data(&message("a"));
        assert_eq!(data["title"], "1 endpoint is failing");
        let group = &data["groups"][0];
        assert_eq!(
            (&group["condition"], &group["ended"], &group["count"]),
            (&json!("endpoint_failing"), &json!(false), &json!(1))
        );
        assert_eq!(group["first"][0]["endpoint"]["id"], "ep_1");
    }
}
