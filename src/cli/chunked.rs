//! The chunked transfer coding (RFC 9112, section 7.1), from bytes that have arrived.

/// What the bytes amount to so far.
#[derive(Debug, PartialEq, Eq)]
pub enum Chunked {
    /// The whole body.
    Complete(Vec<u8>),
    /// The last chunk has not arrived.
    Partial,
    /// No chunked body begins like this.
    Malformed,
}

/// Joins the chunks in `bytes`. Trailers and chunk extensions are passed over.
pub fn join(mut bytes: &[u8]) -> Chunked {
    let mut body = Vec::new();
    loop {
        let (head, size) = match httparse::parse_chunk_size(bytes) {
            Ok(httparse::Status::Complete(parsed)) => parsed,
            Ok(httparse::Status::Partial) => return Chunked::Partial,
            Err(httparse::InvalidChunkSize) => return Chunked::Malformed,
        };
        if size == 0 {
            return Chunked::Complete(body);
        }
        bytes = &bytes[head..];
        let Some((chunk, rest)) = usize::try_from(size).ok().and_then(|size| bytes.split_at_checked(size))
        else {
            return Chunked::Partial;
        };
        body.extend_from_slice(chunk);
        bytes = match rest {
            [b'\r', b'\n', after @ ..] => after,
            [] | [b'\r'] => return Chunked::Partial,
            _ => return Chunked::Malformed,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn chunks_are_joined_whatever_their_extensions_and_trailers() {
        let bytes = b"4;name=value\r\n{\"a\"\r\nA\r\n:12345678}\r\n0\r\nTrailer: x\r\n\r\n";
        assert_eq!(join(bytes), Chunked::Complete(b"{\"a\":12345678}".to_vec()));
    }

    #[test]
    fn what_is_no_chunk_is_malformed() {
        for bytes in [&b"x\r\n"[..], b"3\r\nabcd\r\n", b"-1\r\n"] {
            assert_eq!(join(bytes), Chunked::Malformed, "{bytes:?}");
        }
        assert_eq!(join(b"ffffffffffffffff\r\nabc"), Chunked::Partial, "a size beyond all that may come");
    }

    proptest! {
        #[test]
        fn a_body_in_any_chunks_comes_back_and_is_partial_until_its_end(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
            cut: prop::sample::Index,
        ) {
            let mut wire = Vec::new();
            for chunk in &chunks {
                wire.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
                wire.extend(chunk);
                wire.extend(b"\r\n");
            }
            let end = wire.len() + 3;
            wire.extend(b"0\r\n\r\n");
            prop_assert_eq!(join(&wire), Chunked::Complete(chunks.concat()));
            prop_assert_eq!(join(&wire[..cut.index(end)]), Chunked::Partial);
        }
    }
}
