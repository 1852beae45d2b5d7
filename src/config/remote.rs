//! Another machine's server, for commands: its URL, a key for it, and who vouches for its certificate.

use rustls::pki_types::CertificateDer;
use url::Url;

use super::certificates::extra_ca;
use super::environment::{ConfigError, Environment, Setting};
use super::hidden::Hidden;

const URL: Setting = Setting { flag: "--url", variable: "POSTRIDER_URL" };
const KEY: Setting = Setting { flag: "--key", variable: "POSTRIDER_KEY" };

/// A server that is reached by its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// `http` or `https`, with a host; calls go below its path.
    pub url: Url,
    /// An API key of that server.
    pub key: Hidden,
    /// Authorities that are trusted for it besides the public ones.
    pub extra_ca: Vec<CertificateDer<'static>>,
}

/// What the flags of a command say about a server, as texts.
#[derive(Debug, Clone, Default)]
pub struct RemoteFlags {
    /// `--url`.
    pub url: Option<String>,
    /// `--key`.
    pub key: Option<String>,
    /// `--extra-ca`.
    pub extra_ca: Option<String>,
}

impl Remote {
    /// The server that flags or variables name, if they name one. `local`: a data directory was named on the command
    /// line, which counts more than a variable.
    ///
    /// # Errors
    /// The setting that cannot be used, by its two names.
    pub fn read(flags: RemoteFlags, local: bool, env: &Environment) -> Result<Option<Self>, ConfigError> {
        if local && flags.url.is_none() {
            return Ok(None);
        }
        let Some(text) = env.text(URL, flags.url)? else { return Ok(None) };
        let allowed =
            "the URL of a Postrider server, such as https://hooks.example.com, without user, ? and #";
        let url = Url::parse(&text).ok().filter(|url| {
            let plain = url.username().is_empty() && url.password().is_none();
            plain
                && matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        // A wrong one is not quoted: it may hold a password.
        let url = url.ok_or_else(|| ConfigError::must(URL, allowed))?;
        let key = env.text(KEY, flags.key)?.ok_or_else(|| {
            ConfigError::must(
                KEY,
                "an API key of that server (pr_…); `postrider keys create` there makes one",
            )
        })?;
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConfigError::must(KEY, "an API key (pr_…), without blanks"));
        }
        Ok(Some(Self { url, key: Hidden::new(key), extra_ca: extra_ca(flags.extra_ca, env)? }))
    }

    /// Where a call goes: `path` is the call's, from `/api/v1` on, with its query. That beginning may stand in the URL as
    /// well, as libraries want it.
    pub fn path(&self, path: &str) -> String {
        let before = self.url.path().trim_end_matches('/');
        format!("{}{path}", before.strip_suffix("/api/v1").unwrap_or(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str, key: &str) -> Result<Option<Remote>, String> {
        let env = Environment::of(&[("POSTRIDER_URL", url), ("POSTRIDER_KEY", key)]);
        Remote::read(RemoteFlags::default(), false, &env).map_err(|error| error.to_string())
    }

    #[test]
    fn a_server_has_a_url_and_a_key_and_none_means_the_local_one() {
        assert_eq!(read("", "pr_x"), Ok(None));
        let remote = read("https://hooks.example.com/team/", "pr_x").unwrap().unwrap();
        assert_eq!(remote.path("/api/v1/keys?limit=1"), "/team/api/v1/keys?limit=1");
        assert!(!format!("{remote:?}").contains("pr_x"));
        for url in ["http://127.0.0.1:8383", "http://127.0.0.1:8383/api/v1", "http://127.0.0.1:8383/api/v1/"]
        {
            let plain = read(url, "pr_x").unwrap().unwrap();
            assert_eq!(plain.path("/api/v1/keys"), "/api/v1/keys");
        }
        let env = Environment::of(&[("POSTRIDER_URL", "nonsense")]);
        assert_eq!(Remote::read(RemoteFlags::default(), true, &env), Ok(None), "--data was given");
    }

    #[test]
    fn what_is_wrong_is_said_without_what_may_be_secret() {
        for url in [
            "hooks.example.com",
            "ftp://h",
            "https://u:p4ss@h.example",
            "https://h.example/?a=1",
            "https://h/#x",
        ] {
            let error = read(url, "pr_x").unwrap_err();
            assert!(error.starts_with("--url (POSTRIDER_URL) must be the URL of"), "{error}");
            assert!(!error.contains("p4ss"), "{error}");
        }
        for key in ["", "pr_x y", "pr_x\r\nX: 1"] {
            let error = read("https://h.example", key).unwrap_err();
            assert!(error.starts_with("--key (POSTRIDER_KEY) must be an API key"), "{error}");
            assert!(key.is_empty() || !error.contains(key), "{error}");
        }
    }
}
