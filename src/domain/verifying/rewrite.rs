//! What becomes of a JSON body that a program parses and writes again, undone as far as it can be: every usual way
//! to write the same JSON, to be tried against a signature.
//!
//! Numbers keep their text here: digits that a program has dropped cannot be told.

use std::fmt::Write;

use crate::domain::format::ecmascript;
use crate::domain::json_tree::{Node, meant};

/// A body as it may have been signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// What it is, after "the signature is over".
    pub says: String,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// The usual ways to write `body`, the most likely first, one at a time. `keys` are those of the envelope, in the
/// order in which they are sent.
pub fn rewrites<'a>(body: &'a [u8], keys: &'a [String]) -> impl Iterator<Item = Rewrite> + 'a {
    let node = Node::parse(body);
    let script = ecmascript::rewrite(body)
        .map(|body| Rewrite { says: "the body as JSON.stringify writes it".to_owned(), body });
    let forms = node.into_iter().flat_map(move |node| {
        let mut orders = vec![(Order::AsIs, node.clone()), (Order::Sorted, node.sorted())];
        orders.extend(node.in_order(keys).map(|node| (Order::Envelope, node)));
        orders.into_iter().flat_map(|(order, node)| {
            forms().map(move |(layout, texts)| Rewrite {
                says: says(order, layout, texts),
                body: write(&node, layout, texts),
            })
        })
    });
    line_ends(body).chain(forms).chain(script)
}

/// The body with other ends.
fn line_ends(body: &[u8]) -> impl Iterator<Item = Rewrite> {
    let rewrite = |says: &str, body: Vec<u8>| Rewrite { says: says.to_owned(), body };
    let trimmed = body.trim_ascii();
    let without = (trimmed.len() < body.len())
        .then(|| rewrite("the body without the blanks or line ends around it", trimmed.to_vec()));
    let with = rewrite("the body with a line end after it", [body, b"\n"].concat());
    let bare = body
        .strip_prefix(b"\xef\xbb\xbf")
        .map(|bare| rewrite("the body without its byte order mark", bare.to_vec()));
    without.into_iter().chain([with]).chain(bare)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    AsIs,
    Sorted,
    Envelope,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Compact,
    /// A blank after commas and colons, as Python's `json.dumps` writes.
    Blanks,
    /// Lines, indented by so many blanks.
    Lines(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Texts {
    /// With their escapes.
    AsIs,
    /// With no more escapes than JSON asks for.
    Plain,
    /// All that is not ASCII escaped, as Python's `json.dumps` does.
    Ascii,
    /// The same, and `/` as `\/`, as PHP's `json_encode` does.
    Slashes,
}

fn forms() -> impl Iterator<Item = (Layout, Texts)> {
    let layouts = [Layout::Compact, Layout::Blanks, Layout::Lines(2), Layout::Lines(4)];
    let texts = [Texts::AsIs, Texts::Plain, Texts::Ascii, Texts::Slashes];
    layouts.into_iter().flat_map(move |layout| texts.map(|texts| (layout, texts)))
}

fn says(order: Order, layout: Layout, texts: Texts) -> String {
    let layout = match layout {
        Layout::Compact => "compact JSON".to_owned(),
        Layout::Blanks => "JSON with a blank after commas and colons".to_owned(),
        Layout::Lines(indent) => format!("JSON indented by {indent} blanks"),
    };
    let texts = match texts {
        Texts::AsIs => "",
        Texts::Plain => ", its texts without needless escapes",
        Texts::Ascii => ", its texts in ASCII with \\u escapes",
        Texts::Slashes => ", its texts in ASCII with \\u and \\/ escapes",
    };
    let order = match order {
        Order::AsIs => "",
        Order::Sorted => ", its keys sorted",
        Order::Envelope => ", the keys of the envelope in their own order",
    };
    format!("{layout}{texts}{order}")
}

fn write(node: &Node<'_>, layout: Layout, texts: Texts) -> Vec<u8> {
    let mut out = String::new();
    put(&mut out, node, layout, texts, 0);
    out.into_bytes()
}

fn put(out: &mut String, node: &Node<'_>, layout: Layout, texts: Texts, depth: usize) {
    match node {
        Node::Plain(text) => out.push_str(text),
        Node::Text(text) => put_text(out, text, texts),
        Node::Array(elements) if elements.is_empty() => out.push_str("[]"),
        Node::Object(members) if members.is_empty() => out.push_str("{}"),
        Node::Array(elements) => {
            out.push('[');
            for (at, element) in elements.iter().enumerate() {
                begin(out, at, layout, depth + 1);
                put(out, element, layout, texts, depth + 1);
            }
            end(out, layout, depth);
            out.push(']');
        }
        Node::Object(members) => {
            out.push('{');
            for (at, (key, value)) in members.iter().enumerate() {
                begin(out, at, layout, depth + 1);
                put_text(out, key, texts);
                out.push_str(if layout == Layout::Compact { ":" } else { ": " });
                put(out, value, layout, texts, depth + 1);
            }
            end(out, layout, depth);
            out.push('}');
        }
    }
}

fn begin(out: &mut String, at: usize, layout: Layout, depth: usize) {
    if at > 0 {
        out.push(',');
    }
    match layout {
        Layout::Blanks if at > 0 => out.push(' '),
        Layout::Compact | Layout::Blanks => {}
        Layout::Lines(_) => end(out, layout, depth),
    }
}

fn end(out: &mut String, layout: Layout, depth: usize) {
    if let Layout::Lines(indent) = layout {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent * depth));
    }
}

