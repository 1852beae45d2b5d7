//! The body around an event's data, as a list of pieces that are written one after another.

use std::borrow::Cow;

use super::EventOnWire;
use super::definition::{EnvelopeRules, Fixed, TenantForm, TimeForm, What};

/// One piece of a body.
#[derive(Debug, Clone)]
enum Piece {
    /// JSON that is always the same: braces, keys, constants, the quotation marks around names.
    Text(String),
    Id,
    Type,
    /// The event's time, with its quotation marks if it has some.
    Timestamp(TimeForm),
    Tenant,
    /// The tenant as a number if it is one, else with quotation marks.
    TenantNumber,
    /// The tenant as a URI reference.
    TenantUri,
    /// The data, byte for byte.
    Data,
}

/// A body's pieces, in order.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    pieces: Vec<Piece>,
    /// Bytes that are always there.
    fixed: usize,
}

/// Room for the names and the time that pieces stand for, so that a body is allocated once.
const NAMES: usize = 64 + 128 + 32 + 64;
/// The greatest integer that every receiver reads exactly, of 53 bits.
const GREATEST: u64 = (1 << 53) - 1;

/// A value of the envelope, or an object of such.
enum Node<'a> {
    Object(Vec<(&'a str, Node<'a>)>),
    What(What),
    Fixed(&'a str),
}

impl Envelope {
    /// Compiles rules that were checked: no path is another's, or leads through another's.
    pub(super) fn compile(rules: &EnvelopeRules, fixed: &Fixed) -> Self {
        let mut pieces = Vec::new();
        match rules {
            EnvelopeRules::Data => pieces.push(Piece::Data),
            EnvelopeRules::Keys(keys) => {
                let mut root = Vec::new();
                for key in keys {
                    insert(&mut root, &key.path, Node::What(key.what));
                }
                for (path, text) in &fixed.envelope {
                    insert(&mut root, path, Node::Fixed(text));
                }
                write_node(&Node::Object(root), &mut pieces);
            }
        }
        let fixed = pieces.iter().map(Piece::fixed_length).sum();
        Self { pieces, fixed }
    }

    /// The body for `event`, in one buffer. The event's names need no escaping, and its data is JSON already.
    pub(super) fn write(&self, event: &EventOnWire<'_>) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.fixed + NAMES + event.data.len());
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => body.extend_from_slice(text.as_bytes()),
                Piece::Id => body.extend_from_slice(event.id.as_bytes()),
                Piece::Type => body.extend_from_slice(event.r#type.as_bytes()),
                Piece::Timestamp(form) => form.write(event, &mut body),
                Piece::Tenant => body.extend_from_slice(event.tenant.as_bytes()),
                Piece::TenantNumber => write_tenant(event.tenant, &mut body),
                Piece::TenantUri => body.extend_from_slice(uri_reference(event.tenant).as_bytes()),
                Piece::Data => body.extend_from_slice(event.data.as_bytes()),
            }
        }
        body
    }
}

/// Puts a value at the end of its path; objects on the way stand where they are named first.
fn insert<'a>(members: &mut Vec<(&'a str, Node<'a>)>, path: &'a str, value: Node<'a>) {
    let Some((first, rest)) = path.split_once('.') else {
        members.push((path, value));
        return;
    };
    let found = members.iter().position(|(key, node)| *key == first && matches!(node, Node::Object(_)));
    let at = found.unwrap_or_else(|| {
        members.push((first, Node::Object(Vec::new())));
        members.len() - 1
    });
    if let (_, Node::Object(below)) = &mut members[at] {
        insert(below, rest, value);
    }
}

