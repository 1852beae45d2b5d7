//! Making the call of a command, and what of the answers is printed.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::cli::Answer;
use crate::cli::command::Request;
use crate::cli::output::{self, Output};
use crate::cli::progress::Progress;
use crate::cli::socket::{Client, SocketError};
use crate::cli::terminal::{self, View};
use crate::domain::inert;
use crate::web::openapi::json::Json;

use super::shown;
use super::wanted::Wanted;
use super::{Ability, Shows};

/// Rows of a page: the most that the API gives.
const PAGE: usize = 250;
/// How often it is looked how far something is, since nobody tells.
const LOOK: Duration = Duration::from_millis(300);

/// Why a command has failed.
#[derive(Debug)]
pub enum Failed {
    /// There is no answer.
    Socket(SocketError),
    /// The answer is a refusal: a sentence, and what is wrong field by field.
    Refused(String),
}

impl Failed {
    /// For standard error.
    pub fn into_sentence(self) -> String {
        match self {
            Self::Socket(error) => error.to_string(),
            Self::Refused(message) => message,
        }
    }
}

/// Makes a call; a refusal is an error.
///
/// # Errors
/// See [`Failed`].
pub fn call(client: &Client, request: &Request) -> Result<Answer, Failed> {
    told(client, request, output::problem)
}

fn told(
    client: &Client,
    request: &Request,
    refusal: impl Fn(u16, &Value) -> String,
) -> Result<Answer, Failed> {
    let answer = client.request(request).map_err(Failed::Socket)?;
    match answer.status {
        200..300 => Ok(answer),
        status => Err(Failed::Refused(refusal(status, &answer.body))),
    }
}

/// Makes a call of a command, whose refusal names what was typed.
fn ask(client: &Client, wanted: &Wanted, request: &Request) -> Result<Answer, Failed> {
    told(client, request, |status, body| output::problem_in(wanted, status, body))
}

impl Wanted {
    /// Asks a person whether it is meant, where that cannot be undone.
    ///
    /// # Errors
    /// A sentence: it is not, or nobody can be asked.
    pub fn confirm(&self) -> Result<(), String> {
        match self.call.asks {
            Some(question) if !self.yes && self.call.asks_with.is_none_or(|value| self.has(value)) => {
                terminal::ask(&question.replace("{}", &inert::line(&self.subject)))
            }
            _ => Ok(()),
        }
    }

    /// Whether the call's body has this value in this field.
    fn has(&self, (field, value): (&str, &str)) -> bool {
        let body = self.request.body.as_deref().and_then(|body| serde_json::from_str::<Value>(body).ok());
        body.is_some_and(|body| body[field] == value)
    }
}

/// Makes the calls of a command and puts the answers into words.
///
/// # Errors
/// See [`Failed`].
pub fn carry_out(client: &Client, wanted: &Wanted, view: View) -> Result<Output, Failed> {
    if let Shows::Rows(columns) = wanted.shows() {
        return list(client, wanted, columns, view);
    }
    let answer = match wanted.call.ability {
        Ability::Long if wanted.shows() == Shows::Cleaned => {
            watched(client, || ask(client, wanted, &wanted.request))?
        }
        Ability::Long if wanted.wait => follow(client, ask(client, wanted, &wanted.request)?)?,
        _ => ask(client, wanted, &wanted.request)?,
    };
    let mut output = match wanted.shows() {
        Shows::Accepted => output::event_accepted(&answer.body, answer.replayed),
        _ if wanted.json => Output::of(as_it_is(&answer.text, view)),
        Shows::One(lists) => one(&answer, lists, view),
        Shows::Key => output::key_created(&answer.body),
        Shows::Cleaned => output::cleanup_done(&answer.body, wanted.dry_run),
        Shows::Text | Shows::Rows(_) => Output::of(text(&answer, view)),
        Shows::Done(sentence) => said(sentence, wanted),
        Shows::Ended(sentence) => match answer.body["status"].as_str() {
            Some(status) if status != "canceled" => {
                said(&format!("{{}} had ended before, and stays as it is: {}.", inert::line(status)), wanted)
            }
            _ => said(sentence, wanted),
        },
    };
    output.failed |= wanted.call.ability == Ability::Judges && answer.body["success"] == Value::Bool(false);
    Ok(output)
}

fn said(sentence: &str, wanted: &Wanted) -> Output {
    Output::remark(sentence.replace("{}", &inert::line(&wanted.subject)))
}

/// The answer itself; on a terminal nothing in it steers.
fn as_it_is(json: &str, view: View) -> String {
    if view.width.is_some() { inert::json(json) } else { json.to_owned() }
}

fn text(answer: &Answer, view: View) -> String {
    let text = answer.text.trim_end_matches('\n');
    if view.width.is_some() { inert::inert(text) } else { text.to_owned() }
}

