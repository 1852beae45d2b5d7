//! How large a regular expression is, from its text: about the states that its engine may be in at once.
//!
//! An engine without backtracking looks at each character once for each of these, at worst; as a rule at far fewer.

/// States of a set of characters beyond ASCII, which is several bytes in UTF-8.
const WIDE: usize = 8;

/// About how many states a pattern has. Never zero; for what is no pattern any number.
pub(super) fn weight(pattern: &str) -> usize {
    let mut text = pattern.chars().peekable();
    // For each group that is open: its states so far, and those of its last part, which a quantifier repeats.
    let mut groups = vec![(1_usize, 0_usize)];
    while let Some(character) = text.next() {
        let depth = groups.len();
        let Some((states, last)) = groups.last_mut() else { break };
        match character {
            '(' => {
                groups.push((0, 0));
                continue;
            }
            ')' if depth > 1 => {
                let inner = groups.pop().map_or(0, |(states, last)| states.saturating_add(last));
                if let Some((states, last)) = groups.last_mut() {
                    *states = states.saturating_add(*last);
                    *last = inner;
                }
                continue;
            }
            '{' => {
                let inside: String = text.by_ref().take_while(|next| *next != '}').collect();
                *last = last.saturating_mul(most(&inside));
                continue;
            }
            '*' | '+' | '?' => continue,
            '|' => {
                *states = states.saturating_add(std::mem::take(last));
                continue;
            }
            _ => {}
        }
        *states = states.saturating_add(*last);
        *last = match character {
            '[' => class(&mut text),
            '\\' => escape(&mut text),
            '.' => WIDE,
            character if character.is_ascii() => 1,
            _ => WIDE,
        };
    }
    groups.into_iter().fold(0_usize, |sum, (states, last)| sum.saturating_add(states).saturating_add(last))
}

/// The greatest number of a quantifier.
fn most(inside: &str) -> usize {
    let numbers = inside.split(',').filter_map(|number| number.trim().parse().ok());
    numbers.max().unwrap_or(1).max(1)
}

/// Passes a class; classes may hold classes.
fn class(text: &mut impl Iterator<Item = char>) -> usize {
    let (mut open, mut states, mut first) = (1_usize, 1, true);
    while open > 0 {
        match text.next() {
            None => break,
            Some('\\') => drop(text.next()),
            Some('[') => open += 1,
            // One that comes first is a member.
            Some(']') if !first => open -= 1,
            Some('^') if first => {
                states = WIDE;
                continue;
            }
            Some(character) if !character.is_ascii() => states = WIDE,
            Some(_) => {}
        }
        first = false;
    }
    states
}

/// Passes an escape, with its braces.
fn escape(text: &mut std::iter::Peekable<impl Iterator<Item = char>>) -> usize {
    let named = matches!(text.next(), Some('p' | 'P' | 'x' | 'u'));
    if named && text.peek() == Some(&'{') {
        while text.next().is_some_and(|next| next != '}') {}
        return WIDE;
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn repetitions_multiply_what_they_repeat() {
        for (pattern, least, most) in [
            ("", 1, 1),
            ("^[a-z]+$", 3, 6),
            ("^[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}$", 34, 40),
            (r"\p{L}{3}\{a\{", 24, 32),
            ("(a{10}){10}", 100, 110),
            ("((a|b){2,50}c){3}x", 300, 320),
            ("[]a{9}]{4}", 4, 8),
            ("[^x]{100}", 800, 810),
            ("(a{999999999}){999999999}", usize::MAX / 100, usize::MAX),
        ] {
            let states = weight(pattern);
            assert!((least..=most).contains(&states), "{pattern}: {states}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_a_weight(pattern in "\\PC{0,40}|[\\[\\](){}\\\\^|*+?,a1]{0,40}") {
            prop_assert!(weight(&pattern) > 0);
        }
    }
}
