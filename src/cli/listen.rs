//! `postrider listen` as it is typed, and what it means.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use clap::Args;
use url::Url;

use crate::config::{ConfigError, Environment, extra_ca};
use crate::sender::{CertificateDer, Forwarder};
use crate::web::listen::Options;
use crate::web::listen::behaviour::Behaviour;

use super::duration;
use super::formats;

/// Where it receives if nothing else is said: one above the server's own port.
const PORT: u16 = 8384;

/// Flags of `postrider listen`.
#[derive(Debug, Args)]
pub(super) struct ListenFlags {
    /// Port to receive on; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = PORT, value_parser = port, allow_negative_numbers = true)]
    port: u16,
    /// Address to receive on
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,
    /// The endpoint's signing secret; may be given several times. Without one nothing is verified
    #[arg(long, value_name = "SECRET")]
    secret: Vec<String>,
    /// The format of what comes: a built-in one or one of the running server by its name, or a file with its JSON
    /// [default: standard]
    #[arg(long, value_name = "NAME|FILE")]
    format: Option<String>,
    #[arg(
        long,
        value_name = "DIR",
        help = "The server's data directory, where a --format of your own is asked for [default: ./postrider-data, or without one /var/lib/postrider] [env: POSTRIDER_DATA]"
    )]
    pub(super) data_dir: Option<String>,
    /// Status to answer with, 200 to 599; with --fail-rate, of the requests that fail [default: 200; 500]
    #[arg(long, value_name = "STATUS", value_parser = status, allow_negative_numbers = true)]
    status: Option<u16>,
    /// How long to hold back each answer: 2s, 500ms, 1m; at most 10m
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_delay)]
    delay: Option<Duration>,
    /// Part of the requests that fails, at random: 0 to 1
    #[arg(long, value_name = "RATE", value_parser = rate, allow_negative_numbers = true)]
    fail_rate: Option<f64>,
    /// Hand each request on to this URL, http:// or https://, and its answer back
    #[arg(long, value_name = "URL", value_parser = target)]
    forward: Option<Url>,
    #[arg(
        long,
        value_name = "FILE",
        requires = "forward",
        help = "PEM certificates that are trusted for --forward besides the public ones [env: POSTRIDER_EXTRA_CA]"
    )]
    extra_ca: Option<String>,
    /// Keep what comes for GET /received?type=&since=, GET /received/count and DELETE /received: the last 10,000
    /// requests, 64 MB at most
    #[arg(long)]
    record: bool,
}

/// What `postrider listen` is to do.
#[derive(Debug, Clone)]
pub struct Listen {
    /// Where it receives.
    pub address: SocketAddr,
    /// What it does with what comes.
    pub options: Options,
}

impl ListenFlags {
    /// The authorities that are trusted for `--forward` besides the public ones.
    ///
    /// # Errors
    /// The setting that cannot be used, by its two names.
    pub(super) fn extra_ca(&self, env: &Environment) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
        // The variable may be the server's, with a file that only the server may read.
        if self.forward.is_some() { extra_ca(self.extra_ca.clone(), env) } else { Ok(Vec::new()) }
    }

    /// What the flags mean; `data` is the data directory.
    ///
    /// # Errors
    /// A sentence that names the flag and says what is allowed.
    pub(super) fn read(self, data: &Path, extra_ca: Vec<CertificateDer<'static>>) -> Result<Listen, String> {
        if self.forward.is_some() && self.status.is_some() && self.fail_rate.is_none() {
            return Err(
                "--status cannot be used with --forward, whose target answers; with --fail-rate too, it is \
                        the status of the requests that fail"
                    .to_owned(),
            );
        }
        let format = formats::find(self.format.as_deref(), data)?;
        let secrets = formats::secrets(&format, &self.secret)?;
        let behaviour = Behaviour {
            status: self.status,
            delay: self.delay.unwrap_or_default(),
            fail_rate: self.fail_rate,
            forward: self.forward.map(|target| Forwarder::new(target, extra_ca)),
        };
        let options = Options { format, secrets, behaviour, record: self.record };
        Ok(Listen { address: SocketAddr::new(self.bind, self.port), options })
    }
}

fn target(text: &str) -> Result<Url, String> {
    let target =
        Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    target.ok_or_else(|| "must be an http:// or https:// URL such as http://localhost:3000/hook".to_owned())
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "must be a whole number from 0 to 65535; 0 picks a free port".to_owned())
}

fn status(text: &str) -> Result<u16, String> {
    let status = text.parse().ok().filter(|status| (200..600).contains(status));
    status.ok_or_else(|| "must be a status of an answer, 200 to 599".to_owned())
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
    rate.ok_or_else(|| "must be a number from 0 (none) to 1 (all), such as 0.3".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_http_or_https() {
        for good in ["http://localhost:3000/hook?x=1", "https://localhost:3443/"] {
            assert_eq!(target(good).unwrap().as_str(), good);
        }
        for bad in ["", "localhost:3000", "ftp://localhost/", "http://", "https:///"] {
            assert!(target(bad).unwrap_err().contains("http:// or https://"), "{bad}");
        }
    }

    #[test]
    fn ports_statuses_and_rates_are_read_or_refused_with_what_is_allowed() {
        assert_eq!((port("0"), port("65535")), (Ok(0), Ok(65535)));
        assert_eq!((status("200"), status("599")), (Ok(200), Ok(599)));
        assert_eq!((rate("0"), rate("0.3"), rate("1")), (Ok(0.0), Ok(0.3), Ok(1.0)));
        for bad in ["", "x", "-1", "65536"] {
            assert!(port(bad).is_err_and(|says| says.contains("0 to 65535")), "{bad}");
        }
        for bad in ["", "x", "199", "600", "-200"] {
            assert!(status(bad).is_err_and(|says| says.contains("200 to 599")), "{bad}");
        }
        for bad in ["", "x", "1.1", "-0.1", "NaN", "inf", "30%"] {
            assert!(rate(bad).is_err_and(|says| says.contains("0 (none) to 1 (all)")), "{bad}");
        }
    }
}
