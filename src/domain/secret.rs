//! Signing secrets: how they are made, what a caller may bring, and the key that each scheme takes from one.

use std::fmt;
use std::sync::Arc;

use data_encoding::BASE64;

/// What our own secrets, and those of Standard Webhooks, begin with.
pub const PREFIX: &str = "whsec_";
/// A key shorter than this, in bytes, gets a warning (Standard Webhooks 1.0 asks for 24 to 64 bytes).
pub const WEAK_UNDER: usize = 24;

/// How a scheme takes its key from a secret's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyForm {
    /// Standard Webhooks: the bytes whose base64 follows `whsec_`.
    Decoded,
    /// Every other HMAC scheme: the UTF-8 bytes of the whole text as shown, `whsec_` included.
    Verbatim,
}

/// A signing secret, as its owner sees it. Its `Debug` does not show it; there is no `Display`.
#[derive(Clone)]
pub struct Secret(Arc<str>);

impl Secret {
    /// A new secret: `whsec_` and the base64 of 32 random bytes.
    pub fn generate(random: [u8; 32]) -> Self {
        Self::of_bytes(&random)
    }

    /// Takes a caller's secret for schemes that read it as `form`.
    ///
    /// - [`KeyForm::Decoded`]: `whsec_` and the base64 (with padding) of 24 to 64 bytes; or 8 to 128 printable
    ///   characters, whose UTF-8 bytes are the key, and which from then on is shown as `whsec_` and base64.
    /// - [`KeyForm::Verbatim`]: 8 to 128 printable characters, kept as they are.
    ///
    /// Printable is everything but control characters.
    ///
    /// # Errors
    /// What is allowed, as the message of a field error. It never repeats the secret.
    pub fn from_caller(text: &str, form: KeyForm) -> Result<Self, String> {
        if form == KeyForm::Decoded && text.starts_with(PREFIX) {
            let secret = Self::stored(text);
            return secret.fits(form).map(|()| secret);
        }
        if !(8..=128).contains(&text.chars().count()) || text.chars().any(char::is_control) {
            return Err(match form {
                KeyForm::Decoded => {
                    "must be 8 to 128 printable characters, or whsec_ and the base64 of 24 to 64 bytes"
                }
                KeyForm::Verbatim => {
                    "must be 8 to 128 printable characters, which are the key as they stand in this format"
                }
            }
            .to_owned());
        }
        Ok(match form {
            KeyForm::Decoded => Self::of_bytes(text.as_bytes()),
            KeyForm::Verbatim => Self::stored(text),
        })
    }

