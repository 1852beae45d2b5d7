//! Reading a format from JSON, with a message for every wrong field at once.

mod envelope;
mod headers;
mod object;
mod signature;

use super::definition::{BODIES, Definition, EnvelopeRules, Fixed, HeaderNames, WHOLE};
use crate::domain::invalid::Invalid;
use crate::domain::json::depth_within;

pub(in crate::domain::format) use headers::CONTENT_TYPE;
use object::Object;

/// Longest definition, in bytes.
const MAX_BYTES: usize = 16 * 1024;
/// Deepest nesting in it, in arrays and objects.
const MAX_DEPTH: usize = 16;

impl Definition {
    /// Reads a format from JSON: one object of at most 16 KB. `signature` and `envelope` must be there.
    ///
    /// # Errors
    /// Every wrong field, `signature.prefix` for example.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() > MAX_BYTES {
            return Err(Invalid::one(WHOLE, format!("must be at most {MAX_BYTES} bytes of JSON")));
        }
        depth_within(text.as_bytes(), MAX_DEPTH).map_err(|error| Invalid::one(WHOLE, error.to_string()))?;
        let mut invalid = Invalid::new();
        let Some(mut root) = Object::read("", text, &mut invalid) else { return Err(invalid) };
        let signature = match root.raw("signature") {
            Some(raw) => signature::read(raw.get(), &mut invalid),
            None => missing("signature", "an object with a scheme", &mut invalid),
        };
        let headers = match root.raw("headers") {
            Some(raw) => headers::read(raw.get(), &mut invalid),
            None => HeaderNames::default(),
        };
        let envelope = match root.raw("envelope") {
            Some(raw) => envelope::read(raw.get(), &mut invalid),
            None => missing("envelope", "an object of keys, or \"data\" for the data alone", &mut invalid),
        };
        let fixed = root.raw("fixed").map(|raw| fixed(raw.get(), &mut invalid)).unwrap_or_default();
        let body = root.word("body", BODIES, &mut invalid).unwrap_or_default();
        root.finish(&mut invalid);
        if let Some(envelope) = &envelope {
            envelope::check_collisions(envelope, &fixed.envelope, &mut invalid);
        }
        headers::check_collisions(&headers, signature.as_ref(), &fixed.headers, &mut invalid);
        if let (Some(signature), Some(envelope)) = (&signature, &envelope) {
            signature::check_sent(signature, &headers, envelope, &mut invalid);
        }
        match (signature, envelope) {
            (Some(signature), Some(envelope)) if invalid.is_empty() => {
                Ok(Self { signature, headers, envelope, fixed, body })
            }
            _ => Err(invalid),
        }
    }
}

fn missing<T>(field: &str, what: &str, invalid: &mut Invalid) -> Option<T> {
    invalid.push(field, format!("is required and must be {what}"));
    None
}

fn fixed(text: &str, invalid: &mut Invalid) -> Fixed {
    let Some(mut object) = Object::read("fixed", text, invalid) else { return Fixed::default() };
    let headers = object.raw("headers").map(|raw| headers::read_fixed(raw.get(), invalid));
    let envelope = object.raw("envelope").map(|raw| envelope::read_fixed(raw.get(), invalid));
    object.finish(invalid);
    Fixed { headers: headers.unwrap_or_default(), envelope: envelope.unwrap_or_default() }
}

impl EnvelopeRules {
    /// The keys that it names, if it is no data alone.
    fn keys(&self) -> &[super::definition::Key] {
        match self {
            Self::Data => &[],
            Self::Keys(keys) => keys,
        }
    }
}

#[cfg(test)]
mod tests;
