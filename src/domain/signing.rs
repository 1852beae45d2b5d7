//! Signing one attempt: HMAC-SHA256 with the key's state kept, so that a message costs no key setup.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::secret::{KeyForm, Secret};

/// One live secret, ready to sign. Cheap to keep, cheap to use; its `Debug` shows nothing of the key.
#[derive(Clone)]
pub struct Signer {
    keyed: Hmac<Sha256>,
}

impl Signer {
    /// Prepares `secret`, whose key is read as `form`.
    ///
    /// # Errors
    /// The secret has no key in this form, which only a damaged row can bring about.
    pub fn new(secret: &Secret, form: KeyForm) -> Result<Self, String> {
        let key = secret.key(form).ok_or("the signing secret is not whsec_ and base64")?;
        let keyed = Hmac::new_from_slice(&key).map_err(|error| error.to_string())?;
        Ok(Self { keyed })
    }

    /// HMAC-SHA256 over the parts one after another.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The signature of Standard Webhooks 1.0: `v1,` and base64 of the HMAC over `id.timestamp.body`.
    ///
    /// `timestamp_seconds` is the attempt's, in unix seconds.
    pub fn sign_standard(&self, id: &str, timestamp_seconds: i64, body: &[u8]) -> String {
        let mut signature = String::with_capacity(47);
        self.append_standard(&mut signature, id, &timestamp_seconds.to_string(), body);
        signature
    }

    /// As [`Self::sign_standard`], with the timestamp as text, at the end of `header`.
    pub(super) fn append_standard(&self, header: &mut String, id: &str, timestamp: &str, body: &[u8]) {
        let mac = self.mac(&[id.as_bytes(), b".", timestamp.as_bytes(), b".", body]);
        header.push_str("v1,");
        BASE64.encode_append(&mac, header);
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_mac_is_that_of_rfc_4231() {
        // Test case 2, whose key is a text.
        let signer = Signer::new(&Secret::stored("Jefe"), KeyForm::Verbatim).unwrap();
        let mac = signer.mac(&[b"what do ya want ", b"for nothing?"]);
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(data_encoding::HEXLOWER.encode(&mac), expected);
    }

    #[test]
    fn a_damaged_secret_is_an_error_and_no_signature() {
        assert!(Signer::new(&Secret::stored("whsec_???"), KeyForm::Decoded).is_err());
    }

    #[test]
    fn debug_shows_nothing_of_the_key() {
        let signer = Signer::new(&Secret::generate([1; 32]), KeyForm::Decoded).unwrap();
        assert_eq!(format!("{signer:?}"), "Signer(…)");
    }

    proptest! {
        #[test]
        fn signatures_are_those_of_the_published_library(
            key in any::<[u8; 32]>(), id in "[A-Za-z0-9_-]{1,64}", at in 0..4_000_000_000_i64, body in "\\PC{0,200}",
        ) {
            let secret = Secret::generate(key);
            let signer = Signer::new(&secret, KeyForm::Decoded).unwrap();
            let published = standardwebhooks::Webhook::new(secret.expose()).unwrap();
            let expected = published.sign(&id, at, body.as_bytes()).unwrap();
            prop_assert_eq!(signer.sign_standard(&id, at, body.as_bytes()), expected);
        }
    }
}