    /// A secret as the store keeps it, which was checked when it came in.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        let mut text = PREFIX.to_owned();
        BASE64.encode_append(bytes, &mut text);
        Self(text.into())
    }

    /// The text, for the one answer that shows it and for encryption at rest.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether an endpoint with this secret may change to a format that reads keys as `form`.
    ///
    /// # Errors
    /// What the secret would have to be, as the message of a field error.
    pub fn fits(&self, form: KeyForm) -> Result<(), String> {
        match form {
            KeyForm::Verbatim if self.is_printable() => Ok(()),
            KeyForm::Verbatim => Err("must be set with this format: the key was made for another".to_owned()),
            KeyForm::Decoded if self.decoded().is_some_and(|key| (24..=64).contains(&key.len())) => Ok(()),
            KeyForm::Decoded => {
                Err("must be whsec_ and the base64, padded, of 24 to 64 bytes in this format".to_owned())
            }
        }
    }

    /// The key of schemes that read it as `form`. `None` only for a text that no check let in.
    pub fn key(&self, form: KeyForm) -> Option<Vec<u8>> {
        match form {
            KeyForm::Decoded => self.decoded(),
            KeyForm::Verbatim => self.is_printable().then(|| self.0.as_bytes().to_vec()),
        }
    }

    /// A warning for the answer to whoever set the secret, if its key is short.
    pub fn warning(&self, form: KeyForm) -> Option<String> {
        let length = self.key(form)?.len();
        (length < WEAK_UNDER)
            .then(|| format!("the secret's key has {length} bytes; use at least {WEAK_UNDER} random bytes"))
    }

    /// No caller's secret holds a control character; what a scheme keeps that nobody is shown does.
    fn is_printable(&self) -> bool {
        !self.0.chars().any(char::is_control)
    }

    fn decoded(&self) -> Option<Vec<u8>> {
        let text = self.0.strip_prefix(PREFIX)?;
        // The library also takes several texts in a row, each padded, which the receivers' libraries refuse.
        let padded_within = text.trim_end_matches('=').contains('=');
        BASE64.decode(text.as_bytes()).ok().filter(|_| !padded_within)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whsec(bytes: usize) -> String {
        format!("whsec_{}", BASE64.encode(&vec![0xA5; bytes]))
    }

    #[test]
    fn ours_are_whsec_and_base64_of_32_bytes() {
        let secret = Secret::generate([7; 32]);
        assert_eq!(secret.expose().len(), 6 + 44);
        assert_eq!(secret.key(KeyForm::Decoded), Some(vec![7; 32]));
        assert_eq!(secret.key(KeyForm::Verbatim), Some(secret.expose().as_bytes().to_vec()));
        assert_eq!(secret.warning(KeyForm::Decoded), None);
    }

    #[test]
    fn a_callers_whsec_holds_24_to_64_bytes_of_base64() {
        for bytes in [24, 32, 64] {
            let secret = Secret::from_caller(&whsec(bytes), KeyForm::Decoded).unwrap();
            assert_eq!(secret.expose(), whsec(bytes));
        }
        let no_padding = whsec(25).trim_end_matches('=').to_owned();
        for bad in
            [whsec(23), whsec(65), "whsec_".to_owned(), "whsec_not base64 at all!".to_owned(), no_padding]
        {
            let refused = Secret::from_caller(&bad, KeyForm::Decoded).unwrap_err();
            assert!(refused.contains("24 to 64 bytes"), "{bad}");
            assert!(bad == PREFIX || !refused.contains(&bad[PREFIX.len()..]), "it is not repeated");
        }
    }

    #[test]
    fn padding_within_a_secret_is_refused_as_receivers_refuse_it() {
        let two = format!("{}{}", whsec(25), BASE64.encode(&[0xA5; 3]));
        assert!(two.contains("==") && standardwebhooks::Webhook::new(&two).is_err());
        assert!(Secret::from_caller(&two, KeyForm::Decoded).is_err());
        assert_eq!(Secret::stored(&two).key(KeyForm::Decoded), None);
    }

    #[test]
    fn a_text_is_its_bytes_and_is_answered_as_whsec() {
        let secret = Secret::from_caller("hunter2 hunter2", KeyForm::Decoded).unwrap();
        assert_eq!(secret.expose(), "whsec_aHVudGVyMiBodW50ZXIy");
        assert_eq!(secret.key(KeyForm::Decoded), Some(b"hunter2 hunter2".to_vec()));
        assert!(secret.warning(KeyForm::Decoded).is_some_and(|w| w.contains("15 bytes")));
    }

    #[test]
    fn other_schemes_take_the_whole_text_as_the_key() {
        for text in ["hunter2 hunter2", "whsec_AAAA", &whsec(32)] {
            let secret = Secret::from_caller(text, KeyForm::Verbatim).unwrap();
            assert_eq!(
                (secret.expose(), secret.key(KeyForm::Verbatim)),
                (text, Some(text.as_bytes().to_vec()))
            );
        }
    }

    #[test]
    fn length_and_control_characters_are_checked() {
        for form in [KeyForm::Decoded, KeyForm::Verbatim] {
            for bad in ["", "1234567", "12345678\n", "1234\u{0}5678", &"x".repeat(129)] {
                let refused = Secret::from_caller(bad, form).unwrap_err();
                let told =
                    refused.contains("8 to 128") && refused.contains("whsec_") == (form == KeyForm::Decoded);
                assert!(told, "{bad:?}: {refused}");
            }
            assert!(Secret::from_caller(&"é".repeat(128), form).is_ok(), "characters are counted, not bytes");
        }
    }

    #[test]
    fn a_change_of_format_asks_whether_the_secret_fits() {
        assert!(Secret::stored(&whsec(32)).fits(KeyForm::Decoded).is_ok());
        assert!(Secret::stored("hunter2 hunter2").fits(KeyForm::Decoded).is_err());
        assert!(Secret::stored("hunter2 hunter2").fits(KeyForm::Verbatim).is_ok());
        assert!(Secret::stored("\u{1}hunter2 hunter2").fits(KeyForm::Verbatim).is_err(), "never shown");
    }

    #[test]
    fn debug_shows_nothing_of_it() {
        assert_eq!(format!("{:?}", Secret::stored("hunter2 hunter2")), "Secret(…)");
    }

    proptest! {
        #[test]
        fn what_is_taken_has_a_key_in_its_form(text in "\\PC{0,140}|whsec_[A-Za-z0-9+/]{0,90}={0,2}") {
            for form in [KeyForm::Decoded, KeyForm::Verbatim] {
                if let Ok(secret) = Secret::from_caller(&text, form) {
                    prop_assert!(secret.key(form).is_some_and(|key| key.len() >= 8));
                }
            }
        }
    }
}
