//! The JSON Schema of an event type: compiled once, then a bounded look at each event's `data`.
//!
//! Bounded in time: patterns run on an engine without backtracking and are small when compiled, references stay in
//! the schema, and a schema whose references multiply is refused (`shape`). Bounded in memory: the validator gathers all
//! violations before it tells the first, so they are only gathered where they cannot take much (`possible`), and at most
//! [`MOST_ERRORS`] are told; elsewhere it is asked for the first alone.
//!
//! `format` is an annotation, as JSON Schema 2020-12 has it: it refuses nothing.

mod pattern;
mod possible;
mod shape;
#[cfg(test)]
mod tests;
mod words;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use shape::Shape;

use super::invalid::Invalid;

/// Bytes of a schema at most.
pub const MAX_SCHEMA: usize = 64 * 1024;
/// Violations that are told of one event's data at most.
pub const MOST_ERRORS: usize = 50;
/// Bytes of a compiled pattern at most. Its time is this times the text's length in the worst case.
const MAX_PATTERN: usize = 64 * 1024;
/// Memory of a pattern's cache of states.
const PATTERN_CACHE: usize = 256 * 1024;
/// Subschemas (and what they compare with) times values of the data, above which it is not looked at: that takes half a
/// second.
const MOST_LOOKS: usize = 100_000_000;
/// Bytes that violations may take while they are gathered: eight publishers at once take less than 100 MB.
const MOST_GATHERED: usize = 10_000_000;
/// Keywords that are looked at to find out whether they do: some ten milliseconds.
const MOST_COUNTED: usize = 2_000_000;
/// States of patterns times bytes of the data, above which it is not looked at: that takes some seconds at worst.
const MOST_MATCHING: usize = 150_000_000;

/// A schema, compiled. Shared by everything that publishes.
pub struct Schema {
    source: Value,
    validator: Validator,
    shape: Shape,
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schema").field("shape", &self.shape).finish_non_exhaustive()
    }
}

impl Schema {
    /// Compiles the text of a schema, an object or `true` or `false`, of the draft that its `$schema` names
    /// (2020-12 without). Its text nests at most 64 deep, which the caller has seen to.
    ///
    /// # Errors
    /// Every wrong place, as `schema.properties.total.type`.
    pub fn compile(text: &str) -> Result<Self, Invalid> {
        if text.len() > MAX_SCHEMA {
            return Err(Invalid::one("schema", format!("must have at most {MAX_SCHEMA} bytes")));
        }
        let schema: Value = serde_json::from_str(text).map_err(|_| unreadable("schema"))?;
        let wrong = |error: &jsonschema::ValidationError<'_>| {
            let place = words::place("schema", error.instance_path().segments());
            Invalid::one(place, words::message(error))
        };
        // First of all: the rest follows references, and this one is bounded.
        let shape = shape::judge(&schema)?;
        let meta = jsonschema::meta::validator_for(&schema).map_err(|_| {
            Invalid::one("schema.$schema", "must be a draft of JSON Schema: 4, 6, 7, 2019-09 or 2020-12")
        })?;
        let invalid = gathered("schema", meta.iter_errors(&schema));
        drop(meta);
        invalid.into_result(())?;
        let patterns = PatternOptions::regex().size_limit(MAX_PATTERN).dfa_size_limit(PATTERN_CACHE);
        let options = jsonschema::options().offline().should_validate_formats(false);
        let validator =
            options.with_pattern_options(patterns).build(&schema).map_err(|error| wrong(&error))?;
        Ok(Self { source: schema, validator, shape })
    }

    /// Whether `data`, one JSON value that nests at most 64 deep and stands in the field of this name, fits.
    ///
    /// # Errors
    /// Where it does not, as `data.items[3].price`: at most 50 places, and a word if there are more.
    pub fn check(&self, field: &str, data: &str) -> Result<(), Invalid> {
        let looks = self.shape.looks.saturating_mul(values(data));
        if looks > MOST_LOOKS || self.shape.states.saturating_mul(data.len()) > MOST_MATCHING {
            return Err(Invalid::one(
                field,
                "is too large to be checked against so large a schema of its type",
            ));
        }
        let value: Value = serde_json::from_str(data).map_err(|_| unreadable(field))?;
        if self.validator.is_valid(&value) {
            return Ok(());
        }
        let invalid = self.violations(field, &value);
        if invalid.is_empty() {
            Err(Invalid::one(field, "does not fit the schema of its type"))
        } else {
            Err(invalid)
        }
    }

    /// Where data that does not fit does not, as far as that can be told within bounds.
    fn violations(&self, field: &str, value: &Value) -> Invalid {
        if self.shape.entangled {
            return Invalid::one(field, UNTOLD);
        }
        if possible::fit(&self.source, value, MOST_GATHERED, MOST_COUNTED) {
            return gathered(field, self.validator.iter_errors(value));
        }
        if self.shape.branches {
            return Invalid::one(field, UNTOLD);
        }
        let mut invalid = gathered(field, self.validator.validate(value).err().into_iter());
        invalid.push(field, "may have more faults: so large, it is only told where it first does not fit");
        invalid
    }
}

/// Said where no place can be.
const UNTOLD: &str =
    "does not fit the schema of its type, and is too large or the schema too entangled to say where";

fn gathered<'a>(root: &str, errors: impl Iterator<Item = jsonschema::ValidationError<'a>>) -> Invalid {
    let mut invalid = Invalid::new();
    for error in errors {
        let before = invalid.0.len();
        words::add(&mut invalid, root, &error);
        // The same fault by another way through the schema: drafts are checked in parts, each of which has a say.
        let (known, new) = invalid.0.split_at(before);
        if new.iter().all(|error| known.contains(error)) {
            invalid.0.truncate(before);
        }
        if invalid.0.len() > MOST_ERRORS {
            invalid.0.truncate(MOST_ERRORS);
            invalid.push(root, format!("has more faults; the first {MOST_ERRORS} are named"));
            break;
        }
    }
    invalid
}

/// What JSON allows and the check cannot hold: numbers beyond 64-bit floats, half of a surrogate pair.
fn unreadable(field: &str) -> Invalid {
    Invalid::one(
        field,
        "must hold no number beyond 1.8e308 and no half of a surrogate pair, where a schema is checked",
    )
}

/// About how many values a JSON text holds: never fewer.
fn values(text: &str) -> usize {
    text.bytes().filter(|byte| matches!(byte, b',' | b'{' | b'[')).count() + 1
}
