//! The server under test: the release build as a child process, on a data directory of its own.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::Fallible;
use crate::load::Prepared;
use crate::now;
use crate::process::Watched;

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_postrider");
/// The key of all requests.
pub const KEY: &str = "pr_benchmarkbenchmarkbenchmark";
/// Who signs in to the console, and with what.
pub const OPERATOR: (&str, &str) = ("bench@example.com", "correct horse");
/// Names the processors that the server is held to, such as `0`.
const CORES: &str = "POSTRIDER_BENCH_SERVER_CORES";
const LISTENS: &str = "postrider listens on http://";

/// How a server is started.
pub struct Start {
    data: PathBuf,
    hosts: Option<PathBuf>,
    operator: bool,
}

/// A server that runs; it is killed when this is dropped.
pub struct Server {
    /// What it takes of the machine.
    pub process: Watched,
    /// Where it listens.
    pub address: SocketAddr,
    /// From the start of its process to the line that says where it listens; nanoseconds.
    pub ready_after: u64,
    data: PathBuf,
    child: Child,
    agent: ureq::Agent,
}

impl Start {
    /// `serve --dev` on a data directory; its log goes to `server.log` beside it.
    pub fn on(folder: &Path) -> Self {
        Self { data: folder.join("data"), hosts: None, operator: false }
    }

    /// With the operator [`OPERATOR`], who is made at the first start.
    pub fn operator(mut self) -> Self {
        self.operator = true;
        self
    }

    /// With a hosts file of its own, in a mount namespace (see [`crate::hosts`]).
    pub fn hosts(mut self, file: &Path) -> Self {
        self.hosts = Some(file.to_owned());
        self
    }

    /// The program, behind what has to be set up for it. Each becomes the next, so that the child is the server in the end.
    fn command(&self) -> Command {
        let mut words: Vec<OsString> = Vec::new();
        if let Some(hosts) = &self.hosts {
            words.extend(["unshare", "--map-root-user", "--mount", "sh", "-c"].map(OsString::from));
            words.push("mount --bind \"$0\" /etc/hosts && exec \"$@\"".into());
            words.push(hosts.into());
        }
        if let Some(cores) = std::env::var_os(CORES).filter(|cores| !cores.is_empty()) {
            words.extend(["taskset".into(), "--cpu-list".into(), cores]);
        }
        words.push(PROGRAM.into());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }

    /// Starts it and waits until it takes requests.
    pub fn start(self) -> Fallible<Server> {
        let log_path = self.data.with_file_name("server.log");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&log_path)?;
        let mut command = self.command();
        command.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"]).arg(&self.data);
        command.env("POSTRIDER_API_KEY", KEY).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        if self.operator {
            command.envs([("POSTRIDER_ADMIN_EMAIL", OPERATOR.0), ("POSTRIDER_ADMIN_PASSWORD", OPERATOR.1)]);
        }
        let started = now::now();
        let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let out = child.stdout.take().ok_or("the server has no output")?;
        let mut lines = BufReader::new(out).lines().map_while(Result::ok);
        let Some(address) = lines.find_map(|line| line.strip_prefix(LISTENS).map(str::to_owned)) else {
            let ended = child.wait()?;
            let log = std::fs::read_to_string(&log_path)?;
            return Err(format!("the server has not started ({ended}):\n{log}").into());
        };
        let ready_after = now::since(started);
        // What it prints later is read, so that it never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        let config = ureq::Agent::config_builder().proxy(None).http_status_as_error(false);
        Ok(Server {
            process: Watched::new(child.id()),
            address: address.parse()?,
            ready_after,
            data: self.data,
            child,
            agent: config.build().into(),
        })
    }
}

impl Server {
    /// Its database file.
    pub fn database(&self) -> PathBuf {
        self.data.join("postrider.db")
    }

