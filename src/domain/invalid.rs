//! What is wrong with an input, field by field, so that a caller learns of every mistake at once.

use std::fmt;

/// Longest name of a field, in bytes.
const MAX_FIELD: usize = 200;

/// One wrong field. The message says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// The field as the caller wrote it, with indexes and full stops: `events[3].type`.
    pub field: String,
    /// A sentence without its subject: "must be 1 to 64 of A-Z, a-z, …".
    pub message: String,
}

/// Every field error of one input. Empty while nothing is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[serde(transparent)]
pub struct Invalid(pub Vec<FieldError>);

impl Invalid {
    /// Nothing wrong so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Exactly one wrong field.
    pub fn one(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut invalid = Self::new();
        invalid.push(field, message);
        invalid
    }

    /// Adds a wrong field. Its name may hold what the caller wrote, so it is cut after 200 bytes.
    pub fn push(&mut self, field: impl Into<String>, message: impl Into<String>) {
        let mut field = field.into();
        if field.len() > MAX_FIELD {
            field.truncate(field.floor_char_boundary(MAX_FIELD));
            field.push('…');
        }
        self.0.push(FieldError { field, message: message.into() });
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Adds all of `other`, each field under `parent`: `type` becomes `events[3].type`.
    pub fn merge_under(&mut self, parent: &str, other: Self) {
        self.0.extend(other.0.into_iter().map(|error| {
            let field =
                if error.field.is_empty() { parent.to_owned() } else { format!("{parent}.{}", error.field) };
            FieldError { field, message: error.message }
        }));
    }

    /// Keeps a good value and notes a bad one under `field`.
    pub fn check<T>(&mut self, field: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.push(field, message)).ok()
    }

    /// Keeps a good value and notes every error of a bad one.
    pub fn absorb<T>(&mut self, result: Result<T, Self>) -> Option<T> {
        result.map_err(|other| self.merge(other)).ok()
    }

    /// Keeps the first error of each field: one that could not be read counts as absent, and may be missed for that as
    /// well.
    pub fn keep_first(&mut self) {
        let mut seen = std::collections::HashSet::new();
        self.0.retain(|error| seen.insert(error.field.clone()));
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `value`, if nothing was wrong.
    ///
    /// # Errors
    /// Itself, with every field that was pushed.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{} {}", error.field, error.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named_in_the_order_found() {
        let mut invalid = Invalid::new();
        assert_eq!(invalid.check("fine", Ok(7)), Some(7));
        assert_eq!(invalid.check::<u8>("url", Err("is required".to_owned())), None);
        invalid.merge(Invalid::one("events[2]", "must be a type"));
        assert_eq!(invalid.to_string(), "url is required; events[2] must be a type");
        assert_eq!(invalid.clone().into_result(()), Err(invalid));
    }

    #[test]
    fn a_value_without_errors_passes() {
        assert_eq!(Invalid::new().into_result("value"), Ok("value"));
    }

    #[test]
    fn errors_of_a_part_are_named_under_their_parent() {
        let mut invalid = Invalid::new();
        invalid.merge_under("events[3]", Invalid::one("type", "is reserved"));
        invalid.merge_under("events[4]", Invalid::one("", "must be an object"));
        let fields: Vec<&str> = invalid.0.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["events[3].type", "events[4]"]);
    }

    #[test]
    fn an_endless_name_is_cut_between_characters() {
        let field = &Invalid::one(format!("filters.{}", "é".repeat(5000)), "is wrong").0[0].field;
        assert!(field.len() <= 203 && field.ends_with("é…"), "{field}");
    }

    #[test]
    fn errors_are_written_as_a_list_of_field_and_message() {
        let text = serde_json::to_string(&Invalid::one("type", "is required")).unwrap();
        assert_eq!(text, r#"[{"field":"type","message":"is required"}]"#);
    }
}
