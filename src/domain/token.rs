//! Texts that open something for whoever has them: a session, a one-time link. Kept as their hash.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

/// 32 random bytes as 43 characters of base64url, which fit a cookie and a path. Its `Debug` does not show it.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A new one.
    pub fn generate(random: [u8; 32]) -> Self {
        Self(BASE64URL_NOPAD.encode(&random))
    }

    /// The text, for the one answer that shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored and looked up.
    pub fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// SHA-256 of a presented text, whatever it is. Tokens are random and long, so a fast hash is enough, and how long
/// it takes to look one up tells nothing about the text.
pub fn hash(presented: &str) -> [u8; 32] {
    Sha256::digest(presented).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_fits_a_path_and_is_kept_as_its_hash() {
        for byte in [0, 0x7F, 0xFF] {
            let token = Token::generate([byte; 32]);
            assert_eq!(token.expose().len(), 43);
            assert!(token.expose().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            assert_eq!(token.hash(), hash(token.expose()));
            assert_eq!(format!("{token:?}"), "Token(…)");
        }
    }
}
