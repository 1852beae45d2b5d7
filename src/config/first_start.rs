//! What a first start may bring along, so that an installation needs nobody at a console.
//!
//! Variables only: a command line can be seen by every user of the machine. They are checked at every start,
//! and used when there is no key, or no operator, yet.

use crate::domain::operator;

use super::environment::{ConfigError, Environment};
use super::flags::{ADMIN_EMAIL, ADMIN_PASSWORD, API_KEY};
use super::hidden::Hidden;

const KEY_PREFIX: &str = "pr_";
const KEY_REST_MIN: usize = 24;
const KEY_MAX: usize = 256;

/// A key and an operator to begin with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstStart {
    /// Registered as a key with every scope.
    pub api_key: Option<Hidden>,
    /// The first operator.
    pub operator: Option<FirstOperator>,
}

/// Who may sign in to the console from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstOperator {
    /// The address to sign in with.
    pub email: String,
    /// The password, 8 to 256 characters.
    pub password: Hidden,
}

impl FirstStart {
    pub(super) fn read(env: &Environment) -> Result<Self, ConfigError> {
        let api_key = env.text(API_KEY, None)?.map(check_key).transpose()?;
        let operator = match (env.text(ADMIN_EMAIL, None)?, env.text(ADMIN_PASSWORD, None)?) {
            (None, None) => None,
            (Some(email), Some(password)) => {
                Some(FirstOperator { email: check_email(email)?, password: check_password(password)? })
            }
            (Some(_), None) => {
                return Err(ConfigError::must(ADMIN_PASSWORD, "set where POSTRIDER_ADMIN_EMAIL is"));
            }
            (None, Some(_)) => {
                return Err(ConfigError::must(ADMIN_EMAIL, "set where POSTRIDER_ADMIN_PASSWORD is"));
            }
        };
        Ok(Self { api_key, operator })
    }
}

/// A key goes into a header after `Bearer`, so it has no blanks.
fn check_key(key: String) -> Result<Hidden, ConfigError> {
    let rest = key.strip_prefix(KEY_PREFIX).unwrap_or_default();
    let fits =
        rest.len() >= KEY_REST_MIN && key.len() <= KEY_MAX && rest.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        return Ok(Hidden::new(key));
    }
    let allowed = format_args!(
        "{KEY_PREFIX} and at least {KEY_REST_MIN} ASCII letters, digits or signs without blanks, \
         {KEY_MAX} characters at most"
    );
    Err(ConfigError::must(API_KEY, allowed))
}

fn check_email(email: String) -> Result<String, ConfigError> {
    match operator::Email::parse(&email) {
        Ok(_) => Ok(email),
        Err(_) => {
            Err(ConfigError::must_not_be(ADMIN_EMAIL, "an email address such as you@example.com", &email))
        }
    }
}

fn check_password(password: String) -> Result<Hidden, ConfigError> {
    let (least, most) = (operator::PASSWORD_MIN, operator::PASSWORD_MAX);
    match operator::check_password(&password) {
        Ok(()) => Ok(Hidden::new(password)),
        Err(_) => Err(ConfigError::must(ADMIN_PASSWORD, format_args!("{least} to {most} characters long"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "pr_abcdefghijklmnopqrstuvwx";

    fn read(variables: &[(&str, &str)]) -> Result<FirstStart, String> {
        FirstStart::read(&Environment::of(variables)).map_err(|e| e.to_string())
    }

    #[test]
    fn nothing_is_needed() {
        assert_eq!(read(&[]), Ok(FirstStart::default()));
        assert_eq!(
            read(&[("POSTRIDER_API_KEY", ""), ("POSTRIDER_ADMIN_EMAIL", "")]),
            Ok(FirstStart::default())
        );
    }

    #[test]
    fn a_key_and_an_operator_are_taken_and_not_shown() {
        let first = read(&[
            ("POSTRIDER_API_KEY", KEY),
            ("POSTRIDER_ADMIN_EMAIL", "ada@example.com"),
            ("POSTRIDER_ADMIN_PASSWORD", "correct horse"),
        ])
        .unwrap();
        let shown = format!("{first:?}");
        assert!(
            shown.contains("ada@example.com") && !shown.contains("horse") && !shown.contains(KEY),
            "{shown}"
        );
        assert_eq!(first.api_key.unwrap().expose(), KEY);
        assert_eq!(first.operator.unwrap().password.expose(), "correct horse");
    }

    #[test]
    fn a_wrong_key_is_refused_and_not_quoted() {
        let long = format!("pr_{}", "x".repeat(254));
        let blank = "pr_abcdefghijkl mnopqrstuvwxyz";
        for key in [
            "geheim",
            "pr_abcdefghijklmnopqrstuvw",
            "abcdefghijklmnopqrstuvwxyzabcdef",
            blank,
            &long,
            "pr_äöüäöüäöüäöü",
        ] {
            let error = read(&[("POSTRIDER_API_KEY", key)]).unwrap_err();
            assert!(error.starts_with("POSTRIDER_API_KEY must be pr_ and at least 24"), "{error}");
            assert!(!error.contains(key), "{error}");
        }
    }

    #[test]
    fn an_operator_needs_an_address_and_a_password_that_fit() {
        let both = |email, password| {
            read(&[("POSTRIDER_ADMIN_EMAIL", email), ("POSTRIDER_ADMIN_PASSWORD", password)]).unwrap_err()
        };
        for email in ["ada", "@example.com", "ada@", "a da@example.com"] {
            assert!(
                both(email, "correct horse").starts_with("POSTRIDER_ADMIN_EMAIL must be an email address")
            );
        }
        let error = both("ada@example.com", "kurzäää");
        assert!(
            error.starts_with("POSTRIDER_ADMIN_PASSWORD must be 8 to 256") && !error.contains("kurz"),
            "{error}"
        );
        assert!(both("ada@example.com", "").starts_with("POSTRIDER_ADMIN_PASSWORD must be set"));
        assert!(both("", "correct horse").starts_with("POSTRIDER_ADMIN_EMAIL must be set"));
    }
}
