//! Texts from outside as a page shows them: in full view, cut to what a page has room for, and without effect.

use actix_web::HttpResponse;
use actix_web::http::header;

use crate::domain::json_pretty::{self, Pretty};
use crate::service::render::Headers;

/// Bytes of a body that a page shows.
const MOST: usize = 12 * 1024;

/// A body on a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Body {
    /// What is shown.
    pub(super) text: String,
    /// How long it is, in bytes.
    pub(super) bytes: usize,
    /// Whether there is more than is shown.
    pub(super) cut: bool,
    /// It is JSON, and can be shown pretty or raw.
    pub(super) json: bool,
}

impl Body {
    /// A body as it is, or over several lines if it is JSON.
    pub(super) fn of(bytes: &[u8], raw: bool) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let pretty = json_pretty::pretty(&text, MOST);
        let json = pretty.is_some();
        let Pretty { text, cut } = pretty.filter(|_| !raw).unwrap_or_else(|| {
            let shown = json_pretty::beginning(&text, MOST);
            Pretty { text: shown.to_owned(), cut: shown.len() < text.len() }
        });
        Self { text: inert(&text), bytes: bytes.len(), cut, json }
    }

    /// Its length for people.
    pub(super) fn size(&self) -> String {
        size(self.bytes)
    }
}

/// A text without characters that would hide or reorder what stands around them: control characters but for tab and line
/// feed, and those of Unicode that have no width or turn the direction of writing (UAX #9, section 2).
pub(super) fn inert(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => shown.push(c),
            // The pictures of control characters (U+2400 and on).
            '\0'..='\u{1f}' => shown.extend(char::from_u32(0x2400 + u32::from(c))),
            '\u{7f}' => shown.push('\u{2421}'),
            '\u{80}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => shown.extend(c.escape_unicode()),
            _ => shown.push(c),
        }
    }
    shown
}

/// The same for the names and values of headers.
pub(super) fn inert_headers(headers: &Headers) -> Headers {
    headers.iter().map(|(name, value)| (inert(name), inert(value))).collect()
}

/// A text in one line of at most so many characters.
pub(super) fn short(text: &str, most: usize) -> String {
    let mut shown: String = text.chars().take(most).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    inert(&shown.replace('\n', " "))
}

/// What went wrong, without what to do about it, which stands behind the first semicolon: for the rows of a table.
pub(super) fn cause(error: &str) -> String {
    short(error.split(';').next().unwrap_or(error), 120)
}

/// `812 bytes`, `2.4 KB`.
pub(super) fn size(bytes: usize) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        ..1024 => format!("{bytes} bytes"),
        _ => format!("{}.{} KB", bytes / 1024, bytes % 1024 * 10 / 1024),
    }
}

/// `< 1 ms`, `34 ms`, `1.25 s`.
pub(super) fn duration(ms: u32) -> String {
    match ms {
        0 => "< 1 ms".to_owned(),
        1..1_000 => format!("{ms} ms"),
        _ => format!("{}.{:02} s", ms / 1_000, ms % 1_000 / 10),
    }
}

/// A text to be kept as a file: a browser shows nothing of it.
pub(super) fn file(name: &str, text: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .body(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_pretty_unless_it_is_wanted_raw() {
        let body = Body::of(br#"{"a":1}"#, false);
        assert_eq!(
            (body.text.as_str(), body.bytes, body.cut, body.json),
            ("{\n  \"a\": 1\n}", 7, false, true)
        );
        assert_eq!(Body::of(br#"{"a":1}"#, true).text, r#"{"a":1}"#);
        let html = Body::of(b"<b>\xff</b>", false);
        assert_eq!((html.text.as_str(), html.json), ("<b>\u{fffd}</b>", false));
        let long = Body::of("ä".repeat(MOST).as_bytes(), false);
        assert!(long.cut && long.text.len() == MOST && long.size() == "24.0 KB");
    }

    #[test]
    fn what_hides_or_reorders_is_made_visible() {
        assert_eq!(inert("a\0b\u{1b}[31m\r\n\tc\u{7f}"), "a␀b␛[31m␍\n\tc␡");
        assert_eq!(inert("x\u{202e}gpj.exe\u{200b}\u{85}"), "x\\u{202e}gpj.exe\\u{200b}\\u{85}");
        assert_eq!(inert("größe ✓ 名"), "größe ✓ 名");
        assert_eq!(
            cause("answered 500: the receiver failed; its own log says why"),
            "answered 500: the receiver failed"
        );
        assert_eq!((short("a\nbcd", 3).as_str(), short("abc", 3).as_str()), ("a b…", "abc"));
    }

    #[test]
    fn lengths_are_told_in_their_unit() {
        assert_eq!(
            (size(1), size(1023), size(2_560)),
            ("1 byte".into(), "1023 bytes".into(), "2.5 KB".into())
        );
        assert_eq!(
            (duration(999), duration(1_250), duration(61_005)),
            ("999 ms".into(), "1.25 s".into(), "61.00 s".into())
        );
    }
}
