//! A JSON text as a tree that keeps the order of its keys and the spelling of its texts and numbers.

use super::json::{Cursor, depth_within};

/// Deeper texts are not taken apart.
const DEPTH: usize = 128;

/// A JSON value, its texts and numbers as they stand.
#[derive(Debug, Clone)]
pub enum Node<'a> {
    /// The members, by the content of their keys' quotation marks.
    Object(Vec<(&'a str, Node<'a>)>),
    /// The elements.
    Array(Vec<Node<'a>>),
    /// The content of the quotation marks, escapes and all.
    Text(&'a str),
    /// A number, `true`, `false` or `null`.
    Plain(&'a str),
}

impl<'a> Node<'a> {
    /// The tree of a text that is JSON and at most 128 deep.
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        depth_within(body, DEPTH).ok()?;
        serde_json::from_slice::<serde::de::IgnoredAny>(body).ok()?;
        Self::read(&mut Cursor::new(std::str::from_utf8(body).ok()?))
    }

    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        match cursor.peek()? {
            b'{' => {
                let mut members = Vec::new();
                list(cursor, b'{', b'}', |cursor| {
                    let key = cursor.string()?;
                    cursor.take(b':')?;
                    members.push((key, Self::read(cursor)?));
                    Some(())
                })?;
                Some(Self::Object(members))
            }
            b'[' => {
                let mut elements = Vec::new();
                list(cursor, b'[', b']', |cursor| {
                    elements.push(Self::read(cursor)?);
                    Some(())
                })?;
                Some(Self::Array(elements))
            }
            b'"' => cursor.string().map(Self::Text),
            _ => cursor.value().map(Self::Plain),
        }
    }

    /// The keys of every object in the order of their bytes.
    pub fn sorted(&self) -> Self {
        match self {
            Self::Object(members) => {
                let mut members: Vec<_> = members.iter().map(|(key, node)| (*key, node.sorted())).collect();
                members.sort_by_key(|(key, _)| *key);
                Self::Object(members)
            }
            Self::Array(elements) => Self::Array(elements.iter().map(Self::sorted).collect()),
            other => other.clone(),
        }
    }

    /// The node that these keys lead to; of duplicate keys the last counts.
    pub fn at(&self, path: &[String]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| {
            let Self::Object(members) = node else { return None };
            let named = |raw: &str| raw == key || meant(raw).as_ref() == Some(key);
            members.iter().rev().find(|(raw, _)| named(raw)).map(|(_, node)| node)
        })
    }

    /// Of an object: the members that `keys` names first, in that order.
    pub fn in_order(&self, keys: &[String]) -> Option<Self> {
        let Self::Object(members) = self else { return None };
        let place = |key: &str| keys.iter().position(|known| known == key).unwrap_or(keys.len());
        let mut members = members.clone();
        members.sort_by_key(|(key, _)| place(key));
        Some(Self::Object(members))
    }
}

/// Takes a list between brackets, with `element` for each of its elements.
fn list<'a>(
    cursor: &mut Cursor<'a>,
    open: u8,
    close: u8,
    mut element: impl FnMut(&mut Cursor<'a>) -> Option<()>,
) -> Option<()> {
    cursor.take(open)?;
    if cursor.take(close).is_some() {
        return Some(());
    }
    loop {
        element(cursor)?;
        if cursor.take(b',').is_none() {
            return cursor.take(close);
        }
    }
}

/// What a text means whose content, escapes and all, is `raw`. Half a surrogate pair means nothing.
pub fn meant(raw: &str) -> Option<String> {
    serde_json::from_str(&format!("\"{raw}\"")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_spelling_stay() {
        let text = br#" {"b": [12345678901234567890, "\u00e9"], "a": {}, "b": null} "#;
        let Some(Node::Object(members)) = Node::parse(text) else { panic!("an object") };
        let keys: Vec<_> = members.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, ["b", "a", "b"]);
        let [Node::Plain(number), Node::Text(raw)] = (match &members[0].1 {
            Node::Array(elements) => &elements[..],
            other => panic!("{other:?}"),
        }) else {
            panic!("two elements")
        };
        assert_eq!((*number, *raw, meant(raw).as_deref()), ("12345678901234567890", "\\u00e9", Some("é")));
    }

    #[test]
    fn keys_are_sorted_at_any_depth_or_put_in_a_given_order() {
        let node = Node::parse(br#"{"b":{"d":1,"c":2},"a":3}"#).unwrap();
        let keys = |node: &Node<'_>| match node {
            Node::Object(members) => members.iter().map(|(key, _)| (*key).to_owned()).collect(),
            _ => Vec::new(),
        };
        let Node::Object(sorted) = node.sorted() else { panic!("an object") };
        assert_eq!((sorted[0].0, keys(&sorted[1].1)), ("a", vec!["c".to_owned(), "d".to_owned()]));
        let ordered = node.in_order(&["x".to_owned(), "a".to_owned()]).unwrap();
        assert_eq!(keys(&ordered), ["a", "b"]);
        assert!(Node::parse(b"7").unwrap().in_order(&[]).is_none());
        let path = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        assert!(matches!(node.at(&path(&["b", "c"])), Some(Node::Plain("2"))));
        assert!(node.at(&path(&["b", "x"])).is_none() && node.at(&path(&["a", "c"])).is_none());
        assert!(node.at(&[]).is_some());
    }

    #[test]
    fn what_is_no_json_or_too_deep_has_no_tree() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Node::parse(deep(128).as_bytes()).is_some() && Node::parse(deep(129).as_bytes()).is_none());
        for bad in [&b"{"[..], b"", b"[1,]", b"\xff", b"1 2"] {
            assert!(Node::parse(bad).is_none(), "{bad:?}");
        }
        assert_eq!(meant("\\ud800"), None);
    }
}
