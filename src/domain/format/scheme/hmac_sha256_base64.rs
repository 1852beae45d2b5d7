//! `hmac-sha256-base64`: HMAC-SHA256 in base64 with padding.

use ::hmac::Hmac;
use data_encoding::BASE64;
use sha2::Sha256;

use crate::domain::secret::{KeyForm, Secret};
use crate::domain::signing::Signer;

use super::{Scheme, Shape, hmac};

pub(super) const SCHEME: Scheme = Scheme {
    name: "hmac-sha256-base64",
    shape: Shape::Free,
    keys: Some(hmac::verbatim(signer, |text| signer(&Secret::stored(text)).map(Into::into))),
};

fn signer(secret: &Secret) -> Result<Signer, String> {
    hmac::signer::<Hmac<Sha256>>(secret, KeyForm::Verbatim, |mac, header| BASE64.encode_append(mac, header))
}
