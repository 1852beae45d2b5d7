//! A JSON text as `JSON.stringify(JSON.parse(text))` writes it (ECMA-262, sections 25.5.1 and 25.5.2): for receivers
//! that parse a body, write it again and verify that.
//!
//! No blanks; numbers as ECMAScript's (so long ones lose digits, and what is beyond a double is `null`); the fewest
//! escapes; keys that are array indexes first, ascending, then the others in their order; of duplicates the last value
//! in the first place. The walk keeps a stack of its own, so depth costs no recursion.

use std::collections::HashMap;
use std::ops::Range;

use crate::domain::json::Cursor;

/// Rewrites `json`. `None` for what is not the UTF-8 of one JSON value, as far as this has to look.
pub fn rewrite(json: &[u8]) -> Option<Vec<u8>> {
    let mut writer = Writer { out: Vec::with_capacity(json.len()), open: Vec::new() };
    let mut cursor = Cursor::new(std::str::from_utf8(json).ok()?);
    writer.value(&mut cursor)?;
    while !writer.open.is_empty() {
        writer.step(&mut cursor)?;
    }
    cursor.peek().is_none().then_some(writer.out)
}

/// An array or object whose end has not come.
enum Open {
    Array {
        is_empty: bool,
    },
    Object {
        /// Where its first member stands in what is written.
        start: usize,
        members: Vec<Member>,
    },
}

/// A member of an object, as it is written.
struct Member {
    /// The key with its quotation marks.
    key: Range<usize>,
    /// The number that the key is, if it is an array index.
    index: Option<u32>,
    /// Where its value ends.
    end: usize,
}

struct Writer {
    out: Vec<u8>,
    open: Vec<Open>,
}

impl Writer {
    /// Takes a value; of an array or an object only its beginning.
    fn value(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        match cursor.peek()? {
            b'{' => {
                cursor.take(b'{')?;
                self.out.push(b'{');
                self.open.push(Open::Object { start: self.out.len(), members: Vec::new() });
            }
            b'[' => {
                cursor.take(b'[')?;
                self.out.push(b'[');
                self.open.push(Open::Array { is_empty: true });
            }
            b'"' => write_string(cursor.string()?, &mut self.out)?,
            _ => write_plain(cursor.value()?, &mut self.out)?,
        }
        Some(())
    }

    /// Goes on in the innermost array or object: its next value, or its end.
    fn step(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let next = cursor.peek()?;
        match self.open.last_mut()? {
            Open::Array { .. } if next == b']' => {
                cursor.take(b']')?;
                self.out.push(b']');
                self.open.pop();
                return Some(());
            }
            Open::Array { is_empty } => {
                if !std::mem::take(is_empty) {
                    cursor.take(b',')?;
                    self.out.push(b',');
                }
            }
            Open::Object { members, .. } => {
                if let Some(last) = members.last_mut() {
                    last.end = self.out.len();
                }
                if next == b'}' {
                    cursor.take(b'}')?;
                    return self.close_object();
                }
                if !members.is_empty() {
                    cursor.take(b',')?;
                    self.out.push(b',');
                }
                let start = self.out.len();
                write_string(cursor.string()?, &mut self.out)?;
                let key = start..self.out.len();
                members.push(Member { index: array_index(&self.out[key.clone()]), key, end: 0 });
                cursor.take(b':')?;
                self.out.push(b':');
            }
        }
        self.value(cursor)
    }

    /// Ends the innermost object, with its members in the order of ECMAScript.
    fn close_object(&mut self) -> Option<()> {
        let Some(Open::Object { start, members }) = self.open.pop() else { return None };
        let order = order(&members, &self.out);
        if let Some(order) = order {
            let mut sorted = Vec::with_capacity(self.out.len() - start);
            for at in order {
                let member = members.get(at)?;
                if !sorted.is_empty() {
                    sorted.push(b',');
                }
                sorted.extend_from_slice(self.out.get(member.key.start..member.end)?);
            }
            self.out.truncate(start);
            self.out.append(&mut sorted);
        }
        self.out.push(b'}');
        Some(())
    }
}

