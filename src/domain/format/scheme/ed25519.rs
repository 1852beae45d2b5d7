//! `ed25519`: Standard Webhooks 1.0, asymmetric: `v1a,` and base64 of an Ed25519 signature (RFC 8032).
//!
//! The key is made here. What the store keeps of it begins with a control character, which no caller's secret may
//! hold, so that one is never taken for the other.

use data_encoding::BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, Verifier as _, VerifyingKey};

use crate::domain::secret::Secret;
use crate::domain::signing::{Checker, Signer};

use super::{Keys, Scheme, Shape};

/// What a public key begins with.
const PUBLIC: &str = "whpk_";
/// What the store keeps begins with this, and goes on with base64 of the private key's 32 bytes.
const STORED: &str = "\u{1}ed25519:";
const SIGNATURE: &str = "v1a,";

pub(super) const SCHEME: Scheme = Scheme {
    name: "ed25519",
    shape: Shape::Standard,
    keys: Some(Keys {
        make: |random| Secret::stored(&format!("{STORED}{}", BASE64.encode(&random))),
        take: |_| {
            Err("must be absent: in this format the key is made here, and public_key is shown".to_owned())
        },
        fits: |secret| key(secret).map(drop),
        warning: |_| None,
        public: |secret| key(secret).ok().map(|key| public(&key)),
        is_shown: false,
        may_be_absent: false,
        signer,
        checker,
    }),
};

fn key(secret: &Secret) -> Result<SigningKey, String> {
    let text = secret.expose().strip_prefix(STORED);
    let bytes = text.and_then(|text| BASE64.decode(text.as_bytes()).ok());
    let bytes: Option<[u8; 32]> = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes
        .map(|bytes| SigningKey::from_bytes(&bytes))
        .ok_or_else(|| "must be null in this format, which has a key made here".to_owned())
}

fn public(key: &SigningKey) -> String {
    format!("{PUBLIC}{}", BASE64.encode(key.verifying_key().as_bytes()))
}

fn signer(secret: &Secret) -> Result<Signer, String> {
    let key = key(secret)?;
    Ok(Signer::new(move |parts, header| {
        // The signature goes over the message twice, so it cannot be fed in parts.
        let signature = key.sign(&parts.concat());
        header.push_str(SIGNATURE);
        BASE64.encode_append(&signature.to_bytes(), header);
    }))
}

fn checker(text: &str) -> Result<Checker, String> {
    let bytes = text.strip_prefix(PUBLIC).and_then(|text| BASE64.decode(text.as_bytes()).ok());
    let bytes: Option<[u8; 32]> = bytes.and_then(|bytes| bytes.try_into().ok());
    let key = bytes.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
    let key = key.ok_or_else(|| format!("must be the public key: {PUBLIC} and the base64 of 32 bytes"))?;
    Ok(Checker::new(move |parts, signature| {
        let bytes = signature.strip_prefix(SIGNATURE).and_then(|text| BASE64.decode(text.as_bytes()).ok());
        let signature = bytes.and_then(|bytes| Signature::from_slice(&bytes).ok());
        signature.is_some_and(|signature| key.verify(&parts.concat(), &signature).is_ok())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, section 7.1, test 2.
    #[test]
    fn signatures_are_those_of_the_rfc() {
        let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
        let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let secret = SCHEME.make(seed.try_into().unwrap()).unwrap();
        let shown = SCHEME.public_key(&secret).unwrap();
        let expected = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        assert_eq!(shown, format!("whpk_{}", BASE64.encode(&expected)));
        let signature = hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
        let expected = format!("v1a,{}", BASE64.encode(&signature));
        assert_eq!(SCHEME.signer(&secret).unwrap().unwrap().sign(&[b"\x72"]), expected);
    }

    #[test]
    fn a_callers_secret_is_refused_and_no_other_fits() {
        assert!(SCHEME.take("whsk_AAAA").is_err() && SCHEME.take("").is_err());
        assert!(SCHEME.fits(&Secret::generate([1; 32])).is_err());
        for other in super::super::SCHEMES.iter().filter(|other| other.has_secrets() && ***other != SCHEME) {
            assert!(other.fits(&SCHEME.make([1; 32]).unwrap()).is_err(), "{other:?}");
        }
    }
}
