//! A JSON text over several lines, for people: the order of its keys and the spelling of its texts and numbers stay.

use super::json_layout::{self, Form};
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
    let (text, cut) = json_layout::beginning(&node, Form::LINES, most);
    Some(Pretty { text, cut })
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
