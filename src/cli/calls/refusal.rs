//! What the API refuses in the words that were typed: a field is its flag, another call is its command, and a number of
//! seconds or a moment is what the flag takes.

use crate::cli::duration;
use crate::cli::output::Words;
use crate::domain::retry::{MAX_STEP_SECONDS, MAX_STEPS};
use crate::web::openapi::operation::{Operation, Place};

use super::flags::{self, upper};
use super::groups::{GROUPS, SINGLE};
use super::kinds::{self, Kind};
use super::wanted::Wanted;
use super::{Call, Shows};

/// What a field of a call is on the command line.
struct Typed {
    /// `--events`, `URL`.
    name: String,
    kind: Kind,
}

impl Words for Wanted {
    fn field(&self, field: &str, message: &str) -> (String, String) {
        let (base, rest) = field.split_at(field.find(['.', '[']).unwrap_or(field.len()));
        // What stands in the JSON of --from is called as it is called there.
        if self.stands_in_json(base) {
            return (field.to_owned(), message.to_owned());
        }
        let Some(typed) = self.call.typed(base) else { return (field.to_owned(), message.to_owned()) };
        (format!("{}{}", typed.name, inside(rest)), self.call.said(typed.kind, message))
    }

    fn sentence(&self, text: &str) -> String {
        with_commands(text)
    }
}

/// Where in a flag's value something is: the second entry of a list, a name.
fn inside(rest: &str) -> String {
    let entry = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    match entry.and_then(|(at, rest)| Some((at.parse::<usize>().ok()?, rest))) {
        Some((at, rest)) => format!(", entry {}{rest}", at + 1),
        None => rest.strip_prefix('.').map_or_else(|| rest.to_owned(), |name| format!(" {name}")),
    }
}

impl Call {
    /// What a field of the body, or a parameter, is here.
    fn typed(&self, name: &str) -> Option<Typed> {
        let operation = self.described()?;
        let fields = operation.body.iter().flat_map(|body| kinds::fields(&body.schema.0));
        if let Some(field) = fields.into_iter().find(|field| field.name == name) {
            let kind = Kind::of(name, field.schema);
            let word = self.words.contains(&name);
            let name = if word { upper(name) } else { format!("--{}", flags::flag(self, name)) };
            return Some(Typed { name, kind });
        }
        let parameter = operation.parameters.iter().find(|parameter| parameter.name == name)?;
        let kind = Kind::of(name, &parameter.schema.0);
        let name = match parameter.place {
            Place::Path => upper(name),
            Place::Query | Place::Header => format!("--{}", flags::flag(self, name)),
        };
        Some(Typed { name, kind })
    }

    /// What is allowed, as the flag takes it.
    fn said(&self, kind: Kind, message: &str) -> String {
        // How to have null is told by --reset; in JSON it is typed.
        let message = match message.split_once(", or null") {
            Some((allowed, _)) if kind != Kind::Json => allowed,
            _ => message,
        };
        let rest = |start: &str| message.strip_prefix(start);
        let list = || ["must be an array of ", "must be a list of "].iter().find_map(|start| rest(start));
        match kind {
            // `send` takes a moment as the API does.
            Kind::Moment if self.shows != Shows::Accepted => rest("must be an RFC 3339 time")
                .map(|rest| format!("must be so long ago, such as 30m, 2h or 7d, or an RFC 3339 time{rest}")),
            Kind::Seconds => rest("must be a whole number of seconds from ").and_then(|range| {
                let (from, to) = range.split_once(" to ")?;
                Some(format!("must be a length of time from {} to {}", span(from)?, span(to)?))
            }),
            Kind::Texts | Kind::Values => {
                list().map(|what| format!("must be {}, with commas between them", what.replace(['[', ']'], "")))
            }
            Kind::Waits => list().map(|_| {
                let longest = duration::shown(MAX_STEP_SECONDS.into());
                format!(
                    "must be 0 to {MAX_STEPS} waits of 1s to {longest} with commas between them, such as 5s,30m,2h; a \
                     number alone is seconds"
                )
            }),
            _ => None,
        }
        .unwrap_or_else(|| message.to_owned())
    }
}

/// The seconds at the beginning of a text, with the largest unit that fits.
fn span(text: &str) -> Option<String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).map_or(text, |end| &text[..end]);
    digits.parse().ok().map(duration::shown)
}

