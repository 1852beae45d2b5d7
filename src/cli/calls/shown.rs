//! Answers as people read them. What receivers and publishers have sent is made inert.

use crate::cli::table::{Column, fitted};
use crate::cli::terminal::View;
use crate::domain::inert;
use crate::domain::time::UnixMs;
use crate::web::openapi::json::Json;

/// A list as a table of these columns, or of all that the first row has. `a.b` is a field of the object in a field.
pub(super) fn rows(rows: &[Json], columns: &[&str], view: View) -> String {
    let own = rows.first().map(Json::members).unwrap_or_default().iter();
    let columns: Vec<String> = if columns.is_empty() {
        own.map(|(name, _)| name.clone().into_owned()).collect()
    } else {
        columns.iter().map(|name| (*name).to_owned()).collect()
    };
    let mut all = vec![columns.iter().map(|name| title(name)).collect::<Vec<_>>()];
    let cell = |row: &Json, name: &String| {
        let found = name.split('.').try_fold(row, |thing, part| thing.get(part));
        found.map_or_else(|| "-".to_owned(), |value| inert::line(&text(name, value, view)))
    };
    all.extend(rows.iter().map(|row| columns.iter().map(|name| cell(row, name)).collect()));
    let kinds: Vec<Column> = columns.iter().enumerate().map(|(at, name)| kind(at, name)).collect();
    fitted(&all, view.width, &kinds)
}

/// What the column of this name, the first at 0, loses at a narrow terminal.
fn kind(at: usize, name: &str) -> Column {
    match name.rsplit('.').next().unwrap_or(name) {
        "id" => Column::Whole,
        last if at == 0 || last.ends_with("_id") => Column::Whole,
        "url" | "message" => Column::Wide,
        _ => Column::Plain,
    }
}

/// `CREATED`: when something happened needs no more words.
fn title(name: &str) -> String {
    inert::line(name.strip_suffix("_at").unwrap_or(name)).to_uppercase().replace(['_', '.'], " ")
}

/// One thing, a field a line, and the lists in it below, in their columns.
pub(super) fn one(thing: &Json, lists: &[(&str, &[&str])], view: View) -> String {
    if thing.members().is_empty() {
        return inert::inert(&thing.text().map_or_else(|| thing.to_string(), str::to_owned));
    }
    let (mut fields, mut tables) = (Vec::new(), Vec::new());
    gather("", thing, &mut fields, &mut tables);
    let widest = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let mut lines: Vec<String> = Vec::new();
    for (name, value) in fields {
        let text = inert::inert(&text(&name, value, view));
        if text.contains('\n') {
            lines.push(name);
            lines.extend(text.lines().map(|line| format!("  {line}")));
        } else {
            lines.push(format!("{name:<widest$}  {text}").trim_end().to_owned());
        }
    }
    for (name, list) in tables {
        let columns = lists.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, columns)| columns);
        lines.push(String::new());
        lines.push(format!("{name}:"));
        lines.push(rows(list, columns, view));
    }
    lines.join("\n")
}

