//! What becomes of a JSON body that a program parses and writes again, undone as far as it can be: every usual way
//! to write the same JSON, to be tried against a signature.
//!
//! The envelope of a body is ours, and the event's data in it is whatever its publisher has written. Programs write
//! both in one way, so that what was signed may have been written in two.
//!
//! Numbers keep their text here: digits that a program has dropped cannot be told.

use crate::domain::format::ecmascript;
use crate::domain::json_layout::{Form, Part, forms, inner_forms, write};
use crate::domain::json_tree::Node;

/// A body as it may have been signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// What it is, after "the signature is over".
    pub says: String,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// How a format builds its bodies, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    /// The keys of the envelope, in the order in which they are sent.
    pub keys: Vec<String>,
    /// The keys that lead to the event's data; none: it is the body.
    pub data: Vec<String>,
}

/// The usual ways to write `body`, the most likely first, one at a time.
pub fn rewrites<'a>(body: &'a [u8], shape: &'a Shape) -> impl Iterator<Item = Rewrite> + 'a {
    let node = Node::parse(body);
    let script = ecmascript::rewrite(body)
        .map(|body| Rewrite { says: "the body as JSON.stringify writes it".to_owned(), body });
    let in_two_ways = node.clone().into_iter().flat_map(move |node| own_data(&node, shape));
    let in_one_way = node.into_iter().flat_map(move |node| {
        let mut orders = vec![(Order::AsIs, node.clone()), (Order::Sorted, node.sorted())];
        orders.extend(node.in_order(&shape.keys).map(|node| (Order::Envelope, node)));
        orders.into_iter().flat_map(|(order, node)| {
            forms().map(move |form| Rewrite {
                says: format!("{form}{}", order.says()),
                body: write(&node, form, None),
            })
        })
    });
    line_ends(body).chain(in_one_way).chain(script).chain(in_two_ways)
}

/// The body with the envelope that our server writes, and its data as a publisher may have written it.
fn own_data<'a>(node: &Node<'a>, shape: &'a Shape) -> impl Iterator<Item = Rewrite> + use<'a> {
    let body = node.in_order(&shape.keys).unwrap_or_else(|| node.clone());
    let data = node.at(&shape.data).cloned();
    let orders = data.into_iter().flat_map(|data| {
        let sorted = data.sorted();
        [(Order::AsIs, data), (Order::Sorted, sorted)]
    });
    orders.flat_map(move |(order, data)| {
        let body = body.clone();
        Form::ENVELOPE.into_iter().flat_map(move |envelope| {
            let (body, data) = (body.clone(), data.clone());
            inner_forms().map(move |form| Rewrite {
                says: format!(
                    "the body with the event's data as it was published, which was {form}{}",
                    order.says()
                ),
                body: write(&body, envelope, Some(Part { path: &shape.data, node: &data, form })),
            })
        })
    })
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

impl Order {
    fn says(self) -> &'static str {
        match self {
            Self::AsIs => "",
            Self::Sorted => ", its keys sorted",
            Self::Envelope => ", the keys of the envelope in their own order",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shape() -> Shape {
        Shape {
            keys: ["id", "type", "tenant", "data"].map(str::to_owned).into(),
            data: vec!["data".to_owned()],
        }
    }

    /// How a body of which `now` is left may have been.
    fn found(now: &str, was: &str) -> Option<String> {
        rewrites(now.as_bytes(), &shape())
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

    /// Data that was published with other blanks, escapes and lines than the envelope has.
    const PUBLISHED: [&str; 5] = [
        r#"{"order": 17, "total": 29.5, "name": "é"}"#,
        r#"{"order": 17, "total": 29.5, "name": "\u00e9"}"#,
        r#"{"order":17,"total":29.5,"name":"\u00e9"}"#,
        "{\n  \"order\": 17,\n  \"total\": 29.5,\n  \"name\": \"é\"\n}",
        // In a text that was indented as a whole, it stood one step in.
        "{\n    \"order\": 17,\n    \"total\": 29.5,\n    \"name\": \"é\"\n  }",
    ];
    /// What `JSON.stringify`, `json.dumps` and `json.dumps(ensure_ascii=False)` make of each of them.
    const WRITTEN: [&str; 3] = [
        r#"{"id":"evt_1","type":"order.paid","tenant":"default","data":{"order":17,"total":29.5,"name":"é"}}"#,
        r#"{"id": "evt_1", "type": "order.paid", "tenant": "default", "data": {"order": 17, "total": 29.5, "name": "\u00e9"}}"#,
        r#"{"id": "evt_1", "type": "order.paid", "tenant": "default", "data": {"order": 17, "total": 29.5, "name": "é"}}"#,
    ];

    #[test]
    fn the_envelope_and_the_data_in_it_may_have_been_written_in_two_ways() {
        for data in PUBLISHED {
            let was = format!(r#"{{"id":"evt_1","type":"order.paid","tenant":"default","data":{data}}}"#);
            for now in WRITTEN {
                let found = found(now, &was).unwrap_or_else(|| panic!("{now} of {was}"));
                assert!(found.contains("JSON"), "{found}");
            }
        }
        let deep = Shape { keys: vec!["at".to_owned()], data: vec!["data".to_owned(), "object".to_owned()] };
        let now = br#"{"data": {"object": {"b": [1, 2]}}, "at": 7}"#;
        let was = br#"{"at":7,"data":{"object":{"b": [1, 2]}}}"#;
        assert!(rewrites(now, &deep).any(|rewrite| rewrite.body == was));
    }

    #[test]
    fn what_is_no_json_has_other_ends_and_nothing_else() {
        assert_eq!(rewrites(b"hello", &shape()).count(), 1);
        assert_eq!(rewrites("[".repeat(10_000).as_bytes(), &shape()).count(), 1);
        assert_eq!(rewrites(b"\xff", &shape()).count(), 1);
    }

    proptest! {
        #[test]
        fn every_rewrite_of_json_is_the_same_json(text in r#"[\[\]{}":,\\1a/éu0 ]{0,30}|\{"b":"[a-zé/]{0,5}","a":\[1,\{\}\]\}"#) {
            let value = serde_json::from_str::<serde_json::Value>(&text).ok();
            for rewrite in rewrites(text.as_bytes(), &shape()) {
                let again = serde_json::from_slice::<serde_json::Value>(&rewrite.body).ok();
                prop_assert_eq!(&again, &value, "{}", rewrite.says);
            }
        }
    }
}
