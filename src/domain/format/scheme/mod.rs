//! Signature schemes. Each is one file and one line in [`SCHEMES`]; nobody else asks which one it is.

mod ed25519;
mod hmac;
mod hmac_sha1_hex;
mod hmac_sha256_base64;
mod hmac_sha256_hex;
mod none;
mod standard;

use std::fmt;

use crate::domain::secret::Secret;
use crate::domain::signing::{Checker, Signer};

/// All schemes, in the order in which they are shown.
pub static SCHEMES: [&Scheme; 6] = [
    &standard::SCHEME,
    &ed25519::SCHEME,
    &hmac_sha256_hex::SCHEME,
    &hmac_sha256_base64::SCHEME,
    &hmac_sha1_hex::SCHEME,
    &none::SCHEME,
];

/// How an attempt is signed.
pub struct Scheme {
    /// Its name in a format.
    pub name: &'static str,
    /// How much of the signature header a format decides.
    pub(super) shape: Shape,
    keys: Option<Keys>,
}

/// How much of the signature header a format decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// There is none.
    Unsigned,
    /// Standard Webhooks 1.0: always over `id.timestamp.body`, without a prefix, several separated by a space.
    Standard,
    /// Prefix, separator, and what is signed.
    Free,
}

/// What a scheme does with secrets.
struct Keys {
    /// A new secret from 32 random bytes.
    make: fn([u8; 32]) -> Secret,
    /// A caller's own.
    take: fn(&str) -> Result<Secret, String>,
    /// Whether a secret that an endpoint has can sign here.
    fits: fn(&Secret) -> Result<(), String>,
    /// What is said to whoever set it.
    warning: fn(&Secret) -> Option<String>,
    /// What is shown of it for good.
    public: fn(&Secret) -> Option<String>,
    /// Whether its owner is shown it, once.
    is_shown: bool,
    /// Whether an endpoint may go without.
    may_be_absent: bool,
    signer: fn(&Secret) -> Result<Signer, String>,
    /// Reads what a receiver has: the secret, or the public key.
    checker: fn(&str) -> Result<Checker, String>,
}

/// A caller's `secret`, read.
#[derive(Debug)]
pub enum Taken {
    /// Sign with this one.
    Secret(Secret),
    /// Do not sign.
    Unsigned,
}

impl Scheme {
    /// The scheme of this name.
    pub fn parse(name: &str) -> Option<&'static Self> {
        SCHEMES.into_iter().find(|scheme| scheme.name == name)
    }

    /// A new secret, from random bytes; `None` for a scheme without.
    pub fn make(&self, random: [u8; 32]) -> Option<Secret> {
        self.keys.as_ref().map(|keys| (keys.make)(random))
    }

    /// Takes a caller's secret; an empty one asks for no signature.
    ///
    /// # Errors
    /// What is allowed, as the message of a field error. It never repeats the secret.
    pub fn take(&self, text: &str) -> Result<Taken, String> {
        match &self.keys {
            None if text.is_empty() => Ok(Taken::Unsigned),
            None => Err("must be absent: this format does not sign".to_owned()),
            Some(keys) if text.is_empty() && keys.may_be_absent => Ok(Taken::Unsigned),
            Some(_) if text.is_empty() => {
                Err("must not be empty: this format always signs; without it one is made".to_owned())
            }
            Some(keys) => (keys.take)(text).map(Taken::Secret),
        }
    }

    /// Whether an endpoint with this secret may come to this scheme.
    ///
    /// # Errors
    /// What to do about it, as the message of a field error.
    pub fn fits(&self, secret: &Secret) -> Result<(), String> {
        self.keys.as_ref().map_or(Ok(()), |keys| (keys.fits)(secret))
    }

    /// Whether there are secrets at all.
    pub fn has_secrets(&self) -> bool {
        self.keys.is_some()
    }

    /// Whether a secret is shown to its owner, once.
    pub fn shows_secret(&self) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.is_shown)
    }

    /// A warning for whoever set the secret, if its key is short.
    pub fn warning(&self, secret: &Secret) -> Option<String> {
        self.keys.as_ref().and_then(|keys| (keys.warning)(secret))
    }

    /// The public key that goes with a secret, if the scheme is asymmetric.
    pub fn public_key(&self, secret: &Secret) -> Option<String> {
        self.keys.as_ref().and_then(|keys| (keys.public)(secret))
    }

    /// Prepares a secret for signing; `None` for a scheme without.
    ///
    /// # Errors
    /// The secret has no key for this scheme, which only a damaged row can bring about.
    pub fn signer(&self, secret: &Secret) -> Result<Option<Signer>, String> {
        self.keys.as_ref().map(|keys| (keys.signer)(secret)).transpose()
    }

    /// Prepares what a receiver has for checking: the secret, or the public key. `None` for a scheme without.
    ///
    /// # Errors
    /// The text is none for this scheme; it is not repeated.
    pub fn checker(&self, text: &str) -> Result<Option<Checker>, String> {
        self.keys.as_ref().map(|keys| (keys.checker)(text)).transpose()
    }
}

impl PartialEq for Scheme {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_with_secrets_makes_one_that_signs_and_is_checked() {
        for scheme in SCHEMES {
            let Some(secret) = scheme.make([9; 32]) else {
                assert!(!scheme.has_secrets());
                continue;
            };
            assert_eq!(scheme.fits(&secret), Ok(()), "{scheme:?}");
            let shown = scheme.public_key(&secret).unwrap_or_else(|| secret.expose().to_owned());
            let signer = scheme.signer(&secret).unwrap().unwrap();
            let checker = scheme.checker(&shown).unwrap().unwrap();
            let signature = signer.sign(&[b"a", b".", b"b"]);
            assert!(checker.accepts(&[b"a.b"], &signature), "{scheme:?}: parts are one message");
            assert!(!checker.accepts(&[b"a.c"], &signature) && !checker.accepts(&[b"a.b"], ""), "{scheme:?}");
        }
    }

    #[test]
    fn names_are_found_and_others_are_not() {
        for scheme in SCHEMES {
            assert_eq!(Scheme::parse(scheme.name), Some(scheme));
        }
        assert_eq!(Scheme::parse("hmac-md5"), None);
    }

    #[test]
    fn only_schemes_without_a_fixed_shape_may_go_unsigned() {
        for scheme in SCHEMES {
            let may = scheme.shape != Shape::Standard;
            assert_eq!(matches!(scheme.take(""), Ok(Taken::Unsigned)), may, "{scheme:?}");
        }
    }
}
