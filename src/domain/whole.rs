//! Whole numbers as JSON may write them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A whole number, also one that is written `5.0` or `5e0`: to JSON Schema's `integer`, and to programs whose only
/// numbers are floating, that is the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole(pub i64);

/// Up to here every whole number has a floating one of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor)
    }
}

struct WholeVisitor;

impl Visitor<'_> for WholeVisitor {
    type Value = Whole;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Whole, E> {
        Ok(Whole(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Whole, E> {
        i64::try_from(number).map(Whole).map_err(|_| E::custom("a whole number out of range"))
    }

    #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is in the range of i64")]
    fn visit_f64<E: Error>(self, number: f64) -> Result<Whole, E> {
        if number.abs() <= EXACT && number.trunc().total_cmp(&number).is_eq() {
            Ok(Whole(number as i64))
        } else {
            Err(E::custom("no whole number, or out of range"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_of_nothing_is_none() {
        let read = |text: &str| serde_json::from_str::<Whole>(text).ok().map(|whole| whole.0);
        for (text, number) in [("5", 5), ("5.0", 5), ("-5.000", -5), ("5e2", 500), ("-0.0", 0), ("0", 0)] {
            assert_eq!(read(text), Some(number), "{text}");
        }
        for text in ["5.5", "1e300", "-1e16", "\"5\"", "true", "null", "[5]", "18446744073709551615"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
