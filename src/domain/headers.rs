//! Headers that an endpoint adds to its requests. Their values are credentials: masked wherever they are shown.

use std::fmt;

use super::invalid::Invalid;

/// What stands for a value after the call that set it.
pub const MASK: &str = "•••";
/// Most headers of one endpoint.
pub const MAX_HEADERS: usize = 20;
/// Most bytes of all names and values together.
pub const MAX_BYTES: usize = 4096;

/// What the connection, the sender and the signature need for themselves.
const DENIED: [&str; 10] = [
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "user-agent",
];
const PROXY: &str = "proxy-";
/// Names of Standard Webhooks, which a format may set and an endpoint may not.
const WEBHOOK: &str = "webhook-";

/// An endpoint's headers, checked, in the order given. Its `Debug` shows names alone.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct CustomHeaders(Vec<(String, String)>);

impl CustomHeaders {
    /// Checks what a caller sent: the whole set, which replaces `current` (empty at a create).
    ///
    /// [`MASK`] as a value keeps the value that `current` has under that name. `format_headers` are those of
    /// the endpoint's format (`Format::own_headers`). At most 20 headers and 4,096 bytes of names and
    /// values; names are tokens and values visible ASCII with blanks inside (RFC 9110, sections 5.1 and
    /// 5.5), which no control character can break out of. Names are compared without regard to case.
    ///
    /// # Errors
    /// Every wrong header, as `headers.NAME`; a value is never repeated.
    pub fn from_caller(
        given: Vec<(String, String)>,
        current: &Self,
        format_headers: &[String],
    ) -> Result<Self, Invalid> {
        let mut invalid = Invalid::new();
        if given.len() > MAX_HEADERS {
            return Err(Invalid::one("headers", format!("must hold at most {MAX_HEADERS} headers")));
        }
        let mut kept: Vec<(String, String)> = Vec::with_capacity(given.len());
        for (name, value) in given {
            let twice = kept.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name));
            let checked = check_name(&name, format_headers)
                .and_then(|()| if twice { Err("is there twice".to_owned()) } else { Ok(()) })
                .and_then(|()| current.unmask(&name, value))
                .and_then(check_value);
            if let Some(value) = invalid.check(&format!("headers.{name}"), checked) {
                kept.push((name, value));
            }
        }
        if kept.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MAX_BYTES {
            invalid
                .push("headers", format!("must have at most {MAX_BYTES} bytes of names and values in all"));
        }
        invalid.into_result(Self(kept))
    }

    /// Whether these headers may stay when the endpoint changes to a format with `format_headers`.
    ///
    /// # Errors
    /// Every header that the format sets itself, as `headers.NAME`.
    pub fn fit(&self, format_headers: &[String]) -> Result<(), Invalid> {
        let mut invalid = Invalid::new();
        for (name, _) in &self.0 {
            invalid.check(&format!("headers.{name}"), check_name(name, format_headers));
        }
        invalid.into_result(())
    }

    /// Headers as the store keeps them, which were checked when they came in.
    pub fn stored(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// Names and values, for sending and for encryption at rest.
    pub fn expose(&self) -> &[(String, String)] {
        &self.0
    }

    /// Names, each with [`MASK`] for its value.
    pub fn masked(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.0.iter().map(|(name, _)| (name.as_str(), MASK))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn unmask(&self, name: &str, value: String) -> Result<String, String> {
        if value != MASK {
            return Ok(value);
        }
        let kept = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        kept.map(|(_, value)| value.clone()).ok_or_else(|| {
            format!("{MASK} keeps the value of a header that is there, and this one is not; send its value")
        })
    }
}

impl fmt::Debug for CustomHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.masked()).finish()
    }
}

/// Whether `name` is the name of a header (RFC 9110, section 5.1).
///
/// # Errors
/// What is allowed, as the message of a field error.
pub(super) fn check_token(name: &str) -> Result<(), String> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(token) {
        return Err("must be a header name: letters, digits and ! # $ % & ' * + - . ^ _ ` | ~".to_owned());
    }
    Ok(())
}

/// Whether a header, in lower case, is one that the connection or the sender sets: not even a format may.
pub(super) fn is_ours(lower: &str) -> bool {
    DENIED.contains(&lower) || lower.starts_with(PROXY)
}

fn check_name(name: &str, format_headers: &[String]) -> Result<(), String> {
    check_token(name)?;
    let lower = name.to_ascii_lowercase();
    let of_format =
        lower.starts_with(WEBHOOK) || format_headers.iter().any(|own| own.eq_ignore_ascii_case(&lower));
    if is_ours(&lower) || of_format {
        return Err("is set by Postrider itself or by the endpoint's format; choose another name".to_owned());
    }
    Ok(())
}

