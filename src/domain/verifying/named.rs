//! The event that a request is about, read by the rules of its format.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::rewrite::Shape;
use super::{Received, header};
use crate::domain::format::Format;
use crate::domain::format::definition::{EnvelopeRules, What};

/// What a request says of its event, where it says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// The event's id.
    pub id: Option<String>,
    /// The event's type.
    pub event_type: Option<String>,
    /// The event's data, as the text of its JSON.
    pub data: Option<String>,
}

/// The event of a request, whether that is signed or not.
pub fn named(format: &Format, request: Received<'_>) -> Named {
    let names = &format.definition().headers;
    let body = std::str::from_utf8(request.body).unwrap_or_default();
    let text = |name: &Option<String>, what: fn(&What) -> bool| {
        let from_header =
            name.as_ref().and_then(|name| header(request.headers, name).ok().map(str::to_owned));
        from_header.or_else(|| path(format, what).and_then(|path| at(body, path)).and_then(text_of))
    };
    let data = match &format.definition().envelope {
        EnvelopeRules::Data => serde_json::from_str::<&RawValue>(body).ok().map(RawValue::get),
        EnvelopeRules::Keys(_) => path(format, |what| *what == What::Data).and_then(|path| at(body, path)),
    };
    Named {
        id: text(&names.id, |what| *what == What::Id),
        event_type: text(&names.event, |what| *what == What::Type),
        data: data.map(str::to_owned),
    }
}

/// How the bodies of a format are built.
pub(super) fn shape(format: &Format) -> Shape {
    let EnvelopeRules::Keys(keys) = &format.definition().envelope else { return Shape::default() };
    let fixed = format.definition().fixed.envelope.iter().map(|(path, _)| path.as_str());
    let paths = keys.iter().map(|key| key.path.as_str()).chain(fixed);
    let keys = paths.filter_map(|path| path.split('.').next()).map(str::to_owned).collect();
    let data = path(format, |what| *what == What::Data).unwrap_or_default();
    Shape { keys, data: data.split('.').map(str::to_owned).collect() }
}

fn path(format: &Format, what: impl Fn(&What) -> bool) -> Option<&str> {
    let EnvelopeRules::Keys(keys) = &format.definition().envelope else { return None };
    keys.iter().find(|key| what(&key.what)).map(|key| key.path.as_str())
}

/// The text of the value at this path; of duplicate keys the last counts.
fn at<'a>(body: &'a str, path: &str) -> Option<&'a str> {
    path.split('.').try_fold(body, |object, key| {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(object).ok()?;
        members.get(key).map(|value| value.get())
    })
}

fn text_of(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}
