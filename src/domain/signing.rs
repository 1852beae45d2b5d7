//! Signing one attempt: what a scheme (`format::scheme`) has made of a secret, with the key's state kept, so that a
//! message costs no key setup.

use std::sync::Arc;

type Append = dyn Fn(&[&[u8]], &mut String) + Send + Sync;
type Check = dyn Fn(&[&[u8]], &str) -> bool + Send + Sync;

/// One live secret, ready to sign. Cheap to keep, cheap to use; its `Debug` shows nothing of the key.
#[derive(Clone)]
pub struct Signer(Arc<Append>);

impl Signer {
    /// A signer that writes the signature of a message, given in parts, at the end of a text.
    pub fn new(append: impl Fn(&[&[u8]], &mut String) + Send + Sync + 'static) -> Self {
        Self(Arc::new(append))
    }

    /// Writes the signature over the parts one after another at the end of `header`.
    pub fn append(&self, parts: &[&[u8]], header: &mut String) {
        (self.0)(parts, header);
    }

    /// The signature over the parts one after another.
    pub fn sign(&self, parts: &[&[u8]]) -> String {
        let mut signature = String::new();
        self.append(parts, &mut signature);
        signature
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(…)")
    }
}

/// What a receiver has, ready to check signatures: the same secret, or a public key.
#[derive(Clone)]
pub struct Checker(Arc<Check>);

impl Checker {
    /// A checker that says whether a signature is one of the message, given in parts.
    pub fn new(check: impl Fn(&[&[u8]], &str) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(check))
    }

    /// Whether `signature` is one over the parts one after another.
    pub fn accepts(&self, parts: &[&[u8]], signature: &str) -> bool {
        (self.0)(parts, signature)
    }
}

impl From<Signer> for Checker {
    /// Accepts what the signer would write; the comparison takes the same time wherever the two differ.
    fn from(signer: Signer) -> Self {
        use subtle::ConstantTimeEq;
        Self::new(move |parts, signature| signer.sign(parts).as_bytes().ct_eq(signature.as_bytes()).into())
    }
}

impl std::fmt::Debug for Checker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Checker(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_key() {
        let signer = Signer::new(|_, header| header.push_str("secret"));
        assert_eq!(format!("{signer:?} {:?}", Checker::from(signer.clone())), "Signer(…) Checker(…)");
    }

    #[test]
    fn a_signer_checks_by_signing_again() {
        let signer = Signer::new(|parts, header| header.push_str(&parts.concat().len().to_string()));
        let checker = Checker::from(signer.clone());
        assert_eq!(signer.sign(&[b"ab", b"c"]), "3");
        assert!(checker.accepts(&[b"abc"], "3") && !checker.accepts(&[b"abcd"], "3"));
    }
}
