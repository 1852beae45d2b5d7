//! Encryption at rest: signing secrets and endpoint headers, sealed before they go into the database.
//!
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03). Its nonce of 24 bytes is long enough to be drawn at random
//! for every value without counting them. Each use of the key in `secret.key` has a subkey of its own,
//! HMAC-SHA256 of a label, so that no two algorithms ever share one.

use std::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The first byte of what is sealed, so that another algorithm can follow this one.
const VERSION: u8 = 1;
const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;

/// How many bytes [`Vault::seal`] adds to a value.
pub const OVERHEAD: usize = 1 + NONCE_LEN + TAG_LEN;

/// Why a sealed value cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Too short, or of a version that this program does not know.
    #[error("an encrypted value in the database is cut short or was written by a newer version of Postrider")]
    Form,
    /// The tag does not fit: another key, another purpose, or bytes that were changed.
    #[error(
        "an encrypted value in the database does not fit the key in secret.key: \
         the database was changed by hand, or the key belongs to another database"
    )]
    Authenticity,
}

/// Seals and opens values, and derives the other keys, from the 32 bytes of `secret.key`.
pub struct Vault {
    key: [u8; 32],
    cipher: XChaCha20Poly1305,
}

impl Vault {
    /// A vault with this key.
    pub fn new(key: [u8; 32]) -> Self {
        let cipher = XChaCha20Poly1305::new(&derive(&key, "seal").into());
        Self { key, cipher }
    }

    /// Encrypts `plain` for one purpose: version, nonce, ciphertext and tag in one.
    ///
    /// `purpose` says what the value is and to which row it belongs; it is not stored, and [`open`](Self::open)
    /// must be given the same, so a value that is copied to another row or column does not open there.
    /// `nonce` must be drawn at random for each call.
    ///
    /// # Panics
    /// When `plain` is longer than the cipher's limit of 256 GB.
    pub fn seal(&self, purpose: &[u8], plain: &[u8], nonce: [u8; NONCE_LEN]) -> Vec<u8> {
        let payload = Payload { msg: plain, aad: purpose };
        let ciphertext = self.cipher.encrypt(&nonce.into(), payload).expect("less than 256 GB");
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + ciphertext.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        sealed
    }

    /// Decrypts what [`seal`](Self::seal) made for the same purpose.
    ///
    /// # Errors
    /// [`VaultError::Form`] if `sealed` cannot be a sealed value, [`VaultError::Authenticity`] if it is not one
    /// of this key and purpose.
    pub fn open(&self, purpose: &[u8], sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let (version, rest) = sealed.split_first().ok_or(VaultError::Form)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::Form)?;
        if *version != VERSION || ciphertext.len() < TAG_LEN {
            return Err(VaultError::Form);
        }
        let payload = Payload { msg: ciphertext, aad: purpose };
        self.cipher.decrypt(&(*nonce).into(), payload).map_err(|_| VaultError::Authenticity)
    }

    /// A key for another use, which tells nothing about this one. A label must not be used for two things.
    pub fn subkey(&self, label: &str) -> [u8; 32] {
        derive(&self.key, &format!("subkey {label}"))
    }

    /// The key of the 64-bit hash (`SipHash`) under which idempotency keys and own ids are looked up.
    pub fn lookup_key(&self) -> [u8; 16] {
        let mut key = [0; 16];
        key.copy_from_slice(&derive(&self.key, "lookup")[..16]);
        key
    }

    /// What the database keeps so that a wrong `secret.key` is noticed at the start. It tells nothing about the key.
    pub fn check_value(&self) -> [u8; 32] {
        derive(&self.key, "check")
    }

    /// Whether `stored`, the check value in the database, was made with this key.
    pub fn fits(&self, stored: &[u8]) -> bool {
        self.check_value().ct_eq(stored).into()
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(•••)")
    }
}

/// HMAC-SHA256 of the label, under the key.
fn derive(key: &[u8; 32], label: &str) -> [u8; 32] {
    // A key shorter than HMAC's block is filled up with zeros (RFC 2104, section 2): done here, it cannot fail.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    let mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    mac.chain_update(b"postrider vault: ").chain_update(label.as_bytes()).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn vault() -> Vault {
        Vault::new([7; 32])
    }

    #[test]
    fn the_key_is_derived_as_hmac_sha256_defines_it() {
        // RFC 4231 has no key of 32 bytes, so the value is compared with HMAC over a key of its own length.
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&[7; 32]).unwrap();
        mac.update(b"postrider vault: check");
        assert_eq!(vault().check_value()[..], mac.finalize().into_bytes()[..]);
    }

    #[test]
    fn a_value_opens_only_under_its_key_and_purpose() {
        let sealed = vault().seal(b"secret of ep 1", b"whsec_abc", [1; 24]);
        assert_eq!(vault().open(b"secret of ep 1", &sealed).unwrap(), b"whsec_abc");
        assert_eq!(vault().open(b"secret of ep 2", &sealed), Err(VaultError::Authenticity));
        assert_eq!(Vault::new([8; 32]).open(b"secret of ep 1", &sealed), Err(VaultError::Authenticity));
    }

    #[test]
    fn neither_the_sealed_bytes_nor_debug_show_the_value_or_the_key() {
        let sealed = vault().seal(b"", b"whsec_abc", [1; 24]);
        assert!(!sealed.windows(9).any(|w| w == b"whsec_abc"));
        assert_eq!(format!("{:?}", vault()), "Vault(•••)");
    }

    #[test]
    fn the_derived_keys_differ_from_each_other_and_by_key() {
        let (vault, other) = (vault(), Vault::new([8; 32]));
        assert_ne!(vault.check_value(), vault.subkey("check"));
        assert_ne!(vault.subkey("a"), vault.subkey("b"));
        assert_ne!(vault.lookup_key()[..], vault.check_value()[..16]);
        assert_ne!(vault.lookup_key(), other.lookup_key());
    }

    #[test]
    fn a_wrong_key_is_noticed_by_the_check_value() {
        let stored = vault().check_value();
        assert!(vault().fits(&stored));
        assert!(!Vault::new([8; 32]).fits(&stored));
        assert!(!vault().fits(&stored[..31]));
        assert!(!vault().fits(b""));
    }

    #[test]
    fn what_cannot_be_a_sealed_value_is_told_apart() {
        let mut newer = vault().seal(b"", b"x", [1; 24]);
        newer[0] = 2;
        for sealed in [&b""[..], &[VERSION; OVERHEAD - 1], &newer] {
            assert_eq!(vault().open(b"", sealed), Err(VaultError::Form));
        }
    }

    proptest! {
        #[test]
        fn values_of_any_length_come_back(plain: Vec<u8>, purpose: Vec<u8>, nonce: [u8; 24]) {
            let sealed = vault().seal(&purpose, &plain, nonce);
            prop_assert_eq!(sealed.len(), plain.len() + OVERHEAD);
            prop_assert_eq!(vault().open(&purpose, &sealed), Ok(plain));
        }

        #[test]
        fn a_single_changed_bit_is_noticed(plain: Vec<u8>, at: prop::sample::Index, bit in 0..8u8) {
            let mut sealed = vault().seal(b"p", &plain, [9; 24]);
            let at = at.index(sealed.len());
            sealed[at] ^= 1 << bit;
            prop_assert!(vault().open(b"p", &sealed).is_err());
        }
    }
}
