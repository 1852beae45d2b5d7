//! What a flag takes, from the schema of its field, and the JSON that becomes of what is typed.

use serde_json::value::RawValue;

use crate::cli::{duration, input};
use crate::domain::time::UnixMs;
use crate::web::openapi::RESOURCES;
use crate::web::openapi::json::Json;

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text.
    Text,
    /// A text that should not stand where every user of the machine sees it: also as `@FILE` or `-`.
    Secret,
    /// A number.
    Number,
    /// A length of time, such as `90s`; the field counts seconds.
    Seconds,
    /// Lengths of time, such as `90s`, or plain seconds, with commas; the field counts seconds.
    Waits,
    /// A moment: RFC 3339, or so long ago.
    Moment,
    /// On or off.
    Flag,
    /// Texts, with commas.
    Texts,
    /// Numbers or other values, with commas.
    Values,
    /// `NAME=TEXT`, several times.
    NamedTexts,
    /// `NAME=JSON`, several times.
    NamedValues,
    /// Any JSON: as it is, `@FILE` or `-`.
    Json,
}

/// A field of a body, or a parameter, with what is said of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) schema: &'a Json,
    pub(super) required: bool,
}

/// The fields of an object's schema.
pub(super) fn fields(schema: &Json) -> Vec<Field<'_>> {
    let schema = resolved(schema);
    let needed = schema.get("required").map(Json::items).unwrap_or_default();
    let required = |name: &str| needed.iter().any(|needed| needed.text() == Some(name));
    let properties = schema.get("properties").map(Json::members).unwrap_or_default();
    let field = |(name, schema)| -> Field<'_> {
        let name: &std::borrow::Cow<'static, str> = name;
        Field { name, schema, required: required(name) }
    };
    properties.iter().map(|(name, schema)| field((name, schema))).collect()
}

/// The schema itself, where this one names another or allows null beside it.
pub(super) fn resolved(schema: &Json) -> &Json {
    if let Some(name) = schema.get("$ref").and_then(Json::text) {
        let name = name.rsplit('/').next().unwrap_or_default();
        let mut all = RESOURCES.iter().flat_map(|resource| &resource.schemas);
        return all.find(|(known, _)| *known == name).map_or(schema, |(_, schema)| resolved(&schema.0));
    }
    let choices = schema.get("anyOf").map(Json::items).unwrap_or_default();
    match choices {
        [one, null] if null.get("type").and_then(Json::text) == Some("null") => resolved(one),
        _ => schema,
    }
}

/// The one type that is no null.
fn type_of(schema: &Json) -> Option<&str> {
    match schema.get("type")? {
        Json::List(types) => types.iter().filter_map(Json::text).find(|name| *name != "null"),
        one => one.text(),
    }
}

impl Kind {
    /// What the flag of this field takes.
    pub(super) fn of(name: &str, schema: &Json) -> Self {
        let schema = resolved(schema);
        let inner = |keyword: &str| schema.get(keyword).map(resolved).and_then(type_of);
        match type_of(schema) {
            Some("string") if schema.get("format").and_then(Json::text) == Some("date-time") => Self::Moment,
            Some("string") if name == "secret" => Self::Secret,
            Some("string") => Self::Text,
            Some("integer" | "number") if name.ends_with("_seconds") => Self::Seconds,
            Some("integer" | "number") => Self::Number,
            Some("boolean") => Self::Flag,
            Some("array") if inner("items") == Some("string") => Self::Texts,
            Some("array") if name == "retry_schedule" => Self::Waits,
            Some("array") => Self::Values,
            Some("object") if inner("additionalProperties") == Some("string") => Self::NamedTexts,
            Some("object") if schema.get("properties").is_none() => Self::NamedValues,
            _ => Self::Json,
        }
    }

    /// What stands for its value in the help.
    pub(super) fn stands_for(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Secret => "TEXT|@FILE|-",
            Self::Number => "N",
            Self::Seconds => "DURATION",
            Self::Waits => "DURATION,…",
            Self::Moment => "TIME|AGO",
            Self::Flag => "true|false",
            Self::Texts | Self::Values => "A,B,…",
            Self::NamedTexts => "NAME=TEXT",
            Self::NamedValues => "NAME=VALUE",
            Self::Json => "JSON|@FILE|-",
        }
    }

    /// Whether the flag may stand several times.
    pub(super) fn is_many(self) -> bool {
        self.has_commas() || matches!(self, Self::NamedTexts | Self::NamedValues)
    }

    /// Whether commas stand between several values.
    pub(super) fn has_commas(self) -> bool {
        matches!(self, Self::Texts | Self::Values | Self::Waits)
    }

    /// The JSON of what was typed behind `flag`.
    ///
    /// # Errors
    /// A sentence that names the flag: nothing that the API could judge.
    pub(super) fn json(self, flag: &str, typed: &[String], now: UnixMs) -> Result<String, String> {
        let one = typed.first().map(String::as_str).unwrap_or_default();
        Ok(match self {
            Self::Secret => text(&from_input(flag, one)?),
            Self::Text | Self::Moment | Self::Flag | Self::Number | Self::Seconds => {
                self.plain(flag, one, now)?
            }
            Self::Texts => list(typed, text),
            Self::Values => list(typed, value),
            Self::Waits => list(typed, wait),
            Self::NamedTexts => named(flag, typed, text)?,
            Self::NamedValues => named(flag, typed, value)?,
            Self::Json => {
                let given = from_input(flag, one)?;
                let json: Result<&RawValue, _> = serde_json::from_str(&given);
                let wrong = |error| {
                    format!(
                        "{flag} must be JSON, @FILE or -, and is no JSON: {error}; a text needs its quotation marks"
                    )
                };
                json.map_err(wrong)?.get().to_owned()
            }
        })
    }

    fn plain(self, flag: &str, one: &str, now: UnixMs) -> Result<String, String> {
        Ok(match self {
            Self::Flag | Self::Number => value(one),
            Self::Seconds => {
                duration::parse(one).map_err(|says| format!("{flag} {says}"))?.as_secs().to_string()
            }
            Self::Moment => text(&moment(one, now)),
            _ => text(one),
        })
    }
}

