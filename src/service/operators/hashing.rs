//! Hashing passwords, of which few run at once: each takes 19 MiB and tens of milliseconds of a core.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::domain::password::{self, PasswordHash, Verdict};
use crate::random::{self, Random};
use crate::service::{Code, Error};

/// Hashes that run at once.
const AT_ONCE: usize = 2;

/// Who hashes passwords.
#[derive(Debug, Default)]
pub struct Hashing {
    running: AtomicUsize,
    done: AtomicU64,
}

/// One of the hashes that may run.
struct Turn<'a>(&'a Hashing);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Hashing {
    fn turn(&self) -> Result<Turn<'_>, Error> {
        let more = |running: usize| (running < AT_ONCE).then_some(running + 1);
        match self.running.fetch_update(Ordering::AcqRel, Ordering::Acquire, more) {
            Ok(_) => {
                self.done.fetch_add(1, Ordering::Relaxed);
                Ok(Turn(self))
            }
            Err(_) => Err(Error::new(Code::Overloaded, "others are signing in at this moment; try again")),
        }
    }

    /// The hash of a password.
    ///
    /// # Errors
    /// `overloaded`.
    pub(super) fn hash(&self, password: &str, random: &dyn Random) -> Result<PasswordHash, Error> {
        let _turn = self.turn()?;
        password::hash(password, &random::bytes(random)).map_err(broken)
    }

    /// Compares a password with a hash.
    ///
    /// # Errors
    /// `overloaded`.
    pub(super) fn verify(&self, password: &str, hash: &PasswordHash) -> Result<Verdict, Error> {
        let _turn = self.turn()?;
        password::verify(password, hash).map_err(broken)
    }

    /// How many hashes were made or compared since the start.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

fn broken(cause: String) -> Error {
    Error { cause: Some(cause.into()), ..Error::new(Code::Internal, "") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hash_at_once_and_the_third_is_told_to_come_again() {
        let hashing = Hashing::default();
        let (first, second) = (hashing.turn().ok(), hashing.turn().ok());
        assert!(first.is_some() && second.is_some());
        let refused = hashing.turn().err().unwrap();
        assert_eq!((refused.code, refused.retry_after), (Code::Overloaded, Some(1)));
        drop(first);
        assert!(hashing.turn().is_ok());
        assert_eq!(hashing.done(), 3, "a refused one is none");
    }
}
