//! Filters of a subscription: `path: value` or `path: [values]` on an event's data, all of which must hold.
//!
//! They are compiled to a tree of keys once, and an event's data is then walked once for all of them, as
//! text, without parsing it into values: this runs for every event and every filtered endpoint.

use serde_json::value::RawValue;

use super::invalid::Invalid;
use super::json::{Cursor, string_is};
use super::members::Members;
use super::number::Decimal;

/// Most filters of one endpoint.
pub const MAX_FILTERS: usize = 20;
/// Longest path, in bytes.
pub const MAX_PATH: usize = 256;
/// Most values that one filter lists.
pub const MAX_VALUES: usize = 100;
/// Longest text of one value, in bytes of JSON.
const MAX_VALUE: usize = 1024;

/// The filters of one subscription, compiled.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    roots: Vec<Node>,
    /// One bit for each filter.
    all: u32,
}

/// One key on the way of at least one filter.
#[derive(Debug, Clone)]
struct Node {
    key: Box<str>,
    /// The filters at this key and below it.
    below: u32,
    /// The filter that ends here.
    filter: Option<Filter>,
    children: Vec<Node>,
}

#[derive(Debug, Clone)]
struct Filter {
    bit: u32,
    values: Vec<Wanted>,
}

/// A value that a filter accepts.
#[derive(Debug, Clone)]
enum Wanted {
    /// `null`, `true` or `false`: one spelling each.
    Word(&'static str),
    Number(Decimal),
    Text(Box<str>),
}

impl Filters {
    /// Compiles the JSON object `text`; `null` and `{}` are no filters.
    ///
    /// # Errors
    /// Each wrong filter, as `filters.PATH`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let Ok(members) = serde_json::from_str::<Option<Members>>(text) else {
            return Err(Invalid::one(
                "filters",
                "must be an object of paths and values, such as {\"status\": \"paid\"}",
            ));
        };
        let members = members.unwrap_or_default().0;
        if members.len() > MAX_FILTERS {
            return Err(Invalid::one("filters", format!("must hold at most {MAX_FILTERS} paths")));
        }
        let (mut invalid, mut filters) = (Invalid::new(), Self::default());
        for (index, (path, raw)) in members.iter().enumerate() {
            let field = || format!("filters.{path}");
            let values = read_path(path).and_then(|segments| Ok((segments, read_values(raw.get())?)));
            let Some((segments, values)) = invalid.check(&field(), values) else {
                continue;
            };
            let filter = Filter { bit: 1 << index, values };
            if !insert(&mut filters.roots, &segments, filter) {
                invalid.push(field(), "is there twice; list its values in one array");
            }
            filters.all |= 1 << index;
        }
        invalid.into_result(filters)
    }

    /// Whether there are none, so that every event passes.
    pub fn is_empty(&self) -> bool {
        self.all == 0
    }

    /// Whether all of them hold for `data`, the text of one JSON value.
    ///
    /// A path leads through objects only. Where an object has a key twice, the last one counts, with
    /// everything below it, so the whole text is always read. Recursion is as deep as the longest path.
    pub fn hold(&self, data: &str) -> bool {
        if self.is_empty() {
            return true;
        }
        let mut met = 0_u32;
        self.read(data, &mut met) && met == self.all
    }

    /// The first of them, in the order in which they were written, that does not hold for `data`; `None`: all hold.
    pub fn first_unmet<'d>(&self, data: &'d str) -> Option<Unmet<'d>> {
        let mut seen = Seen::default();
        if !self.is_empty() && !self.read(data, &mut seen) {
            seen = Seen::default();
        }
        let missing = self.all & !seen.met;
        let index = usize::try_from(missing.trailing_zeros()).ok().filter(|_| missing != 0)?;
        Some(Unmet { index, got: seen.values.get(index).copied().flatten() })
    }

    /// Goes through `data`, noting what is met. False if it is no object.
    fn read<'d>(&self, data: &'d str, notes: &mut impl Notes<'d>) -> bool {
        let mut cursor = Cursor::new(data);
        cursor.peek() == Some(b'{') && walk(&mut cursor, &self.roots, notes).is_some()
    }
}

/// A filter that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unmet<'d> {
    /// Which one: its place among the members of the object that the filters were read from.
    pub index: usize,
    /// The text of the value at its path; `None`: there is none, or an object that other filters look into.
    pub got: Option<&'d str>,
}

/// The path and the wanted value or values, as JSON text, of the filter at this place of the object `filters`.
pub fn at(filters: &str, index: usize) -> Option<(String, String)> {
    let members = serde_json::from_str::<Option<Members>>(filters).ok()??.0;
    members.into_iter().nth(index).map(|(path, raw)| (path, raw.get().to_owned()))
}

/// What is noted on a walk through the data.
trait Notes<'d> {
    /// What was noted of these filters does not count any more: the key came again.
    fn forget(&mut self, filters: u32);
    /// There is a value at the end of a filter's path.
    fn value(&mut self, filter: &Filter, raw: &'d str);
}

