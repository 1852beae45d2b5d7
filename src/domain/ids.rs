//! Ids: 63-bit numbers inside, a prefix and 13 letters and digits outside.
//!
//! A number is `max(last + 1, milliseconds << 20)`, allotted by the store's writer inside the transaction,
//! so the order of ids is the order of commits whatever the clock does. The text is the number in base 32
//! (Crockford's alphabet in lower case, most significant digit first), so texts sort as the numbers do.

use std::fmt;

use super::time::UnixMs;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const DIGITS: usize = 13;

/// The prefixes that are ours; a caller's own id may not have the shape of one of them.
const PREFIXES: [&str; 5] = ["evt_", "ep_", "dlv_", "key_", "rpl_"];

/// The smallest id that can be allotted at `at`, unless ids are ahead of the clock already.
pub fn first_at(at: UnixMs) -> i64 {
    at.0.clamp(0, i64::MAX >> 20) << 20
}

/// When an id was allotted, or before that where ids were ahead of the clock.
pub fn time_of(id: i64) -> UnixMs {
    UnixMs(id >> 20)
}

/// What could be one of our own ids, as a regular expression of ECMAScript.
pub const OURS_PATTERN: &str = "^(evt|ep|dlv|key|rpl)_[A-Za-z0-9]{13}$";

/// Whether `text` could be one of our own ids: a prefix of ours and 13 letters or digits.
pub fn looks_like_ours(text: &str) -> bool {
    PREFIXES.iter().any(|prefix| {
        text.strip_prefix(prefix)
            .is_some_and(|rest| rest.len() == DIGITS && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
    })
}

fn write_text(prefix: &str, id: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut digits = [0; DIGITS];
    let mut rest = id.cast_unsigned();
    for slot in digits.iter_mut().rev() {
        *slot = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    f.write_str(prefix)?;
    f.write_str(std::str::from_utf8(&digits).unwrap_or_default())
}

fn read_text(prefix: &str, text: &str) -> Option<i64> {
    let digits = text.strip_prefix(prefix)?.as_bytes();
    if digits.len() != DIGITS {
        return None;
    }
    let number = digits.iter().try_fold(0u128, |number, digit| {
        let value = ALPHABET.iter().position(|known| known == digit)?;
        Some(number << 5 | value as u128)
    })?;
    i64::try_from(number).ok()
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl $name {
            /// Its text form, as a regular expression of ECMAScript.
            pub const PATTERN: &'static str = concat!("^", $prefix, "[0-7][0-9a-hjkmnp-tv-z]{12}$");

            /// Reads the text form; `None` for anything that this type would not have written.
            pub fn parse(text: &str) -> Option<Self> {
                read_text($prefix, text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_text($prefix, self.0, f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

id!(
    /// An event (`evt_…`). An event with a caller's own id has such a number as well.
    EventId, "evt_"
);
id!(
    /// An endpoint (`ep_…`).
    EndpointId, "ep_"
);
id!(
    /// A delivery (`dlv_…`).
    DeliveryId, "dlv_"
);
id!(
    /// An API key (`key_…`): the record, not the secret text.
    KeyId, "key_"
);
id!(
    /// A replay (`rpl_…`).
    ReplayId, "rpl_"
);
id!(
    /// A line of the audit log (`aud_…`).
    AuditId, "aud_"
);

id!(
    /// An operator (`op_…`).
    OperatorId, "op_"
);
id!(
    /// A session of an operator (`ses_…`): the record, not the secret text.
    SessionId, "ses_"
);
id!(
    /// The deletion of a tenant (`del_…`).
    TenantDeletionId, "del_"
);
id!(
    /// An alert (`alr_…`): whom it reaches, and what it is about.
    AlertId, "alr_"
);
id!(
    /// A backup (`bak_…`).
    BackupId, "bak_"
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_text_is_a_prefix_and_thirteen_digits() {
        assert_eq!(EventId(0).to_string(), "evt_0000000000000");
        assert_eq!(EndpointId(i64::MAX).to_string(), "ep_7zzzzzzzzzzzz");
        assert_eq!(EventId::parse("evt_000000000000l"), None, "l is not a digit");
        assert_eq!(EventId::parse("evt_zzzzzzzzzzzzz"), None, "does not fit");
        assert_eq!(EventId::parse("dlv_0000000000000"), None, "another kind");
    }

    #[test]
    fn own_ids_in_our_shape_are_recognised() {
        assert!(looks_like_ours("evt_0123456789abc"));
        assert!(looks_like_ours("dlv_ABCDEFGHIJKLM"));
        assert!(!looks_like_ours("evt_abc123"));
        assert!(!looks_like_ours("order-17"));
    }

    proptest! {
        #[test]
        fn texts_read_back_and_sort_as_their_numbers(a in 0..=i64::MAX, b in 0..=i64::MAX) {
            prop_assert_eq!(DeliveryId::parse(&DeliveryId(a).to_string()), Some(DeliveryId(a)));
            prop_assert_eq!(a.cmp(&b), DeliveryId(a).to_string().cmp(&DeliveryId(b).to_string()));
        }
    }
}
