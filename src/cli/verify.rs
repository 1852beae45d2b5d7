//! `postrider verify` as it is typed: a captured request, taken apart.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use crate::domain::format::Format;
use crate::domain::secret::Secret;
use crate::domain::time::UnixMs;
use crate::domain::verifying::{self, Received, Verdict};

use super::{duration, formats, input};

/// Flags of `postrider verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyFlags {
    /// The endpoint's signing secret; may be given several times
    #[arg(long, value_name = "SECRET", required = true)]
    secret: Vec<String>,
    /// A header as `Name: value`, or a file of them as `curl -i` prints (FILE, @FILE, - for standard input); may be
    /// given several times
    #[arg(long, value_name = "FILE|HEADER", required = true)]
    headers: Vec<String>,
    /// The body as it arrived: FILE, @FILE, or - for standard input
    #[arg(long, value_name = "FILE|-")]
    body: String,
    /// The format: a built-in one or one of the running server by its name, or a file with its JSON [default: standard]
    #[arg(long, value_name = "NAME|FILE")]
    format: Option<String>,
    #[arg(
        long,
        value_name = "DIR",
        help = "The server's data directory, where a --format of your own is asked for [default: ./postrider-data, or without one /var/lib/postrider] [env: POSTRIDER_DATA]"
    )]
    pub(super) data_dir: Option<String>,
    /// How far the signed time may be from now, such as 5m or 36500d for a request of long ago [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    tolerance: Option<Duration>,
}

/// A captured request, and who may have signed it.
#[derive(Debug, Clone)]
pub struct Verify {
    format: Arc<Format>,
    secrets: Vec<Secret>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    tolerance_seconds: i64,
}

impl VerifyFlags {
    /// Reads what the flags name; `data` is the data directory.
    ///
    /// # Errors
    /// A sentence that names the flag and says what is allowed.
    pub(super) fn read(self, data: &Path) -> Result<Verify, String> {
        let from_input = self.headers.iter().filter(|text| matches!(text.as_str(), "-" | "@-")).count();
        if from_input + usize::from(matches!(self.body.as_str(), "-" | "@-")) > 1 {
            return Err("standard input can be read once: give --headers or --body as a file".to_owned());
        }
        let format = formats::find(self.format.as_deref(), data)?;
        let secrets = formats::secrets(&format, &self.secret)?;
        let mut headers = Vec::new();
        for text in &self.headers {
            match header(text) {
                Some(header) => headers.push(header),
                None => headers.extend(lines(&input::read_text("--headers", file(text))?)?),
            }
        }
        let body = input::read("--body", file(&self.body))?;
        let tolerance = self.tolerance.and_then(|tolerance| i64::try_from(tolerance.as_secs()).ok());
        let tolerance_seconds = tolerance.unwrap_or(verifying::TOLERANCE_SECONDS);
        Ok(Verify { format, secrets, headers, body, tolerance_seconds })
    }
}

impl Verify {
    /// Judges it at the time `now`.
    pub fn verdict(&self, now: UnixMs) -> Verdict {
        let request = Received { headers: &self.headers, body: &self.body };
        verifying::verify(&self.format, request, &self.secrets, now.seconds(), self.tolerance_seconds)
    }

    /// How many secrets there are to choose from.
    pub fn secrets(&self) -> usize {
        self.secrets.len()
    }
}

/// The name of a file, which may stand behind an @, as curl has it.
fn file(text: &str) -> &str {
    text.strip_prefix('@').unwrap_or(text)
}

/// A header in one line; none if the text is none. Names are tokens (RFC 9110, section 5.6.2).
fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let good = !name.is_empty() && name.bytes().all(token);
    good.then(|| (name.to_owned(), value.trim().to_owned()))
}

/// The headers of a file: up to the first empty line, after the line of the request or the status, if it is there.
/// `curl -v` puts `< ` or `> ` before each.
fn lines(text: &str) -> Result<Vec<(String, String)>, String> {
    let bare = |line: &str| line.trim_start_matches(['<', '>']).trim().to_owned();
    let lines: Vec<String> =
        text.trim_start().lines().map(bare).take_while(|line| !line.is_empty()).collect();
    let mut headers = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let first = at == 0 && (line.starts_with("HTTP/") || line.contains(" HTTP/"));
        match header(line) {
            _ if first => {}
            Some(header) => headers.push(header),
            None => {
                return Err(format!("--headers: line {} is no header such as `webhook-id: evt_1`", at + 1));
            }
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(headers: &[(&str, &str)]) -> Vec<(String, String)> {
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn headers_are_read_as_programs_print_them() {
        let expected = pairs(&[("Webhook-Id", "evt_1"), ("x", "a: b")]);
        for text in [
            "Webhook-Id: evt_1\nx: a: b\n",
            "HTTP/1.1 200 OK\r\nWebhook-Id: evt_1\r\nx:a: b\r\n\r\n{\"not\": \"a header\"}",
            "POST /hook HTTP/1.1\r\nWebhook-Id:   evt_1\r\nx: a: b",
            "> POST /hook HTTP/1.1\n> Webhook-Id: evt_1\n> x: a: b\n>\n",
        ] {
            assert_eq!(lines(text), Ok(expected.clone()), "{text:?}");
        }
        assert!(lines("webhook-id: 1\nhello\n").unwrap_err().contains("line 2 is no header"));
    }

    #[test]
    fn a_header_is_told_from_the_name_of_a_file() {
        assert_eq!(header("webhook-id: evt_1"), Some(("webhook-id".to_owned(), "evt_1".to_owned())));
        for name in ["headers.txt", "@headers.txt", "-", "./a:b", ": x"] {
            assert_eq!(header(name), None, "{name}");
        }
        assert_eq!((file("@a"), file("a"), file("-")), ("a", "a", "-"));
    }
}
