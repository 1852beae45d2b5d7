//! The request of an attempt as a command for a POSIX shell.

use crate::domain::ids::DeliveryId;
use crate::store::attempts::AttemptRow;

use super::render::{self, Headers};
use super::{Code, Error, Service, TenantScope};

/// A body that is longer than this, in bytes, comes through a pipe: one argument of a program may have 128 KB.
const ARGUMENT: usize = 64 * 1024;
/// What curl writes by itself: the host from the URL, the length from the body.
const BY_ITSELF: [&str; 2] = ["host", "content-length"];

/// The request of an attempt, as it was sent but for credentials, which are `•••`.
#[derive(Debug, Clone)]
pub struct SentRequest {
    /// Where it went.
    pub url: String,
    /// Its headers, in their order.
    pub headers: Headers,
    /// Its body.
    pub body: String,
}

impl SentRequest {
    /// As a curl command.
    pub fn curl(&self) -> String {
        command(&self.url, &self.headers, &self.body)
    }
}

impl Service {
    /// The request of an attempt, the last one if none is named, as a curl command: the headers and signatures that it
    /// was sent with, credentials as `•••`, whatever the body holds. Blocks.
    ///
    /// # Errors
    /// As [`Service::sent_request`].
    pub fn curl(&self, scope: &TenantScope, id: &str, number: Option<u32>) -> Result<String, Error> {
        Ok(self.sent_request(scope, id, number)?.curl())
    }

    /// The request of an attempt, the last one if none is named. Blocks.
    ///
    /// # Errors
    /// `not_found` for a delivery that is not there or that the caller may not see, for an attempt that was not made, and
    /// where the data of the event was deleted.
    pub fn sent_request(
        &self,
        scope: &TenantScope,
        id: &str,
        number: Option<u32>,
    ) -> Result<SentRequest, Error> {
        let known = DeliveryId::parse(id).ok_or_else(|| Error::not_found("delivery", id))?;
        self.store.read(|reader| {
            let row = reader.delivery(known)?.filter(|row| scope.sees(&row.tenant));
            let row = row.ok_or_else(|| Error::not_found("delivery", id))?;
            let mut attempts = reader.attempts(known)?;
            let meant = |attempt: &AttemptRow| number.is_none_or(|number| attempt.number == number);
            let attempt = attempts.iter().rposition(meant).map(|at| attempts.swap_remove(at));
            let missing = || match number {
                Some(number) => Error::new(Code::NotFound, format!("{id} has no attempt {number}")),
                None => Error::new(Code::NotFound, format!("{id} has no attempt yet")),
            };
            let request = render::request(reader, &row, attempt.ok_or_else(missing)?)?;
            let gone = || {
                let detail =
                    "the data of its event was deleted, or its endpoint is gone: there is no request to show";
                Error::new(Code::NotFound, detail)
            };
            let (url, headers, body) = request.ok_or_else(gone)?;
            Ok(SentRequest { url, headers, body })
        })
    }
}

/// The command. It adds no header of curl's own, and reads nothing into URL, headers or body.
fn command(url: &str, headers: &Headers, body: &str) -> String {
    let mut lines = vec![
        "curl --request POST --http1.1 --globoff --path-as-is --include".to_owned(),
        format!("--url {}", quoted(url)),
    ];
    let sent = |name: &str| headers.iter().any(|(sent, _)| sent.eq_ignore_ascii_case(name));
    let own = ["accept", "expect", "user-agent", "content-type"].into_iter().filter(|name| !sent(name));
    lines.extend(own.map(|name| format!("--header '{name}:'")));
    for (name, value) in headers {
        if BY_ITSELF.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            continue;
        }
        // A colon with nothing behind it would leave the header out.
        let header = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        lines.push(format!("--header {}", quoted(&header)));
    }
    let piped = body.len() > ARGUMENT;
    lines.push(if piped { "--data-binary @-".to_owned() } else { format!("--data-raw {}", quoted(body)) });
    let command = lines.join(" \\\n  ");
    if piped { format!("printf %s {} | {command}\n", quoted(body)) } else { format!("{command}\n") }
}

/// The same, as it is where nothing in it means anything to a shell.
pub fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) { text.to_owned() } else { quoted(text) }
}

/// A text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    /// What a shell hands to curl: its arguments, and what it reads.
    fn run(command: &str) -> (Vec<String>, String) {
        // No parameter of a function is bounded in length, unlike those of a program.
        let script = format!(
            "curl() {{ for one; do printf '%s\\036' \"$one\"; done; printf '\\037'; case \"$*\" in *@-) cat;; esac; }}\n{command}"
        );
        let mut shell =
            Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
        shell.stdin.take().expect("its input").write_all(script.as_bytes()).expect("written");
        let output = String::from_utf8(shell.wait_with_output().expect("its end").stdout).expect("text");
        let (arguments, read) = output.split_once('\u{1f}').expect("the end of the arguments");
        (arguments.split_terminator('\u{1e}').map(str::to_owned).collect(), read.to_owned())
    }

    #[test]
    fn a_shell_reads_back_what_was_written_whatever_it_holds() {
        let nasty = "@file '; rm -rf / \\ \"$(id)` \u{e9}\t{a,b}[1-3] !! %s \n~ $HOME #";
        let headers = [("Host", "a.test"), ("x-own", nasty), ("x-empty", ""), ("Content-Length", "7")];
        let headers: Headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let (arguments, _) = run(&command("https://a.test/{x}?'=1", &headers, nasty));
        let after = |option: &str| {
            let pairs = arguments.windows(2).filter(|pair| pair[0] == option);
            pairs.map(|pair| pair[1].clone()).collect::<Vec<_>>()
        };
        assert_eq!(after("--url"), ["https://a.test/{x}?'=1"]);
        assert_eq!(after("--data-raw"), [nasty]);
        let own = ["accept:", "expect:", "user-agent:", "content-type:"].map(str::to_owned);
        let given = [format!("x-own: {nasty}"), "x-empty;".to_owned()];
        assert_eq!(after("--header"), [&own[..], &given[..]].concat());
    }

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_something_into_it() {
        assert_eq!(word("/srv/post-rider_1.2"), "/srv/post-rider_1.2");
        assert_eq!([word("/srv/it's $HOME"), word("")], [r"'/srv/it'\''s $HOME'", "''"]);
    }

    #[test]
    fn a_long_body_comes_through_a_pipe() {
        let body = "it's 'long' \n%d".repeat(9_000);
        let (arguments, read) = run(&command("https://a.test/", &Headers::new(), &body));
        assert_eq!(arguments.last().map(String::as_str), Some("@-"));
        assert!(read == body, "{} of {} bytes", read.len(), body.len());
    }
}
