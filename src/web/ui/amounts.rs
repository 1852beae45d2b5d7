//! Numbers as people read them.

/// Anything that counts: templates hand over values and references.
pub trait Amount {
    /// How many.
    fn amount(&self) -> u64;
}

macro_rules! amounts {
    ($($kind:ty),*) => {
        $(impl Amount for $kind {
            fn amount(&self) -> u64 {
                u64::try_from(*self).unwrap_or_default()
            }
        })*
    };
}
amounts!(u64, u32, usize, i64);

impl<A: Amount> Amount for &A {
    fn amount(&self) -> u64 {
        (**self).amount()
    }
}

/// `1,234,567`.
pub fn grouped(number: impl Amount) -> String {
    let digits = number.amount().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count that ends at a bound: `more` says that there are more.
pub fn up_to(count: u32, more: bool) -> String {
    let text = grouped(count);
    if more { format!("{text}+") } else { text }
}

/// The same where the bound itself says that there may be more: 10,000.
pub fn counted(count: impl Amount) -> String {
    let count = count.amount();
    if count >= 10_000 { "10,000+".to_owned() } else { grouped(count) }
}

/// `1 thing`, `2 things`.
pub fn some(count: impl Amount, one: &str, many: &str) -> String {
    let noun = if count.amount() == 1 { one } else { many };
    format!("{} {noun}", grouped(count))
}

/// `1.2 GB`: in thousands, as disks are sold.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    let (mut tenths, mut unit) = (bytes / 100, UNITS[0]);
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    for next in &UNITS[1..] {
        if tenths < 10_000 {
            break;
        }
        (tenths, unit) = (tenths / 1_000, next);
    }
    if tenths >= 1_000 {
        format!("{} {unit}", tenths / 10)
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

/// The same with a sign, where it can be less than nothing.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates hand references over")]
pub fn change(bytes_changed: &i64) -> String {
    let size = bytes(bytes_changed.unsigned_abs());
    if *bytes_changed < 0 { format!("−{size}") } else { size }
}

/// A share of `whole` in percent, cut and never rounded up: `99.99 %` is not all. `None`: of nothing.
pub fn percent(part: u64, whole: u64) -> Option<String> {
    let hundredths = (u128::from(part) * 10_000).checked_div(u128::from(whole))?;
    let (percent, rest) = (hundredths / 100, hundredths % 100);
    Some(if rest == 0 { format!("{percent} %") } else { format!("{percent}.{rest:02} %") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_parted() {
        assert_eq!([0_u64, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!((up_to(10_000, true), up_to(7, false)), ("10,000+".to_owned(), "7".to_owned()));
        assert_eq!(
            (some(1_u32, "day", "days"), counted(10_000_i64)),
            ("1 day".to_owned(), "10,000+".to_owned())
        );
    }

    #[test]
    fn sizes_have_two_or_three_digits_that_count() {
        let sizes = [999, 1_000, 12_345, 999_949, 1_500_000, 123_456_789, 2_000_000_000_000];
        assert_eq!(sizes.map(bytes), ["999 B", "1.0 kB", "12.3 kB", "999 kB", "1.5 MB", "123 MB", "2.0 TB"]);
        assert_eq!(change(&-4_096), "−4.0 kB");
        assert_eq!(bytes(u64::MAX), "18446 PB");
    }

    #[test]
    fn all_but_one_are_not_all() {
        assert_eq!(percent(999_999, 1_000_000).as_deref(), Some("99.99 %"));
        assert_eq!(percent(3, 3).as_deref(), Some("100 %"));
        assert_eq!(percent(1, 2_000).as_deref(), Some("0.05 %"));
        assert_eq!(percent(0, 0), None);
    }
}