/// Fields with their names, those of objects inside behind a full stop; lists of objects apart.
fn gather<'a>(
    above: &str,
    thing: &'a Json,
    fields: &mut Vec<(String, &'a Json)>,
    tables: &mut Vec<(String, &'a [Json])>,
) {
    for (name, value) in thing.members() {
        let name =
            if above.is_empty() { inert::line(name) } else { format!("{above}.{}", inert::line(name)) };
        match value {
            Json::Object(members) if !members.is_empty() => gather(&name, value, fields, tables),
            Json::List(items) if items.iter().any(|item| matches!(item, Json::Object(_))) => {
                tables.push((name, items));
            }
            _ => fields.push((name, value)),
        }
    }
}

/// A value for people: `-` for none, lists with commas, moments by their distance on a terminal.
fn text(name: &str, value: &Json, view: View) -> String {
    match value {
        Json::Null => "-".to_owned(),
        Json::Text(text) => moment(name, text, view).unwrap_or_else(|| text.clone().into_owned()),
        Json::List(items) => {
            let texts = items.iter().map(|item| item.text().map_or_else(|| item.to_string(), str::to_owned));
            let joined = texts.collect::<Vec<_>>().join(",");
            if joined.is_empty() { "-".to_owned() } else { joined }
        }
        Json::Object(members) if members.is_empty() => "-".to_owned(),
        other => other.to_string(),
    }
}

/// How far away a moment is, on a terminal.
fn moment(name: &str, text: &str, view: View) -> Option<String> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let is_moment = last.ends_with("_at") || matches!(last, "since" | "until" | "timestamp");
    view.width.filter(|_| is_moment)?;
    UnixMs::parse(text).ok().map(|at| relative(at, view.now))
}

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `5m ago`, `in 2h`, `now`; from 30 days on the date.
pub(super) fn relative(at: UnixMs, now: UnixMs) -> String {
    let away = at.0.saturating_sub(now.0);
    let size = away.saturating_abs();
    let length = match size {
        ..SECOND => return "now".to_owned(),
        SECOND..MINUTE => format!("{}s", size / SECOND),
        MINUTE..HOUR => format!("{}m", size / MINUTE),
        HOUR..DAY => format!("{}h", size / HOUR),
        _ if size < 30 * DAY => format!("{}d", size / DAY),
        _ => return at.to_string().split('T').next().unwrap_or_default().to_owned(),
    };
    if away < 0 { format!("{length} ago") } else { format!("in {length}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::openapi::json::example;

    const NOW: UnixMs = UnixMs(1_771_857_000_000);

    #[test]
    fn a_list_is_a_table_whose_moments_are_absolute_in_a_pipe() {
        let list = example(
            r#"[{"id":"key_1","scopes":["a","b"],"created_at":"2026-02-23T14:29:00.000Z"},{"id":"key_2"}]"#,
        );
        let columns = &["id", "scopes", "created_at"];
        assert_eq!(
            rows(list.items(), columns, View::plain(NOW)),
            "ID     SCOPES  CREATED\nkey_1  a,b     2026-02-23T14:29:00.000Z\nkey_2  -       -"
        );
        let inside = example(r#"[{"a":{"id":"x"}},{"a":null}]"#);
        assert_eq!(rows(inside.items(), &["a.id"], View::plain(NOW)), "A ID\nx\n-");
        let terminal = View { width: Some(80), colour: true, now: NOW };
        assert_eq!(rows(list.items(), columns, terminal).lines().nth(1), Some("key_1  a,b     1m ago"));
    }

    #[test]
    fn one_thing_is_shown_field_by_field_with_its_lists_below() {
        let thing = example(
            r#"{"id":"dlv_1","error":null,"day":{"failed":2},"body":"a\nb","attempt_list":[{"number":1,"error":"x"}]}"#,
        );
        assert_eq!(
            one(&thing, &[("attempt_list", &["number", "error"])], View::plain(NOW)),
            "id          dlv_1\nerror       -\nday.failed  2\nbody\n  a\n  b\n\nattempt_list:\nNUMBER  ERROR\n1       x"
        );
    }

    #[test]
    fn what_others_sent_steers_no_terminal() {
        let list = example(r#"[{"id":"a\u001b[2Jb\n","x\u001b":"\u009b1m"}]"#);
        for shown in [rows(list.items(), &[], View::plain(NOW)), one(&list.items()[0], &[], View::plain(NOW))]
        {
            assert!(shown.chars().all(|c| !c.is_control() || c == '\n'), "{shown:?}");
        }
        assert_eq!(rows(list.items(), &["id"], View::plain(NOW)), "ID\na␛[2Jb");
    }

    #[test]
    fn a_moment_is_told_by_its_distance() {
        let away = |ms| relative(UnixMs(NOW.0 + ms), NOW);
        assert_eq!(
            (away(0), away(-45_000), away(5 * HOUR)),
            ("now".into(), "45s ago".into(), "in 5h".into())
        );
        assert_eq!((away(-29 * DAY), away(-31 * DAY)), ("29d ago".into(), "2026-01-23".into()));
    }
}
