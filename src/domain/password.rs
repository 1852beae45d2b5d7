//! Passwords as they are kept: Argon2id (RFC 9106), as PHC strings, which say how they were made.
//!
//! Hashing takes tens of milliseconds and 19 MiB on purpose. Who calls bounds how many run at once.

use std::fmt;

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use data_encoding::BASE64_NOPAD;
use subtle::ConstantTimeEq;

/// Bytes of a salt.
pub const SALT: usize = 16;

/// What OWASP's cheat sheet on password storage recommends for Argon2id where memory is dear.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Bytes of a hash.
const OUTPUT: usize = 32;

/// The hash of no password: what is compared with where there is no account, so that this takes as long. Nobody knows
/// a password for it; its bytes are those of a text.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdCEhIQ$dGhlcmUgaXMgbm8gcGFzc3dvcmQgZm9yIHRoaXMhISE";

/// A hash with its salt and parameters. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes what the store has kept.
    pub fn kept(text: String) -> Self {
        Self(text)
    }

    /// What is compared with where there is no account.
    pub fn nobody() -> Self {
        Self(NOBODY.to_owned())
    }

    /// The PHC string, to be kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// What comparing a password with a hash has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is another password.
    Wrong,
    /// It is the password.
    Right {
        /// The hash was made with other parameters than new ones: worth making anew while the password is at hand.
        outdated: bool,
    },
}

fn today() -> Result<Params, String> {
    Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| error.to_string())
}

/// What is reserved for a hash at once. Of what is larger than 32 MiB, glibc keeps nothing once it is freed; smaller pieces
/// it would keep, for each thread that has ever hashed. Only what a hash uses of it takes memory.
const RESERVED: usize = 33 * 1024 * 1024;

/// Argon2id of a password, `out.len()` bytes long.
fn fill(params: Params, password: &str, salt: &[u8], out: &mut [u8]) -> Result<(), String> {
    let blocks = params.block_count();
    let mut memory = Vec::with_capacity(blocks.max(RESERVED / Block::SIZE));
    memory.resize(blocks, Block::default());
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let filled = argon.hash_password_into_with_memory(password.as_bytes(), salt, out, &mut memory);
    filled.map_err(|error| error.to_string())
}

/// Hashes a password with a random salt.
///
/// # Errors
/// What Argon2 says, which it does not for these parameters.
pub fn hash(password: &str, salt: &[u8; SALT]) -> Result<PasswordHash, String> {
    let mut out = [0; OUTPUT];
    fill(today()?, password, salt, &mut out)?;
    let (salt, out) = (BASE64_NOPAD.encode(salt), BASE64_NOPAD.encode(&out));
    Ok(PasswordHash(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${out}")))
}

/// Compares a password with a hash, with the parameters that the hash names.
///
/// # Errors
/// The hash cannot be read: the file was changed by something else.
pub fn verify(password: &str, hash: &PasswordHash) -> Result<Verdict, String> {
    let unreadable = |error: &dyn fmt::Display| format!("the hash of a password cannot be read: {error}");
    let parsed = phc::PasswordHash::new(&hash.0).map_err(|error| unreadable(&error))?;
    let made_with = Params::try_from(&parsed).map_err(|error| unreadable(&error))?;
    let (Some(salt), Some(wanted)) = (&parsed.salt, &parsed.hash) else {
        return Err(unreadable(&"it has no salt or no output"));
    };
    if parsed.algorithm != Algorithm::Argon2id.ident() || parsed.version != Some(Version::V0x13.into()) {
        return Err(unreadable(&"it is not Argon2id, version 19"));
    }
    let mut out = vec![0; wanted.as_bytes().len()];
    let outdated = is_outdated(&made_with)?;
    fill(made_with, password, salt.as_ref(), &mut out).map_err(|error| unreadable(&error))?;
    let right = bool::from(out.ct_eq(wanted.as_bytes()));
    Ok(if right { Verdict::Right { outdated } } else { Verdict::Wrong })
}

fn is_outdated(made_with: &Params) -> Result<bool, String> {
    let costs = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
    Ok(costs(made_with) != costs(&today()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::PasswordHasher;

    #[test]
    fn a_password_is_told_from_others_and_its_hash_does_not_show_it() {
        let hash = hash("correct horse", b"sixteen bytes!!!").unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        assert_eq!(verify("correct horse", &hash), Ok(Verdict::Right { outdated: false }));
        for wrong in ["", "correct hors", "Correct horse", "correct horse "] {
            assert_eq!(verify(wrong, &hash), Ok(Verdict::Wrong), "{wrong}");
        }
        assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
    }

    #[test]
    fn a_hash_with_other_parameters_is_right_and_outdated() {
        let weak = Params::new(8, 1, 1, None).unwrap();
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, weak);
        let old: phc::PasswordHash = argon.hash_password_with_salt(b"password", b"sixteen bytes!!!").unwrap();
        let old = PasswordHash::kept(old.to_string());
        assert_eq!(verify("password", &old), Ok(Verdict::Right { outdated: true }));
        assert_eq!(verify("passwore", &old), Ok(Verdict::Wrong));
    }

    #[test]
    fn nobody_has_no_password_and_costs_as_much_as_anybody() {
        let nobody = PasswordHash::nobody();
        assert_eq!(verify("password", &nobody), Ok(Verdict::Wrong));
        let parsed = phc::PasswordHash::new(nobody.as_str()).unwrap();
        assert_eq!(is_outdated(&Params::try_from(&parsed).unwrap()), Ok(false));
        let somebody = hash("password", &[7; SALT]).unwrap();
        assert_eq!(nobody.as_str().len(), somebody.as_str().len());
    }

    #[test]
    fn what_is_no_hash_is_a_failure_and_not_a_wrong_password() {
        for bad in
            ["", "password", "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=1,t=0,p=0$c2FsdA$aGFzaA"]
        {
            assert!(verify("password", &PasswordHash::kept(bad.to_owned())).is_err(), "{bad}");
        }
    }
}