/// Which members are written, in which order (ECMA-262, section 10.1.11.1). `None`: all, as they stand.
fn order(members: &[Member], out: &[u8]) -> Option<Vec<usize>> {
    let mut places: HashMap<&[u8], usize> = HashMap::with_capacity(members.len());
    let mut order: Vec<usize> = Vec::with_capacity(members.len());
    for (at, member) in members.iter().enumerate() {
        let place = *places.entry(out.get(member.key.clone())?).or_insert(order.len());
        // The last value of a key counts, in its first place.
        match order.get_mut(place) {
            Some(before) => *before = at,
            None => order.push(at),
        }
    }
    let rank = |at: &usize| members[*at].index.map_or(u64::MAX, u64::from);
    order.sort_by_key(rank);
    let stands = order.len() == members.len() && order.iter().enumerate().all(|(place, at)| place == *at);
    (!stands).then_some(order)
}

/// The number that a key, in its quotation marks, is: 0 to 2^32 - 2, written as numbers are (ECMA-262, section 6.1.7).
fn array_index(key: &[u8]) -> Option<u32> {
    let digits = key.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let canonical = digits == b"0" || !digits.starts_with(b"0");
    let good = (1..=10).contains(&digits.len()) && canonical && digits.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(digits).ok().filter(|_| good)?.parse::<u32>().ok()?;
    (number < u32::MAX).then_some(number)
}

/// Writes a number, `true`, `false` or `null`.
fn write_plain(text: &str, out: &mut Vec<u8>) -> Option<()> {
    if matches!(text, "true" | "false" | "null") {
        out.extend_from_slice(text.as_bytes());
        return Some(());
    }
    // The nearest double, as JavaScript has it; beyond all of them infinity, which JSON writes as null.
    let starts = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let number: f64 = text.parse().ok().filter(|_| starts(text.strip_prefix('-').unwrap_or(text)))?;
    if number.is_finite() {
        out.extend_from_slice(ryu_js::Buffer::new().format_finite(number).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
    Some(())
}

/// Writes a string (ECMA-262, section 25.5.2.3) from its content with its escapes.
fn write_string(content: &str, out: &mut Vec<u8>) -> Option<()> {
    out.push(b'"');
    let mut rest = content;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        let (unit, length) = escape(rest)?;
        rest = &rest[length..];
        let low = if (0xD800..0xDC00).contains(&unit) { escape(rest) } else { None };
        match low.filter(|(low, _)| (0xDC00..0xE000).contains(low)) {
            Some((low, length)) => {
                rest = &rest[length..];
                let both = 0x1_0000 + ((u32::from(unit) - 0xD800) << 10) + (u32::from(low) - 0xDC00);
                write_char(char::from_u32(both)?, out);
            }
            None => write_unit(unit, out),
        }
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
    Some(())
}

/// The code unit that the escape at the beginning of `text` stands for, and the escape's length.
fn escape(text: &str) -> Option<(u16, usize)> {
    let after = text.strip_prefix('\\')?;
    let unit = match after.as_bytes().first()? {
        b'u' => {
            let digits = after.get(1..5).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
            return Some((u16::from_str_radix(digits, 16).ok()?, 6));
        }
        b'b' => 0x08,
        b't' => 0x09,
        b'n' => 0x0A,
        b'f' => 0x0C,
        b'r' => 0x0D,
        byte @ (b'"' | b'\\' | b'/') => *byte,
        _ => return None,
    };
    Some((unit.into(), 2))
}

/// Writes a code unit: half of a surrogate pair as its escape, everything else as its character.
fn write_unit(unit: u16, out: &mut Vec<u8>) {
    match char::from_u32(unit.into()) {
        Some(character) => write_char(character, out),
        None => out.extend_from_slice(format!("\\u{unit:04x}").as_bytes()),
    }
}

/// Writes a character, with an escape only where JSON needs one.
fn write_char(character: char, out: &mut Vec<u8>) {
    let short = match character {
        '\u{8}' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\u{c}' => "\\f",
        '\r' => "\\r",
        '"' => "\\\"",
        '\\' => "\\\\",
        control if control < ' ' => {
            out.extend_from_slice(format!("\\u{:04x}", u32::from(control)).as_bytes());
            return;
        }
        other => {
            out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
    };
    out.extend_from_slice(short.as_bytes());
}

#[cfg(test)]
#[path = "ecmascript_tests.rs"]
mod tests;
