//! A JSON text over several lines, for people: the order of its keys and the spelling of its texts and numbers stay.

use super::json_tree::Node;

/// What a person is shown of a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pretty {
    /// Its lines, each level indented by two blanks.
    pub text: String,
    /// Whether there is more.
    pub cut: bool,
}

/// The lines of a text, up to `most` bytes: what nests deep grows with each line. `None`: it is not JSON, or more than
/// 128 deep.
pub fn pretty(text: &str, most: usize) -> Option<Pretty> {
    let node = Node::parse(text.as_bytes())?;
    let mut lines = Lines { pretty: Pretty { text: String::new(), cut: false }, most };
    lines.node(&node, 0);
    Some(lines.pretty)
}

/// The lines of a text, where it is JSON and they fit into `most` bytes; else the text as it is.
pub fn spread(text: &str, most: usize) -> String {
    match pretty(text, most) {
        Some(Pretty { text, cut: false }) => text,
        _ => text.to_owned(),
    }
}

/// The beginning of a text, of at most so many bytes, between two characters.
pub fn beginning(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

struct Lines {
    pretty: Pretty,
    most: usize,
}

impl Lines {
    fn push(&mut self, part: &str) {
        let room = self.most.saturating_sub(self.pretty.text.len());
        if !self.pretty.cut {
            self.pretty.text.push_str(beginning(part, room));
            self.pretty.cut = part.len() > room;
        }
    }

    fn begin_line(&mut self, depth: usize) {
        self.push("\n");
        for _ in 0..depth {
            self.push("  ");
        }
    }

    fn node(&mut self, node: &Node<'_>, depth: usize) {
        match node {
            Node::Object(members) => self.list(["{", "}"], members, depth, |lines, (key, node)| {
                lines.quoted(key);
                lines.push(": ");
                lines.node(node, depth + 1);
            }),
            Node::Array(elements) => {
                self.list(["[", "]"], elements, depth, |lines, node| lines.node(node, depth + 1));
            }
            Node::Text(raw) => self.quoted(raw),
            Node::Plain(text) => self.push(text),
        }
    }

    fn quoted(&mut self, raw: &str) {
        self.push("\"");
        self.push(raw);
        self.push("\"");
    }

    fn list<T>(&mut self, ends: [&str; 2], all: &[T], depth: usize, element: impl Fn(&mut Self, &T)) {
        self.push(ends[0]);
        for (at, one) in all.iter().enumerate() {
            if self.pretty.cut {
                return;
            }
            if at > 0 {
                self.push(",");
            }
            self.begin_line(depth + 1);
            element(self, one);
        }
        if !all.is_empty() {
            self.begin_line(depth);
        }
        self.push(ends[1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_spelling_stay() {
        let text = r#"{"b":[1.0e0,"\u00e9",{}],"a":{"c":null,"d":[]},"b":12345678901234567890}"#;
        let lines = "{\n  \"b\": [\n    1.0e0,\n    \"\\u00e9\",\n    {}\n  ],\n  \"a\": {\n    \"c\": null,\n    \"d\": []\n  },\n  \"b\": 12345678901234567890\n}";
        assert_eq!(pretty(text, 1_000), Some(Pretty { text: lines.to_owned(), cut: false }));
        assert_eq!(pretty(" 7 ", 10).map(|pretty| pretty.text).as_deref(), Some("7"));
    }

    #[test]
    fn what_is_no_json_is_not_taken_apart() {
        for bad in ["", "a=b", "{", "<html>"] {
            assert_eq!(pretty(bad, 1_000), None, "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_spread_as_a_whole_stays_as_it_is() {
        assert_eq!(spread("[1]", 7), "[\n  1\n]");
        for same in ["[1]", "a=b"] {
            assert_eq!(spread(same, 6), same);
        }
    }

    #[test]
    fn it_ends_where_it_would_grow_too_long() {
        let deep = format!("{}{}{}", "[".repeat(60), "1,".repeat(10_000) + "1", "]".repeat(60));
        let shown = pretty(&deep, 5_000).unwrap();
        assert!(shown.cut && shown.text.len() == 5_000);
        let shown = pretty("\"äöü\"", 4).unwrap();
        assert_eq!((shown.text.as_str(), shown.cut), ("\"ä", true));
    }
}