/// The answer in its own order; what cannot be read as JSON was refused before.
fn ordered(json: &str) -> Json {
    serde_json::from_str(json).unwrap_or(Json::Null)
}

fn one(answer: &Answer, lists: &[(&str, &[&str])], view: View) -> Output {
    let mut thing = ordered(&answer.text);
    let mut notes = Vec::new();
    if let Json::Object(members) = &mut thing {
        let warnings = members.iter().filter(|(name, _)| name == "warnings").flat_map(|(_, all)| all.items());
        notes.extend(
            warnings.filter_map(Json::text).map(|warning| format!("Note: {}.", inert::line(warning))),
        );
        members.retain(|(name, _)| name != "warnings");
    }
    Output { remark: notes.join("\n"), ..Output::of(shown::one(&thing, lists, view)) }
}

/// A page as far as it matters here.
#[derive(serde::Deserialize)]
struct Page {
    data: Vec<Box<RawValue>>,
    #[serde(default)]
    next_cursor: Option<String>,
}

fn list(client: &Client, wanted: &Wanted, columns: &[&str], view: View) -> Result<Output, Failed> {
    let (mut data, mut cursor, mut first) = (Vec::new(), None, None);
    loop {
        let request = if wanted.is_paged() {
            wanted.page(PAGE.min(wanted.rows - data.len()), cursor.as_deref())
        } else {
            wanted.request.clone()
        };
        let answer = ask(client, wanted, &request)?;
        let page: Page = serde_json::from_str(&answer.text)
            .map_err(|error| Failed::Refused(format!("the server's answer is no list: {error}")))?;
        data.extend(page.data);
        cursor = page.next_cursor;
        if cursor.is_none() || data.len() >= wanted.rows {
            let only = first.is_none().then_some(answer.text);
            return Ok(listed(&data, cursor.as_deref(), only, wanted, (columns, view)));
        }
        first = Some(());
    }
}

/// All rows; `only` is the answer that holds them all, if there is one.
fn listed(
    data: &[Box<RawValue>],
    cursor: Option<&str>,
    only: Option<String>,
    wanted: &Wanted,
    (columns, view): (&[&str], View),
) -> Output {
    if wanted.json {
        let joined = || {
            let rows = data.iter().map(|row| row.get()).collect::<Vec<_>>().join(",");
            format!("{{\"data\":[{rows}],\"next_cursor\":{}}}", Value::from(cursor))
        };
        return Output::of(as_it_is(&only.unwrap_or_else(joined), view));
    }
    if data.is_empty() {
        let none = if wanted.call.name == "attention" { "Nothing needs a hand." } else { "There are none." };
        return Output::remark(none.to_owned());
    }
    let rows: Vec<Json> = data.iter().map(|row| ordered(row.get())).collect();
    let more = cursor.map(|_| match rows.len() {
        1 => "This is one; there are more, which --limit N or --all shows.".to_owned(),
        many => format!("These are {many}; there are more, which --limit N or --all shows."),
    });
    Output { remark: more.unwrap_or_default(), ..Output::of(shown::rows(&rows, columns, view)) }
}

/// Waits until what an answer has started is done, and shows how far it is; the last answer.
fn follow(client: &Client, mut answer: Answer) -> Result<Answer, Failed> {
    let id = answer.body["id"].as_str().unwrap_or_default().to_owned();
    let request = Request::get(format!("/api/v1/replays/{id}"));
    let mut progress = Progress::new(terminal::shows_progress());
    while answer.body["status"] == "running" {
        let number = |name: &str| answer.body[name].as_u64().unwrap_or_default();
        let (examined, matched, done) = (number("examined"), number("matched"), number("done"));
        progress.bar(done, matched, &format!("{done} of {matched}, after {examined} looked at"));
        std::thread::park_timeout(LOOK);
        // It has begun: this is not to be begun once more where another server answers then.
        answer = call(client, &request).map_err(|failed| match failed {
            Failed::Socket(SocketError::NobodyListens { .. }) => Failed::Refused(format!(
                "the server has stopped meanwhile; the replay goes on when it starts again, and `postrider replays show {id}` \
                 tells how far it is"
            )),
            other => other,
        })?;
    }
    Ok(answer)
}

/// Does something long while a line shows how far the cleanup is.
fn watched<T>(client: &Client, work: impl FnOnce() -> T) -> T {
    if !terminal::shows_progress() {
        return work();
    }
    let (working, ended) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut progress = Progress::new(true);
            let request = Request::get("/api/v1/cleanups?limit=1");
            while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                let Ok(answer) = call(client, &request) else { continue };
                let running = &answer.body["running"];
                if let (Some(deliveries), Some(events)) =
                    (running["deliveries"].as_u64(), running["events"].as_u64())
                {
                    progress.show(&format!("so far {deliveries} deliveries and {events} events"));
                }
            }
        });
        let result = work();
        drop(working);
        result
    })
}
