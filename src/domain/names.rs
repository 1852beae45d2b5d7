//! Names that callers choose: event types, tenants, their own ids, handles and idempotency keys.
//!
//! Each is a text in one small alphabet that needs no escaping in JSON, in a header or in an address,
//! checked once and then cheap to clone and share between threads.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use super::ids;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:path, $pattern:literal, $most:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// What it may be, as a regular expression of ECMAScript, besides its length.
            pub const PATTERN: &'static str = $pattern;
            /// Its length at most.
            pub const MOST: usize = $most;

            /// Checks `text`.
            ///
            /// # Errors
            /// What is allowed, as the message of a field error.
            pub fn parse(text: &str) -> Result<Self, String> {
                $check(text).map(|()| Self(text.into()))
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

name!(
    /// The type of an event: 1 to 128 of `A-Za-z0-9_.:/-`; full stops separate segments, none of them empty.
    ///
    /// So no type is `.` or `..`, begins with `./` or `../`, or holds two full stops in a row: nothing in a path stands for
    /// a folder above. `a/./b` is a type (its segments are `a/` and `/b`), and `a//b` is one. Clients and proxies shorten
    /// such paths, so who names a type in a path writes its slashes as `%2F`, which is read as well as `/`.
    EventType, check_event_type, r"^[A-Za-z0-9_:/-]+(\.[A-Za-z0-9_:/-]+)*$", 128
);
name!(
    /// A customer of the team that runs Postrider: 1 to 64 of `A-Za-z0-9_.:@-`, but not `.` or `..`, which stand for
    /// folders in a path (RFC 3986, section 5.2.4), so that no client could ask for `/tenants/..`, encoded or not.
    TenantName, check_tenant, r"^(\.{0,2}[A-Za-z0-9_:@-]|\.{3})[A-Za-z0-9_.:@-]*$", 64
);
name!(
    /// An id that the publisher gave an event: 1 to 64 of `A-Za-z0-9_-`, never in the shape of our own ids,
    /// so that a text is one or the other. Without full stops, because a signature is over `id.timestamp.body`.
    OwnId, check_own_id, "^[A-Za-z0-9_-]+$", 64
);
name!(
    /// The caller's handle for an endpoint: 1 to 64 of `A-Za-z0-9_.:-`, the first a letter, digit or `_`
    /// (so that `..` never stands in a path), never in the shape of our own ids.
    Uid, check_uid, "^[A-Za-z0-9_][A-Za-z0-9_.:-]*$", 64
);
name!(
    /// The name of a format: 1 to 64 of `A-Za-z0-9_.-`, the first a letter or a digit.
    FormatName, check_format, "^[A-Za-z0-9][A-Za-z0-9_.-]*$", 64
);
name!(
    /// The value of `Idempotency-Key`: 1 to 255 visible ASCII characters (`!` to `~`).
    IdempotencyKey, check_idempotency_key, "^[ -~]+$", 255
);

impl TenantName {
    /// The tenant that is meant when none is given.
    pub fn default_name() -> Self {
        Self("default".into())
    }
}

/// Whether `text` has 1 to `max` characters, all ASCII letters, digits or one of `others`.
fn within(text: &str, max: usize, others: &[u8]) -> bool {
    (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || others.contains(&b))
}

fn check_event_type(text: &str) -> Result<(), String> {
    if within(text, EventType::MOST, b"_.:/-") && text.split('.').all(|segment| !segment.is_empty()) {
        return Ok(());
    }
    Err("must be 1 to 128 of A-Z, a-z, 0-9 and _ . : / -, with text on both sides of every full stop, \
         such as invoice.paid"
        .to_owned())
}

fn check_tenant(text: &str) -> Result<(), String> {
    if matches!(text, "." | "..") {
        return Err(
            "must be another name than . and .., which stand for folders in the path of a URL".to_owned()
        );
    }
    if within(text, TenantName::MOST, b"_.:@-") {
        return Ok(());
    }
    Err("must be 1 to 64 of A-Z, a-z, 0-9 and _ . : @ -".to_owned())
}

fn check_own_id(text: &str) -> Result<(), String> {
    if !within(text, OwnId::MOST, b"_-") {
        return Err("must be 1 to 64 of A-Z, a-z, 0-9 and _ -".to_owned());
    }
    check_not_ours(text)
}

fn check_uid(text: &str) -> Result<(), String> {
    if !within(text, Uid::MOST, b"_.:-") || text.starts_with(['.', ':', '-']) {
        return Err(
            "must be 1 to 64 of A-Z, a-z, 0-9 and _ . : -, beginning with a letter, a digit or _".to_owned()
        );
    }
    check_not_ours(text)
}

fn check_format(text: &str) -> Result<(), String> {
    // `POST /formats/preview` is a call of its own.
    if text == "preview" {
        return Err("must be another name than preview, which is that of a call".to_owned());
    }
    if within(text, FormatName::MOST, b"_.-") && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err("must be 1 to 64 of A-Z, a-z, 0-9 and _ . -, beginning with a letter or a digit".to_owned())
}

fn check_not_ours(text: &str) -> Result<(), String> {
    if ids::looks_like_ours(text) {
        return Err("must not look like an id that Postrider makes (evt_, ep_, dlv_, key_ or rpl_ \
                    and 13 letters or digits)"
            .to_owned());
    }
    Ok(())
}

fn check_idempotency_key(text: &str) -> Result<(), String> {
    if (1..=IdempotencyKey::MOST).contains(&text.len())
        && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
    {
        return Ok(());
    }
    Err("must be 1 to 255 visible ASCII characters or blanks".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn event_types_are_segments_between_full_stops() {
        for good in ["a", "invoice.paid", "urn:x/y-z_1.V2", &"x".repeat(128)] {
            assert!(EventType::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "./a",
            "a/../b",
            "a/..",
            "a.",
            ".a",
            "a..b",
            "a b",
            "a*",
            "ü",
            "a\n",
            &"x".repeat(129),
        ] {
            assert!(EventType::parse(bad).is_err_and(|m| m.contains("1 to 128")), "{bad}");
        }
    }

    #[test]
    fn tenants_may_be_addresses_of_mail() {
        assert!(TenantName::parse("ops@example.com").is_ok());
        assert!(TenantName::parse(&"t".repeat(64)).is_ok());
        for bad in ["", "a/b", "a b", "é", &"t".repeat(65)] {
            assert!(TenantName::parse(bad).is_err_and(|m| m.contains("1 to 64")), "{bad}");
        }
        assert_eq!(TenantName::parse("default"), Ok(TenantName::default_name()));
    }

    #[test]
    fn tenants_never_stand_for_a_folder() {
        for bad in [".", ".."] {
            assert!(TenantName::parse(bad).is_err_and(|m| m.contains("another name")), "{bad}");
        }
        for good in ["...", ".a", "..a", "a..", "-", "@."] {
            assert!(TenantName::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn own_ids_are_refused_in_the_shape_of_ours_and_with_full_stops() {
        assert!(OwnId::parse("order-17_paid").is_ok());
        assert!(OwnId::parse("evt_1").is_ok(), "too short to be ours");
        assert!(OwnId::parse("evt_0123456789abc").is_err_and(|m| m.contains("look like")));
        for bad in ["", "a.b", "a:b", &"x".repeat(65)] {
            assert!(OwnId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn handles_never_stand_for_a_folder_above() {
        assert!(Uid::parse("erp:main.v2").is_ok());
        for bad in ["", ".", "..", "-x", ":x", "a/b", "a@b", "ep_0123456789abc"] {
            assert!(Uid::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn formats_have_names_that_fit_into_a_path() {
        for good in ["standard", "acme-v1.2", "7", &"x".repeat(64)] {
            assert!(FormatName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "-x", "_x", "a/b", "a b", "é", &"x".repeat(65)] {
            assert!(FormatName::parse(bad).is_err_and(|m| m.contains("1 to 64")), "{bad}");
        }
        assert!(FormatName::parse("preview").is_err() && FormatName::parse("Preview").is_ok());
    }

    #[test]
    fn idempotency_keys_are_visible_ascii() {
        assert!(IdempotencyKey::parse("\"a,b\"~!").is_ok());
        assert!(IdempotencyKey::parse("order 17").is_ok());
        assert!(IdempotencyKey::parse(&"k".repeat(255)).is_ok());
        for bad in ["", "a\t", "\u{e9}", "a\u{7f}", &"k".repeat(256)] {
            assert!(IdempotencyKey::parse(bad).is_err_and(|m| m.contains("255")), "{bad}");
        }
    }

    #[test]
    fn patterns_say_what_the_checks_say() {
        let fits = |pattern: &str, most: usize, text: &str| {
            let schema = serde_json::json!({ "pattern": pattern, "minLength": 1, "maxLength": most });
            jsonschema::is_valid(&schema, &serde_json::Value::from(text))
        };
        let long = "x".repeat(64);
        for text in [
            "", "a", "a.b", ".", "..", "a.", "a..b", ".a", "..a", "-a", "_a", ":a", "a:b", "a/b", "a/./b",
            "a@b", "é", "a b", " ", &long,
        ] {
            for text in [text.to_owned(), format!("{text}x"), text.repeat(5)] {
                let said = [
                    (fits(EventType::PATTERN, EventType::MOST, &text), EventType::parse(&text).is_ok()),
                    (fits(TenantName::PATTERN, TenantName::MOST, &text), TenantName::parse(&text).is_ok()),
                    (fits(OwnId::PATTERN, OwnId::MOST, &text), OwnId::parse(&text).is_ok()),
                    (fits(Uid::PATTERN, Uid::MOST, &text), Uid::parse(&text).is_ok()),
                    (fits(FormatName::PATTERN, FormatName::MOST, &text), FormatName::parse(&text).is_ok()),
                    (
                        fits(IdempotencyKey::PATTERN, IdempotencyKey::MOST, &text),
                        IdempotencyKey::parse(&text).is_ok(),
                    ),
                ];
                assert!(said.iter().all(|(pattern, check)| pattern == check), "{text:?}: {said:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn names_need_no_escaping_in_json(text in "\\PC{0,70}|[A-Za-z0-9_.:@/-]{1,64}") {
            let names = [
                EventType::parse(&text).map(|n| n.to_string()),
                TenantName::parse(&text).map(|n| n.to_string()),
                OwnId::parse(&text).map(|n| n.to_string()),
                Uid::parse(&text).map(|n| n.to_string()),
            ];
            for name in names.into_iter().flatten() {
                prop_assert_eq!(serde_json::to_string(&name).unwrap(), format!("\"{text}\""));
            }
        }
    }
}
