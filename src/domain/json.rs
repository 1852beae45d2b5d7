//! JSON as text: how deep it nests, and a cursor that walks it without building a tree.
//!
//! The cursor trusts that its text is JSON (RFC 8259), because everything stored went through a parser
//! first. On anything else it answers `None`; it never panics and always ends.

use std::fmt;

/// The deepest nesting of arrays and objects that a request may have.
pub const MAX_DEPTH: usize = 64;

/// Nesting went beyond the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooDeep {
    /// The limit, in arrays and objects inside one another.
    pub limit: usize,
}

impl fmt::Display for TooDeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must not nest arrays and objects more than {} deep", self.limit)
    }
}

impl std::error::Error for TooDeep {}

/// Checks the nesting of `text` in one pass, without recursion, before any parser sees it.
///
/// `limit` counts arrays and objects inside one another: `[]` is 1 deep, `7` is 0. Text that is not JSON
/// may pass; it is the parser that refuses it, and no parser can get deeper in it than this counted.
///
/// # Errors
/// [`TooDeep`] at the first bracket beyond the limit.
pub fn depth_within(text: &[u8], limit: usize) -> Result<(), TooDeep> {
    let (mut depth, mut at) = (0_usize, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at = end_of_string(text, at + 1).unwrap_or(text.len()),
            b'{' | b'[' => {
                depth += 1;
                if depth > limit {
                    return Err(TooDeep { limit });
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// Checks that `text` is one JSON value that nests at most [`MAX_DEPTH`] deep.
///
/// # Errors
/// What is wrong with it, with the line and the column where it is no JSON.
pub fn check(text: &str) -> Result<(), String> {
    depth_within(text.as_bytes(), MAX_DEPTH).map_err(|error| error.to_string())?;
    let parsed = serde_json::from_str::<serde::de::IgnoredAny>(text);
    parsed.map(|_| ()).map_err(|error| match text.trim() {
        "" => "must be one JSON value; nothing is there".to_owned(),
        _ if error.is_eof() => "must be one JSON value, and ends before it is whole".to_owned(),
        _ => format!("must be one JSON value: {error}"),
    })
}

/// Where the quotation mark stands that ends the string whose content begins at `at`.
fn end_of_string(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// Walks a JSON text from left to right.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor before the first character.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is not a blank, without taking it.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Takes the next byte that is not a blank if it is `wanted`.
    pub(super) fn take(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    /// Takes a string; the content between its quotation marks, escapes and all.
    pub(super) fn string(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let start = self.at;
        let end = end_of_string(self.text.as_bytes(), start)?;
        self.at = end + 1;
        self.text.get(start..end)
    }

    /// Takes any value whole, without looking inside, and without recursion; its text.
    pub(super) fn value(&mut self) -> Option<&'a str> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'"' => {
                self.string()?;
            }
            b'{' | b'[' => self.skip_container()?,
            _ => self.skip_plain(),
        }
        let text = self.text.get(start..self.at)?;
        (!text.is_empty()).then_some(text)
    }

    fn skip_container(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        let mut depth = 0_usize;
        loop {
            match bytes.get(self.at)? {
                b'"' => self.at = end_of_string(bytes, self.at + 1)?,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn skip_plain(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        let ends = |b: &u8| matches!(b, b',' | b'}' | b']' | b':' | b' ' | b'\t' | b'\n' | b'\r');
        self.at += rest.iter().position(ends).unwrap_or(rest.len());
    }
}

/// Whether `raw`, the content of a JSON string with its escapes, means `text`.
///
/// Only a content that has escapes and could fit by its length is unescaped. Half of a surrogate pair is no
/// character and so equals nothing.
pub(super) fn string_is(raw: &str, text: &str) -> bool {
    // No escape is shorter than its character, and the longest (`\u0041`) makes six bytes of one.
    if raw.len() < text.len() || raw.len() > text.len().saturating_mul(6) {
        return false;
    }
    if !raw.as_bytes().contains(&b'\\') {
        return raw == text;
    }
    serde_json::from_str::<String>(&format!("\"{raw}\"")).is_ok_and(|meant| meant == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn depth_of(value: &Value) -> usize {
        match value {
            Value::Array(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
            Value::Object(members) => 1 + members.values().map(depth_of).max().unwrap_or(0),
            _ => 0,
        }
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        assert_eq!(depth_within(br#"["[[[","\"[[",{"{{":"\\"}]"#, 2), Ok(()));
        assert_eq!(depth_within(br#"["\\",[[]]]"#, 2), Err(TooDeep { limit: 2 }));
    }

    #[test]
    fn the_limit_itself_is_allowed() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(depth_within(nested(64).as_bytes(), MAX_DEPTH), Ok(()));
        assert_eq!(depth_within(nested(65).as_bytes(), MAX_DEPTH), Err(TooDeep { limit: 64 }));
        assert_eq!(depth_within("[".repeat(10_000_000).as_bytes(), MAX_DEPTH), Err(TooDeep { limit: 64 }));
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        assert_eq!(check("[1, {\"a\": null}]"), Ok(()));
        assert!(check("{\n  \"a\": 1,\n}").is_err_and(|message| message.contains("line 3")));
        assert!(check(&"[".repeat(65)).is_err_and(|message| message.contains("64 deep")));
    }

    #[test]
    fn a_string_is_compared_by_what_it_means() {
        assert!(string_is(r"p\u0061id", "paid"));
        assert!(string_is(r"\ud83d\ude00\n", "😀\n"));
        assert!(!string_is(r"\ud83d", "\u{fffd}"), "half a pair equals nothing");
        assert!(!string_is("Paid", "paid"));
        assert!(!string_is(r"\u0061", ""));
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[\\[\\]{}\"\\\\a-c]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 40, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[\\[{\"\\\\a-c]{0,3}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn depth_is_the_parsers_depth(value in json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let (text, depth) = (text.unwrap(), depth_of(&value));
            prop_assert_eq!(depth_within(text.as_bytes(), depth), Ok(()));
            if depth > 0 {
                prop_assert_eq!(depth_within(text.as_bytes(), depth - 1), Err(TooDeep { limit: depth - 1 }));
            }
        }

        #[test]
        fn a_value_is_taken_whole(value in json()) {
            let text = serde_json::to_string(&value).unwrap();
            let spaced = format!(" \n{text} ,");
            let mut cursor = Cursor::new(&spaced);
            prop_assert_eq!(cursor.value(), Some(text.as_str()));
            prop_assert_eq!(cursor.take(b','), Some(()));
            prop_assert_eq!(cursor.peek(), None);
        }

        #[test]
        fn no_text_makes_the_cursor_panic(text in "\\PC{0,40}|[\\[\\]{}\":,\\\\1a ]{0,40}") {
            let _depth = depth_within(text.as_bytes(), 3);
            let mut cursor = Cursor::new(&text);
            while cursor.value().is_some() {}
        }
    }
}
