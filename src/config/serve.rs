//! What `postrider serve` was told: flags and variables, read and checked.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use rustls::pki_types::CertificateDer;
use url::Url;

use super::addresses::{self, DEFAULT_LISTEN, EgressProxy};
use super::certificates;
use super::environment::{ConfigError, Environment, Setting, Wrong};
use super::first_start::FirstStart;
use super::flags::{
    ALLOW_HTTP, ALLOW_NET, DATA, DELIVERY_THREADS, DEV, EGRESS_PROXY, EXTRA_CA, Flags, LISTEN, LOG_FORMAT,
    LOG_LEVEL, NO_CHECKPOINT, PUBLIC_URL, TRUSTED_PROXY,
};
use super::networks::{self, Network};

/// How many requests may be in flight by default.
const DEFAULT_DELIVERY_THREADS: u16 = 512;
const MAX_DELIVERY_THREADS: u16 = 4096;
const DEFAULT_DATA: &str = "./postrider-data";
/// Where `install.sh` has it.
const INSTALLED_DATA: &str = "/var/lib/postrider";

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Which log lines are written: those of this level and graver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogLevel {
    /// What needs a hand.
    Error,
    /// What may need one.
    Warn,
    /// What happens.
    #[default]
    Info,
    /// Details for developers.
    Debug,
}

/// Everything that is settled at the start, checked. What can change later is a setting in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The data directory; not opened yet.
    pub data: PathBuf,
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Where people reach it, if that was said; [`Config::reached_at`] has the default.
    pub public_url: Option<Url>,
    /// Whether endpoints may be `http://`.
    pub allow_http: bool,
    /// What endpoints may reach although the SSRF rules deny it, with those of `--dev`.
    pub allow_net: Vec<Network>,
    /// Whether this is a trial run: stated in the log, and implied in the two above.
    pub dev: bool,
    /// The proxy for everything that is sent.
    pub egress_proxy: Option<EgressProxy>,
    /// Authorities trusted besides the public ones; each is usable as one.
    pub extra_ca: Vec<CertificateDer<'static>>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxy: Vec<IpNet>,
    /// Requests in flight at most, 1 to 4096.
    pub delivery_threads: u16,
    /// Whether Postrider checkpoints the write-ahead log itself.
    pub checkpoint: bool,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which of them are written.
    pub log_level: LogLevel,
    /// What is used when there is no key, or no operator, yet.
    pub first_start: FirstStart,
}

impl Config {
    /// Reads and checks everything; the file of `--extra-ca` is read here.
    ///
    /// # Errors
    /// Every setting that cannot be used, by its two names.
    pub fn read(flags: Flags, env: &Environment) -> Result<Self, ConfigError> {
        let mut wrong = Wrong::default();
        let dev = wrong.or_none(env.switch(DEV, flags.dev));
        let text = |setting, flag| env.text(setting, flag);
        let listen = text(LISTEN, flags.listen)
            .and_then(|text| text.as_deref().map_or(Ok(DEFAULT_LISTEN), addresses::listen));
        let listen = wrong.or(listen, DEFAULT_LISTEN);
        let allow_net = env.list(ALLOW_NET, &flags.allow_net);
        let mut allow_net = wrong.or_none(allow_net.and_then(|nets| networks::with_ports(ALLOW_NET, &nets)));
        if dev {
            wrong.or_none(addresses::only_loopback(listen));
            allow_net.extend(networks::loopback());
        }
        let public_url = text(PUBLIC_URL, flags.public_url);
        let egress_proxy = text(EGRESS_PROXY, flags.egress_proxy);
        let extra_ca = text(EXTRA_CA, flags.extra_ca);
        let trusted_proxy = env.list(TRUSTED_PROXY, &flags.trusted_proxy);
        let threads = text(DELIVERY_THREADS, flags.delivery_threads).and_then(delivery_threads);
        let format = text(LOG_FORMAT, flags.log_format).and_then(|text| log_format(text.as_deref()));
        let level = text(LOG_LEVEL, flags.log_level).and_then(|text| log_level(text.as_deref()));
        let config = Self {
            data: wrong.or_none(new_data_path(flags.data, env)),
            listen,
            public_url: wrong
                .or_none(public_url.and_then(|url| parsed(url.as_deref(), addresses::public_url))),
            allow_http: wrong.or_none(env.switch(ALLOW_HTTP, flags.allow_http)) || dev,
            allow_net,
            dev,
            egress_proxy: wrong
                .or_none(egress_proxy.and_then(|url| parsed(url.as_deref(), addresses::egress_proxy))),
            extra_ca: wrong
                .or_none(extra_ca.and_then(|file| parsed(file.as_deref(), certificates::read)))
                .unwrap_or_default(),
            trusted_proxy: wrong
                .or_none(trusted_proxy.and_then(|nets| networks::without_ports(TRUSTED_PROXY, &nets))),
            delivery_threads: wrong.or(threads, DEFAULT_DELIVERY_THREADS),
            checkpoint: !wrong.or_none(env.switch(NO_CHECKPOINT, flags.no_checkpoint)),
            log_format: wrong.or_none(format),
            log_level: wrong.or_none(level),
            first_start: wrong.or_none(FirstStart::read(env)),
        };
        wrong.done(config)
    }
}

