//! What receivers answered, in a list: as far as the page has room for it.

use crate::web::ui::shown;
use crate::web::ui::weight::Room;

/// Bytes of a page that answers take.
pub(super) const ROOM: usize = 30 * 1024;

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
    pub(super) fn of(body: Option<&[u8]>, room: &mut Room) -> Self {
        let Some(body) = body.filter(|body| !body.is_empty()) else { return Self::None };
        let text = String::from_utf8_lossy(body).into_owned();
        if room.takes(&text, 0) { Self::Text(text, shown::size(body.len())) } else { Self::Elsewhere }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_fill_a_page_so_far_and_no_further() {
        let mut room = Room::new(ROOM);
        let shown = |body: &[u8], room: &mut Room| matches!(Answer::of(Some(body), room), Answer::Text(..));
        let count = (0..10).filter(|_| shown(&[b'<'; 2040], &mut room)).count();
        assert_eq!(count, 3);
        assert!(shown("ä".repeat(50).as_bytes(), &mut room), "a short one fits: {room:?}");
    }
}
