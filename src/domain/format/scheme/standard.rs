//! `standard`: Standard Webhooks 1.0, symmetric: `v1,` and base64 of HMAC-SHA256.

use ::hmac::Hmac;
use data_encoding::BASE64;
use sha2::Sha256;

use crate::domain::secret::{KeyForm, Secret};
use crate::domain::signing::{Checker, Signer};

use super::{Keys, Scheme, Shape, hmac};

pub(super) const SCHEME: Scheme = Scheme {
    name: "standard",
    shape: Shape::Standard,
    keys: Some(Keys {
        make: Secret::generate,
        take: |text| Secret::from_caller(text, KeyForm::Decoded),
        fits: |secret| secret.fits(KeyForm::Decoded),
        warning: |secret| secret.warning(KeyForm::Decoded),
        public: |_| None,
        is_shown: true,
        may_be_absent: false,
        signer,
        checker,
    }),
};

fn signer(secret: &Secret) -> Result<Signer, String> {
    hmac::signer::<Hmac<Sha256>>(secret, KeyForm::Decoded, |mac, header| {
        header.push_str("v1,");
        BASE64.encode_append(mac, header);
    })
}

fn checker(text: &str) -> Result<Checker, String> {
    Secret::from_caller(text, KeyForm::Decoded).and_then(|secret| signer(&secret)).map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_damaged_secret_is_an_error_and_no_signature() {
        assert!(signer(&Secret::stored("whsec_???")).is_err());
    }

    proptest! {
        #[test]
        fn signatures_are_those_of_the_published_library(
            key in any::<[u8; 32]>(), id in "[A-Za-z0-9_-]{1,64}", at in 0..4_000_000_000_i64, body in "\\PC{0,200}",
        ) {
            let secret = Secret::generate(key);
            let published = standardwebhooks::Webhook::new(secret.expose()).unwrap();
            let expected = published.sign(&id, at, body.as_bytes()).unwrap();
            let message = format!("{id}.{at}.{body}");
            prop_assert_eq!(signer(&secret).unwrap().sign(&[message.as_bytes()]), expected);
        }
    }
}