    /// `GET` below `/api/v1`; fails unless the answer is a success.
    pub fn get(&self, path: &str) -> Fallible<Value> {
        let call = self.agent.get(self.url(path)).header("authorization", format!("Bearer {KEY}"));
        answer(path, call.call()?)
    }

    /// `POST` below `/api/v1`.
    pub fn post(&self, path: &str, body: &Value) -> Fallible<Value> {
        let call = self.agent.post(self.url(path)).header("authorization", format!("Bearer {KEY}"));
        answer(path, call.header("content-type", "application/json").send(body.to_string())?)
    }

    /// `PUT` below `/api/v1`.
    pub fn put(&self, path: &str, body: &Value) -> Fallible<Value> {
        let call = self.agent.put(self.url(path)).header("authorization", format!("Bearer {KEY}"));
        answer(path, call.header("content-type", "application/json").send(body.to_string())?)
    }

    /// `PATCH` below `/api/v1`.
    pub fn patch(&self, path: &str, body: &Value) -> Fallible<Value> {
        let call = self.agent.patch(self.url(path)).header("authorization", format!("Bearer {KEY}"));
        answer(path, call.header("content-type", "application/json").send(body.to_string())?)
    }

    /// Makes an endpoint that receives everything of a tenant, with these fields besides; its id.
    pub fn endpoint(&self, tenant: &str, url: &str, fields: &Value) -> Fallible<String> {
        let mut endpoint = json!({ "tenant": tenant, "url": url, "events": ["*"] });
        for (name, value) in fields.as_object().into_iter().flatten() {
            endpoint[name] = value.clone();
        }
        let made = self.post("/endpoints", &endpoint)?;
        Ok(made["id"].as_str().ok_or("an endpoint without an id")?.to_owned())
    }

    /// A request that publishes an event, `length` bytes of body.
    pub fn event(&self, tenant: &str, length: usize) -> Prepared {
        let body = crate::load::request::event(tenant, "order.paid", length);
        let headers = format!("authorization: Bearer {KEY}\r\n");
        Prepared::post(self.address, "/api/v1/events", &headers, &body)
    }

    /// Signs an operator in to the console, by their address and password; the cookie of the session.
    ///
    /// # Errors
    /// The server's.
    pub fn sign_in(&self, (email, password): (&str, &str)) -> Fallible<String> {
        let url = format!("http://{}/login", self.address);
        let agent = ureq::Agent::config_builder().proxy(None).max_redirects(0).http_status_as_error(false);
        let agent: ureq::Agent = agent.build().into();
        let mut page = agent.get(&url).call()?;
        let form = cookie(&page, "postrider-form").ok_or("the page to sign in sets no cookie")?;
        let text = page.body_mut().read_to_string()?;
        let csrf = text.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let fields =
            [("csrf", csrf.ok_or("a page without a token")?), ("email", email), ("password", password)];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let call = agent.post(&url).header("cookie", form);
        let answer = call.header("content-type", "application/x-www-form-urlencoded").send(body)?;
        let session = cookie(&answer, "postrider-session");
        session.ok_or_else(|| format!("nobody is signed in: {}", answer.status()).into())
    }

    /// Stops it as process managers do, and waits for its end.
    pub fn stop(mut self) -> Fallible<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let ended = self.child.wait()?;
        if ended.success() { Ok(()) } else { Err(format!("the server has ended with {ended}").into()) }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1{path}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A cookie that an answer sets, as it is sent back.
fn cookie(answer: &ureq::http::Response<ureq::Body>, name: &str) -> Option<String> {
    let set = answer.headers().get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
    let pair = set.filter_map(|line| line.split(';').next()).find(|pair| pair.starts_with(name))?;
    Some(pair.to_owned())
}

fn answer(path: &str, mut answer: ureq::http::Response<ureq::Body>) -> Fallible<Value> {
    let text = answer.body_mut().with_config().limit(64 << 20).read_to_string()?;
    if !answer.status().is_success() {
        return Err(format!("{path}: {} {text}", answer.status()).into());
    }
    Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
}
