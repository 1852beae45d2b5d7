//! Settings as they come in, flag or variable, before anyone has looked at what they say.

use std::ffi::OsString;
use std::fmt;

/// Where environment variables are read from. Its values may be secrets: no `Debug` of its own.
pub struct Environment(Source);

enum Source {
    Process,
    Given(Vec<(String, OsString)>),
}

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        Self(Source::Process)
    }

    /// These variables and no others.
    pub fn of(variables: &[(&str, &str)]) -> Self {
        Self(Source::Given(
            variables.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect(),
        ))
    }

    /// The value of a variable. Empty is the same as unset, as in every `compose.yaml` with `${VAR:-}`.
    pub fn get(&self, name: &str) -> Option<OsString> {
        let value = match &self.0 {
            Source::Process => std::env::var_os(name),
            Source::Given(given) => given.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone()),
        };
        value.filter(|value| !value.is_empty())
    }
}

/// The two names of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// `--listen`, or empty for what must not stand on a command line, where every user of the machine sees it.
    pub flag: &'static str,
    /// `POSTRIDER_LISTEN`.
    pub variable: &'static str,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.flag {
            "" => f.write_str(self.variable),
            flag => write!(f, "{flag} ({})", self.variable),
        }
    }
}

/// Settings that cannot be used: for each a sentence that names it and says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct ConfigError(Vec<String>);

/// The longest piece of a wrong value that is quoted, in characters.
const QUOTED_MAX: usize = 80;

impl ConfigError {
    /// `--listen (POSTRIDER_LISTEN) must be …`. For values that must not be shown.
    pub(super) fn must(setting: Setting, allowed: impl fmt::Display) -> Self {
        Self(vec![format!("{setting} must be {allowed}")])
    }

    /// The same, and quotes what was given.
    pub(super) fn must_not_be(setting: Setting, allowed: impl fmt::Display, given: &str) -> Self {
        let shown: String = given.chars().take(QUOTED_MAX).collect();
        let rest = if shown.len() < given.len() { "…" } else { "" };
        Self(vec![format!("{setting} must be {allowed}, and is {shown:?}{rest}")])
    }

    /// Any other sentence about a setting.
    pub(super) fn about(setting: Setting, says: impl fmt::Display) -> Self {
        Self(vec![format!("{setting} {says}")])
    }

    /// A sentence for each setting, in the order in which they were looked at.
    pub fn sentences(&self) -> &[String] {
        &self.0
    }
}

/// What is wrong with settings that are read one after the other.
#[derive(Debug, Default)]
pub(super) struct Wrong(Vec<String>);

impl Wrong {
    /// The setting, or what goes on in its place once it is noted as wrong.
    pub(super) fn or<T>(&mut self, read: Result<T, ConfigError>, instead: T) -> T {
        read.unwrap_or_else(|error| {
            self.0.extend(error.0);
            instead
        })
    }

    /// The same with the value of its type that means nothing.
    pub(super) fn or_none<T: Default>(&mut self, read: Result<T, ConfigError>) -> T {
        self.or(read, T::default())
    }

    /// What was read, unless something was wrong.
    pub(super) fn done<T>(self, read: T) -> Result<T, ConfigError> {
        if self.0.is_empty() { Ok(read) } else { Err(ConfigError(self.0)) }
    }
}

impl Environment {
    /// The value of a setting: the flag's, else the variable's, else none.
    pub(super) fn text(&self, setting: Setting, flag: Option<String>) -> Result<Option<String>, ConfigError> {
        if flag.is_some() {
            return Ok(flag);
        }
        let Some(value) = self.get(setting.variable) else {
            return Ok(None);
        };
        value.into_string().map(Some).map_err(|_| ConfigError::must(setting, "a text in UTF-8"))
    }

    /// Whether a switch is on: by its flag, or by a variable that says so.
    pub(super) fn switch(&self, setting: Setting, flag: bool) -> Result<bool, ConfigError> {
        if flag {
            return Ok(true);
        }
        let Some(value) = self.text(setting, None)? else {
            return Ok(false);
        };
        match value.trim().to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Ok(true),
            "0" | "false" | "no" | "off" => Ok(false),
            _ => Err(ConfigError::must_not_be(setting, "1, true, yes or on, or 0, false, no or off", &value)),
        }
    }

    /// The entries of a list with commas. A flag may stand more than once; any flag replaces the variable.
    pub(super) fn list(&self, setting: Setting, flags: &[String]) -> Result<Vec<String>, ConfigError> {
        let flag = (!flags.is_empty()).then(|| flags.join(","));
        let Some(given) = self.text(setting, flag)? else {
            return Ok(Vec::new());
        };
        let entries: Vec<String> = given.split(',').map(|entry| entry.trim().to_owned()).collect();
        if entries.iter().any(String::is_empty) {
            return Err(ConfigError::must_not_be(
                setting,
                "a list with commas and without empty entries",
                &given,
            ));
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    const LISTEN: Setting = Setting { flag: "--listen", variable: "POSTRIDER_LISTEN" };

    #[test]
    fn a_flag_wins_over_the_variable_and_an_empty_variable_is_unset() {
        let env = Environment::of(&[("POSTRIDER_LISTEN", "from the variable")]);
        assert_eq!(env.text(LISTEN, Some("flag".into())).unwrap().as_deref(), Some("flag"));
        assert_eq!(env.text(LISTEN, None).unwrap().as_deref(), Some("from the variable"));
        assert_eq!(Environment::of(&[("POSTRIDER_LISTEN", "")]).text(LISTEN, None), Ok(None));
    }

    #[test]
    fn a_switch_is_on_or_off_or_an_error_that_names_it() {
        let switch = |value| Environment::of(&[("POSTRIDER_LISTEN", value)]).switch(LISTEN, false);
        for (value, on) in
            [("1", true), ("TRUE", true), (" on", true), ("no", false), ("0", false), ("", false)]
        {
            assert_eq!(switch(value), Ok(on), "{value}");
        }
        let error = switch("maybe").unwrap_err().to_string();
        assert!(
            error.starts_with("--listen (POSTRIDER_LISTEN) must be 1, true") && error.contains("\"maybe\"")
        );
        assert_eq!(Environment::of(&[("POSTRIDER_LISTEN", "maybe")]).switch(LISTEN, true), Ok(true));
    }

    #[test]
    fn flags_of_a_list_add_up_and_replace_the_variable() {
        let env = Environment::of(&[("POSTRIDER_LISTEN", "c")]);
        assert_eq!(env.list(LISTEN, &["a, b".into(), "d".into()]).unwrap(), ["a", "b", "d"]);
        assert_eq!(env.list(LISTEN, &[]).unwrap(), ["c"]);
        assert!(env.list(LISTEN, &["a,,b".into()]).is_err());
        assert!(env.list(LISTEN, &[String::new()]).is_err());
    }

    #[test]
    fn bytes_that_are_no_text_are_an_error_that_names_the_variable() {
        let env =
            Environment(Source::Given(vec![("POSTRIDER_LISTEN".into(), OsString::from_vec(vec![0xff]))]));
        assert!(
            env.text(LISTEN, None).unwrap_err().to_string().contains("(POSTRIDER_LISTEN) must be a text")
        );
    }

    #[test]
    fn a_long_wrong_value_is_quoted_in_part() {
        let error = ConfigError::must_not_be(LISTEN, "x", &"ü".repeat(500)).to_string();
        assert!(error.chars().count() < 150 && error.ends_with('…'), "{error}");
    }
}
