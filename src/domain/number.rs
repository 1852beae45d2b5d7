//! JSON numbers compared by value, digit by digit.
//!
//! `f64` would take 9007199254740993 for 9007199254740992 and every number from 1e309 on for the same
//! infinity, so numbers are compared as decimal digits and an exponent: 7 = 7.0 = 70e-1. The cost is the
//! length of the text, whatever the exponent says.

/// Exponents that [`Decimal::parse`] accepts, in either direction.
const MAX_EXPONENT: i64 = 1_000_000_000;
/// Where exponents of other texts stop counting: far beyond what [`MAX_EXPONENT`] and any text of at most
/// some gigabytes can add up to, so that stopping there never makes two numbers equal.
const EXPONENT_STOP: i64 = 1_000_000_000_000_000_000;

/// A number kept for comparison: `0.d₁d₂d₃… × 10^exponent`, without leading or trailing zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    digits: Box<[u8]>,
    exponent: i64,
}

/// The parts of a JSON number's text (RFC 8259, section 6).
struct Parts<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let starts = whole == "0" || !whole.starts_with('0');
        let good = !whole.is_empty() && starts && digits(whole) && digits(fraction);
        good.then_some(Self { negative, whole: whole.as_bytes(), fraction: fraction.as_bytes(), exponent })
    }

    /// All digits from the first that is not zero, and the exponent that goes with them; `None` for zero.
    fn significant(&self) -> Option<(impl Iterator<Item = u8>, i64)> {
        let all = || self.whole.iter().chain(self.fraction).copied();
        let zeros = all().position(|digit| digit != b'0')?;
        let shift = i64::try_from(self.whole.len()).ok()? - i64::try_from(zeros).ok()?;
        Some((all().skip(zeros), self.exponent + shift))
    }
}

/// Reads the digits after `e`, stopping at [`EXPONENT_STOP`].
fn read_exponent(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] | digits => (1, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let stop = |value: i64, digit: &u8| {
        value.saturating_mul(10).saturating_add(i64::from(digit - b'0')).min(EXPONENT_STOP)
    };
    Some(sign * digits.iter().fold(0, stop))
}

impl Decimal {
    /// Reads a JSON number. `None` if `text` is none, or its exponent lies beyond ±1,000,000,000.
    pub fn parse(text: &str) -> Option<Self> {
        let parts = Parts::of(text)?;
        if parts.exponent.abs() > MAX_EXPONENT {
            return None;
        }
        let Some((digits, exponent)) = parts.significant() else {
            return Some(Self { negative: false, digits: Box::default(), exponent: 0 });
        };
        let mut digits: Vec<u8> = digits.collect();
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        Some(Self { negative: parts.negative, digits: digits.into(), exponent })
    }

    /// Whether the JSON number `text` has this value. `-0` is 0. Allocates nothing.
    pub fn equals(&self, text: &str) -> bool {
        let Some(parts) = Parts::of(text) else {
            return false;
        };
        let Some((mut digits, exponent)) = parts.significant() else {
            return self.digits.is_empty();
        };
        self.negative == parts.negative
            && self.exponent == exponent
            && self.digits.iter().all(|digit| digits.next() == Some(*digit))
            && !self.digits.is_empty()
            && digits.all(|digit| digit == b'0')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(a: &str, b: &str) -> bool {
        Decimal::parse(a).is_some_and(|decimal| decimal.equals(b))
    }

    #[test]
    fn one_value_has_many_spellings() {
        for (a, b) in [
            ("7", "7.0"),
            ("100", "1e2"),
            ("1E+2", "100.000"),
            ("0.001", "1e-3"),
            ("-0", "0"),
            ("0e999999999", "0.0"),
            ("120", "0.12e003"),
            ("1e1000000", "10e999999"),
        ] {
            assert!(same(a, b) && same(b, a), "{a} = {b}");
        }
    }

    #[test]
    fn numbers_beyond_floating_point_stay_apart() {
        for (a, b) in [
            ("9007199254740993", "9007199254740992"),
            ("12345678901234567890", "12345678901234567891"),
            ("1e309", "1e310"),
            ("0.1", "0.1000000000000000000001"),
            ("1", "-1"),
            ("0", "1e-400"),
            ("10", "100"),
        ] {
            assert!(!same(a, b) && !same(b, a), "{a} ≠ {b}");
        }
    }

    #[test]
    fn an_immense_exponent_costs_nothing_and_equals_nothing() {
        let immense = format!("1e{}", "9".repeat(100_000));
        assert_eq!(Decimal::parse(&immense), None);
        assert_eq!(Decimal::parse("1e1000000001"), None);
        assert!(!same("1e999999999", &immense));
        assert!(same("0", &format!("0e{}", "9".repeat(100_000))));
    }

    #[test]
    fn what_is_no_number_equals_no_number() {
        for text in ["", "-", "e1", "1e", "1e+", "x", "+1", "NaN", "1..2", "true"] {
            assert!(!same("1", text) && Decimal::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn spellings_that_json_does_not_have_are_no_numbers() {
        for text in ["01", "-00", "00.5", "1.", "0.", "1.e5"] {
            assert!(Decimal::parse(text).is_none() && !same("1", text) && !same("0", text), "{text}");
        }
    }

    /// Digits as a whole number times 10^-40: the reference for small exponents.
    fn expanded(text: &str) -> (bool, String) {
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = rest.split_once('e').unwrap_or((rest, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let zeros = 40 + exponent.parse::<i64>().unwrap() - i64::try_from(fraction.len()).unwrap();
        let digits = format!("{whole}{fraction}{}", "0".repeat(usize::try_from(zeros).unwrap()));
        let digits = digits.trim_start_matches('0').to_owned();
        (negative && !digits.is_empty(), digits)
    }

    proptest! {
        #[test]
        fn equality_is_that_of_the_written_out_digits(
            a in "-?(0|[1-2]0{0,3}[0-1]{0,2})(\\.[0-1]{1,4})?(e-?[0-4])?",
            b in "-?(0|[1-2]0{0,3}[0-1]{0,2})(\\.[0-1]{1,4})?(e-?[0-4])?",
        ) {
            prop_assert_eq!(same(&a, &b), expanded(&a) == expanded(&b));
            prop_assert!(same(&a, &a));
        }

        #[test]
        fn moving_the_point_keeps_the_value(digits in "[1-9][0-9]{0,30}", places in 1_usize..20) {
            let moved = format!("{digits}{}e-{places}", "0".repeat(places));
            prop_assert!(same(&digits, &moved));
            let larger = format!("{digits}e{places}");
            prop_assert!(!same(&digits, &larger));
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.eE]{0,12}|\\PC{0,8}") {
            prop_assert_eq!(Decimal::parse(&text).is_some_and(|d| !d.equals(&text)), false);
        }
    }
}