/// Takes the value of a header: visible ASCII with blanks inside (RFC 9110, section 5.5).
///
/// # Errors
/// What is allowed, as the message of a field error. The value is not repeated.
pub(super) fn check_value(value: String) -> Result<String, String> {
    let allowed = |b: u8| b.is_ascii_graphic() || b == b' ' || b == b'\t';
    if value.bytes().all(allowed) && value.trim_matches([' ', '\t']) == value {
        return Ok(value);
    }
    Err("must be visible ASCII characters, with blanks only between them".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(given: &[(&str, &str)]) -> Vec<(String, String)> {
        given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn create(given: &[(&str, &str)]) -> Result<CustomHeaders, Invalid> {
        CustomHeaders::from_caller(pairs(given), &CustomHeaders::default(), &["X-Zyra-Signature".to_owned()])
    }

    #[test]
    fn headers_that_postrider_sets_are_refused_in_any_case() {
        for name in
            ["Host", "CONTENT-LENGTH", "te", "Proxy-Authorization", "Webhook-Anything", "x-zyra-signature"]
        {
            let invalid = create(&[(name, "v")]).unwrap_err();
            assert_eq!(invalid.0[0].field, format!("headers.{name}"));
        }
        assert!(create(&[("Authorization", "Bearer x y"), ("X-Webhook", ""), ("Test", "a\tb")]).is_ok());
    }

    #[test]
    fn names_and_values_cannot_break_out_of_their_line() {
        for name in ["", "a b", "a:", "ä", "a\r\nb"] {
            assert!(
                create(&[(name, "v")]).is_err_and(|e| e.0[0].message.contains("header name")),
                "{name:?}"
            );
        }
        for value in ["hush\r\nb: c", " hush", "hush\t", "hüsh", "hush\0", "hush\u{7f}"] {
            let invalid = create(&[("a", value)]).unwrap_err();
            assert_eq!(invalid.0[0].field, "headers.a");
            assert!(
                !invalid.0[0].message.contains('ü') && !invalid.0[0].message.contains("hush"),
                "{value:?}"
            );
        }
    }

    #[test]
    fn a_name_comes_once_and_every_error_is_told() {
        let invalid = create(&[("A", "1"), ("a", "2"), ("b\n", "3")]).unwrap_err();
        assert_eq!(invalid.0.len(), 2);
        assert!(invalid.0[0].message.contains("twice"));
    }

    #[test]
    fn number_and_size_are_limited() {
        let many = |count: usize| (0..count).map(|n| (format!("h{n}"), "v".to_owned())).collect::<Vec<_>>();
        let check = |given| CustomHeaders::from_caller(given, &CustomHeaders::default(), &[]);
        assert!(check(many(20)).is_ok());
        assert!(check(many(21)).is_err_and(|e| e.0[0].message.contains("20")));
        assert!(create(&[("a", &"v".repeat(4095))]).is_ok());
        assert!(create(&[("a", &"v".repeat(4096))]).is_err_and(|e| e.0[0].field == "headers"));
    }

    #[test]
    fn a_mask_keeps_the_value_and_what_is_absent_goes() {
        let current = create(&[("Authorization", "secret"), ("X-Old", "1")]).unwrap();
        let given = pairs(&[("authorization", MASK), ("X-New", "2")]);
        let patched = CustomHeaders::from_caller(given, &current, &[]).unwrap();
        assert_eq!(patched.expose(), pairs(&[("authorization", "secret"), ("X-New", "2")]));
        let shown: Vec<_> = patched.masked().collect();
        assert_eq!(shown, [("authorization", MASK), ("X-New", MASK)]);
    }

    #[test]
    fn a_mask_for_an_unknown_header_is_an_error() {
        assert!(create(&[("X-New", MASK)]).is_err_and(|e| e.0[0].field == "headers.X-New"));
    }

    #[test]
    fn a_change_of_format_finds_headers_that_it_sets_itself() {
        let headers = create(&[("X-Event", "1"), ("X-Mine", "2")]).unwrap();
        assert_eq!(headers.fit(&["x-event".to_owned()]).unwrap_err().0[0].field, "headers.X-Event");
        assert_eq!(headers.fit(&["x-other".to_owned()]), Ok(()));
    }

    #[test]
    fn debug_shows_no_value() {
        assert!(!format!("{:?}", create(&[("Authorization", "secret")]).unwrap()).contains("secret"));
    }

    proptest! {
        #[test]
        fn what_passes_is_a_header_for_a_strict_library(
            name in "\\PC{1,12}|[a-zA-Z-]{1,12}",
            value in "\\PC{0,20}|[ -~\t]{0,20}",
        ) {
            if let Ok(headers) = create(&[(&name, &value)]) {
                prop_assert!(http::header::HeaderName::from_bytes(name.as_bytes()).is_ok());
                prop_assert!(http::HeaderValue::from_str(&value).is_ok());
                prop_assert_eq!(headers.expose(), &[(name, value)]);
            }
        }
    }
}
