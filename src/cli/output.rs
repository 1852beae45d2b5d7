//! How answers look in a terminal. They are the API's JSON, from the socket or from this process's own service.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

use serde_json::Value;

use crate::domain::inert;
use crate::domain::verifying::{Verdict, span};

use super::table::table;

/// What a command prints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// For standard output: the result, fit for a script (`KEY=$(postrider keys create …)`).
    pub result: String,
    /// For standard error: what a person should know beside it.
    pub remark: String,
    /// Whether what was asked about is not as it should be: the program exits with 1.
    pub failed: bool,
}

impl Output {
    /// A result, without a word beside it.
    pub fn of(result: String) -> Self {
        Self { result, ..Self::default() }
    }

    /// Words alone.
    pub fn remark(remark: String) -> Self {
        Self { remark, ..Self::default() }
    }

    /// Prints both. Who has read as much as they want may close the pipe, as `head` does.
    ///
    /// # Errors
    /// Standard output cannot be written to: the result, a key perhaps, has not been seen.
    pub fn print(&self) -> io::Result<()> {
        if !self.remark.is_empty() {
            eprintln!("{}", self.remark);
        }
        if self.result.is_empty() {
            return Ok(());
        }
        // Not by the buffer of the standard library, which does not tell what has gone out.
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        write_wanted(out, format!("{}\n", self.result).as_bytes())
    }
}

