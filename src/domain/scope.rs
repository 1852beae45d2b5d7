//! API keys: what one may do, and its text.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use super::invalid::Invalid;

macro_rules! scopes {
    ($($(#[doc = $doc:literal])* $variant:ident = $text:literal,)*) => {
        /// One thing that a key may do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Scope { $($(#[doc = $doc])* $variant,)* }

        impl Scope {
            /// All of them, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// What it allows, in a sentence.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*).trim_start(),)* }
            }
        }
    };
}

scopes! {
    /// Publish events.
    EventsWrite = "events:write",
    /// Read events.
    EventsRead = "events:read",
    /// Read endpoints, event types, formats and one's own tenant.
    EndpointsRead = "endpoints:read",
    /// Create, change and delete endpoints.
    EndpointsWrite = "endpoints:write",
    /// Read deliveries.
    DeliveriesRead = "deliveries:read",
    /// Retry, cancel and replay.
    DeliveriesWrite = "deliveries:write",
    /// Read `/metrics`, which is of all tenants.
    MetricsRead = "metrics:read",
    /// Everything, and alone: keys, tenants, settings, audit, changes to formats and event types.
    Admin = "admin",
}

impl Scope {
    /// Reads a name; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == text)
    }

    /// Whether a key that is bound to one tenant may have it.
    pub fn can_be_bound(self) -> bool {
        !matches!(self, Self::Admin | Self::MetricsRead)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// Every scope, `admin` included.
    pub fn every() -> Self {
        Scope::ALL.iter().copied().collect()
    }

    /// Reads a list of names: 1 to 16 of them.
    ///
    /// # Errors
    /// Every unknown name, as `scopes[1]`, with those that there are.
    pub fn parse<T: AsRef<str>>(names: &[T]) -> Result<Self, Invalid> {
        let (mut invalid, mut scopes) = (Invalid::new(), Self::default());
        if names.len() > 2 * Scope::ALL.len() {
            return Err(Invalid::one("scopes", format!("must hold at most {} names", 2 * Scope::ALL.len())));
        }
        let known = || Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ");
        for (index, name) in names.iter().enumerate() {
            match Scope::parse(name.as_ref()) {
                Some(scope) => scopes.0 |= scope.bit(),
                None => invalid.push(format!("scopes[{index}]"), format!("must be one of {}", known())),
            }
        }
        if names.is_empty() {
            invalid.push("scopes", format!("must hold at least one of {}", known()));
        }
        invalid.into_result(scopes)
    }

    /// Whether a key with these scopes may do what needs `required`.
    pub fn allows(self, required: Scope) -> bool {
        self.0 & (required.bit() | Scope::Admin.bit()) != 0
    }

    /// Whether a key with these scopes can be bound to one tenant.
    ///
    /// # Errors
    /// `scopes`, with those that cannot.
    pub fn check_bound(self) -> Result<(), Invalid> {
        if self.iter().all(Scope::can_be_bound) {
            return Ok(());
        }
        Err(Invalid::one(
            "scopes",
            "must hold neither admin nor metrics:read for a key that is bound to a tenant",
        ))
    }

    /// The scopes in it, in the order in which they are shown.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.0 & scope.bit() != 0)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

impl fmt::Display for Scopes {
    /// The names, with a space between them, as the store keeps them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            write!(f, "{}{scope}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl serde::Serialize for Scopes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Scope::as_str))
    }
}

/// The text of an API key, shown once and then kept as its hash. Its `Debug` does not show it.
#[derive(Clone)]
pub struct KeyText(String);

impl KeyText {
    /// A new key: `pr_` and 43 characters of base64url for 32 random bytes.
    pub fn generate(random: [u8; 32]) -> Self {
        Self(format!("pr_{}", BASE64URL_NOPAD.encode(&random)))
    }

    /// Takes a key that an operator brings: `pr_` and 24 to 253 of `A-Za-z0-9._~+/=-`, which fit a `Bearer`
    /// (RFC 6750, section 2.1).
    ///
    /// # Errors
    /// What is allowed. It never repeats the key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._~+/=-".contains(&b);
        let good = |rest: &str| (24..=253).contains(&rest.len()) && rest.bytes().all(allowed);
        if text.strip_prefix("pr_").is_some_and(good) {
            return Ok(Self(text.to_owned()));
        }
        Err("must be pr_ and at least 24 (at most 253) of A-Z, a-z, 0-9 and . _ ~ + / = -".to_owned())
    }

    /// The text, for the one answer that shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored and looked up.
    pub fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText(pr_…)")
    }
}

