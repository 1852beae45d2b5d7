//! Ready code that verifies deliveries in a format, in the languages of receivers.
//!
//! A template for each language, in `templates/verify`. A line `%if WORD` keeps the lines up to its `%end` where the
//! word is true of the format; `{{name}}` is replaced by a value, written as the language writes it.

use std::collections::HashMap;

use super::Format;
use super::definition::{EnvelopeRules, Over, What};
use super::signature::Piece;

/// A language of receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Python 3.
    Python,
    /// JavaScript on Node.
    Node,
    /// PHP 8.
    Php,
    /// Ruby 3.
    Ruby,
    /// Go.
    Go,
    /// Rust.
    Rust,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Python, Self::Node, Self::Php, Self::Ruby, Self::Go, Self::Rust];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::Php => "php",
            Self::Ruby => "ruby",
            Self::Go => "go",
            Self::Rust => "rust",
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// Those that there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|language| language.as_str() == text);
        known.ok_or_else(|| format!("must be one of {}", Self::ALL.map(Self::as_str).join(", ")))
    }

    fn template(self) -> &'static str {
        match self {
            Self::Python => include_str!("../../../templates/verify/python.txt"),
            Self::Node => include_str!("../../../templates/verify/node.txt"),
            Self::Php => include_str!("../../../templates/verify/php.txt"),
            Self::Ruby => include_str!("../../../templates/verify/ruby.txt"),
            Self::Go => include_str!("../../../templates/verify/go.txt"),
            Self::Rust => include_str!("../../../templates/verify/rust.txt"),
        }
    }

    /// A text as the language writes it.
    fn quoted(self, text: &str) -> String {
        match self {
            Self::Python | Self::Node | Self::Go => serde_json::Value::from(text).to_string(),
            Self::Rust => format!("{text:?}"),
            Self::Php | Self::Ruby => format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'")),
        }
    }

    /// A named group of a regular expression.
    fn group(self, name: &str, what: &str) -> String {
        let mark = if matches!(self, Self::Python | Self::Go | Self::Rust) { "?P" } else { "?" };
        format!("({mark}<{name}>{what})")
    }
}

impl Format {
    /// A program text that verifies deliveries in this format: its function `verify` refuses what is not genuine or more
    /// than five minutes old, where the time is signed. The secret comes from the environment.
    pub fn verify_code(&self, language: Language) -> String {
        let (facts, values) = (self.facts(), self.values(language));
        let (mut code, mut kept) = (String::new(), Vec::new());
        for line in language.template().lines() {
            if let Some(word) = line.strip_prefix("%if ") {
                kept.push(facts.get(word).copied().unwrap_or_default());
            } else if line == "%end" {
                kept.pop();
            } else if kept.iter().all(|keep| *keep) {
                fill(line, &values, &mut code);
                code.push('\n');
            }
        }
        code
    }

