//! The body of a call: what is read of it is what stands there, byte for byte, and what is wrong is refused.

use postrider::domain::invalid::Invalid;
use postrider::domain::json::{MAX_DEPTH, depth_within};
use postrider::service::Patch;
use postrider::web::fields::Fields;
use serde_json::{Map, Value};

use super::model::{self, Json, Kind, Read};

type Member<'a> = (Option<String>, Json<'a>);

pub fn target(bytes: &[u8]) {
    let read = std::str::from_utf8(bytes).ok().map(model::read);
    if let Some(read) = &read {
        depth(bytes, read);
        agrees_with_serde(bytes, read);
    }
    let json = read.and_then(|read| read.json.filter(|_| read.deepest <= MAX_DEPTH));
    let named =
        json.as_ref().and_then(Json::members).filter(|all| all.iter().all(|(name, _)| name.is_some()));
    let Some(members) = named else {
        assert!(Fields::parse(bytes).is_err(), "taken, and is no object of JSON");
        return;
    };
    slices(bytes, members);
    values(bytes, members);
    everything(bytes, members);
}

/// A parser never gets deeper than was counted before, in any text; in JSON the count is exact.
fn depth(bytes: &[u8], read: &Read<'_>) {
    for limit in [0, 1, 2, MAX_DEPTH - 1, MAX_DEPTH] {
        let within = depth_within(bytes, limit).is_ok();
        assert!(!within || read.deepest <= limit, "{limit}: it is {} deep", read.deepest);
        assert!(read.json.is_none() || within == (read.deepest <= limit), "{limit}: {}", read.deepest);
    }
}

/// The model itself reads what `serde_json` reads.
fn agrees_with_serde(bytes: &[u8], read: &Read<'_>) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    let Some(json) = &read.json else {
        assert!(read.deepest > MAX_DEPTH, "serde_json reads {value}, and the model does not");
        return;
    };
    same(json, &value);
}

fn same(json: &Json<'_>, value: &Value) {
    match (&json.kind, value) {
        (Kind::Null, Value::Null) => {}
        (Kind::Bool(a), Value::Bool(b)) => assert_eq!(a, b),
        (Kind::Number, Value::Number(b)) => {
            let (a, b): (f64, f64) = (json.text.parse().expect("a number"), b.as_f64().expect("a number"));
            // It reads long ones to a few units of the last place.
            assert!((a - b).abs() <= a.abs() * 1e-14, "{}", json.text);
        }
        (Kind::Text(Some(a)), Value::String(b)) => assert_eq!(a, b),
        (Kind::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).for_each(|(a, b)| same(a, b));
        }
        (Kind::Object(_), Value::Object(b)) => {
            b.iter().for_each(|(key, value)| same(json.last(key).expect("the key"), value));
        }
        _ => panic!("the model reads {json:?}, and serde_json {value}"),
    }
}

fn fields(bytes: &[u8]) -> Fields<'_> {
    Fields::parse(bytes).expect("it is an object of JSON")
}

/// `raw` is the very bytes of the body, and a name that is there twice, or that nobody asked for, is an error.
fn slices(bytes: &[u8], members: &[Member<'_>]) {
    let names = ["type", "data", "tenant", "id", "timestamp"];
    let mut fields = fields(bytes);
    for name in names {
        let expected = members.iter().find(|(member, _)| member.as_deref() == Some(name));
        let found = fields.raw(name).map(serde_json::value::RawValue::get);
        assert_eq!(found, expected.map(|(_, json)| json.text), "{name}");
        let at = |text: &str| text.as_ptr() as usize - bytes.as_ptr() as usize;
        assert_eq!(found.map(at), expected.map(|(_, json)| at(json.text)), "{name}");
        assert_eq!(fields.has(name), expected.is_some());
    }
    let count = |name: &str| members.iter().filter(|(member, _)| member.as_deref() == Some(name)).count();
    let once = names.iter().all(|name| count(name) <= 1);
    let known = members.iter().all(|(name, _)| name.as_deref().is_some_and(|name| names.contains(&name)));
    assert_eq!(fields.finish().is_ok(), once && known);
}

/// Typed values are those of the text, without coercion.
fn values(bytes: &[u8], members: &[Member<'_>]) {
    let mut fields = fields(bytes);
    let first =
        |name: &str| members.iter().find(|(member, _)| member.as_deref() == Some(name)).map(|(_, j)| j);
    let expected = patch(first("text"), |json| json.as_text().map(str::to_owned));
    assert_eq!(fields.patch::<String>("text", ""), expected);
    let expected = patch(first("flag"), |json| match json.kind {
        Kind::Bool(flag) => Some(flag),
        _ => None,
    });
    assert_eq!(fields.patch::<bool>("flag", ""), expected);
    let expected = patch(first("whole"), |json| json.text.parse().ok().filter(|_| json.text != "-0"));
    assert_eq!(fields.patch::<i64>("whole", ""), expected);
    let expected = patch(first("texts"), |json| match &json.kind {
        Kind::Array(items) => items.iter().map(|item| item.as_text().map(str::to_owned)).collect(),
        _ => None,
    });
    assert_eq!(fields.patch::<Vec<String>>("texts", ""), expected);
}

fn patch<T>(json: Option<&Json<'_>>, read: impl FnOnce(&Json<'_>) -> Option<T>) -> Patch<T> {
    match json {
        None => Patch::Keep,
        Some(Json { kind: Kind::Null, .. }) => Patch::Reset,
        Some(json) => read(json).map_or(Patch::Keep, Patch::Set),
    }
}

/// `all` is what `serde_json` makes of each, and refuses what is there twice.
fn everything(bytes: &[u8], members: &[Member<'_>]) {
    let mut expected = Some(Map::new());
    for (name, json) in members {
        let fresh = serde_json::from_str::<Value>(json.text).ok();
        let kept = expected.take().zip(fresh).and_then(|(mut all, value)| {
            let old = all.insert(name.clone().expect("all have names"), value);
            old.is_none().then_some(all)
        });
        expected = kept;
    }
    assert_eq!(fields(bytes).all(|_| Invalid::new()).ok(), expected);
}
