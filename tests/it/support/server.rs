//! The real program as a server: a child process on a free port.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use postrider::clock::Stopwatch;
use serde_json::{Value, json};

use super::app::KEY;
use super::client::{Client, Response};
use super::process::{self, Ended, PATIENCE, Process};
use super::program::program;

/// What the program prints when it takes requests.
pub const LISTENS: &str = "postrider listens on http://";

/// How a server is to be started.
#[derive(Clone)]
pub struct Start {
    data: PathBuf,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    /// A program with arguments that starts it in its turn.
    wrapper: Vec<String>,
}

impl Start {
    /// `serve --dev` on this data directory and a free port, with the tests' key for a first start.
    pub fn on(data: &Path) -> Self {
        Self::strict(data).flag("--dev")
    }

    /// The same without `--dev`: no endpoint may be on loopback, and none on plain HTTP.
    pub fn strict(data: &Path) -> Self {
        Self { data: data.to_owned(), arguments: Vec::new(), variables: Vec::new(), wrapper: Vec::new() }
            .with("POSTRIDER_API_KEY", KEY)
            .with("POSTRIDER_LISTEN", "127.0.0.1:0")
    }

    /// With another argument.
    pub fn flag(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// With this variable of the environment; the last value of a name counts.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Started by another program, which gets the server's path and arguments after its own and becomes it.
    pub fn under(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Started by a shell after these commands, in the shell's process.
    pub fn after(self, commands: &str) -> Self {
        let script = format!("{commands}; exec \"$0\" \"$@\"");
        self.under(&["sh", "-c", &script])
    }

    /// Starts the process, which may refuse to serve.
    pub fn spawn(&self) -> Process {
        let own = program();
        let mut command = match self.wrapper.split_first() {
            None => program(),
            Some((wrapper, words)) => {
                let mut command = Command::new(wrapper);
                command.args(words).arg(own.get_program());
                for (name, value) in own.get_envs() {
                    match value {
                        Some(value) => command.env(name, value),
                        None => command.env_remove(name),
                    };
                }
                command
            }
        };
        command.arg("serve").arg("--data").arg(&self.data).args(&self.arguments);
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        Process::spawn(&mut command)
    }

    /// Starts a server and waits until it takes requests.
    #[track_caller]
    pub fn start(&self) -> Server {
        let watch = Stopwatch::start();
        let mut process = self.spawn();
        let Some(address) = process.line(LISTENS) else {
            panic!("the server has not started: {:?}", process.wait_for_end(PATIENCE));
        };
        let ready_after = watch.elapsed();
        let address: SocketAddr = address.parse().expect("an address");
        Server { process, address, ready_after, client: Client::tcp(address).with_key(KEY) }
    }

    /// Starts a server that is expected to refuse; how it has ended. How soon it does is `files`' to test.
    #[track_caller]
    pub fn refused(&self) -> Ended {
        let ended = self.spawn().wait_for_end(PATIENCE);
        assert!(!ended.status.success(), "it should have failed: {ended:?}");
        assert_eq!(ended.out, "", "nothing is printed where it does not start");
        ended
    }
}

/// A server in a process of its own; killed on drop.
pub struct Server {
    pub process: Process,
    pub address: SocketAddr,
    pub client: Client,
    /// From the start of the process to the line that says where it listens.
    pub ready_after: Duration,
}

impl Server {
    /// A server on this data directory.
    #[track_caller]
    pub fn on(data: &Path) -> Self {
        Start::on(data).start()
    }

    /// Tells it to stop, as process managers do.
    pub fn terminate(&self) {
        self.process.signal("TERM");
    }

    /// Stops it and waits for its end, which has to be a clean one.
    #[track_caller]
    pub fn stop(mut self) -> Ended {
        self.terminate();
        let ended = self.process.wait_for_end(PATIENCE);
        assert!(ended.status.success(), "{ended:?}");
        ended
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.client.get(&format!("/api/v1{path}")).expect(200).json()
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Response {
        self.client.post(&format!("/api/v1{path}"), body)
    }

    /// Makes an endpoint that receives everything, with these fields besides; its id.
    #[track_caller]
    pub fn endpoint(&self, url: &str, fields: &Value) -> String {
        let mut endpoint = json!({ "url": url, "events": ["*"] });
        for (name, value) in fields.as_object().expect("fields") {
            endpoint[name] = value.clone();
        }
        let made = self.post("/endpoints", &endpoint).expect(201).json();
        made["id"].as_str().expect("an id").to_owned()
    }

    /// Publishes an event of the type `it.happened`; the answer, whatever it is.
    #[track_caller]
    pub fn publish(&self, data: &Value) -> Response {
        self.post("/events", &json!({ "type": "it.happened", "data": data }))
    }

    /// The status of `/readyz` and its body.
    pub fn readiness(&self) -> (u16, Value) {
        let answer = self.client.get("/readyz");
        (answer.status, answer.json())
    }

    /// Waits until the only delivery of an event has this status; the delivery.
    #[track_caller]
    pub fn wait_for_status(&self, event: &Value, status: &str) -> Value {
        let path = format!("/events/{}/deliveries", event["id"].as_str().expect("an id"));
        process::until(&format!("the delivery to be {status}"), PATIENCE, || {
            let list = self.get(&path);
            let found = list["data"].as_array().expect("a list").first().cloned().expect("a delivery");
            (found["status"] == status).then_some(found)
        })
    }
}