/// Writes a value. Paths are short, so the recursion is.
fn write_node(node: &Node<'_>, pieces: &mut Vec<Piece>) {
    let mut quoted = |piece: Piece| {
        push_text(pieces, "\"");
        pieces.push(piece);
        push_text(pieces, "\"");
    };
    match node {
        Node::Object(members) => {
            push_text(pieces, "{");
            for (index, (key, value)) in members.iter().enumerate() {
                push_text(pieces, if index == 0 { "" } else { "," });
                push_text(pieces, &serde_json::Value::from(*key).to_string());
                push_text(pieces, ":");
                write_node(value, pieces);
            }
            push_text(pieces, "}");
        }
        Node::Fixed(text) => push_text(pieces, text),
        Node::What(What::Id) => quoted(Piece::Id),
        Node::What(What::Type) => quoted(Piece::Type),
        Node::What(What::Tenant(TenantForm::Text)) => quoted(Piece::Tenant),
        Node::What(What::Tenant(TenantForm::Number)) => pieces.push(Piece::TenantNumber),
        Node::What(What::Tenant(TenantForm::UriReference)) => quoted(Piece::TenantUri),
        Node::What(What::Timestamp(form)) => pieces.push(Piece::Timestamp(*form)),
        Node::What(What::Data) => pieces.push(Piece::Data),
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if let Some(Piece::Text(last)) = pieces.last_mut() {
        last.push_str(text);
    } else {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

impl TimeForm {
    fn write(self, event: &EventOnWire<'_>, body: &mut Vec<u8>) {
        let at = event.timestamp;
        match self {
            Self::Rfc3339Ms => {
                body.push(b'"');
                body.extend_from_slice(at.to_string().as_bytes());
                body.push(b'"');
            }
            Self::Rfc3339 => {
                let text = at.to_string();
                body.push(b'"');
                // The fraction stands behind the only full stop.
                body.extend_from_slice(text.split('.').next().unwrap_or_default().as_bytes());
                body.extend_from_slice(b"Z\"");
            }
            Self::Unix => body.extend_from_slice(at.seconds().to_string().as_bytes()),
            Self::UnixMs => body.extend_from_slice(at.0.to_string().as_bytes()),
        }
    }
}

/// Writes a tenant as a number if its name is one as everybody writes it: `456`, `-1`, but not `007` or `-0`.
fn write_tenant(tenant: &str, body: &mut Vec<u8>) {
    let number = tenant.parse::<i64>().ok();
    let number = number.filter(|number| number.unsigned_abs() <= GREATEST && number.to_string() == tenant);
    let quotes: &[u8] = if number.is_some() { b"" } else { b"\"" };
    body.extend_from_slice(quotes);
    body.extend_from_slice(tenant.as_bytes());
    body.extend_from_slice(quotes);
}

/// A tenant's name as a URI reference. All its characters may stand in one, but the first segment of a path has no
/// colon (RFC 3986, section 4.2), unless what is before it is a scheme (section 3.1): a letter, then letters, digits, and
/// `+`, `-` and `.`. No name holds a percent sign, so no two are written alike.
fn uri_reference(tenant: &str) -> Cow<'_, str> {
    let Some((before, _)) = tenant.split_once(':') else { return Cow::Borrowed(tenant) };
    let is_scheme = before.starts_with(|first: char| first.is_ascii_alphabetic())
        && before.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    if is_scheme { Cow::Borrowed(tenant) } else { Cow::Owned(tenant.replace(':', "%3A")) }
}

impl Piece {
    fn fixed_length(&self) -> usize {
        if let Self::Text(text) = self { text.len() } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tenant_is_a_uri_reference_and_no_two_are_the_same() {
        for (tenant, source) in [
            ("acme", "acme"),
            ("7", "7"),
            ("a@b.example", "a@b.example"),
            ("urn:acme:7", "urn:acme:7"),
            ("a-1.b:x", "a-1.b:x"),
            ("7:x", "7%3Ax"),
            ("_a:b", "_a%3Ab"),
            ("@:", "@%3A"),
            (":x:y", "%3Ax%3Ay"),
            ("a@b:c", "a@b%3Ac"),
        ] {
            assert_eq!(uri_reference(tenant), source);
        }
    }
}
