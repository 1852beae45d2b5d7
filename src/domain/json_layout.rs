//! The usual ways to write the same JSON.

use std::fmt::{self, Display, Formatter};

use super::json_tree::{Node, meant};

/// A way to write JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    layout: Layout,
    texts: Texts,
    /// How many steps its lines begin further in.
    steps: usize,
}

/// A part of a JSON text that is written in a way of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    /// The keys that lead there.
    pub path: &'a [String],
    /// What is written in its place.
    pub node: &'a Node<'a>,
    /// In which way.
    pub form: Form,
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

const TEXTS: [Texts; 4] = [Texts::AsIs, Texts::Plain, Texts::Ascii, Texts::Slashes];
const LAYOUTS: [Layout; 4] = [Layout::Compact, Layout::Blanks, Layout::Lines(2), Layout::Lines(4)];

/// How far in the data of an event stands where the whole call was indented: as all of it, as a field of an event,
/// as one of an event in a batch.
const STEPS: [usize; 3] = [0, 1, 3];

/// Every way to write a whole text.
pub(super) fn forms() -> impl Iterator<Item = Form> {
    LAYOUTS.into_iter().flat_map(|layout| TEXTS.map(|texts| Form { layout, texts, steps: 0 }))
}

/// Every way in which a part of a text may have been written.
pub(super) fn inner_forms() -> impl Iterator<Item = Form> {
    let steps = |layout| if matches!(layout, Layout::Lines(_)) { &STEPS[..] } else { &STEPS[..1] };
    let layouts = LAYOUTS.into_iter().flat_map(move |layout| steps(layout).iter().map(move |n| (layout, *n)));
    layouts.flat_map(|(layout, steps)| TEXTS.map(|texts| Form { layout, texts, steps }))
}

impl Form {
    /// Those in which our server writes an envelope: what is fixed in it may have escapes.
    pub(super) const ENVELOPE: [Self; 2] = [
        Self { layout: Layout::Compact, texts: Texts::Plain, steps: 0 },
        Self { layout: Layout::Compact, texts: Texts::AsIs, steps: 0 },
    ];
    /// For people: lines, the spelling of all texts as it was.
    pub(super) const LINES: Self = Self { layout: Layout::Lines(2), texts: Texts::AsIs, steps: 0 };
}

impl Display for Form {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.layout {
            Layout::Compact => f.write_str("compact JSON")?,
            Layout::Blanks => f.write_str("JSON with a blank after commas and colons")?,
            Layout::Lines(indent) => write!(f, "JSON indented by {indent} blanks")?,
        }
        f.write_str(match self.texts {
            Texts::AsIs => "",
            Texts::Plain => ", its texts without needless escapes",
            Texts::Ascii => ", its texts in ASCII with \\u escapes",
            Texts::Slashes => ", its texts in ASCII with \\u and \\/ escapes",
        })
    }
}

/// Writes `node` in this way, but `part` of it in its own.
pub(super) fn write(node: &Node<'_>, form: Form, part: Option<Part<'_>>) -> Vec<u8> {
    let mut out = Bounded::new(usize::MAX);
    put(&mut out, node, form, part);
    out.text.into_bytes()
}

/// Writes `node` in this way, up to `most` bytes: what nests deep grows with each line. Whether there is more.
pub(super) fn beginning(node: &Node<'_>, form: Form, most: usize) -> (String, bool) {
    let mut out = Bounded::new(most);
    put(&mut out, node, form, None);
    (out.text, out.cut)
}

/// A text that takes so many bytes, and nothing from the first that is too much.
struct Bounded {
    text: String,
    most: usize,
    cut: bool,
}

impl Bounded {
    fn new(most: usize) -> Self {
        Self { text: String::new(), most, cut: false }
    }

    fn push(&mut self, part: &str) {
        let room = self.most.saturating_sub(self.text.len());
        if !self.cut {
            self.text.push_str(&part[..part.floor_char_boundary(room)]);
            self.cut = part.len() > room;
        }
    }
}

fn put(out: &mut Bounded, node: &Node<'_>, form: Form, part: Option<Part<'_>>) {
    if let Some(Part { path: [], node, form }) = part {
        return put(out, node, form, None);
    }
    let inner = Form { steps: form.steps + 1, ..form };
    match node {
        Node::Plain(text) => out.push(text),
        Node::Text(text) => put_text(out, text, form.texts),
        Node::Array(elements) if elements.is_empty() => out.push("[]"),
        Node::Object(members) if members.is_empty() => out.push("{}"),
        Node::Array(elements) => {
            out.push("[");
            for (at, element) in elements.iter().enumerate() {
                if out.cut {
                    return;
                }
                begin(out, at, inner);
                put(out, element, inner, None);
            }
            end(out, form);
            out.push("]");
        }
        Node::Object(members) => {
            out.push("{");
            for (at, (key, value)) in members.iter().enumerate() {
                if out.cut {
                    return;
                }
                begin(out, at, inner);
                put_text(out, key, form.texts);
                out.push(if form.layout == Layout::Compact { ":" } else { ": " });
                put(out, value, inner, part.and_then(|part| part.below(key)));
            }
            end(out, form);
            out.push("}");
        }
    }
}

impl Part<'_> {
    /// The part within the member of this key, if it is there.
    fn below(self, raw: &str) -> Option<Self> {
        let (first, path) = self.path.split_first()?;
        (raw == first || meant(raw).as_ref() == Some(first)).then_some(Self { path, ..self })
    }
}

fn begin(out: &mut Bounded, at: usize, form: Form) {
    if at > 0 {
        out.push(",");
    }
    match form.layout {
        Layout::Blanks if at > 0 => out.push(" "),
        Layout::Compact | Layout::Blanks => {}
        Layout::Lines(_) => end(out, form),
    }
}

fn end(out: &mut Bounded, form: Form) {
    if let Layout::Lines(indent) = form.layout {
        out.push("\n");
        out.push(&" ".repeat(indent * form.steps));
    }
}

/// Writes a text whose content, escapes and all, is `raw`.
fn put_text(out: &mut Bounded, raw: &str, texts: Texts) {
    // Half a surrogate pair has no text; its escapes stay.
    let decoded = if texts == Texts::AsIs { None } else { meant(raw) };
    let Some(plain) = decoded.and_then(|text| serde_json::to_string(&text).ok()) else {
        for part in ["\"", raw, "\""] {
            out.push(part);
        }
        return;
    };
    for character in plain.chars() {
        match character {
            '/' if texts == Texts::Slashes => out.push("\\/"),
            ascii if ascii.is_ascii() || texts == Texts::Plain => out.push(ascii.encode_utf8(&mut [0; 4])),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    out.push(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
}
