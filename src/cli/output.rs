//! How answers look in a terminal. They are the API's JSON, from the socket or from this process's own service.

use serde_json::Value;

use crate::domain::inert;
use crate::domain::verifying::{Verdict, span};

/// What is shown of a key, by the API's names.
const KEY_COLUMNS: [&str; 6] = ["id", "name", "scopes", "tenant", "created_at", "last_used_at"];

/// What a command prints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// For standard output: the result, fit for a script (`KEY=$(postrider keys create …)`).
    pub result: String,
    /// For standard error: what a person should know beside it.
    pub remark: String,
}

impl Output {
    /// Prints both.
    ///
    /// # Errors
    /// Standard output cannot be written to: the result, a key perhaps, has not been seen.
    pub fn print(&self) -> std::io::Result<()> {
        use std::io::Write;
        if !self.remark.is_empty() {
            eprintln!("{}", self.remark);
        }
        if self.result.is_empty() {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", self.result)?;
        out.flush()
    }
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
    Output { result: shown(key, "key"), remark }
}

/// A key that was revoked.
pub fn key_revoked(id: impl std::fmt::Display) -> Output {
    Output {
        result: String::new(),
        remark: format!("Revoked {id}. Requests with it are refused from now on."),
    }
}

/// All keys, as a table.
pub fn key_table(keys: &[Value]) -> Output {
    if keys.is_empty() {
        let remark =
            "There are no keys. `postrider keys create --name NAME --scopes admin` makes one.".to_owned();
        return Output { result: String::new(), remark };
    }
    let mut rows = vec![KEY_COLUMNS.map(|name| name.to_uppercase().replace('_', " ")).to_vec()];
    rows.extend(keys.iter().map(|key| KEY_COLUMNS.map(|name| shown(key, name)).to_vec()));
    Output { result: table(&rows), remark: String::new() }
}

/// What a cleanup did, or with `dry_run` would do: each figure on a line, under the API's names.
pub fn cleanup_done(report: &Value, dry_run: bool) -> Output {
    let fields = report.as_object().into_iter().flatten();
    let rows: Vec<_> = fields
        .filter(|(_, value)| !value.is_null() && !value.is_object())
        .map(|(name, _)| vec![name.replace('_', " "), shown(report, name)])
        .collect();
    let remark = if dry_run { "Nothing was deleted; this is what would be:" } else { "Cleaned up:" };
    Output { result: table(&rows), remark: remark.to_owned() }
}

/// An event that was accepted: the answer is the result. `replayed`: it was accepted before, and not again.
pub fn event_accepted(event: &Value, replayed: bool) -> Output {
    let warnings = event.get("warnings").and_then(Value::as_array).into_iter().flatten();
    let deliveries = shown(event, "deliveries");
    let mut remark = vec![if replayed {
        format!("Accepted before, with {deliveries} deliveries; nothing was published again.")
    } else {
        format!("Accepted, with {deliveries} deliveries.")
    }];
    remark
        .extend(warnings.filter_map(Value::as_str).map(|warning| format!("Note: {}.", inert::line(warning))));
    // What came as JSON goes out as JSON.
    Output { result: format!("{event:#}"), remark: remark.join("\n") }
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
    Output { result: lines.join("\n"), remark: String::new() }
}

/// One sentence, or one a line, from a problem document (RFC 9457) with our `errors`.
pub fn problem(status: u16, body: &Value) -> String {
    let detail = ["detail", "title"].iter().find_map(|name| body.get(name).and_then(Value::as_str));
    let mut lines = vec![match detail {
        Some(detail) => inert::line(detail),
        None => format!("the server answered with the status {status}"),
    }];
    for error in body.get("errors").and_then(Value::as_array).into_iter().flatten() {
        lines.push(format!("  {}: {}", shown(error, "field"), shown(error, "message")));
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

/// Columns as wide as their widest cell, two blanks between them.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width =
        |column| rows.iter().filter_map(|row| row.get(column)).map(|c: &String| c.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
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
    fn keys_are_a_table_with_aligned_columns() {
        let keys = [
            json!({"id": "key_1", "name": "zähler", "scopes": ["admin"], "created_at": "2026-02-23T14:30:00.000Z"}),
            json!({"id": "key_2", "name": "b", "scopes": ["events:write", "events:read"], "tenant": "acme"}),
        ];
        let expected = "\
ID     NAME    SCOPES                    TENANT  CREATED AT                LAST USED AT
key_1  zähler  admin                     -       2026-02-23T14:30:00.000Z  -
key_2  b       events:write,events:read  acme    -                         -";
        assert_eq!(key_table(&keys).result, expected);
        assert!(key_table(&[]).remark.contains("postrider keys create"));
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        let table = key_table(&[json!({"id": "key_1", "name": "a\u{1b}[2Jb\n"})]).result;
        assert!(table.contains("a\u{241b}[2Jb "), "{table}");
    }

    #[test]
    fn a_cleanup_is_told_in_figures_and_a_dry_run_says_so() {
        let report = json!({"deliveries": 12, "freed_bytes": 4096, "error": null});
        let done = cleanup_done(&report, false);
        assert_eq!(
            (done.result.as_str(), done.remark.as_str()),
            ("deliveries   12\nfreed bytes  4096", "Cleaned up:")
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
    }
}
