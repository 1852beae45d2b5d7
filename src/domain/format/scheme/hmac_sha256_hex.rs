//! `hmac-sha256-hex`: HMAC-SHA256 in lower-case hexadecimal digits: what most webhook systems of one's own do.

use ::hmac::Hmac;
use data_encoding::HEXLOWER;
use sha2::Sha256;

use crate::domain::secret::{KeyForm, Secret};
use crate::domain::signing::Signer;

use super::{Scheme, Shape, hmac};

pub(super) const SCHEME: Scheme = Scheme {
    name: "hmac-sha256-hex",
    shape: Shape::Free,
    keys: Some(hmac::verbatim(signer, |text| signer(&Secret::stored(text)).map(Into::into))),
};

fn signer(secret: &Secret) -> Result<Signer, String> {
    hmac::signer::<Hmac<Sha256>>(secret, KeyForm::Verbatim, |mac, header| HEXLOWER.encode_append(mac, header))
}
