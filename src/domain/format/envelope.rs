//! The body around an event's data, as a list of pieces that are written one after another.

use std::borrow::Cow;

use super::EventOnWire;

/// One piece of a body.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    /// JSON that is always the same: braces, keys, the quotation marks around the pieces below.
    Text(Cow<'static, str>),
    Id,
    Type,
    /// The event's time in RFC 3339 with milliseconds.
    Timestamp,
    Tenant,
    /// The data, byte for byte.
    Data,
}

/// A body's pieces, in order.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    pieces: Vec<Piece>,
}

/// Room for the names and the time that pieces stand for, so that a body is allocated once.
const NAMES: usize = 64 + 128 + 32 + 64;

impl Envelope {
    pub(super) fn new(pieces: Vec<Piece>) -> Self {
        Self { pieces }
    }

    /// The body for `event`, in one buffer. The event's names need no escaping, and its data is JSON already.
    pub(super) fn write(&self, event: &EventOnWire<'_>) -> Vec<u8> {
        let fixed: usize = self.pieces.iter().map(Piece::fixed_length).sum();
        let mut body = Vec::with_capacity(fixed + NAMES + event.data.len());
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => body.extend_from_slice(text.as_bytes()),
                Piece::Id => body.extend_from_slice(event.id.as_bytes()),
                Piece::Type => body.extend_from_slice(event.r#type.as_bytes()),
                Piece::Timestamp => body.extend_from_slice(event.timestamp.to_string().as_bytes()),
                Piece::Tenant => body.extend_from_slice(event.tenant.as_bytes()),
                Piece::Data => body.extend_from_slice(event.data.as_bytes()),
            }
        }
        body
    }
}

impl Piece {
    fn fixed_length(&self) -> usize {
        if let Self::Text(text) = self { text.len() } else { 0 }
    }
}