/// Writes a text whose content, escapes and all, is `raw`.
fn put_text(out: &mut String, raw: &str, texts: Texts) {
    // Half a surrogate pair has no text; its escapes stay.
    let decoded = if texts == Texts::AsIs { None } else { meant(raw) };
    let Some(plain) = decoded.and_then(|text| serde_json::to_string(&text).ok()) else {
        out.extend(["\"", raw, "\""]);
        return;
    };
    for character in plain.chars() {
        match character {
            '/' if texts == Texts::Slashes => out.push_str("\\/"),
            ascii if ascii.is_ascii() || texts == Texts::Plain => out.push(ascii),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys() -> Vec<String> {
        ["id", "type", "data"].map(str::to_owned).into()
    }

    /// How a body of which `now` is left may have been.
    fn found(now: &str, was: &str) -> Option<String> {
        rewrites(now.as_bytes(), &keys())
            .find(|rewrite| rewrite.body == was.as_bytes())
            .map(|rewrite| rewrite.says)
    }

    #[test]
    fn what_programs_do_to_json_is_undone() {
        let sent = r#"{"id":"e","type":"a/b","data":{"n":12345678901234567890,"name":"Zoë","list":[1,{}]}}"#;
        let value: serde_json::Value = serde_json::from_str(sent).unwrap();
        assert_eq!(value["data"]["list"][0], 1);
        for (now, says) in [
            (format!("{sent}\n"), "without the blanks or line ends"),
            (format!("\u{feff}{sent}"), "byte order mark"),
            (sent.replace(':', ": ").replace(',', ", "), "compact JSON"),
            (sent.replace("Zoë", "Zo\\u00eb"), "without needless escapes"),
            (sent.replace('/', "\\/").replace("Zoë", "Zo\\u00eb"), "without needless escapes"),
            (
                r#"{ "data":{"n":12345678901234567890,"name":"Zoë","list":[1,{}]}, "id":"e", "type":"a/b"}"#
                    .to_owned(),
                "the keys of the envelope in their own order",
            ),
        ] {
            let found = found(&now, sent).unwrap_or_else(|| panic!("{now}"));
            assert!(found.contains(says), "{now}: {found}");
        }
    }

    #[test]
    fn what_was_signed_may_have_been_written_in_any_usual_way() {
        let now = r#"{"b":"é/","a":[1,2]}"#;
        for (was, says) in [
            (r#"{"a":[1,2],"b":"é/"}"#, "compact JSON, its keys sorted"),
            (r#"{"b": "\u00e9/", "a": [1, 2]}"#, "a blank after commas and colons, its texts in ASCII"),
            (r#"{"b":"\u00e9\/","a":[1,2]}"#, "with \\u and \\/ escapes"),
            ("{\n  \"b\": \"é/\",\n  \"a\": [\n    1,\n    2\n  ]\n}", "indented by 2 blanks"),
            ("{\"b\":\"é/\",\"a\":[1,2]}\n", "a line end after it"),
        ] {
            let found = found(now, was).unwrap_or_else(|| panic!("{was}"));
            assert!(found.contains(says), "{was}: {found}");
        }
        assert_eq!(found(now, "{}"), None);
        let script = found(r#"{"b": 1.0, "10": 1e21}"#, r#"{"10":1e+21,"b":1}"#);
        assert!(script.is_some_and(|says| says.contains("JSON.stringify")));
    }

    #[test]
    fn what_is_no_json_has_other_ends_and_nothing_else() {
        assert_eq!(rewrites(b"hello", &keys()).count(), 1);
        assert_eq!(rewrites("[".repeat(10_000).as_bytes(), &keys()).count(), 1);
        assert_eq!(rewrites(b"\xff", &keys()).count(), 1);
    }

    proptest! {
        #[test]
        fn every_rewrite_of_json_is_the_same_json(text in r#"[\[\]{}":,\\1a/éu0 ]{0,30}|\{"b":"[a-zé/]{0,5}","a":\[1,\{\}\]\}"#) {
            let value = serde_json::from_str::<serde_json::Value>(&text).ok();
            for rewrite in rewrites(text.as_bytes(), &keys()) {
                let again = serde_json::from_slice::<serde_json::Value>(&rewrite.body).ok();
                prop_assert_eq!(&again, &value, "{}", rewrite.says);
            }
        }
    }
}