/// A text in which calls of the API, `POST /api/v1/endpoints/ep_1/enable`, are the commands that make them.
fn with_commands(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let path = word.trim_end_matches([';', ',', '.', ':', ')']);
        let method = words.last().map(|word| word.trim_start_matches('(').to_owned());
        let command = method.filter(|_| path.starts_with("/api/")).and_then(|method| command(&method, path));
        match (command, words.last_mut()) {
            (Some(command), Some(method)) => {
                let before = if method.starts_with('(') { "(" } else { "" };
                *method = format!("{before}`postrider {command}`{}", &word[path.len()..]);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words.join(" ")
}

/// The command that makes a call, without flags; none where there is no such command.
fn command(method: &str, path: &str) -> Option<String> {
    let grouped = GROUPS.iter().flat_map(|group| group.calls.iter().map(move |call| (group.name, call)));
    let mut all = grouped.chain(SINGLE.iter().map(|call| ("", call)));
    all.find_map(|(group, call)| {
        let arguments = call.described().filter(|operation| operation.method == method)?;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let arguments = values(arguments, path)?;
        let words = [group, call.name].into_iter().chain(arguments).filter(|word| !word.is_empty());
        let mut words: Vec<_> = words.map(str::to_owned).collect();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            words.push(format!("--{} {value}", flags::flag(call, name)));
        }
        Some(words.join(" "))
    })
}

/// What stands in a path for the parameters of a call; none if it is another's path.
fn values<'a>(operation: &Operation, path: &'a str) -> Option<Vec<&'a str>> {
    let (mut known, mut given) = (operation.path.split('/'), path.split('/'));
    let mut values = Vec::new();
    loop {
        match (known.next(), given.next()) {
            (None, None) => return Some(values),
            (Some(known), Some(given)) if known.starts_with('{') && !given.is_empty() => values.push(given),
            (Some(known), Some(given)) if known == given => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;
    use crate::domain::time::UnixMs;

    fn told(line: &str, field: &str, message: &str) -> String {
        let all = clap::Command::new("postrider").subcommands(super::super::commands(&|_| true));
        let words = ["postrider"].into_iter().chain(line.split(' '));
        let matches = all.try_get_matches_from(words).unwrap_or_else(|error| panic!("{error}"));
        let now = UnixMs(1_771_857_000_000);
        let wanted = super::super::read(&matches, &Environment::of(&[]), now).unwrap().unwrap();
        let (name, says) = wanted.field(field, message);
        format!("{name} {says}")
    }

    #[test]
    fn a_field_is_the_flag_that_was_typed() {
        let create = "endpoints create https://x/ --events a";
        for (line, field, expected) in [
            (create, "url", "URL is wrong"),
            (create, "events[1]", "--events, entry 2 is wrong"),
            (create, "headers.X-A", "--headers X-A is wrong"),
            (create, "retry_schedule", "--retry-schedule is wrong"),
            (create, "nonsense", "nonsense is wrong"),
            ("endpoints update ep_1 --endpoint-url x", "url", "--endpoint-url is wrong"),
            ("endpoints update ep_1 --from {\"url\":1} --uid b", "url", "url is wrong"),
            ("endpoints update ep_1 --from {\"url\":1} --uid b", "uid", "--uid is wrong"),
            ("event-types set a.b", "name", "NAME is wrong"),
            ("event-types set a.b --from {\"group\":1}", "name", "NAME is wrong"),
            ("event-types set a.b --from {\"name\":1}", "name", "name is wrong"),
            ("deliveries list --type x", "type", "--type is wrong"),
        ] {
            assert_eq!(told(line, field, "is wrong"), expected, "{line}");
        }
    }

    #[test]
    fn what_is_allowed_is_what_the_flag_takes() {
        let day = "must be a whole number of seconds from 86400 (a day) to 315360000";
        assert_eq!(
            told("cleanup --older-than 0d", "older_than_seconds", day),
            "--older-than must be a length of time from 1d to 3650d"
        );
        let moment = "must be an RFC 3339 time such as 2026-02-23T14:30:00.000Z";
        assert_eq!(
            told("events list --since x", "since", moment),
            "--since must be so long ago, such as 30m, 2h or 7d, or an RFC 3339 time such as 2026-02-23T14:30:00.000Z"
        );
        let line = "endpoints create https://x/ --events a --retry-schedule x";
        let waits = "--retry-schedule must be 0 to 20 waits of 1s to 7d with commas between them, such as 5s,30m,2h; a \
                     number alone is seconds";
        for refused in [
            "must be an array of whole numbers",
            "must be an array of 0 to 20 waits, each of 1 to 604800 whole seconds",
            "must be a list of whole seconds, such as [60, 300, 1800]",
        ] {
            assert_eq!(told(line, "retry_schedule", refused), waits);
        }
        assert_eq!(
            told(line, "rate_limit", "must be a whole number from 1 to 9, or null for no limit"),
            "--rate-limit must be a whole number from 1 to 9"
        );
    }

    #[test]
    fn a_call_is_the_command_that_makes_it() {
        for (text, expected) in [
            (
                "it is off; POST /api/v1/endpoints/ep_1/enable first",
                "it is off; `postrider endpoints enable ep_1` first",
            ),
            ("discard it (POST /api/v1/deliveries/release).", "discard it (`postrider deliveries release`)."),
            ("PUT /api/v1/nothing/there, or POST", "PUT /api/v1/nothing/there, or POST"),
            ("POST /api/v1/cleanups", "`postrider cleanup`"),
            (
                "it is there: GET /api/v1/deliveries?endpoint=ep_1&status=failed",
                "it is there: `postrider deliveries list --endpoint ep_1 --status failed`",
            ),
        ] {
            assert_eq!(with_commands(text), expected);
        }
    }
}
