//! Signature schemes: the only file that knows one from another.

use crate::domain::secret::KeyForm;
use crate::domain::signing::Signer;

/// How an attempt is signed, and how its signatures share one header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Standard Webhooks 1.0: `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`, one for each live
    /// secret, separated by a space.
    Standard,
}

impl Scheme {
    /// How the key is read from a secret; `None` for a scheme without secrets.
    pub fn key_form(self) -> Option<KeyForm> {
        match self {
            Self::Standard => Some(KeyForm::Decoded),
        }
    }

    /// Whether the header can hold the signatures of several secrets.
    pub fn carries_several(self) -> bool {
        match self {
            Self::Standard => true,
        }
    }

    /// The value of the signature header; empty without signers. `timestamp` is the attempt's, in unix seconds.
    pub(super) fn sign(self, signers: &[&Signer], id: &str, timestamp: &str, body: &[u8]) -> String {
        match self {
            Self::Standard => {
                let mut header = String::with_capacity(signers.len() * 48);
                for signer in signers {
                    if !header.is_empty() {
                        header.push(' ');
                    }
                    signer.append_standard(&mut header, id, timestamp, body);
                }
                header
            }
        }
    }
}
