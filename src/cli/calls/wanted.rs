//! What a command of the table asks for: the request, the server, and how the answer is shown.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ArgMatches;

use crate::cli::command::Request;
use crate::config::{ConfigError, Environment, Remote, RemoteFlags, data_dir_path, data_path};
use crate::domain::names::IdempotencyKey;
use crate::domain::time::UnixMs;

use super::flags::{self, of_field};
use super::reading::{Reading, encoded};
use super::{Call, Shows};

/// Rows of a list that are shown when nothing else is said.
const ROWS: usize = 50;

/// A call that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that was typed or not")]
pub struct Wanted {
    pub(super) call: &'static Call,
    /// The call; a list's path has no `limit` and no `cursor`.
    pub(super) request: Request,
    /// What it is about, for sentences.
    pub(super) subject: String,
    /// Rows of a list at most.
    pub(super) rows: usize,
    /// Whether the answer is shown as it is.
    pub(super) json: bool,
    pub(super) yes: bool,
    pub(super) wait: bool,
    pub(super) dry_run: bool,
    /// Fields of the body that `--from` gives.
    pub(super) from: Vec<String>,
    /// The data directory of the server on this machine; not opened yet.
    pub data: PathBuf,
    /// The server that is reached by its URL instead.
    pub remote: Option<Arc<Remote>>,
}

