//! Signatures computed by the test itself, from the rule and not by the product's code.

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};

use super::receiver::Received;

fn mac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("any key");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// HMAC-SHA256 under the bytes of a text, in hexadecimal.
pub fn sha256_hex(secret: &str, message: &[u8]) -> String {
    HEXLOWER.encode(&mac::<Hmac<sha2::Sha256>>(secret.as_bytes(), message))
}

/// The same in base64.
pub fn sha256_base64(secret: &str, message: &[u8]) -> String {
    BASE64.encode(&mac::<Hmac<sha2::Sha256>>(secret.as_bytes(), message))
}

/// HMAC-SHA1 under the bytes of a text, in hexadecimal.
pub fn sha1_hex(secret: &str, message: &[u8]) -> String {
    HEXLOWER.encode(&mac::<Hmac<sha1::Sha1>>(secret.as_bytes(), message))
}

/// What Standard Webhooks signs of a request.
pub fn standard_message(request: &Received) -> Vec<u8> {
    let header = |name| request.header(name).unwrap_or_else(|| panic!("no {name}"));
    let head = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp"));
    [head.as_bytes(), &request.body].concat()
}

/// The signature of Standard Webhooks with this secret.
pub fn standard(secret: &str, request: &Received) -> String {
    let key = BASE64.decode(secret.strip_prefix("whsec_").expect("a secret").as_bytes()).expect("base64");
    format!("v1,{}", BASE64.encode(&mac::<Hmac<sha2::Sha256>>(&key, &standard_message(request))))
}

/// Whether a signature of the asymmetric form is one of this public key.
pub fn ed25519(public_key: &str, request: &Received, signature: &str) -> bool {
    let bytes = |text: &str, prefix| {
        BASE64.decode(text.strip_prefix(prefix).expect("its prefix").as_bytes()).expect("base64")
    };
    let key: [u8; 32] = bytes(public_key, "whpk_").try_into().expect("32 bytes");
    let signature: [u8; 64] = bytes(signature, "v1a,").try_into().expect("64 bytes");
    let key = ed25519_dalek::VerifyingKey::from_bytes(&key).expect("a key");
    key.verify_strict(&standard_message(request), &ed25519_dalek::Signature::from_bytes(&signature)).is_ok()
}
