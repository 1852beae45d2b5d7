//! Operators: people who sign in to the console. What they may do, and the texts that they are known by.

use std::fmt;
use std::sync::Arc;

/// NIST SP 800-63B, section 3.1.1.2: at least 8 characters; at least 64 must be allowed.
pub const PASSWORD_MIN: usize = 8;
/// More than any sentence that somebody remembers.
pub const PASSWORD_MAX: usize = 256;
/// The longest address that SMTP carries (RFC 5321, section 4.5.3.1.3, less the angle brackets), in characters.
pub const EMAIL_MAX: usize = 254;
/// What an address looks like, as a regular expression of ECMAScript, besides its length.
pub const EMAIL_PATTERN: &str = r"^[^\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+$";

/// What an operator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything.
    Admin,
    /// Sees what an admin sees, but no secrets, and changes nothing.
    Viewer,
}

impl Role {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Admin, Self::Viewer];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Viewer => "viewer",
        }
    }

    /// What it allows, in a sentence.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Admin => "Does everything.",
            Self::Viewer => "Sees everything but secrets, and changes nothing.",
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// What is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().copied().find(|role| role.as_str() == text);
        found.ok_or_else(|| "must be admin or viewer".to_owned())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Role {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The address that an operator signs in with. It is kept in lower case, so that nobody is two people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(Arc<str>);

impl Email {
    /// Checks an address: something on both sides of the last `@`, no blanks or control characters. Whether mail
    /// arrives there only a mail could tell.
    ///
    /// # Errors
    /// What is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let shaped = text.rsplit_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
        // As ECMAScript has them, so that the pattern says the same.
        let blank = |c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}';
        if shaped && text.chars().count() <= EMAIL_MAX && !text.chars().any(blank) {
            return Ok(Self(text.to_lowercase().into()));
        }
        Err(format!("must be an email address such as you@example.com, of at most {EMAIL_MAX} characters"))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for Email {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A password that is to be set: 8 to 256 characters, whichever.
///
/// # Errors
/// What is allowed. It never repeats the password.
pub fn check_password(password: &str) -> Result<(), String> {
    if (PASSWORD_MIN..=PASSWORD_MAX).contains(&password.chars().count()) {
        return Ok(());
    }
    Err(format!("must be {PASSWORD_MIN} to {PASSWORD_MAX} characters long"))
}

/// A name of the IANA time zone database, such as `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneName(Arc<str>);

impl ZoneName {
    /// Looks a name up in the database that the program carries; letters count in either case.
    ///
    /// # Errors
    /// What is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let known = jiff::tz::TimeZone::get(text).ok();
        let name = known.as_ref().and_then(|zone| zone.iana_name());
        let wanted = || "must be the name of a time zone such as Europe/Berlin or UTC".to_owned();
        name.map(|name| Self(name.into())).ok_or_else(wanted)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl serde::Serialize for ZoneName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_in_either_case() {
        let ada = Email::parse("Ada.Lovelace@Example.COM").unwrap();
        assert_eq!(ada.as_str(), "ada.lovelace@example.com");
        assert_eq!(ada, Email::parse("ada.lovelace@example.com").unwrap());
        for odd in ["\"a@b\"@example.com", "ä@exämple.de", "a@localhost"] {
            assert!(Email::parse(odd).is_ok(), "{odd}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "x".repeat(EMAIL_MAX));
        for bad in ["", "ada", "@example.com", "ada@", "a da@example.com", "ada@example.com\n", &long] {
            assert!(Email::parse(bad).is_err_and(|message| message.contains("you@example.com")), "{bad}");
        }
    }

    #[test]
    fn a_password_has_8_to_256_characters() {
        for good in ["12345678", "äöüäöüäö", &"x".repeat(256)] {
            assert!(check_password(good).is_ok(), "{good}");
        }
        for bad in ["", "1234567", "äöüäöüä", &"x".repeat(257)] {
            assert!(check_password(bad).is_err_and(|message| message.contains("8 to 256")), "{bad}");
        }
    }

    #[test]
    fn roles_read_back_and_nothing_else_is_one() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Ok(*role));
        }
        assert!(Role::parse("Admin").is_err_and(|message| message.contains("admin or viewer")));
    }

    #[test]
    fn a_time_zone_is_one_of_the_database() {
        assert_eq!(ZoneName::parse("europe/berlin").unwrap().as_str(), "Europe/Berlin");
        assert_eq!(ZoneName::parse("UTC").unwrap().as_str(), "UTC");
        for bad in ["", "Mars/Olympus", "../etc/passwd", "+02:00"] {
            assert!(ZoneName::parse(bad).is_err_and(|message| message.contains("Europe/Berlin")), "{bad}");
        }
    }
}
