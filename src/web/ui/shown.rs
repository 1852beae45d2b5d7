//! Texts from outside, cut to what a page has room for. That they have no effect there is the matter of `web/inert.rs`.

use actix_web::HttpResponse;
use actix_web::http::header;

use crate::domain::json_pretty::{self, Pretty};
use crate::service::render::Headers;

use super::weight::{Room, beginning};

/// Bytes of a page that a body takes.
const MOST: usize = 12 * 1024;
/// Bytes of a page that the headers of a request or an answer take.
const HEADERS: usize = 6 * 1024;
/// Characters of the name of a header that are shown, and of a value.
const HEADER: (usize, usize) = (128, 1024);
/// Bytes that stand around a header.
const AROUND: usize = 40;

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
        let fits = beginning(&text, MOST);
        Self { cut: cut || fits.len() < text.len(), text: fits.to_owned(), bytes: bytes.len(), json }
    }

    /// Its length for people.
    pub(super) fn size(&self) -> String {
        size(self.bytes)
    }
}

/// Headers on a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ShownHeaders {
    /// Names and values.
    pub(super) list: Headers,
    /// How many more there are.
    pub(super) left_out: usize,
}

impl ShownHeaders {
    /// As many as a page has room for; a value that is very long is cut.
    pub(super) fn of(headers: &Headers) -> Self {
        let mut room = Room::new(HEADERS);
        let shown = headers.iter().map(|(name, value)| (short(name, HEADER.0), short(value, HEADER.1)));
        let list: Headers =
            shown.take_while(|(name, value)| room.takes(&format!("{name}{value}"), AROUND)).collect();
        Self { left_out: headers.len() - list.len(), list }
    }
}

/// A text in one line of at most so many characters, and of at most twice as many bytes of the page.
pub(super) fn short(text: &str, most: usize) -> String {
    let few: String = text.chars().take(most).collect();
    let line = few.replace('\n', " ");
    let shown = beginning(&line, 2 * most);
    if few.len() < text.len() || shown.len() < line.len() { format!("{shown}…") } else { line }
}

/// A URL where a row or a title has room for its beginning; its endpoint's settings have all of it.
pub(super) fn url(text: &str) -> String {
    short(text, 80)
}

/// What people call something, where a row has room for its beginning.
pub(super) fn called(text: &str) -> String {
    short(text, 80)
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
        let signs = Body::of("<".repeat(MOST).as_bytes(), false);
        assert!(signs.cut && signs.text.len() == MOST / 5);
    }

    #[test]
    fn a_text_is_cut_to_one_line() {
        assert_eq!(
            cause("answered 500: the receiver failed; its own log says why"),
            "answered 500: the receiver failed"
        );
        assert_eq!((short("a\nbcd", 3).as_str(), short("abc", 3).as_str()), ("a b…", "abc"));
        assert_eq!((short("<<<<", 5).as_str(), short("<<", 5).as_str()), ("<<…", "<<"));
    }

    #[test]
    fn headers_are_shown_as_far_as_there_is_room() {
        let few = vec![("a".to_owned(), "b\u{1b}".to_owned())];
        assert_eq!(ShownHeaders::of(&few), ShownHeaders { list: few.clone(), left_out: 0 });
        let shown = ShownHeaders::of(&vec![("x".to_owned(), "\"".repeat(1_000)); 10]);
        assert_eq!((shown.list.len(), shown.left_out), (2, 8));
        assert!(shown.list[0].1.ends_with('…'));
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
