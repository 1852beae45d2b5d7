//! Where randomness comes from: keys, secrets, nonces, jitter.
//!
//! Everything is handed a [`Random`], so that a test that uses a [`SeededRandom`] gets the same bytes each time.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

/// A source of random bytes that is fit for secrets, unless it is a test's.
pub trait Random: Send + Sync + fmt::Debug {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);

    /// Any number of 32 bits, each as likely as the other.
    fn u32(&self) -> u32 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        u32::from_ne_bytes(bytes)
    }
}

/// `N` random bytes: a key, a secret, a nonce.
pub fn bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy)]
pub struct SystemRandom(());

impl SystemRandom {
    /// Asks the operating system once, so that a machine without randomness is noticed at the start.
    ///
    /// # Errors
    /// The operating system has no randomness to give (a sandbox that forbids the call, for one).
    pub fn new() -> Result<Self, getrandom::Error> {
        getrandom::fill(&mut [0; 8])?;
        Ok(Self(()))
    }
}

impl Random for SystemRandom {
    /// # Panics
    /// When the system call that worked at the start fails: going on would mean guessable keys.
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system's random numbers, which worked at the start");
    }
}

/// The same bytes for the same seed: SHA-256 of the seed and a counter. For tests, never for secrets.
#[derive(Debug)]
pub struct SeededRandom {
    seed: u64,
    blocks: AtomicU64,
}

impl SeededRandom {
    /// A generator at the start of the sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, blocks: AtomicU64::new(0) }
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for piece in bytes.chunks_mut(32) {
            let block = self.blocks.fetch_add(1, Ordering::Relaxed);
            let hash = Sha256::new().chain_update(self.seed.to_le_bytes()).chain_update(block.to_le_bytes());
            piece.copy_from_slice(&hash.finalize()[..piece.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_bytes_again_and_another_seed_others() {
        let first = bytes::<70>(&SeededRandom::new(1));
        assert_eq!(first, bytes::<70>(&SeededRandom::new(1)));
        assert_ne!(first, bytes::<70>(&SeededRandom::new(2)));
    }

    #[test]
    fn a_seeded_generator_moves_on() {
        let random = SeededRandom::new(1);
        assert_ne!(random.u32(), random.u32());
        assert_ne!(bytes::<32>(&random), bytes::<32>(&random));
    }

    #[test]
    fn the_system_does_not_repeat_itself() {
        let random = SystemRandom::new().unwrap();
        assert_ne!(bytes::<32>(&random), bytes::<32>(&random));
    }
}