/// SHA-256 of a presented key, whatever it is. Keys are random and long, so a fast hash is enough.
pub fn hash(presented: &str) -> [u8; 32] {
    Sha256::digest(presented).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admin_may_do_everything_and_the_others_their_own() {
        let admin = Scopes::parse(&["admin"]).unwrap();
        let reader = Scopes::parse(&["events:read", "endpoints:read"]).unwrap();
        for scope in Scope::ALL {
            assert!(admin.allows(*scope), "{scope}");
            assert_eq!(
                reader.allows(*scope),
                matches!(scope, Scope::EventsRead | Scope::EndpointsRead),
                "{scope}"
            );
            assert!(!Scopes::default().allows(*scope), "{scope}");
        }
    }

    #[test]
    fn unknown_and_missing_scopes_are_named_with_the_known_ones() {
        let invalid = Scopes::parse(&["events:read", "events", "Admin"]).unwrap_err();
        assert_eq!(
            invalid.0.iter().map(|e| e.field.as_str()).collect::<Vec<_>>(),
            ["scopes[1]", "scopes[2]"]
        );
        assert!(invalid.0[0].message.contains("metrics:read, admin"));
        assert_eq!(Scopes::parse(&["x"; 17]).unwrap_err().0.len(), 1);
        assert_eq!(Scopes::parse::<&str>(&[]).unwrap_err().0[0].field, "scopes");
    }

    #[test]
    fn scopes_over_all_tenants_cannot_be_bound_to_one() {
        for scope in Scope::ALL {
            let bound: Scopes = [*scope, Scope::EventsRead].into_iter().collect();
            assert_eq!(
                bound.check_bound().is_err(),
                ["admin", "metrics:read"].contains(&scope.as_str()),
                "{scope}"
            );
        }
    }

    #[test]
    fn texts_read_back() {
        let text = Scopes::every().to_string();
        assert_eq!(Scopes::parse(&text.split(' ').collect::<Vec<_>>()), Ok(Scopes::every()));
        assert!(text.starts_with("events:write events:read ") && text.ends_with(" admin"));
        assert_eq!(serde_json::to_string(&Scopes::parse(&["admin"]).unwrap()).unwrap(), r#"["admin"]"#);
    }

    #[test]
    fn generated_keys_are_keys_that_could_be_brought() {
        for byte in [0, 0x7F, 0xFF] {
            let key = KeyText::generate([byte; 32]);
            assert_eq!(key.expose().len(), 46);
            assert!(KeyText::parse(key.expose()).is_ok());
        }
    }

    #[test]
    fn short_or_odd_keys_are_refused_without_repeating_them() {
        let good = format!("pr_{}", "x".repeat(24));
        assert!(KeyText::parse(&good).is_ok());
        for bad in [
            "",
            "pr_short",
            &good[..26],
            &format!("{good} "),
            &good.replace("pr_", "px_"),
            &format!("{good}é"),
        ] {
            assert!(KeyText::parse(bad).is_err_and(|m| m.contains("24") && !m.contains("xxx")), "{bad}");
        }
    }

    #[test]
    fn a_key_is_kept_as_sha_256() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(data_encoding::HEXLOWER.encode(&hash("abc")), expected);
        let key = KeyText::generate([1; 32]);
        assert_eq!(key.hash(), hash(key.expose()));
        assert!(!format!("{key:?}").contains(&key.expose()[3..]));
    }
}