    /// What is true of the format.
    fn facts(&self) -> HashMap<&'static str, bool> {
        let (signature, headers, over) = (&self.signature, &self.definition.headers, self.signature.over);
        let scheme = signature.scheme.name;
        let signed = self.definition.signature.header.is_some();
        let in_prefix = |piece: &Piece| signature.prefix.contains(piece);
        let (timestamp, id) = (over != Over::Body, over == Over::IdTimestampBody);
        let id_in_body = signed && id && !in_prefix(&Piece::Id) && headers.id.is_none();
        let decoded = scheme == "standard";
        HashMap::from([
            ("signed", signed),
            ("unsigned", !signed),
            ("ed25519", scheme == "ed25519"),
            ("hmac", signed && scheme != "ed25519"),
            ("decoded", decoded),
            ("undecoded", !decoded),
            ("hex", scheme.ends_with("-hex")),
            ("base64", decoded || scheme.ends_with("-base64")),
            ("prefix", !signature.prefix.is_empty()),
            ("no_prefix", signature.prefix.is_empty()),
            ("taken_apart", decoded || signature.join.is_some() || scheme == "ed25519" || id_in_body),
            ("joined", signature.join.is_some()),
            ("single", signature.join.is_none()),
            ("over_body", over == Over::Body),
            ("over_timestamp", over == Over::TimestampBody),
            ("over_id", id),
            ("timestamp", signed && timestamp),
            ("timestamp_in_prefix", timestamp && in_prefix(&Piece::Timestamp)),
            ("timestamp_in_header", timestamp && !in_prefix(&Piece::Timestamp)),
            ("id_in_prefix", id && in_prefix(&Piece::Id)),
            ("id_in_header", id && !in_prefix(&Piece::Id) && headers.id.is_some()),
            ("id_in_body", id_in_body),
        ])
    }

    /// What stands for the names in a template.
    fn values(&self, language: Language) -> HashMap<&'static str, String> {
        let (rules, headers) = (&self.definition.signature, &self.definition.headers);
        let scheme = self.signature.scheme.name;
        let header = |name: &Option<String>| {
            language.quoted(&name.as_deref().unwrap_or_default().to_ascii_lowercase())
        };
        let ed25519 = scheme == "ed25519";
        let text = |text: &str| text.to_owned();
        HashMap::from([
            ("name", self.name.to_string()),
            ("variable", text(if ed25519 { "WEBHOOK_PUBLIC_KEY" } else { "WEBHOOK_SECRET" })),
            ("extension", text(if ed25519 { ", with its extension sodium" } else { "" })),
            ("header", header(&rules.header)),
            ("timestamp_header", header(&headers.timestamp)),
            ("id_header", header(&headers.id)),
            ("id_path", language.quoted(self.id_path())),
            ("join", language.quoted(rules.join.as_deref().unwrap_or_default())),
            ("prefix", self.signature.prefix.iter().map(|piece| expression(piece, language)).collect()),
            ("hash", text(if scheme.contains("sha1") { "sha1" } else { "sha256" })),
            ("crate", text(if scheme.contains("sha1") { "sha1" } else { "sha2" })),
            ("digest_type", text(if scheme.contains("sha1") { "Sha1" } else { "Sha256" })),
            ("digest", text(if scheme.ends_with("-hex") { "hex" } else { "base64" })),
            ("marker", text(if scheme == "standard" { "v1," } else { "" })),
        ])
    }

    /// Where the body has the id.
    fn id_path(&self) -> &str {
        let EnvelopeRules::Keys(keys) = &self.definition.envelope else { return "" };
        keys.iter().find(|key| key.what == What::Id).map_or("", |key| &key.path)
    }
}

/// A regular expression of a piece of the prefix. Whatever has a meaning in one is written by its number.
fn expression(piece: &Piece, language: Language) -> String {
    let plain = |c: char| match c {
        _ if c.is_ascii_alphanumeric() || !c.is_ascii() => c.to_string(),
        _ => format!("\\x{:02x}", u32::from(c)),
    };
    match piece {
        Piece::Text(text) => text.chars().map(plain).collect(),
        Piece::Timestamp => language.group("timestamp", "[0-9]*"),
        Piece::Id => language.group("id", "[A-Za-z0-9_-]*"),
    }
}

/// Writes a line with its names replaced.
fn fill(line: &str, values: &HashMap<&'static str, String>, to: &mut String) {
    let mut rest = line;
    while let Some((before, (name, after))) =
        rest.split_once("{{").and_then(|(before, tail)| Some((before, tail.split_once("}}")?)))
    {
        to.push_str(before);
        to.push_str(values.get(name).map_or("", String::as_str));
        rest = after;
    }
    to.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::format::builtin;

    #[test]
    fn every_word_and_name_of_a_template_has_a_meaning() {
        let format = builtin::find("stripe").unwrap();
        for language in Language::ALL {
            assert_eq!(Language::parse(language.as_str()), Ok(language));
            let (facts, values) = (format.facts(), format.values(language));
            let (mut depth, template) = (0, language.template());
            for line in template.lines() {
                if let Some(word) = line.strip_prefix("%if ") {
                    assert!(facts.contains_key(word), "{word}");
                    depth += 1;
                } else if line == "%end" {
                    depth -= 1;
                }
                for part in line.split("{{").skip(1) {
                    let name = part.split("}}").next().unwrap();
                    assert!(values.contains_key(name), "{name}");
                }
            }
            assert_eq!(depth, 0, "{language:?}");
        }
        assert!(
            Language::parse("cobol")
                .is_err_and(|message| message.contains("python, node, php, ruby, go, rust"))
        );
    }

    #[test]
    fn texts_of_a_format_are_written_as_the_language_writes_them() {
        assert_eq!(Language::Php.quoted(r"a'\b"), r"'a\'\\b'");
        assert_eq!(Language::Node.quoted("a\"b"), r#""a\"b""#);
        assert_eq!(expression(&Piece::Text("t='~".to_owned()), Language::Php), r"t\x3d\x27\x7e");
    }
}
