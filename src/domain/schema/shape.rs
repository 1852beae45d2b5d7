//! How much work a schema can be: its subschemas with all references followed.
//!
//! `$ref` makes small texts of large schemas: ten definitions that refer to the next one twice each are a thousand
//! looks at one value, and a schema that leads back to itself twice is two to the power of the data's depth. The
//! validator remembers what it has looked at where it only says yes or no; where it gathers violations it does not.

use serde_json::{Map, Value};

use crate::domain::invalid::Invalid;

use super::pattern::weight;

/// Subschemas at most, with all references followed once.
const MOST: usize = 2_000;
/// Subschemas inside one another, references followed.
const DEEPEST: usize = 100;
/// References and `allOf`s in a row that look at the same value.
const IN_PLACE: usize = 12;

/// Keywords whose value is a schema for the same value.
const SAME: [&str; 4] = ["not", "if", "then", "else"];
/// Keywords whose value is a list of such.
const SAME_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords whose value is an object of such.
const SAME_MAPS: [&str; 2] = ["dependentSchemas", "dependencies"];
/// Keywords whose value is a schema for members of the value.
const MEMBERS: [&str; 3] = ["additionalProperties", "unevaluatedProperties", "propertyNames"];
/// Keywords whose value is a schema, or a list of such, for items of the value.
const ITEMS: [&str; 5] = ["items", "prefixItems", "additionalItems", "unevaluatedItems", "contains"];
/// Keywords whose meaning depends on the way that led there.
const UNKNOWN: [&str; 4] = ["$dynamicRef", "$recursiveRef", "$dynamicAnchor", "$recursiveAnchor"];

/// What is known of a schema before it is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Looks at one value at most: subschemas with all references followed once, and what they compare it with.
    pub(super) looks: usize,
    /// States of all patterns, counted in the same way.
    pub(super) states: usize,
    /// One value can be looked at more and more often the deeper it lies.
    pub(super) entangled: bool,
    /// Even the first violation may hold those of other branches, of which there can be many.
    pub(super) branches: bool,
}

/// A step from a value into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step<'a> {
    Member(&'a str),
    AnyMember,
    Item,
}

impl Step<'_> {
    /// Whether both can lead to the same place.
    fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Step::Member(one), Step::Member(other)) => one == other,
            (Step::Item, Step::Item) => true,
            (Step::Item, _) | (_, Step::Item) => false,
            (Step::AnyMember, _) | (_, Step::AnyMember) => true,
        }
    }
}

/// A way back to a schema that is being looked at: which one, and the steps since.
type Loop<'a> = (*const Value, Vec<Step<'a>>);

struct Walk<'a> {
    root: &'a Value,
    seen: usize,
    options: usize,
    states: usize,
    /// The schemas on the way, each with the steps that were taken before it.
    way: Vec<(&'a Value, usize)>,
    steps: Vec<Step<'a>>,
    loops: Vec<Loop<'a>>,
    branches: bool,
}

/// How much work a schema can be.
///
/// # Errors
/// It is too large with its references, refers to something outside, or in a way that is not known.
pub(super) fn judge(schema: &Value) -> Result<Shape, Invalid> {
    if !matches!(schema, Value::Object(_) | Value::Bool(_)) {
        return Err(Invalid::one("schema", "must be a JSON Schema: an object, true or false"));
    }
    let mut walk = Walk {
        root: schema,
        seen: 0,
        options: 0,
        states: 0,
        way: Vec::new(),
        steps: Vec::new(),
        loops: Vec::new(),
        branches: false,
    };
    walk.schema(schema, "schema", 0)?;
    let looks = walk.seen.saturating_add(walk.options);
    Ok(Shape { looks, states: walk.states, entangled: walk.is_entangled(), branches: walk.branches })
}

impl<'a> Walk<'a> {
    fn schema(&mut self, schema: &'a Value, place: &str, in_place: usize) -> Result<(), Invalid> {
        self.seen += 1;
        if self.seen > MOST {
            let message =
                format!("must have at most {MOST} subschemas, those that it refers to counted each time");
            return Err(Invalid::one("schema", message));
        }
        if self.way.len() >= DEEPEST || in_place > IN_PLACE {
            let message = format!(
                "must not nest more than {DEEPEST} schemas, references followed, of which {IN_PLACE} in a row may look at \
                 the same value"
            );
            return Err(Invalid::one(place, message));
        }
        let Value::Object(members) = schema else { return Ok(()) };
        self.check_words(members, place)?;
        self.way.push((schema, self.steps.len()));
        for (keyword, value) in members {
            self.keyword(keyword, value, &format!("{place}.{keyword}"), in_place + 1)?;
        }
        self.way.pop();
        Ok(())
    }

    fn check_words(&self, members: &Map<String, Value>, place: &str) -> Result<(), Invalid> {
        if let Some(word) = UNKNOWN.iter().find(|word| members.contains_key(**word)) {
            let message = "is not supported; use $ref with a path such as #/$defs/address";
            return Err(Invalid::one(format!("{place}.{word}"), message));
        }
        let inner = !self.way.is_empty();
        if let Some(word) =
            ["$id", "id"].iter().find(|word| inner && members.get(**word).is_some_and(Value::is_string))
        {
            return Err(Invalid::one(
                format!("{place}.{word}"),
                "is only supported at the top of the schema",
            ));
        }
        Ok(())
    }