/// What a text means, if there is one.
fn parsed<T>(
    text: Option<&str>,
    parse: impl Fn(&str) -> Result<T, ConfigError>,
) -> Result<Option<T>, ConfigError> {
    text.map(parse).transpose()
}

/// The data directory that may have to be made (`serve`, `restore`): `--data`, `POSTRIDER_DATA` or the default.
///
/// # Errors
/// An empty flag, or a variable that is not UTF-8.
pub fn new_data_path(flag: Option<String>, env: &Environment) -> Result<PathBuf, ConfigError> {
    folder(DATA, flag, env, DEFAULT_DATA)
}

/// The data directory of a server that is there, for all other commands. Where nothing names it and the default is not
/// there, it is that of an installed server.
///
/// # Errors
/// As [`new_data_path`].
pub fn data_path(flag: Option<String>, env: &Environment) -> Result<PathBuf, ConfigError> {
    folder(DATA, flag, env, found_data(is_there))
}

/// The same where `--data` is something else: `--data-dir`.
///
/// # Errors
/// As [`data_path`].
pub fn data_dir_path(flag: Option<String>, env: &Environment) -> Result<PathBuf, ConfigError> {
    folder(Setting { flag: "--data-dir", ..DATA }, flag, env, found_data(is_there))
}

fn is_there(path: &str) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

fn found_data(is_there: impl Fn(&str) -> bool) -> &'static str {
    if !is_there(DEFAULT_DATA) && is_there(INSTALLED_DATA) { INSTALLED_DATA } else { DEFAULT_DATA }
}

fn folder(
    setting: Setting,
    flag: Option<String>,
    env: &Environment,
    default: &str,
) -> Result<PathBuf, ConfigError> {
    let path = env.text(setting, flag)?.unwrap_or_else(|| default.to_owned());
    if path.is_empty() || path.contains('\0') {
        return Err(ConfigError::must_not_be(setting, "the path of a folder", &path));
    }
    Ok(path.into())
}

fn delivery_threads(text: Option<String>) -> Result<u16, ConfigError> {
    let Some(text) = text else {
        return Ok(DEFAULT_DELIVERY_THREADS);
    };
    let number = text.trim().parse().ok().filter(|n| (1..=MAX_DELIVERY_THREADS).contains(n));
    number.ok_or_else(|| {
        let allowed = format_args!("a whole number from 1 to {MAX_DELIVERY_THREADS}");
        ConfigError::must_not_be(DELIVERY_THREADS, allowed, &text)
    })
}

fn log_format(text: Option<&str>) -> Result<LogFormat, ConfigError> {
    match text {
        None | Some("text") => Ok(LogFormat::Text),
        Some("json") => Ok(LogFormat::Json),
        Some(other) => Err(ConfigError::must_not_be(LOG_FORMAT, "text or json", other)),
    }
}