/// Writes `text` as far as it is read.
fn write_wanted(mut out: impl Write, text: &[u8]) -> io::Result<()> {
    let mut rest = text;
    while !rest.is_empty() {
        match out.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && rest.len() < text.len() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A key that was made: its text alone is the result.
pub fn key_created(key: &Value) -> Output {
    let tenant = key.get("tenant").and_then(Value::as_str);
    let remark = format!(
        "Made the key {} {:?} with {}{}. This is the only time that it is shown:",
        shown(key, "id"),
        shown(key, "name"),
        shown(key, "scopes"),
        tenant.map(|tenant| format!(", bound to the tenant {tenant:?}")).unwrap_or_default(),
    );
    Output { remark, ..Output::of(shown(key, "key")) }
}

/// What a cleanup did, or with `dry_run` would do: each figure on a line, under the API's names.
pub fn cleanup_done(report: &Value, dry_run: bool) -> Output {
    let fields = report.as_object().into_iter().flatten();
    let rows: Vec<_> = fields
        .filter(|(_, value)| !value.is_null() && !value.is_object())
        .map(|(name, _)| vec![name.clone(), shown(report, name)])
        .collect();
    let remark = if dry_run { "Nothing was deleted; this is what would be:" } else { "Cleaned up:" };
    Output { remark: remark.to_owned(), ..Output::of(table(&rows)) }
}

/// An event that was accepted: the answer is the result. `replayed`: it was accepted before, and not again.
pub fn event_accepted(event: &Value, replayed: bool) -> Output {
    let warnings = event.get("warnings").and_then(Value::as_array).into_iter().flatten();
    let deliveries = match shown(event, "deliveries").as_str() {
        "1" => "one delivery".to_owned(),
        "0" => "no delivery".to_owned(),
        many => format!("{many} deliveries"),
    };
    let mut remark = vec![if replayed {
        format!("Accepted before, with {deliveries}; nothing was published again.")
    } else {
        format!("Accepted, with {deliveries}.")
    }];
    remark
        .extend(warnings.filter_map(Value::as_str).map(|warning| format!("Note: {}.", inert::line(warning))));
    // What came as JSON goes out as JSON.
    Output { remark: remark.join("\n"), ..Output::of(format!("{event:#}")) }
}

/// Whether a signature holds, and if not everything that is wrong. `secrets`: how many there were.
pub fn verdict(verdict: &Verdict, secrets: usize) -> Output {
    let mut lines = Vec::new();
    let whose = match verdict.signed_by {
        Some(at) if secrets > 1 => format!("secret number {}", at + 1),
        _ => "this secret".to_owned(),
    };
    let age = verdict.age_seconds.map(|age| {
        let when = if age < 0 { "ahead of this clock" } else { "ago" };
        format!(", {} {when}", span(age))
    });
    if verdict.holds() {
        lines.push(format!("The signature holds: made with {whose}{}.", age.unwrap_or_default()));
    } else {
        lines.push("The signature does not hold:".to_owned());
        lines.extend(verdict.reasons.iter().map(|reason| format!("- {}", inert::line(&reason.to_string()))));
        if verdict.signed_by.is_some() {
            lines.push(format!("It was made with {whose} over this body."));
        }
    }
    Output { failed: !verdict.holds(), ..Output::of(lines.join("\n")) }
}

/// In whose words a refusal is told.
pub trait Words {
    /// What stands for a field, and what is said of it.
    fn field(&self, field: &str, message: &str) -> (String, String);
    /// A sentence.
    fn sentence(&self, text: &str) -> String;
}

/// The API's own words.
struct AsItIs;

impl Words for AsItIs {
    fn field(&self, field: &str, message: &str) -> (String, String) {
        (field.to_owned(), message.to_owned())
    }

    fn sentence(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// One sentence, or one a line, from a problem document (RFC 9457) with our `errors`.
pub fn problem(status: u16, body: &Value) -> String {
    problem_in(&AsItIs, status, body)
}

/// The same in other words.
pub fn problem_in(words: &impl Words, status: u16, body: &Value) -> String {
    let detail = ["detail", "title"].iter().find_map(|name| body.get(name).and_then(Value::as_str));
    let errors = body.get("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let text = |error: &Value, name: &str| {
        error.get(name).and_then(Value::as_str).map(inert::line).unwrap_or_default()
    };
    let mut lines = match (detail, errors) {
        (Some(detail), [only]) if detail == format!("{} {}", text(only, "field"), text(only, "message")) => {
            Vec::new()
        }
        // What is wrong stands below, each on its line.
        (Some(detail), [_, _, ..]) if detail.contains("`errors`") => {
            vec![format!("{} things are wrong:", errors.len())]
        }
        (Some(detail), _) => vec![words.sentence(&inert::line(detail))],
        (None, _) => vec![format!("the server answered with the status {status}")],
    };
    let alone = lines.is_empty();
    for error in errors {
        let (name, says) = words.field(&text(error, "field"), &text(error, "message"));
        let says = words.sentence(&says);
        lines.push(if alone { format!("{name} {says}") } else { format!("  {name}: {says}") });
    }
    if status >= 500
        && let Some(id) = body.get("request_id").and_then(Value::as_str)
    {
        lines.push(format!("  request id, as the server's log has it: {}", inert::line(id)));
    }
    lines.join("\n")
}

/// A field as text: lists with commas, what is missing or null as `-`.
fn shown(of: &Value, field: &str) -> String {
    match of.get(field) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => inert::line(text),
        Some(Value::Array(entries)) => {
            let texts = entries.iter().map(|e| e.as_str().map_or_else(|| e.to_string(), inert::line));
            texts.collect::<Vec<_>>().join(",")
        }
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_key_alone_is_the_result_so_that_a_script_can_take_it() {
        let key =
            json!({"id": "key_1", "name": "ci", "scopes": ["a", "b"], "tenant": null, "key": "pr_secret"});
        let output = key_created(&key);
        assert_eq!(output.result, "pr_secret");
        assert!(output.remark.contains("key_1 \"ci\" with a,b. This is the only time"), "{}", output.remark);
        let bound = key_created(&json!({"id": "key_1", "tenant": "acme", "key": "pr_secret"}));
        assert!(bound.remark.contains("bound to the tenant \"acme\""), "{}", bound.remark);
    }

    #[test]
    fn a_cleanup_is_told_in_figures_and_a_dry_run_says_so() {
        let report = json!({"deliveries": 12, "freed_bytes": 4096, "error": null});
        let done = cleanup_done(&report, false);
        assert_eq!(
            (done.result.as_str(), done.remark.as_str()),
            ("deliveries   12\nfreed_bytes  4096", "Cleaned up:")
        );
        assert!(cleanup_done(&report, true).remark.starts_with("Nothing was deleted"));
    }

    #[test]
    fn a_problem_says_what_to_do_and_which_field() {
        let body = json!({"title": "Invalid", "detail": "Name other scopes.", "request_id": "r1",
            "errors": [{"field": "scopes", "message": "\"x\" is not a scope"}]});
        assert_eq!(problem(422, &body), "Name other scopes.\n  scopes: \"x\" is not a scope");
        assert!(problem(500, &body).ends_with("log has it: r1"));
        assert_eq!(problem(502, &Value::Null), "the server answered with the status 502");
        let one = json!({"detail": "name must not be empty", "errors": [{"field": "name", "message": "must not be empty"}]});
        assert_eq!(problem(422, &one), "name must not be empty", "said once");
        let two = json!({"detail": "2 fields are wrong; `errors` says what each of them may be",
            "errors": [{"field": "a", "message": "is wrong"}, {"field": "b", "message": "is missing"}]});
        assert_eq!(problem(422, &two), "2 things are wrong:\n  a: is wrong\n  b: is missing");
    }

    #[test]
    fn who_has_read_enough_may_go_and_who_has_read_nothing_is_missed() {
        let text = vec![b'x'; 1 << 20];
        let (mut reader, writer) = io::pipe().unwrap();
        let reading = std::thread::spawn(move || io::Read::read_exact(&mut reader, &mut [0; 10]));
        write_wanted(writer, &text).unwrap();
        reading.join().unwrap().unwrap();
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        assert_eq!(write_wanted(writer, &text).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn one_is_told_as_one() {
        let said = |deliveries| event_accepted(&json!({ "deliveries": deliveries }), false).remark;
        assert_eq!(
            [said(0), said(1), said(2)],
            ["Accepted, with no delivery.", "Accepted, with one delivery.", "Accepted, with 2 deliveries."]
        );
    }
}