/// A moment as the API reads it: `2h` is two hours ago.
pub(super) fn moment(typed: &str, now: UnixMs) -> String {
    duration::parse(typed).map_or_else(|_| typed.to_owned(), |ago| now.minus(ago).to_string())
}

fn from_input(flag: &str, typed: &str) -> Result<String, String> {
    match typed.strip_prefix('@') {
        Some(file) => Ok(input::read_text(flag, file)?.trim_end_matches(['\r', '\n']).to_owned()),
        None if typed == "-" => Ok(input::read_text(flag, "-")?.trim_end_matches(['\r', '\n']).to_owned()),
        None => Ok(typed.to_owned()),
    }
}

/// A text as JSON.
pub(super) fn text(of: &str) -> String {
    serde_json::Value::from(of).to_string()
}

/// What is JSON as it is, and else the text.
fn value(typed: &str) -> String {
    let json: Result<&RawValue, _> = serde_json::from_str(typed);
    json.map_or_else(|_| text(typed), |json| json.get().to_owned())
}

/// A length of time in seconds; anything else as [`value`].
fn wait(typed: &str) -> String {
    duration::parse(typed).map_or_else(|_| value(typed), |wait| wait.as_secs().to_string())
}

fn list(typed: &[String], item: impl Fn(&str) -> String) -> String {
    // `--events ''`: an empty list.
    let items = typed.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
    format!("[{}]", items.map(item).collect::<Vec<_>>().join(","))
}

fn named(flag: &str, typed: &[String], item: impl Fn(&str) -> String) -> Result<String, String> {
    let mut members = Vec::new();
    for pair in typed.iter().filter(|pair| !pair.is_empty()) {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| format!("{flag} must be NAME=VALUE, and is {pair:?}"))?;
        members.push(format!("{}:{}", text(name), item(value)));
    }
    Ok(format!("{{{}}}", members.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(kind: Kind, typed: &[&str]) -> Result<String, String> {
        let typed: Vec<String> = typed.iter().map(|text| (*text).to_owned()).collect();
        kind.json("--flag", &typed, UnixMs(1_771_857_000_000))
    }

    #[test]
    fn what_is_typed_becomes_json() {
        for (kind, typed, expected) in [
            (Kind::Text, &["a \"b\""][..], r#""a \"b\"""#),
            (Kind::Number, &["7"], "7"),
            (Kind::Number, &["many"], "\"many\""),
            (Kind::Flag, &["false"], "false"),
            (Kind::Seconds, &["2m"], "120"),
            (Kind::Moment, &["2026-01-01T00:00:00Z"], "\"2026-01-01T00:00:00Z\""),
            (Kind::Moment, &["1d"], "\"2026-02-22T14:30:00.000Z\""),
            (Kind::Texts, &["a", " b"], r#"["a","b"]"#),
            (Kind::Texts, &[""], "[]"),
            (Kind::Values, &["60", "300"], "[60,300]"),
            (Kind::Waits, &["5s", " 5m", "1800", "2h", "1d"], "[5,300,1800,7200,86400]"),
            (Kind::Waits, &["5 min", "-1"], "[\"5 min\",-1]"),
            (Kind::NamedTexts, &["X-A=1", "X-B=b=c"], r#"{"X-A":"1","X-B":"b=c"}"#),
            (
                Kind::NamedValues,
                &["a.b=7", "status=published", "n=\"7\""],
                r#"{"a.b":7,"status":"published","n":"7"}"#,
            ),
            (Kind::Json, &["{ \"n\": 12345678901234567890.10 }"], "{ \"n\": 12345678901234567890.10 }"),
        ] {
            assert_eq!(json(kind, typed).as_deref(), Ok(expected), "{kind:?} {typed:?}");
        }
    }

    #[test]
    fn what_the_api_could_not_judge_is_refused_by_the_flag() {
        assert!(json(Kind::Json, &["hello"]).unwrap_err().starts_with("--flag must be JSON, @FILE or -"));
        assert!(json(Kind::Seconds, &["30"]).unwrap_err().contains("30d, 36h or 5400m"));
        assert!(json(Kind::NamedTexts, &["X-A"]).unwrap_err().contains("must be NAME=VALUE"));
        assert!(json(Kind::Secret, &["@/nowhere/secret"]).unwrap_err().contains("/nowhere/secret"));
    }
}
