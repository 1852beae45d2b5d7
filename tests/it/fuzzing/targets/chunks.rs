//! Chunks of an answer on the Unix socket, against a plain reading.

use postrider::cli::chunked::{Chunked, join};

/// A byte that says where it is cut, and the chunks.
pub fn target(bytes: &[u8]) {
    let Some((cut, sent)) = bytes.split_first() else { return };
    let whole = join(sent);
    let cut = usize::from(*cut).min(sent.len());
    match (join(&sent[..cut]), &whole) {
        (Chunked::Partial, _) => {}
        (Chunked::Complete(body), whole) => {
            assert_eq!(*whole, Chunked::Complete(body), "its end does not move");
        }
        (Chunked::Malformed, whole) => assert_eq!(*whole, Chunked::Malformed, "what is wrong stays wrong"),
    }
    match plain(sent) {
        Some(body) => assert_eq!(whole, Chunked::Complete(body)),
        None => {
            if let Chunked::Complete(body) = whole {
                assert!(body.len() < sent.len(), "more than was sent");
            }
        }
    }
}

/// Chunks without extensions and trailers, as most programs write them.
fn plain(mut sent: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = sent.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(&sent[..end]).ok().filter(|digits| digits.len() <= 8)?;
        let size = usize::from_str_radix(size, 16).ok().filter(|_| !size.starts_with('+'))?;
        if size == 0 {
            return Some(body);
        }
        let rest = sent.get(end + 2..)?;
        body.extend_from_slice(rest.get(..size)?);
        sent = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
}