    fn keyword(
        &mut self,
        keyword: &'a str,
        value: &'a Value,
        place: &str,
        in_place: usize,
    ) -> Result<(), Invalid> {
        match keyword {
            "$ref" => self.reference(value, place, in_place),
            _ if SAME.contains(&keyword) => self.schema(value, place, in_place),
            _ if SAME_LISTS.contains(&keyword) => {
                self.branches |= keyword != "allOf";
                self.list(value, place, in_place)
            }
            _ if SAME_MAPS.contains(&keyword) => {
                // Up to draft 7 a dependency may be a list of names.
                let lists = value.as_object().into_iter().flat_map(Map::values).filter_map(Value::as_array);
                self.options = self.options.saturating_add(lists.map(Vec::len).sum());
                self.map(value, place, in_place, |_| None)
            }
            _ if MEMBERS.contains(&keyword) => self.inside(value, place, Step::AnyMember),
            "patternProperties" => {
                self.patterns(
                    value.as_object().into_iter().flat_map(|members| members.keys()).map(String::as_str),
                );
                self.map(value, place, 0, |_| Some(Step::AnyMember))
            }
            "pattern" => {
                self.patterns(value.as_str().into_iter());
                Ok(())
            }
            "properties" => self.map(value, place, 0, |name| Some(Step::Member(name))),
            "enum" | "const" | "required" | "dependentRequired" => {
                let count =
                    if keyword == "required" { value.as_array().map_or(0, Vec::len) } else { options(value) };
                self.options = self.options.saturating_add(count);
                Ok(())
            }
            _ if ITEMS.contains(&keyword) => {
                self.steps.push(Step::Item);
                let walked =
                    if value.is_array() { self.list(value, place, 0) } else { self.schema(value, place, 0) };
                self.steps.pop();
                walked
            }
            _ => Ok(()),
        }
    }

    fn patterns(&mut self, patterns: impl Iterator<Item = &'a str>) {
        for pattern in patterns {
            self.states = self.states.saturating_add(weight(pattern));
        }
    }

    fn inside(&mut self, schema: &'a Value, place: &str, step: Step<'a>) -> Result<(), Invalid> {
        self.steps.push(step);
        let walked = self.schema(schema, place, 0);
        self.steps.pop();
        walked
    }

    fn list(&mut self, value: &'a Value, place: &str, in_place: usize) -> Result<(), Invalid> {
        for (index, schema) in value.as_array().into_iter().flatten().enumerate() {
            self.schema(schema, &format!("{place}[{index}]"), in_place)?;
        }
        Ok(())
    }

    fn map(
        &mut self,
        value: &'a Value,
        place: &str,
        in_place: usize,
        step: impl Fn(&'a str) -> Option<Step<'a>>,
    ) -> Result<(), Invalid> {
        for (name, schema) in value.as_object().into_iter().flatten() {
            let place = format!("{place}.{name}");
            match step(name) {
                Some(step) => self.inside(schema, &place, step)?,
                None => self.schema(schema, &place, in_place)?,
            }
        }
        Ok(())
    }

    fn reference(&mut self, value: &'a Value, place: &str, in_place: usize) -> Result<(), Invalid> {
        let Some(target) = target(self.root, value) else {
            let message = "must be # or a path to a place in this schema, such as #/$defs/address";
            return Err(Invalid::one(place, message));
        };
        let before = self.way.iter().find(|(schema, _)| std::ptr::eq(*schema, target));
        let Some((_, steps)) = before else { return self.schema(target, place, in_place) };
        let since = self.steps[*steps..].to_vec();
        if since.is_empty() {
            return Err(Invalid::one(place, "must not lead back to itself without a step into the data"));
        }
        self.loops.push((std::ptr::from_ref(target), since));
        Ok(())
    }

    /// Whether one value can be looked at more and more often the deeper it lies: there are ways back to different
    /// schemas, or two ways back to one that can be the same way through the data.
    fn is_entangled(&self) -> bool {
        let Some((first, _)) = self.loops.first() else { return false };
        let meet = |one: &[Step<'_>], other: &[Step<'_>]| {
            one.iter().zip(other).all(|(one, other)| one.meets(*other))
        };
        let pairs = self
            .loops
            .iter()
            .enumerate()
            .flat_map(|(at, one)| self.loops[at + 1..].iter().map(move |other| (one, other)));
        self.loops.iter().any(|(target, _)| target != first)
            || pairs.into_iter().any(|(one, other)| meet(&one.1, &other.1))
    }
}

/// The place in `root` that a `$ref` leads to.
pub(super) fn target<'a>(root: &'a Value, reference: &Value) -> Option<&'a Value> {
    let text = reference.as_str().unwrap_or_default();
    text.strip_prefix('#').and_then(decoded).and_then(|pointer| root.pointer(&pointer))
}

/// How many values a value is compared with for an `enum` or a `const`: options, and what is in them. Texts alone are
/// looked up.
fn options(value: &Value) -> usize {
    /// A look-up among many.
    const LOOKED_UP: usize = 10;
    let simple = |option: &Value| option.is_string() || option.is_null();
    match value {
        Value::Array(all) if all.iter().all(simple) => all.len().min(LOOKED_UP),
        _ => nodes(value),
    }
}

/// Values in a value, itself counted. The schema nests at most 64 deep.
fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(nodes).sum(),
        Value::Object(members) => members.values().map(nodes).sum(),
        _ => 0,
    }
}

/// A fragment without its percent signs (RFC 6901, section 6).
fn decoded(fragment: &str) -> Option<String> {
    let mut pieces = fragment.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| plain)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}
