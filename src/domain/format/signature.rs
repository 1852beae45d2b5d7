//! The signature header of a format, compiled: what is signed, and how signatures stand in it.

use super::definition::{Over, SignatureRules};
use super::scheme::Scheme;
use crate::domain::signing::Signer;

/// The signature header.
#[derive(Debug, Clone)]
pub(super) struct Signature {
    pub(super) scheme: &'static Scheme,
    pub(super) prefix: Vec<Piece>,
    pub(super) join: Option<String>,
    pub(super) over: Over,
}

/// One piece of a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Timestamp,
    Id,
}

/// Room for one signature, so that a header is allocated once.
const ROOM: usize = 72;

/// What may stand between braces in a prefix.
const PLACEHOLDERS: [(&str, Piece); 2] = [("timestamp", Piece::Timestamp), ("id", Piece::Id)];

/// Takes a prefix apart.
///
/// # Errors
/// Each placeholder that there is none of, as messages of one field.
pub(super) fn pieces(prefix: &str) -> Result<Vec<Piece>, Vec<String>> {
    let (mut pieces, mut wrong, mut rest) = (Vec::new(), Vec::new(), prefix);
    while let Some(at) = rest.find(['{', '}']) {
        let (text, tail) = rest.split_at(at);
        push_text(&mut pieces, text);
        let Some((name, after)) = tail.strip_prefix('{').and_then(|tail| tail.split_once('}')) else {
            wrong.push("must have braces in pairs, around timestamp or id".to_owned());
            break;
        };
        match PLACEHOLDERS.into_iter().find(|(known, _)| *known == name) {
            Some((_, piece)) => pieces.push(piece),
            None => wrong.push(format!("must not hold {{{name}}}; there are {{timestamp}} and {{id}}")),
        }
        rest = after;
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    push_text(&mut pieces, rest);
    Ok(pieces)
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

impl Signature {
    /// Compiles rules that were checked: the prefix has no wrong placeholders.
    pub(super) fn compile(rules: &SignatureRules) -> Self {
        Self {
            scheme: rules.scheme,
            prefix: pieces(&rules.prefix).unwrap_or_default(),
            join: rules.join.clone(),
            over: rules.over.unwrap_or(Over::Body),
        }
    }

    /// The value of the header; empty without signers. `timestamp` is the attempt's, in unix seconds. Where no
    /// separator is known, the first signer signs alone.
    pub(super) fn sign(&self, signers: &[&Signer], id: &str, timestamp: &str, body: &[u8]) -> String {
        if signers.is_empty() {
            return String::new();
        }
        let mut header = String::with_capacity(signers.len() * ROOM);
        for piece in &self.prefix {
            header.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Timestamp => timestamp,
                Piece::Id => id,
            });
        }
        self.over(id, timestamp, body, |parts| {
            for (index, signer) in signers.iter().enumerate() {
                match (&self.join, index) {
                    (_, 0) => {}
                    (Some(join), _) => header.push_str(join),
                    (None, _) => break,
                }
                signer.append(parts, &mut header);
            }
        });
        header
    }

    /// Gives `work` the parts that are signed.
    pub(super) fn over<T>(
        &self,
        id: &str,
        timestamp: &str,
        body: &[u8],
        work: impl FnOnce(&[&[u8]]) -> T,
    ) -> T {
        match self.over {
            Over::Body => work(&[body]),
            Over::TimestampBody => work(&[timestamp.as_bytes(), b".", body]),
            Over::IdTimestampBody => work(&[id.as_bytes(), b".", timestamp.as_bytes(), b".", body]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_texts_and_placeholders() {
        let text = |text: &str| Piece::Text(text.to_owned());
        let expected = [text("t="), Piece::Timestamp, text(",i="), Piece::Id, text(",v1=")];
        assert_eq!(pieces("t={timestamp},i={id},v1="), Ok(expected.to_vec()));
        assert_eq!(pieces(""), Ok(Vec::new()));
    }

    #[test]
    fn every_wrong_placeholder_is_named() {
        let wrong = pieces("{time}{id}{ID}").unwrap_err();
        assert!(wrong.len() == 2 && wrong[0].contains("{time}") && wrong[1].contains("{ID}"), "{wrong:?}");
        for bad in ["{", "}", "a{id", "a}b{", "{id}}"] {
            assert_eq!(pieces(bad).unwrap_err().len(), 1, "{bad}");
        }
    }
}
