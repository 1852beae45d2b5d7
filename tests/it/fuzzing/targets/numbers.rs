//! Numbers are equal by value, digit by digit.

use postrider::domain::number::Decimal;

use super::model;

/// Two numbers.
pub fn target(bytes: &[u8]) {
    let Some([a, b]) = super::texts(bytes) else { return };
    let (left, right) = (Decimal::parse(a), Decimal::parse(b));
    for (text, parsed) in [(a, &left), (b, &right)] {
        assert!(parsed.is_none() || model::is_number(text), "{text:?} is no number of JSON");
        assert!(parsed.as_ref().is_none_or(|parsed| parsed.equals(text)), "{text:?} is itself");
    }
    let equal = |left: &Option<Decimal>, text: &str| left.as_ref().map(|left| left.equals(text));
    if !model::is_number(a) || !model::is_number(b) {
        assert!(equal(&left, b) != Some(true) && equal(&right, a) != Some(true), "{a:?} = {b:?}");
        return;
    }
    let (Some(plain_a), Some(plain_b)) = (model::decimal(a), model::decimal(b)) else { return };
    let expected = plain_a == plain_b;
    assert!(equal(&left, b).is_none_or(|found| found == expected), "{a} = {b}: {expected}");
    assert!(equal(&right, a).is_none_or(|found| found == expected), "{b} = {a}: {expected}");
    if let (Some(left), Some(right)) = (left, right) {
        assert_eq!(left == right, expected, "{a} and {b}, both parsed");
    }
}
