//! `postrider health`: whether the server of a data directory can accept and deliver, for containers and scripts.

use std::path::Path;
use std::time::Duration;

use crate::cli::Request;
use crate::cli::output::{self, Output};
use crate::cli::socket::Client;
use crate::config::socket_path;

/// A server that is well answers at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks `/readyz` through the socket.
///
/// # Errors
/// A sentence: nobody listens, or why the server is not ready.
pub fn ask(data: &Path) -> Result<Output, String> {
    let request = Request { method: "GET", path: "/readyz".to_owned(), idempotency_key: None, body: None };
    let client = Client::new(&socket_path(data)).with_timeout(PATIENCE);
    let answer = client.request(&request).map_err(|error| error.to_string())?;
    match answer.status {
        200..300 => Ok(Output::of("ready".to_owned())),
        status => Err(output::problem(status, &answer.body)),
    }
}
