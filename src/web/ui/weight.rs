//! How much a text takes of a page. A page has 100 KB in all, with what it loads: what may be of any length is bound here,
//! by its bytes once it is escaped, and is to be seen as a whole elsewhere.

use std::fmt;

use askama::filters::Escaper;

use crate::web::inert::Inert;

/// Counts what is written into it.
struct Counter(usize);

impl fmt::Write for Counter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// Bytes that a text takes on a page: escaped, and without effect.
pub(super) fn weight(text: &str) -> usize {
    let mut counter = Counter(0);
    // Counting cannot fail.
    let _ = Inert.write_escaped_str(&mut counter, text);
    counter.0
}

/// The beginning of a text that takes at most so many bytes on a page, between two characters.
pub(super) fn beginning(text: &str, most: usize) -> &str {
    let (mut left, mut one) = (most, [0; 4]);
    for (at, c) in text.char_indices() {
        match left.checked_sub(weight(c.encode_utf8(&mut one))) {
            Some(rest) => left = rest,
            None => return &text[..at],
        }
    }
    text
}

/// What is left of a page for texts of any length. One that does not fit is left out as a whole.
#[derive(Debug)]
pub(super) struct Room(usize);

impl Room {
    /// So many bytes.
    pub(super) const fn new(bytes: usize) -> Self {
        Self(bytes)
    }

    /// Whether a text fits, with so many bytes around it; then its place is taken.
    pub(super) fn takes(&mut self, text: &str, around: usize) -> bool {
        let left = self.0.checked_sub(weight(text) + around);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }

    /// The first texts that fit, each of them twice and with so many bytes around it: the choices of a form.
    pub(super) fn cut(&mut self, texts: &mut Vec<String>, around: usize) {
        let fits = texts.iter().position(|text| !self.takes(text, weight(text) + around));
        texts.truncate(fits.unwrap_or(texts.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_weighs_what_it_takes_once_it_is_escaped() {
        assert_eq!((weight("a<b>\"'&"), weight("ä"), weight("")), (2 + 5 * 5, 2, 0));
        assert_eq!((weight("\u{202e}"), weight("\u{1b}")), ("\\u{202e}".len(), "␛".len()));
        assert_eq!((beginning("a<bc", 6), beginning("a<bc", 5), beginning("a<bc", 99)), ("a<", "a", "a<bc"));
        assert_eq!((beginning("aä", 2), beginning("aä", 3)), ("a", "aä"));
    }

    #[test]
    fn what_does_not_fit_takes_no_room() {
        let mut room = Room::new(20);
        assert!(room.takes("ten bytes.", 2) && !room.takes("nine byte", 0) && room.takes("8 bytes.", 0));
        let mut names = ["a", "b", "c"].map(str::to_owned).to_vec();
        Room::new(10).cut(&mut names, 2);
        assert_eq!(names, ["a", "b"]);
    }
}