fn log_level(text: Option<&str>) -> Result<LogLevel, ConfigError> {
    match text {
        Some("error") => Ok(LogLevel::Error),
        Some("warn") => Ok(LogLevel::Warn),
        None | Some("info") => Ok(LogLevel::Info),
        Some("debug") => Ok(LogLevel::Debug),
        Some(other) => Err(ConfigError::must_not_be(LOG_LEVEL, "error, warn, info or debug", other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_find_an_installed_server_where_there_is_none_in_this_folder() {
        let found = |there: &[&str]| found_data(|path| there.contains(&path));
        assert_eq!(found(&[]), "./postrider-data");
        assert_eq!(found(&["./postrider-data", "/var/lib/postrider"]), "./postrider-data");
        assert_eq!(found(&["/var/lib/postrider"]), "/var/lib/postrider");
        let made = new_data_path(None, &Environment::of(&[])).unwrap();
        assert_eq!(made.to_str(), Some("./postrider-data"), "one that may have to be made is made here");
    }

    fn read(flags: Flags, variables: &[(&str, &str)]) -> Result<Config, String> {
        Config::read(flags, &Environment::of(variables)).map_err(|e| e.to_string())
    }

    fn from_variable(name: &str, value: &str) -> Result<Config, String> {
        read(Flags::default(), &[(name, value)])
    }

    #[test]
    fn the_defaults_are_those_of_the_manual() {
        let config = read(Flags::default(), &[]).unwrap();
        let expected = Config {
            data: "./postrider-data".into(),
            listen: "127.0.0.1:8383".parse().unwrap(),
            public_url: None,
            allow_http: false,
            allow_net: vec![],
            dev: false,
            egress_proxy: None,
            extra_ca: vec![],
            trusted_proxy: vec![],
            delivery_threads: 512,
            checkpoint: true,
            log_format: LogFormat::Text,
            log_level: LogLevel::Info,
            first_start: FirstStart::default(),
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn every_variable_changes_what_its_flag_changes() {
        let by_flags = Flags {
            data: Some("/srv/p".into()),
            listen: Some("0.0.0.0:1".into()),
            public_url: Some("https://h.example".into()),
            allow_http: true,
            allow_net: vec!["10.0.0.0/8".into(), "[::1/128]:80".into()],
            dev: false,
            egress_proxy: Some("http://u:p@proxy:3128".into()),
            extra_ca: None,
            trusted_proxy: vec!["10.0.0.1".into()],
            delivery_threads: Some("4096".into()),
            no_checkpoint: true,
            log_format: Some("json".into()),
            log_level: Some("warn".into()),
        };
        let by_variables = [
            ("POSTRIDER_DATA", "/srv/p"),
            ("POSTRIDER_LISTEN", "0.0.0.0:1"),
            ("POSTRIDER_PUBLIC_URL", "https://h.example"),
            ("POSTRIDER_ALLOW_HTTP", "1"),
            ("POSTRIDER_ALLOW_NET", "10.0.0.0/8, [::1/128]:80"),
            ("POSTRIDER_EGRESS_PROXY", "http://u:p@proxy:3128"),
            ("POSTRIDER_TRUSTED_PROXY", "10.0.0.1"),
            ("POSTRIDER_DELIVERY_THREADS", "4096"),
            ("POSTRIDER_NO_CHECKPOINT", "yes"),
            ("POSTRIDER_LOG_FORMAT", "json"),
            ("POSTRIDER_LOG_LEVEL", "warn"),
        ];
        let config = read(by_flags.clone(), &[]).unwrap();
        assert_eq!(config, read(Flags::default(), &by_variables).unwrap());
        let hostile = by_variables.map(|(name, _)| (name, "wrong"));
        assert_eq!(config, read(by_flags, &hostile).unwrap(), "a flag wins");
        assert_eq!((config.checkpoint, config.log_format), (false, LogFormat::Json));
        assert_eq!(config.log_level, LogLevel::Warn);
    }

    #[test]
    fn dev_allows_http_and_loopback_and_refuses_to_be_reached() {
        let config = from_variable("POSTRIDER_DEV", "1").unwrap();
        assert!(config.dev && config.allow_http);
        let allowed: Vec<_> = config.allow_net.iter().map(|(net, port)| (net.to_string(), *port)).collect();
        assert_eq!(allowed, [("127.0.0.0/8".to_owned(), None), ("::1/128".to_owned(), None)]);
        let open = Flags { dev: true, listen: Some("0.0.0.0:80".into()), ..Flags::default() };
        assert!(read(open, &[]).unwrap_err().contains("--dev (POSTRIDER_DEV) listens on loopback only"));
    }

    #[test]
    fn every_wrong_value_names_flag_and_variable() {
        for (variable, wrong) in [
            ("POSTRIDER_LISTEN", "8383"),
            ("POSTRIDER_PUBLIC_URL", "hooks"),
            ("POSTRIDER_ALLOW_HTTP", "maybe"),
            ("POSTRIDER_ALLOW_NET", "10.0.0.0/8,"),
            ("POSTRIDER_DEV", "2"),
            ("POSTRIDER_EGRESS_PROXY", "proxy:3128"),
            ("POSTRIDER_EXTRA_CA", "/nowhere/ca.pem"),
            ("POSTRIDER_TRUSTED_PROXY", "10.0.0.0/8:80"),
            ("POSTRIDER_DELIVERY_THREADS", "4097"),
            ("POSTRIDER_DELIVERY_THREADS", "0"),
            ("POSTRIDER_DELIVERY_THREADS", "-1"),
            ("POSTRIDER_DELIVERY_THREADS", "1.5"),
            ("POSTRIDER_NO_CHECKPOINT", "x"),
            ("POSTRIDER_LOG_FORMAT", "xml"),
            ("POSTRIDER_LOG_LEVEL", "loud"),
        ] {
            let error = from_variable(variable, wrong).unwrap_err();
            let setting = crate::config::flags::SETTINGS.iter().find(|s| s.variable == variable).unwrap();
            assert!(error.starts_with(&format!("{setting} ")), "{error}");
            assert_eq!(from_variable(variable, "").map(|c| c.listen), Ok(DEFAULT_LISTEN), "empty is unset");
        }
        let variables = [("POSTRIDER_LOG_LEVEL", "loud"), ("POSTRIDER_LISTEN", "x"), ("POSTRIDER_DEV", "2")];
        let all = Config::read(Flags::default(), &Environment::of(&variables)).unwrap_err();
        let named = all.sentences().iter().map(|says| says.split_once(' ').unwrap().0);
        assert_eq!(named.collect::<Vec<_>>(), ["--dev", "--listen", "--log-level"]);
        let empty = Flags { data: Some(String::new()), ..Flags::default() };
        assert!(
            read(empty, &[]).unwrap_err().starts_with("--data (POSTRIDER_DATA) must be the path of a folder")
        );
    }
}