/// Why a command cannot be made a call of.
#[derive(Debug)]
pub enum Refused {
    /// A setting.
    Config(ConfigError),
    /// A flag of the command at this path.
    Flag(Vec<&'static str>, String),
}

impl From<ConfigError> for Refused {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// What the command's flags ask for.
pub(super) fn read(
    path: &[&'static str],
    call: &'static Call,
    matches: &ArgMatches,
    env: &Environment,
    now: UnixMs,
) -> Result<Wanted, Refused> {
    let wrong = |says: String| Refused::Flag(path.to_vec(), says);
    let operation = call.described().ok_or_else(|| wrong("is not described".to_owned()))?;
    let reading = Reading { call, operation, matches, now };
    let text = |id: &str| reading.one(id).map(str::to_owned);
    let remote =
        RemoteFlags { url: text(flags::URL), key: text(flags::KEY), extra_ca: text(flags::EXTRA_CA) };
    let remote = Remote::read(remote, text(flags::DATA).is_some(), env)?.map(Arc::new);
    let subject = reading.subject();
    if let Some(kind) = call.id_of
        && !subject.strip_prefix(kind).is_some_and(|rest| rest.starts_with('_'))
    {
        let list = path.first().unwrap_or(&"");
        let thing = list.trim_end_matches('s').replace("deliverie", "delivery");
        return Err(wrong(format!(
            "{subject:?} is not the id of a {thing}: `postrider {list} list` shows them"
        )));
    }
    let rows =
        if reading.has(flags::ALL) { usize::MAX } else { reading.number(flags::LIMIT).unwrap_or(ROWS) };
    let body = reading.body().map_err(wrong)?;
    if operation.method == "PATCH" && body.as_ref().is_some_and(|body| body.json == "{}") {
        return Err(wrong("nothing is said that is to change: give a flag for it".to_owned()));
    }
    let (body, from) = body.map(|body| (body.json, body.from)).unzip();
    Ok(Wanted {
        call,
        request: Request {
            method: operation.method,
            path: reading.path().map_err(wrong)?,
            idempotency_key: reading.idempotency_key().map_err(wrong)?,
            body,
        },
        subject,
        rows,
        json: reading.has(flags::JSON),
        yes: reading.has(flags::YES),
        wait: reading.has(flags::WAIT),
        dry_run: reading.one(&of_field("dry_run")) == Some("true"),
        from: from.unwrap_or_default(),
        data: if call.takes_data() { data_dir_path } else { data_path }(text(flags::DATA), env)?,
        remote,
    })
}

/// Publishing an event, as `postrider send` has it.
pub(in crate::cli) fn event(
    body: String,
    idempotency_key: Option<IdempotencyKey>,
    data: PathBuf,
    remote: Option<Remote>,
) -> Wanted {
    let path = "/api/v1/events".to_owned();
    Wanted {
        call: &super::groups::SEND,
        request: Request { method: "POST", path, idempotency_key, body: Some(body) },
        subject: String::new(),
        rows: ROWS,
        json: false,
        yes: false,
        wait: false,
        dry_run: false,
        from: Vec::new(),
        data,
        remote: remote.map(Arc::new),
    }
}

impl Wanted {
    /// Whether it publishes an event, whose delivery needs a server.
    pub fn publishes(&self) -> bool {
        self.call.shows == Shows::Accepted
    }

    /// The flag that names its data directory: `--data` may be the event's.
    pub fn data_flag(&self) -> &'static str {
        if self.call.takes_data() { "--data-dir" } else { "--data" }
    }

    /// Whether a field of the body stands in the JSON of `--from`.
    pub(super) fn stands_in_json(&self, field: &str) -> bool {
        self.from.iter().any(|name| name == field)
    }

    /// How the answer is shown.
    pub(super) fn shows(&self) -> Shows {
        self.call.shows
    }

    /// Whether it may take hours.
    pub fn is_long(&self) -> bool {
        // Waiting for a replay is many calls.
        self.call.shows == Shows::Cleaned
    }

    /// Whether it sends something at once, which only a server does that runs.
    pub fn needs_server(&self) -> bool {
        self.call.ability == super::Ability::Judges
    }

    /// Whether its list has pages.
    pub(super) fn is_paged(&self) -> bool {
        let described = self.call.described();
        described
            .is_some_and(|operation| operation.parameters.iter().any(|parameter| parameter.name == "cursor"))
    }

    /// The page of a list with so many rows, from this cursor on.
    pub(super) fn page(&self, rows: usize, cursor: Option<&str>) -> Request {
        let mut request = self.request.clone();
        let separator = if request.path.contains('?') { '&' } else { '?' };
        // Writing to a String cannot fail.
        let _ = write!(request.path, "{separator}limit={rows}");
        if let Some(cursor) = cursor {
            let _ = write!(request.path, "&cursor={}", encoded(cursor));
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(line: &str) -> Wanted {
        let all = clap::Command::new("postrider").subcommands(super::super::commands(&|_| true));
        let words = ["postrider"].into_iter().chain(line.split(' '));
        let matches = all.try_get_matches_from(words).unwrap_or_else(|error| panic!("{error}"));
        super::super::read(&matches, &Environment::of(&[]), UnixMs(1_771_857_000_000)).unwrap().unwrap()
    }

    fn body(line: &str) -> String {
        wanted(line).request.body.unwrap_or_default()
    }

    #[test]
    fn flags_become_the_fields_of_the_call() {
        assert_eq!(
            body(
                "endpoints create https://example.com/ --events a.*,b --timeout 20s --enabled=false --filters n=7"
            ),
            r#"{"url":"https://example.com/","events":["a.*","b"],"enabled":false,"filters":{"n":7},"timeout_seconds":20}"#
        );
        assert_eq!(
            body("endpoints update ep_1 --endpoint-url https://x/ --reset rate-limit"),
            r#"{"url":"https://x/","rate_limit":null}"#
        );
        assert_eq!(
            body("endpoints update ep_1 --from {\"uid\":1.50,\"events\":[]} --uid b"),
            r#"{"uid":"b","events":[]}"#
        );
        assert_eq!(
            body("cleanup --older-than 1d --dry-run"),
            r#"{"older_than_seconds":86400,"dry_run":true}"#
        );
        assert_eq!(
            body("settings update --retry-schedule 5s,5m,30m,2h,5h,10h,600"),
            r#"{"retry_schedule":[5,300,1800,7200,18000,36000,600]}"#
        );
        assert_eq!(body("endpoints enable ep_1"), "{}");
        let replay = wanted("replay ep_1 --since 1d --idempotency-key k --tenant a/b");
        assert_eq!(replay.request.path, "/api/v1/endpoints/ep_1/replay?tenant=a%2Fb");
        assert_eq!(replay.request.body.as_deref(), Some(r#"{"since":"2026-02-22T14:30:00.000Z"}"#));
        assert!(replay.request.idempotency_key.is_some_and(|key| key.to_string() == "k"));
    }

    #[test]
    fn a_list_goes_on_from_its_cursor() {
        let list = wanted("deliveries list --status failed --since 1d --limit 300");
        assert_eq!((list.rows, list.request.body.as_deref()), (300, None));
        assert_eq!(
            list.page(250, Some("a&b")).path,
            "/api/v1/deliveries?status=failed&since=2026-02-22T14%3A30%3A00.000Z&limit=250&cursor=a%26b"
        );
        assert_eq!(wanted("keys list --all").page(250, None).path, "/api/v1/keys?limit=250");
    }
}
