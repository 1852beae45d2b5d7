//! `postrider doctor` as it is typed.

use std::path::PathBuf;

use clap::Args;

use crate::config::{Config, ConfigError, Environment, Flags, data_path};

/// Flags of `postrider doctor`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 all is well; 1 there are warnings; 2 there are errors, or wrong usage.\n\n\
    Examples:\n  \
    # look at everything; works while the server runs, and while it does not\n  \
    postrider doctor --data /var/lib/postrider\n  \
    # and whether deliveries to this URL could leave this machine\n  \
    postrider doctor --url https://example.com/hook\n  \
    # for whoever helps you: text files without secrets\n  \
    postrider doctor --bundle postrider-support.tar"
)]
pub(super) struct DoctorFlags {
    /// The server's data directory [default: ./postrider-data, or without one /var/lib/postrider]
    #[arg(long, visible_alias = "data-dir", value_name = "DIR")]
    data: Option<String>,
    /// A URL of a receiver: its name, the guard's word, TCP, TLS and HTTP are tried, with a POST of `{}`
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Print what was found as JSON, for programs
    #[arg(long)]
    json: bool,
    /// Write a support bundle, a tar of text files, without secrets, keys, bodies and addresses of receivers
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
}

/// What `postrider doctor` is to look at.
#[derive(Debug, Clone)]
pub struct Doctor {
    /// The data directory; not opened yet.
    pub data: PathBuf,
    /// A receiver that is tried.
    pub url: Option<String>,
    /// Whether it is told as JSON.
    pub json: bool,
    /// Where the support bundle goes.
    pub bundle: Option<PathBuf>,
    /// What variables say about `postrider serve`, or what is wrong with them.
    pub config: Result<Config, ConfigError>,
}

impl DoctorFlags {
    /// What the flags mean. A variable with a wrong value is one of the things to tell.
    ///
    /// # Errors
    /// The data directory cannot be a path.
    pub(super) fn read(self, env: &Environment) -> Result<Doctor, ConfigError> {
        let data = data_path(self.data, env)?;
        let flags = Flags { data: Some(data.to_string_lossy().into_owned()), ..Flags::default() };
        let config = Config::read(flags, env);
        Ok(Doctor { data, url: self.url, json: self.json, bundle: self.bundle, config })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_variable_is_kept_to_be_told() {
        let flags = || DoctorFlags { data: None, url: None, json: false, bundle: None };
        let doctor = flags().read(&Environment::of(&[("POSTRIDER_LISTEN", "8383")])).unwrap();
        assert!(doctor.config.unwrap_err().to_string().contains("POSTRIDER_LISTEN"));
        assert_eq!(doctor.data, data_path(None, &Environment::of(&[])).unwrap());
        assert!(flags().read(&Environment::of(&[])).unwrap().config.is_ok());
        let empty = DoctorFlags { data: Some(String::new()), ..flags() };
        assert!(empty.read(&Environment::of(&[])).is_err());
    }
}
