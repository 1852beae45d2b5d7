//! Under which URL people reach the console.

use std::net::SocketAddr;

use super::addresses::{self, DEFAULT_LISTEN};
use super::environment::{ConfigError, Environment};
use super::flags::PUBLIC_URL;
use super::serve::Config;

/// Where people reach the server, for a command that opens the file itself: `POSTRIDER_PUBLIC_URL`, or else where
/// `postrider serve` listens by default.
///
/// # Errors
/// The variable is no URL that a server can have.
pub fn console_at(env: &Environment) -> Result<String, ConfigError> {
    let url = env.text(PUBLIC_URL, None)?.as_deref().map(addresses::public_url).transpose()?;
    Ok(url.map_or_else(
        || format!("http://{DEFAULT_LISTEN}"),
        |url| url.as_str().trim_end_matches('/').to_owned(),
    ))
}

impl Config {
    /// Where people reach it, without a final slash: `--public-url`, or else [`listens_on`](Self::listens_on).
    pub fn reached_at(&self, bound: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => Self::listens_on(bound),
        }
    }

    /// Where this machine reaches it, without a final slash: the address that was `bound`, with loopback in the place of
    /// "every address".
    pub fn listens_on(bound: SocketAddr) -> String {
        match bound {
            SocketAddr::V4(v4) if v4.ip().is_unspecified() => format!("http://127.0.0.1:{}", v4.port()),
            SocketAddr::V6(v6) if v6.ip().is_unspecified() => format!("http://[::1]:{}", v6.port()),
            bound => format!("http://{bound}"),
        }
    }

    /// Whether browsers reach it by https, so that cookies can be `Secure`.
    pub fn is_https(&self) -> bool {
        self.public_url.as_ref().is_some_and(|url| url.scheme() == "https")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;

    fn config(public_url: &str) -> Config {
        Config::read(Flags::default(), &Environment::of(&[("POSTRIDER_PUBLIC_URL", public_url)])).unwrap()
    }

    #[test]
    fn people_are_sent_to_the_public_url_or_to_what_was_bound() {
        let without = config("");
        for (bound, url) in [
            ("127.0.0.1:8383", "http://127.0.0.1:8383"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:80", "http://[::1]:80"),
            ("[::1]:80", "http://[::1]:80"),
        ] {
            assert_eq!(without.reached_at(bound.parse().unwrap()), url);
        }
        assert!(!without.is_https());
        let public = config("https://h.example:444/");
        assert_eq!(public.reached_at("127.0.0.1:8383".parse().unwrap()), "https://h.example:444");
        assert!(public.is_https());
    }

    #[test]
    fn a_command_sends_people_to_the_public_url_or_to_the_default() {
        let at = |url: &str| console_at(&Environment::of(&[("POSTRIDER_PUBLIC_URL", url)]));
        assert_eq!(at("").unwrap(), "http://127.0.0.1:8383");
        assert_eq!(at("https://h.example/").unwrap(), "https://h.example");
        assert!(at("ftp://h.example/").is_err());
    }
}
