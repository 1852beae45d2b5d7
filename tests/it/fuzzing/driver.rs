//! Runs a target on its corpus, on what is made of it by random changes, and says how to repeat what fails.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use postrider::clock::Stopwatch;
use postrider::random::{Random, SystemRandom};

use crate::support::length::short_or_long;

/// So many inputs are made however slow the machine is.
const FEWEST: u64 = 100;
/// The longest input that is made.
const LONGEST: usize = 40 * 1024;

/// What runs at most: short in every run, and for minutes with `tests/run --long`.
pub fn run(name: &str, mut target: impl FnMut(&[u8])) {
    let corpus = corpus(name);
    let seed = seed();
    let mut changes = Changes { state: seed, corpus: &corpus, tokens: &tokens() };
    let (watch, most) =
        (Stopwatch::start(), short_or_long(Duration::from_millis(1500), Duration::from_secs(200)));
    for (file, bytes) in &corpus {
        check(&mut target, bytes, &format!("{name}: {}", file.display()));
    }
    let mut inputs = 0_u64;
    while inputs < FEWEST || watch.elapsed() < most {
        inputs += 1;
        let bytes = changes.input();
        check(&mut target, &bytes, &format!("{name}: input {inputs} with POSTRIDER_FUZZ_SEED={seed}"));
    }
    println!("{name}: {} inputs with POSTRIDER_FUZZ_SEED={seed}", inputs + corpus.len() as u64);
}

fn check(target: &mut impl FnMut(&[u8]), bytes: &[u8], what: &str) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(bytes))) {
        eprintln!("{what} fails: b\"{}\"", bytes.escape_ascii());
        resume_unwind(panic);
    }
}

fn seed() -> u64 {
    if let Ok(given) = std::env::var("POSTRIDER_FUZZ_SEED") {
        return given.parse().expect("POSTRIDER_FUZZ_SEED is a number");
    }
    let random = SystemRandom::new().expect("random numbers");
    (u64::from(random.u32()) << 32) | u64::from(random.u32())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fuzzing")
}

/// The inputs that are kept for a target.
fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(folder().join("corpus").join(name)).expect("a corpus");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let corpus: Vec<_> =
        files.into_iter().map(|path| (path.clone(), std::fs::read(path).expect("a file"))).collect();
    assert!(!corpus.is_empty(), "{name} has no corpus");
    corpus
}

/// The tokens of the dictionary, which is in the form that libFuzzer reads.
fn tokens() -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(folder().join("tokens.dict")).expect("a dictionary");
    let quoted = text.lines().filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    let tokens: Vec<_> = quoted.map(unescaped).collect();
    assert!(tokens.len() > 50, "the dictionary is not read");
    tokens
}

fn unescaped(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        (bytes, rest) = match (first, after) {
            (b'\\', [b'x', high, low, after @ ..]) => {
                let hex = [*high, *low].map(|digit| char::from(digit).to_digit(16).expect("a digit"));
                (append(bytes, u8::try_from(hex[0] * 16 + hex[1]).expect("a byte")), after)
            }
            (b'\\', [escaped, after @ ..]) => (append(bytes, *escaped), after),
            _ => (append(bytes, *first), after),
        };
    }
    bytes
}

fn append(mut bytes: Vec<u8>, byte: u8) -> Vec<u8> {
    bytes.push(byte);
    bytes
}

/// Random changes to what is in the corpus; the same ones for the same seed.
struct Changes<'a> {
    state: u64,
    corpus: &'a [(PathBuf, Vec<u8>)],
    tokens: &'a [Vec<u8>],
}

impl Changes<'_> {
    /// The next of Sebastiano Vigna's `SplitMix64`, below a bound.
    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bound = u64::try_from(bound.max(1)).expect("it fits");
        usize::try_from((z ^ (z >> 31)) % bound).expect("it fits")
    }

    fn input(&mut self) -> Vec<u8> {
        let corpus = self.corpus;
        let mut bytes = corpus[self.below(corpus.len())].1.clone();
        for _ in 0..=self.below(5) {
            self.change(&mut bytes);
        }
        bytes.truncate(LONGEST);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let (at, kind) = (self.below(bytes.len() + 1), self.below(9));
        let end = bytes.len().min(at + 1 + self.below(8));
        match kind {
            0 | 1 => {
                let token = &self.tokens[self.below(self.tokens.len())];
                // In the place of something, or between.
                let end = if kind == 0 { at } else { bytes.len().min(at + token.len()) };
                bytes.splice(at..end, token.iter().copied());
            }
            2 => drop(bytes.drain(at..end)),
            3 => bytes.insert(at, u8::try_from(self.below(256)).expect("a byte")),
            4 => {
                let piece = bytes[at..end].to_vec();
                let times = 1 + self.below(40);
                bytes.splice(at..at, piece.repeat(times));
            }
            5 => {
                let other = &self.corpus[self.below(self.corpus.len())].1;
                let from = self.below(other.len() + 1);
                let to = other.len().min(from + 1 + self.below(64));
                bytes.splice(at..end, other[from..to].iter().copied());
            }
            6 => bytes[at..end].reverse(),
            7 => {
                if let Some(digit) = bytes.iter_mut().skip(at).find(|byte| byte.is_ascii_digit()) {
                    *digit = b'0' + u8::try_from(self.below(10)).expect("a digit");
                }
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
        }
    }
}

#[test]
fn the_same_seed_makes_the_same_inputs_and_they_differ() {
    let (corpus, tokens) = (corpus("filters"), tokens());
    let inputs = |seed| {
        let mut changes = Changes { state: seed, corpus: &corpus, tokens: &tokens };
        (0..200).map(|_| changes.input()).collect::<Vec<_>>()
    };
    assert_eq!(inputs(7), inputs(7));
    assert_ne!(inputs(7), inputs(8));
    assert!(inputs(7).iter().collect::<std::collections::HashSet<_>>().len() > 150);
}

#[test]
fn a_property_that_does_not_hold_is_found() {
    let found =
        catch_unwind(|| run("numbers", |bytes| assert!(!bytes.starts_with(b"-"), "a number below zero")));
    assert!(found.is_err());
}
