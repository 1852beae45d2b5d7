//! What receivers answered, in a list: as far as the page has room for it.

use crate::web::ui::shown;

/// Bytes of answers on a page at most, as its text has them: a page has 100 KB in all.
pub(super) const ROOM: usize = 40 * 1024;

/// What the receiver answered last.
pub(super) enum Answer {
    /// Nothing, or none yet.
    None,
    /// The text, and how long it is.
    Text(String, String),
    /// The page has no room for it.
    Elsewhere,
}

impl Answer {
    /// The answer, as far as there is room for it.
    pub(super) fn of(body: Option<&[u8]>, room: &mut usize) -> Self {
        let Some(body) = body.filter(|body| !body.is_empty()) else { return Self::None };
        let text = shown::inert(&String::from_utf8_lossy(body));
        // Escaped, each of these becomes four characters longer.
        let length = text.len() + 4 * text.bytes().filter(|byte| b"<>&\"'".contains(byte)).count();
        match room.checked_sub(length) {
            Some(left) => {
                *room = left;
                Self::Text(text, shown::size(body.len()))
            }
            None => Self::Elsewhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_fill_a_page_so_far_and_no_further() {
        let mut room = ROOM;
        let shown = |body: &[u8], room: &mut usize| matches!(Answer::of(Some(body), room), Answer::Text(..));
        let count = (0..10).filter(|_| shown(&[b'<'; 2040], &mut room)).count();
        assert_eq!(count, 4);
        assert!(shown("ä".repeat(50).as_bytes(), &mut room), "a short one fits into none: {room}");
    }
}
