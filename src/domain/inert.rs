//! Texts from outside without the characters that hide or reorder what stands around them, or steer a terminal.

use std::fmt::{self, Write};

/// Writes a text without effect: control characters but for tab and line feed, and those of Unicode that have no width or
/// turn the direction of writing (UAX #9, section 2), are written as what they are.
///
/// # Errors
/// Where `into` cannot be written to.
pub fn write(into: &mut impl Write, text: &str) -> fmt::Result {
    let mut before = None;
    let mut rest = 0;
    for (at, c) in text.char_indices() {
        if acts(c, before) {
            into.write_str(text.get(rest..at).unwrap_or_default())?;
            name(into, c)?;
            rest = at + c.len_utf8();
        }
        before = Some(c);
    }
    into.write_str(text.get(rest..).unwrap_or_default())
}

/// The same as a text of its own.
pub fn inert(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    // Writing to a String cannot fail.
    let _ = write(&mut shown, text);
    shown
}

/// The same in one line.
pub fn line(text: &str) -> String {
    inert(&text.replace(['\n', '\t'], " "))
}

/// A JSON text that shows such characters as escapes and means the same: they stand in strings only, unescaped.
pub fn json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    let mut before = None;
    for c in json.chars() {
        if c == '\r' {
            // It stands between tokens: in a string it is an escape already (RFC 8259, section 7).
            continue;
        }
        if acts(c, before) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
        before = Some(c);
    }
    shown
}

fn acts(c: char, before: Option<char>) -> bool {
    match c {
        '\n' | '\t' => false,
        // Joiners are a part of scripts and of pictures; behind ASCII they join nothing.
        '\u{200c}' | '\u{200d}' => before.is_none_or(|before| before.is_ascii()),
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        // Letters that only machines read.
        | '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    }
}

fn name(into: &mut impl Write, c: char) -> fmt::Result {
    match c {
        // The pictures of control characters (U+2400 and on).
        '\0'..='\u{1f}' => into.write_char(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')),
        '\u{7f}' => into.write_char('\u{2421}'),
        _ => write!(into, "{}", c.escape_unicode()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_or_reorders_is_made_visible() {
        assert_eq!(inert("a\0b\u{1b}[31m\r\n\tc\u{7f}"), "a␀b␛[31m␍\n\tc␡");
        assert_eq!(inert("x\u{202e}gpj.exe\u{200b}\u{85}"), "x\\u{202e}gpj.exe\\u{200b}\\u{85}");
        assert_eq!(inert("\u{2066}a\u{e0041}"), "\\u{2066}a\\u{e0041}");
        assert_eq!(line("a\nb\tc\u{1b}"), "a b c␛");
    }

    #[test]
    fn what_people_write_stays_as_it_is() {
        for text in ["größe ✓ 名", "می\u{200c}خواهم", "👩\u{200d}💻", "שלום", "", "two\nlines"]
        {
            assert_eq!(inert(text), text);
        }
        assert_eq!(inert("a\u{200d}b"), "a\\u{200d}b", "it joins nothing");
        assert_eq!(inert(&inert("a\u{202e}\0")), inert("a\u{202e}\0"));
    }

    #[test]
    fn json_means_the_same() {
        let text = "{\"a\":\"\u{9b}31m\u{202e}\u{7f}\u{e0041}ü\",\r\n\"b\":1}";
        let shown = json(text);
        assert_eq!(shown, "{\"a\":\"\\u009b31m\\u202e\\u007f\\udb40\\udc41ü\",\n\"b\":1}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(text), read(&shown));
    }
}
