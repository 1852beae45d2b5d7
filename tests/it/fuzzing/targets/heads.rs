//! The head of an answer: the same however it is cut, what `httparse` reads, and nothing that a head cannot hold.

use postrider::sender::FailureKind;
use postrider::sender::head::{Head, HeadScan, MAX_HEAD, Step};

/// How it is cut, and then the bytes that a receiver sends before it closes the connection.
pub fn target(bytes: &[u8]) {
    let Some((&[seed, step], sent)) = bytes.split_first_chunk::<2>() else { return };
    let whole = scan(sent, &mut |_| sent.len());
    let mut state = u32::from(seed);
    let mut piece = |_| {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12345);
        1 + (state >> 16) as usize % (1 + usize::from(step))
    };
    let pieces = scan(sent, &mut piece);
    assert_eq!(pieces, whole, "in pieces, and at once");
    match &whole {
        Ok(Some((head, end))) => good(head, &sent[..*end]),
        Ok(None) => assert!(sent.len() <= MAX_HEAD, "so much, and no end"),
        Err(_) => {}
    }
    if let Some(expected) = plain(sent) {
        let (head, end) = whole.expect("a plain head is read").expect("to its end");
        assert_eq!((head.status, end), expected);
    }
}

/// The head and where it ends, as pieces of these sizes come in.
fn scan(sent: &[u8], piece: &mut dyn FnMut(usize) -> usize) -> Result<Option<(Head, usize)>, FailureKind> {
    let (mut scan, mut start, mut end) = (HeadScan::default(), 0, 0);
    while end < sent.len() {
        end = sent.len().min(end + piece(end));
        loop {
            match scan.step(&sent[start..end]).map_err(|failure| failure.kind)? {
                Step::More => break,
                Step::Interim(bytes) => {
                    assert!((1..=end - start).contains(&bytes), "{bytes}");
                    start += bytes;
                }
                Step::Done(bytes, head) => return Ok(Some((head, start + bytes))),
            }
        }
    }
    Ok(None)
}

/// Where the first empty line behind a line ends.
fn length(bytes: &[u8]) -> usize {
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let mut lines = bytes[blank..].split_inclusive(|byte| *byte == b'\n');
    let is_empty = |line: &&[u8]| matches!(line, [b'\n'] | [b'\r', b'\n']);
    let mut length = blank;
    for line in lines.by_ref() {
        length += line.len();
        if is_empty(&line) {
            break;
        }
    }
    length
}

/// What was read of a head stands in it, and is what `httparse` says, if that reads it at all: a receiver whose fields
/// are malformed has answered all the same.
fn good(head: &Head, bytes: &[u8]) {
    assert!(matches!(head.status, 101 | 200..=999), "{}", head.status);
    assert!(bytes.len() <= MAX_HEAD);
    let kept: usize = head.headers.iter().map(|(_, value)| value.len()).sum();
    assert!(kept <= 8 * 1024 && head.headers.len() <= 128);
    for (name, value) in &head.headers {
        assert!(!name.is_empty() && !name.contains([':', '\n']), "{name}");
        assert!(!value.contains(&b'\n'), "{value:?}");
    }
    let last = last_head(bytes);
    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut response = httparse::Response::new(&mut fields);
    if response.parse(last) != Ok(httparse::Status::Complete(last.len())) {
        return;
    }
    assert_eq!(response.code, Some(head.status));
    let both = response.headers.iter().zip(&head.headers);
    for (field, (name, value)) in both {
        assert!(field.name.eq_ignore_ascii_case(name) && field.value.starts_with(value), "{name}");
    }
    let length = |name: usize, value: usize| name + value;
    let sent: usize = response.headers.iter().map(|field| length(field.name.len(), field.value.len())).sum();
    let kept: usize = head.headers.iter().map(|(name, value)| length(name.len(), value.len())).sum();
    assert!(kept == sent || sent > 8 * 1024, "some are lost, and there was room");
}

/// Behind the answers of 1xx.
fn last_head(mut bytes: &[u8]) -> &[u8] {
    while length(bytes) < bytes.len() {
        bytes = &bytes[length(bytes)..];
    }
    bytes
}

/// Status and length of what begins with a plain head by the letter of RFC 9112, without any freedom taken.
fn plain(sent: &[u8]) -> Option<(u16, usize)> {
    let end = sent.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&sent[..end - 4]).ok()?;
    let mut lines = text.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?;
    let (code, reason) = status.split_once(' ')?;
    let visible = |text: &str| text.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    let field = |line: &str| {
        let Some((name, value)) = line.split_once(": ") else { return false };
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && visible(value)
    };
    let mut fields = 0;
    let good = lines.inspect(|_| fields += 1).all(field);
    let digits = code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit());
    let code = code.parse::<u16>().ok().filter(|code| digits && *code >= 200)?;
    (good && fields <= 128 && end <= MAX_HEAD && visible(reason)).then_some((code, end))
}
