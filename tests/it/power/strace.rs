//! What `strace -f -y` writes, read: system calls with when they began, when they ended, and their bytes.

use std::collections::HashMap;
use std::ops::RangeInclusive;

/// A system call. A moment is the number of a line, so moments of all threads have one order: that in which the kernel
/// stopped them for strace.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call<'a> {
    pub(super) name: &'a str,
    pub(super) arguments: &'a str,
    /// It has had no effect before this.
    pub(super) began: usize,
    /// Its whole effect was there by this moment. Nothing if the process was killed meanwhile.
    pub(super) ended: Option<usize>,
    /// What it returned, if that was no error.
    pub(super) result: Option<u64>,
}

/// All calls, in the order in which they began. Each line has two moments: a call can begin and end on one.
pub(super) fn read(trace: &str) -> Vec<Call<'_>> {
    let mut calls: Vec<Call<'_>> = Vec::new();
    let mut unfinished: HashMap<(&str, &str), usize> = HashMap::new();
    for (number, line) in trace.lines().enumerate() {
        let (began, ended) = (2 * number, 2 * number + 1);
        let (thread, what) = line.split_once(' ').unwrap_or_else(|| panic!("line {number}: {line}"));
        let what = what.trim_start();
        if let Some(resumed) = what.strip_prefix("<... ") {
            let (name, rest) = resumed.split_once(" resumed>").expect("the name of what goes on");
            let call = unfinished.remove(&(thread, name));
            if !is_cut_off(rest) {
                let call = call.unwrap_or_else(|| panic!("did not begin: {line}"));
                (calls[call].ended, calls[call].result) = (Some(ended), result(rest));
            }
        } else if let Some((name, rest)) = what.split_once('(').filter(|(name, _)| is_name(name)) {
            if let Some((list, _)) = rest.rsplit_once(" = ").filter(|_| !is_unfinished(rest)) {
                let arguments = list.trim_end().strip_suffix(')').unwrap_or_else(|| panic!("no end: {line}"));
                let ended = (!is_cut_off(rest)).then_some(ended);
                calls.push(Call { name, arguments, began, ended, result: result(rest) });
            } else {
                let (arguments, _) = rest.rsplit_once(" <").unwrap_or_else(|| panic!("no end: {line}"));
                unfinished.insert((thread, name), calls.len());
                calls.push(Call { name, arguments, began, ended: None, result: None });
            }
        } else {
            // A signal, the end of a thread, or the beginning of a call before which it was killed.
            let known = ["+++ ", "--- ", "???("].iter().any(|start| what.starts_with(start));
            assert!(known, "line {number}: {line}");
        }
    }
    calls
}

/// Whether the end stands on another line, or nowhere: strace let go of the thread.
fn is_unfinished(rest: &str) -> bool {
    [" <unfinished ...>", " <detached ...>"].iter().any(|end| rest.ends_with(end))
}

/// Whether the thread was killed in the call: what it says of the end is a question mark, or an error without a name.
fn is_cut_off(rest: &str) -> bool {
    let cut_off = |value: &str| value.starts_with('?') || value.contains("(errno ");
    rest.rsplit_once(" = ").is_some_and(|(_, value)| cut_off(value))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn result(rest: &str) -> Option<u64> {
    let (_, value) = rest.rsplit_once(" = ")?;
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    value[..digits].parse().ok()
}

impl<'a> Call<'a> {
    /// The path, or the socket, behind the descriptor that is the first argument.
    pub(super) fn descriptor(&self) -> &'a str {
        let behind = self.arguments.split_once('<').map(|(_, rest)| rest);
        behind.and_then(|rest| rest.split_once('>')).expect("a descriptor with its path").0
    }

    /// The arguments that are texts, byte for byte.
    ///
    /// # Panics
    /// When strace has cut one off.
    pub(super) fn texts(&self) -> Vec<Vec<u8>> {
        let mut texts = Vec::new();
        let mut rest = self.arguments;
        while let Some((_, from)) = rest.split_once('"') {
            let (text, length) = unescape(from.as_bytes());
            rest = &from[length..];
            assert!(!rest.starts_with("..."), "strace has cut a text off: {}", self.arguments);
            texts.push(text);
        }
        texts
    }

    /// The number that stands at this place among the arguments, counted from the last one.
    pub(super) fn number_from_last(&self, place: usize) -> u64 {
        let number = self.arguments.rsplit(", ").nth(place).and_then(|text| text.parse().ok());
        number.unwrap_or_else(|| panic!("no number in {}", self.arguments))
    }
}

