//! `postrider health`: whether the server of a data directory can accept and deliver, for containers and scripts.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;

use crate::cli::Request;
use crate::cli::output::{self, Output};
use crate::cli::socket::Client;
use crate::config::socket_path;
use crate::service::Code;

/// A server that is well answers at once.
const PATIENCE: Duration = Duration::from_secs(5);
/// How it exits where the server accepts, and what it sends fails on its own side.
const NOT_DELIVERING: u8 = 3;

/// Asks `/readyz` through the socket, says what it answers, and how to exit: 0 ready, 3 it accepts and does not deliver,
/// 1 anything else.
pub fn run(data: &Path) -> ExitCode {
    let why = match ask(data) {
        Ok(None) => match Output::of("ready".to_owned()).print() {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => (error.to_string(), ExitCode::FAILURE),
        },
        Ok(Some(refused)) => refused,
        Err(error) => (error, ExitCode::FAILURE),
    };
    eprintln!("postrider: {}", why.0);
    why.1
}

/// Why it is not ready, and how to exit then; `None`: it is.
fn ask(data: &Path) -> Result<Option<(String, ExitCode)>, String> {
    let request = Request { method: "GET", path: "/readyz".to_owned(), idempotency_key: None, body: None };
    let client = Client::new(&socket_path(data)).with_timeout(PATIENCE);
    let answer = client.request(&request).map_err(|error| error.to_string())?;
    if (200..300).contains(&answer.status) {
        return Ok(None);
    }
    let code = answer.body.get("code").and_then(Value::as_str);
    let accepts = code == Some(Code::NotDelivering.as_str());
    let exit = if accepts { ExitCode::from(NOT_DELIVERING) } else { ExitCode::FAILURE };
    Ok(Some((output::problem(answer.status, &answer.body), exit)))
}
