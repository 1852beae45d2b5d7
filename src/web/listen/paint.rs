//! Colours, and a body folded to what a terminal can show: indented, long texts cut, the middle of long bodies left out.

use crate::domain::inert;
use crate::domain::json_tree::{Node, meant};

/// Lines of a body that are shown.
const LINES: usize = 40;
/// Characters of a text that are shown, and of a line of a body that is no JSON.
const LENGTH: usize = 160;
/// Bodies above this are not taken apart.
const PARSED: usize = 1024 * 1024;

/// Paints, or leaves texts as they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    pub(super) colours: bool,
}

impl Paint {
    /// SGR, "select graphic rendition" (ECMA-48, section 8.3.117).
    fn with(self, code: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.with("31", text)
    }

    /// A body, each line indented by two blanks and ended.
    pub(super) fn body(self, body: &str) -> String {
        let node = if body.len() > PARSED { None } else { Node::parse(body.as_bytes()) };
        let mut lines = Vec::new();
        match node {
            Some(node) => self.node(&mut lines, "", &node, 0, ""),
            None => lines.extend(body.lines().map(|line| cut(&inert::line(line)))),
        }
        let left_out = lines.len().saturating_sub(LINES);
        if left_out > 0 {
            let word = if left_out == 1 { "line" } else { "lines" };
            let instead = self.faint(&format!("… {left_out} more {word} …"));
            lines.splice(LINES / 2..LINES / 2 + left_out, [instead]);
        }
        lines.iter().flat_map(|line| ["  ", line, "\n"]).collect()
    }

    /// `start` is what stands before the value on its first line, `end` what follows it on its last.
    fn node(self, lines: &mut Vec<String>, start: &str, node: &Node<'_>, depth: usize, end: &str) {
        let indent = |depth: usize| "  ".repeat(depth);
        let separator = |at: usize, count: usize| if at + 1 < count { "," } else { "" };
        match node {
            Node::Object(members) if members.is_empty() => lines.push(format!("{start}{{}}{end}")),
            Node::Array(elements) if elements.is_empty() => lines.push(format!("{start}[]{end}")),
            Node::Object(members) => {
                lines.push(format!("{start}{{"));
                for (at, (key, node)) in members.iter().enumerate() {
                    let start = format!("{}{}: ", indent(depth + 1), self.with("36", &quoted(key)));
                    self.node(lines, &start, node, depth + 1, separator(at, members.len()));
                }
                lines.push(format!("{}}}{end}", indent(depth)));
            }
            Node::Array(elements) => {
                lines.push(format!("{start}["));
                for (at, node) in elements.iter().enumerate() {
                    self.node(lines, &indent(depth + 1), node, depth + 1, separator(at, elements.len()));
                }
                lines.push(format!("{}]{end}", indent(depth)));
            }
            Node::Text(raw) => lines.push(format!("{start}{}{end}", self.with("32", &quoted(raw)))),
            Node::Plain(text) => {
                let code = if matches!(*text, "true" | "false" | "null") { "35" } else { "33" };
                lines.push(format!("{start}{}{end}", self.with(code, &cut(text))));
            }
        }
    }
}

/// A text whose content is `raw`, with no more escapes than JSON asks for.
fn quoted(raw: &str) -> String {
    let text = meant(raw).and_then(|text| serde_json::to_string(&cut(&text)).ok());
    inert::line(&text.unwrap_or_else(|| format!("\"{}\"", cut(raw))))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LENGTH) {
        None => text.to_owned(),
        Some((end, _)) => {
            let more = text.chars().count() - LENGTH;
            format!("{}… ({more} more)", text.get(..end).unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Paint = Paint { colours: false };

    #[test]
    fn json_is_indented() {
        let body = PLAIN.body(r#"{"a":[1,{"b":null}],"c":"x","d":{},"e":[]}"#);
        let expected = "  {\n    \"a\": [\n      1,\n      {\n        \"b\": null\n      }\n    ],\n    \"c\": \"x\",\n    \"d\": {},\n    \"e\": []\n  }\n";
        assert_eq!(body, expected);
    }

    #[test]
    fn colours_tell_keys_texts_and_numbers_apart() {
        let body = Paint { colours: true }.body(r#"{"a":"b","c":1,"d":true}"#);
        for painted in ["[36m\"a\"", "[32m\"b\"", "[33m1\u{1b}", "[35mtrue\u{1b}"] {
            assert!(body.contains(painted), "{painted}: {body:?}");
        }
    }

    #[test]
    fn long_texts_and_long_bodies_are_folded() {
        let text = PLAIN.body(&format!("\"{}\"", "é".repeat(1_000)));
        assert!(text.contains("é… (840 more)") && text.lines().count() == 1, "{text}");
        let many: Vec<_> = (0..1_000).collect();
        let body = PLAIN.body(&format!("{many:?}"));
        assert!(body.contains("… 962 more lines …") && body.contains("  999\n  ]"), "{body}");
        assert_eq!(body.lines().count(), LINES + 1);
        let raw = PLAIN.body(&"line\n".repeat(1_000));
        assert_eq!(raw.lines().count(), LINES + 1);
    }

    #[test]
    fn nothing_in_a_body_steers_the_terminal() {
        for body in ["a\u{1b}[2Jb\u{9b}1m", "\"a\\u001b[2J\\u009b\\u202e\"", "{\"\\u001b[2J\":1}"] {
            let shown = PLAIN.body(body);
            let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!shown.contains(steers), "{shown:?}");
        }
        assert_eq!(PLAIN.body(""), "");
    }
}
