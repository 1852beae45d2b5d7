//! `postrider listen` as a child process on a free port.

use std::net::SocketAddr;

use serde_json::Value;

use super::client::Client;
use super::process::Process;
use super::program::program;

/// A signing secret for tests.
pub const SECRET: &str = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

/// What it prints when it takes requests.
pub const RECEIVES: &str = "postrider receives on http://";

/// See the module. Killed on drop.
pub struct Listener {
    pub process: Process,
    pub address: SocketAddr,
    pub client: Client,
}

impl Listener {
    /// Starts it with these flags and waits until it takes requests.
    #[track_caller]
    pub fn start(flags: &[&str]) -> Self {
        let process = Process::spawn(program().args(["listen", "--port", "0"]).args(flags));
        process.wait_for_log(RECEIVES, 1);
        let log = process.log();
        let (_, rest) = log.split_once(RECEIVES).expect("the line that was waited for");
        let address = rest.split(',').next().and_then(|text| text.parse().ok()).expect("an address");
        Self { process, address, client: Client::tcp(address) }
    }

    /// Where it receives.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Waits for the line of the request with this id.
    #[track_caller]
    pub fn line_of(&self, id: &str) -> Value {
        let start = format!("{{\"id\":\"{id}\",");
        let rest = self.process.line(&start).expect("a line");
        serde_json::from_str(&format!("{start}{rest}")).expect("a line of JSON")
    }
}

/// The headers of a request that the published library has signed.
pub fn signed(secret: &str, id: &str, at_seconds: i64, body: &[u8]) -> Vec<(String, String)> {
    let signature = standardwebhooks::Webhook::new(secret).and_then(|key| key.sign(id, at_seconds, body));
    let pairs = [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", at_seconds.to_string()),
        ("webhook-signature", signature.expect("a signature")),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}