/// Only which filters hold.
impl Notes<'_> for u32 {
    fn forget(&mut self, filters: u32) {
        *self &= !filters;
    }

    fn value(&mut self, filter: &Filter, raw: &str) {
        *self |= filter.met_by(raw);
    }
}

/// Which filters hold, and the value at each path.
#[derive(Default)]
struct Seen<'d> {
    met: u32,
    values: [Option<&'d str>; MAX_FILTERS],
}

impl<'d> Notes<'d> for Seen<'d> {
    fn forget(&mut self, filters: u32) {
        self.met.forget(filters);
        for (index, value) in self.values.iter_mut().enumerate() {
            if filters & (1 << index) != 0 {
                *value = None;
            }
        }
    }

    fn value(&mut self, filter: &Filter, raw: &'d str) {
        self.met.value(filter, raw);
        if let Some(value) = self.values.get_mut(filter.bit.trailing_zeros() as usize) {
            *value = Some(raw);
        }
    }
}

/// Goes through the object at the cursor, noting what is at the filters' paths. `None` if it is cut short.
fn walk<'d>(cursor: &mut Cursor<'d>, nodes: &[Node], into: &mut impl Notes<'d>) -> Option<()> {
    cursor.take(b'{')?;
    if cursor.peek()? == b'}' {
        return cursor.take(b'}');
    }
    loop {
        let key = cursor.string()?;
        cursor.take(b':')?;
        match nodes.iter().find(|node| string_is(key, &node.key)) {
            None => {
                cursor.value()?;
            }
            Some(node) => {
                into.forget(node.below);
                if cursor.peek()? == b'{' && !node.children.is_empty() {
                    walk(cursor, &node.children, into)?;
                } else {
                    let value = cursor.value()?;
                    if let Some(filter) = &node.filter {
                        into.value(filter, value);
                    }
                }
            }
        }
        if cursor.peek()? == b'}' {
            return cursor.take(b'}');
        }
        cursor.take(b',')?;
    }
}

impl Filter {
    /// Its bit if `raw` is one of its values, else 0.
    fn met_by(&self, raw: &str) -> u32 {
        if self.values.iter().any(|wanted| wanted.equals(raw)) { self.bit } else { 0 }
    }
}

impl Wanted {
    /// Same JSON type and same value, without coercion.
    fn equals(&self, raw: &str) -> bool {
        match self {
            Self::Word(word) => raw == *word,
            Self::Number(decimal) => decimal.equals(raw),
            Self::Text(text) => {
                let content = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                content.is_some_and(|content| string_is(content, text))
            }
        }
    }

    fn read(raw: &str) -> Result<Self, String> {
        let message = "must be a string, a number, true, false or null, or an array of 1 to 100 of these";
        let wrong = || message.to_owned();
        if raw.len() > MAX_VALUE {
            return Err(format!("must not hold a value of more than {MAX_VALUE} bytes"));
        }
        match raw {
            "null" => Ok(Self::Word("null")),
            "true" => Ok(Self::Word("true")),
            "false" => Ok(Self::Word("false")),
            text if text.starts_with('"') => {
                serde_json::from_str::<Box<str>>(text).map(Self::Text).map_err(|_| wrong())
            }
            text if text.starts_with(['[', '{']) => Err(wrong()),
            text => Decimal::parse(text)
                .map(Self::Number)
                .ok_or_else(|| "must not hold a number with an exponent beyond 1,000,000,000".to_owned()),
        }
    }
}

fn read_path(path: &str) -> Result<Vec<&str>, String> {
    let segments: Vec<&str> = path.split('.').collect();
    // No data nests deeper than that, so a longer path could never match.
    let good = path.len() <= MAX_PATH
        && segments.len() <= super::json::MAX_DEPTH
        && segments.iter().all(|segment| !segment.is_empty());
    good.then_some(segments).ok_or_else(|| {
        format!(
            "must be a path of at most {MAX_PATH} bytes: keys of objects, none of them empty, \
             with full stops between them"
        )
    })
}

fn read_values(raw: &str) -> Result<Vec<Wanted>, String> {
    if !raw.starts_with('[') {
        return Ok(vec![Wanted::read(raw)?]);
    }
    let values: Vec<&RawValue> = serde_json::from_str(raw).map_err(|error| error.to_string())?;
    if !(1..=MAX_VALUES).contains(&values.len()) {
        return Err(format!("must list 1 to {MAX_VALUES} values"));
    }
    values.into_iter().map(|value| Wanted::read(value.get())).collect()
}

/// Puts `filter` at the end of the path. False if one is there already.
fn insert(nodes: &mut Vec<Node>, path: &[&str], filter: Filter) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return false;
    };
    let at = nodes.iter().position(|node| *node.key == **first).unwrap_or_else(|| {
        nodes.push(Node { key: (*first).into(), below: 0, filter: None, children: Vec::new() });
        nodes.len() - 1
    });
    let node = &mut nodes[at];
    node.below |= filter.bit;
    if !rest.is_empty() {
        return insert(&mut node.children, rest, filter);
    }
    node.filter.replace(filter).is_none()
}

#[cfg(test)]
#[path = "filters_tests.rs"]
mod tests;
