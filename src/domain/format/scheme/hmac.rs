//! What the HMAC schemes (RFC 2104) have in common.

use ::hmac::{KeyInit, Mac};

use crate::domain::secret::{KeyForm, Secret};
use crate::domain::signing::Signer;

use super::Keys;

/// How the bytes of a signature are written at the end of a header.
pub(super) type Write = fn(&[u8], &mut String);

/// A signer whose key's state is kept.
///
/// # Errors
/// The secret has no key in this form.
pub(super) fn signer<M>(secret: &Secret, form: KeyForm, write: Write) -> Result<Signer, String>
where
    M: Mac + KeyInit + Clone + Send + Sync + 'static,
{
    let key = secret.key(form).ok_or("is not one that this scheme has a key of")?;
    let keyed = <M as KeyInit>::new_from_slice(&key).map_err(|error| error.to_string())?;
    Ok(Signer::new(move |parts, header| {
        let mut mac = keyed.clone();
        for part in parts {
            mac.update(part);
        }
        write(&mac.finalize().into_bytes(), header);
    }))
}

/// What schemes do with secrets whose whole text is the key.
pub(super) const fn verbatim(
    signer: fn(&Secret) -> Result<Signer, String>,
    checker: fn(&str) -> Result<crate::domain::signing::Checker, String>,
) -> Keys {
    Keys {
        make: Secret::generate,
        take: |text| Secret::from_caller(text, KeyForm::Verbatim),
        fits: |secret| secret.fits(KeyForm::Verbatim),
        warning: |secret| secret.warning(KeyForm::Verbatim),
        public: |_| None,
        is_shown: true,
        may_be_absent: true,
        signer,
        checker,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{hmac_sha1_hex, hmac_sha256_base64, hmac_sha256_hex};
    use super::*;

    /// RFC 4231 and RFC 2202, test case 2, whose key is a text.
    #[test]
    fn signatures_are_those_of_the_rfcs() {
        let parts: [&[u8]; 2] = [b"what do ya want ", b"for nothing?"];
        let sign = |scheme: &super::super::Scheme| {
            scheme.signer(&Secret::stored("Jefe")).unwrap().unwrap().sign(&parts)
        };
        let sha256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(sign(&hmac_sha256_hex::SCHEME), sha256);
        assert_eq!(sign(&hmac_sha1_hex::SCHEME), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        let bytes = data_encoding::HEXLOWER.decode(sha256.as_bytes()).unwrap();
        assert_eq!(sign(&hmac_sha256_base64::SCHEME), data_encoding::BASE64.encode(&bytes));
    }
}
