//! The flags of `postrider serve` and the variables of the same meaning, as texts. [`Config`](super::Config)
//! is what they mean.
//!
//! clap reads the flags alone; variables are looked up by ours, so that an empty one counts as unset, that an
//! error names both, and that a test needs no process of its own.

use super::environment::Setting;

/// Flags as they were given.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Flags {
    /// Folder of the database, its key and its backups; created for this user alone [default: ./postrider-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// Address and port of the API and the console; port 0 picks a free one [default: 127.0.0.1:8383]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// URL under which people reach the console, for links and cookies [default: from --listen]
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// Accept http:// endpoints as well as https://
    #[arg(long)]
    pub allow_http: bool,
    /// Private networks that endpoints may reach, such as 10.1.0.0/16 or 10.1.2.3/32:8080
    #[arg(long, value_name = "CIDR[:PORT],…")]
    pub allow_net: Vec<String>,
    /// For trying it out: --allow-http, endpoints on loopback allowed, and listens on loopback only
    #[arg(long)]
    pub dev: bool,
    /// URL of an HTTP proxy for all deliveries (the usual proxy variables are ignored)
    #[arg(long, value_name = "URL")]
    pub egress_proxy: Option<String>,
    /// PEM file of certificates to trust for endpoints besides the public authorities
    #[arg(long, value_name = "FILE")]
    pub extra_ca: Option<String>,
    /// Networks of the reverse proxies whose X-Forwarded-For is believed
    #[arg(long, value_name = "CIDR,…")]
    pub trusted_proxy: Vec<String>,
    /// Requests in flight at most, 1 to 4096 [default: 512]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub delivery_threads: Option<String>,
    /// Leave checkpoints of the write-ahead log to Litestream
    #[arg(long)]
    pub no_checkpoint: bool,
    /// How the log looks: text or json [default: text]
    #[arg(long, value_name = "text|json")]
    pub log_format: Option<String>,
    /// What is logged: lines of this level and graver: error, warn, info or debug [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
}

macro_rules! settings {
    ($($name:ident = $flag:literal, $variable:literal;)*) => {
        $(pub(super) const $name: Setting = Setting { flag: $flag, variable: $variable };)*

        /// Every setting that is given at the start, in the order of the manual.
        pub const SETTINGS: &[Setting] = &[$($name),*];
    };
}

settings! {
    DATA = "--data", "POSTRIDER_DATA";
    LISTEN = "--listen", "POSTRIDER_LISTEN";
    PUBLIC_URL = "--public-url", "POSTRIDER_PUBLIC_URL";
    ALLOW_HTTP = "--allow-http", "POSTRIDER_ALLOW_HTTP";
    ALLOW_NET = "--allow-net", "POSTRIDER_ALLOW_NET";
    DEV = "--dev", "POSTRIDER_DEV";
    EGRESS_PROXY = "--egress-proxy", "POSTRIDER_EGRESS_PROXY";
    EXTRA_CA = "--extra-ca", "POSTRIDER_EXTRA_CA";
    TRUSTED_PROXY = "--trusted-proxy", "POSTRIDER_TRUSTED_PROXY";
    DELIVERY_THREADS = "--delivery-threads", "POSTRIDER_DELIVERY_THREADS";
    NO_CHECKPOINT = "--no-checkpoint", "POSTRIDER_NO_CHECKPOINT";
    LOG_FORMAT = "--log-format", "POSTRIDER_LOG_FORMAT";
    LOG_LEVEL = "--log-level", "POSTRIDER_LOG_LEVEL";
    API_KEY = "", "POSTRIDER_API_KEY";
    ADMIN_EMAIL = "", "POSTRIDER_ADMIN_EMAIL";
    ADMIN_PASSWORD = "", "POSTRIDER_ADMIN_PASSWORD";
}

/// Adds the variable's name to the help of every flag that has one.
pub fn with_variables(command: clap::Command) -> clap::Command {
    command.mut_args(|arg| {
        let flag = format!("--{}", arg.get_long().unwrap_or_default());
        let Some(setting) = SETTINGS.iter().find(|s| s.flag == flag) else {
            return arg;
        };
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        arg.help(format!("{help} [env: {}]", setting.variable))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Args;

    #[test]
    fn the_help_names_every_flag_with_its_variable() {
        let help = with_variables(Flags::augment_args(clap::Command::new("serve"))).render_help().to_string();
        for setting in SETTINGS.iter().filter(|s| !s.flag.is_empty()) {
            let line =
                help.lines().skip_while(|line| !line.contains(setting.flag)).take(3).collect::<String>();
            assert!(line.contains(&format!("[env: {}]", setting.variable)), "{setting} in {help}");
        }
    }
}