/// The bytes up to the closing quotation mark, and how long that was, mark included.
fn unescape(text: &[u8]) -> (Vec<u8>, usize) {
    const OCTAL: RangeInclusive<u8> = b'0'..=b'7';
    let (mut bytes, mut at) = (Vec::with_capacity(text.len().min(4_200)), 0);
    loop {
        let plain = text[at..].iter().position(|byte| matches!(byte, b'"' | b'\\')).expect("an end");
        bytes.extend_from_slice(&text[at..at + plain]);
        at += plain + 1;
        if text[at - 1] == b'"' {
            return (bytes, at);
        }
        let escaped = text[at];
        at += 1;
        bytes.push(match escaped {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'v' => 0x0b,
            b'f' => 0x0c,
            digit if OCTAL.contains(&digit) => {
                let more = text[at..].iter().take(2).take_while(|byte| OCTAL.contains(byte)).count();
                let digits = &text[at - 1..at + more];
                at += more;
                digits.iter().fold(0, |value, digit| value << 3 | (digit - b'0'))
            }
            other => other,
        });
    }
}

#[test]
fn calls_are_read_with_their_moments() {
    let trace = "\
7  openat(AT_FDCWD</tmp>, \"/tmp/a\", O_RDWR|O_CREAT, 0600) = 3</tmp/a>
7  pwrite64(3</tmp/a>, \"a\\0\\0012\\n\\\"\\\\\\377\", 8, 512 <unfinished ...>
12 fdatasync(4</tmp/b> <unfinished ...>
7  <... pwrite64 resumed>)              = 8
12 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER} ---
12 <... fdatasync resumed>)             = 0
12 unlink(\"/tmp/c\")                    = -1 ENOENT (No such file or directory)
12 +++ exited with 0 +++
12 fsync(3</tmp/a>) = ?
12 ???( <unfinished ...>
12 fsync(3</tmp/a> <unfinished ...>
12 <... fsync resumed>) = ? <unavailable>
13 fsync(3</tmp/a> <unfinished ...>
13 <... fsync resumed>) = -1 (errno 18446744073709551572)
13 fsync(3</tmp/a> <detached ...>
";
    let calls = read(trace);
    let short: Vec<_> = calls.iter().map(|call| (call.name, call.began, call.ended, call.result)).collect();
    assert_eq!(
        short,
        [
            ("openat", 0, Some(1), Some(3)),
            ("pwrite64", 2, Some(7), Some(8)),
            ("fdatasync", 4, Some(11), Some(0)),
            ("unlink", 12, Some(13), None),
            ("fsync", 16, None, None),
            ("fsync", 20, None, None),
            ("fsync", 24, None, None),
            ("fsync", 28, None, None),
        ]
    );
    assert_eq!((calls[1].descriptor(), calls[1].number_from_last(0)), ("/tmp/a", 512));
    assert_eq!(calls[1].texts(), [b"a\0\x012\n\"\\\xff".to_vec()]);
    assert_eq!(calls[3].texts(), [b"/tmp/c".to_vec()]);
}

#[test]
#[should_panic(expected = "cut a text off")]
fn a_text_that_strace_has_cut_off_is_noticed() {
    read("7 write(3</tmp/a>, \"abc\"..., 900) = 900")[0].texts();
}
