//! `hmac-sha1-hex`: HMAC-SHA1 in lower-case hexadecimal digits, for receivers that are that old.

use ::hmac::Hmac;
use data_encoding::HEXLOWER;
use sha1::Sha1;

use crate::domain::secret::{KeyForm, Secret};
use crate::domain::signing::Signer;

use super::{Scheme, Shape, hmac};

pub(super) const SCHEME: Scheme = Scheme {
    name: "hmac-sha1-hex",
    shape: Shape::Free,
    keys: Some(hmac::verbatim(signer, |text| signer(&Secret::stored(text)).map(Into::into))),
};

fn signer(secret: &Secret) -> Result<Signer, String> {
    hmac::signer::<Hmac<Sha1>>(secret, KeyForm::Verbatim, |mac, header| HEXLOWER.encode_append(mac, header))
}
