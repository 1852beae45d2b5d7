//! Violations of a schema in the words of the house: where, and what is allowed. Never a value of the data, which may
//! be nobody's business in a log.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::LocationSegment;

use crate::domain::invalid::Invalid;

/// Longest text of a schema that is quoted.
const MOST_QUOTED: usize = 200;
/// Alternatives that are told one by one.
const MOST_ALTERNATIVES: usize = 4;
/// Names that are told of one object at most.
const MOST_NAMES: usize = 20;

/// A place as the API writes it: `data.items[3].price`.
pub(super) fn place<'a>(root: &str, segments: impl Iterator<Item = LocationSegment<'a>>) -> String {
    let mut place = root.to_owned();
    for segment in segments {
        match segment {
            LocationSegment::Property(name) => {
                place.push('.');
                place.push_str(&name);
            }
            LocationSegment::Index(index) => place.extend(["[", &index.to_string(), "]"]),
        }
    }
    place
}

/// Adds a violation: where a member is missing or too much, at that member.
pub(super) fn add(invalid: &mut Invalid, root: &str, error: &ValidationError<'_>) {
    let place = place(root, error.instance_path().segments());
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            invalid.push(format!("{place}.{name}"), "is required");
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            for name in unexpected.iter().take(MOST_NAMES) {
                invalid.push(format!("{place}.{name}"), "is not allowed");
            }
            if unexpected.len() > MOST_NAMES {
                invalid.push(place, format!("has {} members that are not allowed", unexpected.len()));
            }
        }
        _ => invalid.push(place, message(error)),
    }
}

/// What is allowed there.
pub(super) fn message(error: &ValidationError<'_>) -> String {
    let text = match error.kind() {
        ValidationErrorKind::Type { kind } => format!("must be {}", types(kind)),
        ValidationErrorKind::Enum { options } => format!("must be one of {options}"),
        ValidationErrorKind::Constant { expected_value } => format!("must be {expected_value}"),
        ValidationErrorKind::Minimum { limit } => format!("must be at least {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("must be at most {limit}"),
        ValidationErrorKind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        ValidationErrorKind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        ValidationErrorKind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        ValidationErrorKind::MinLength { limit } => format!("must have at least {limit} characters"),
        ValidationErrorKind::MaxLength { limit } => format!("must have at most {limit} characters"),
        ValidationErrorKind::MinItems { limit } => format!("must hold at least {limit} items"),
        ValidationErrorKind::MaxItems { limit } => format!("must hold at most {limit} items"),
        ValidationErrorKind::AdditionalItems { limit } => format!("must hold at most {limit} items"),
        ValidationErrorKind::UnevaluatedItems { .. } => "holds items that are not allowed".to_owned(),
        ValidationErrorKind::MinProperties { limit } => format!("must have at least {limit} members"),
        ValidationErrorKind::MaxProperties { limit } => format!("must have at most {limit} members"),
        ValidationErrorKind::Pattern { pattern } => format!("must match the pattern {pattern}"),
        ValidationErrorKind::UniqueItems => "must not hold the same item twice".to_owned(),
        ValidationErrorKind::Contains => "must hold an item that fits the schema of `contains`".to_owned(),
        ValidationErrorKind::FalseSchema => "is not allowed".to_owned(),
        ValidationErrorKind::Not { .. } => "must not fit the schema of `not`".to_owned(),
        ValidationErrorKind::AnyOf { context } => alternatives(error, context)
            .unwrap_or_else(|| "must fit one of the schemas of `anyOf` at least".to_owned()),
        ValidationErrorKind::OneOfNotValid { context } => alternatives(error, context)
            .unwrap_or_else(|| "must fit one of the schemas of `oneOf`".to_owned()),
        ValidationErrorKind::OneOfMultipleValid { .. } => {
            "must fit only one of the schemas of `oneOf`".to_owned()
        }
        ValidationErrorKind::PropertyNames { error } => format!("has a member whose name {}", message(error)),
        ValidationErrorKind::Format { format } if format == "regex" => format!(
            "must be a regular expression without look-around and back-references, of at most {} KB when compiled",
            super::MAX_PATTERN / 1024
        ),
        ValidationErrorKind::Referencing(error) => format!("must refer to a place in this schema: {error}"),
        _ => error.masked().to_string(),
    };
    if text.len() <= MOST_QUOTED {
        return text;
    }
    format!("{}…", &text[..text.floor_char_boundary(MOST_QUOTED)])
}

/// What the alternatives ask for, where they are few and each asks for one thing, and of this very value.
fn alternatives(error: &ValidationError<'_>, context: &[Vec<ValidationError<'static>>]) -> Option<String> {
    let asks = |violations: &Vec<ValidationError<'static>>| match violations.as_slice() {
        [one] if one.instance_path() == error.instance_path() => {
            message(one).strip_prefix("must ").map(str::to_owned)
        }
        _ => None,
    };
    let few = Some(context).filter(|context| (1..=MOST_ALTERNATIVES).contains(&context.len()))?;
    let mut all = few.iter().map(asks).collect::<Option<Vec<_>>>()?;
    all.dedup();
    Some(format!("must {}", all.join(", or ")))
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => format!("of the type {one}"),
        TypeKind::Multiple(several) => {
            let names: Vec<&str> = several.iter().map(jsonschema::JsonType::as_str).collect();
            format!("of the type {}", names.join(" or "))
        }
    }
}
