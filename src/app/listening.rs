//! `postrider listen` and `postrider verify`: what opens no data directory.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use crate::cli::output::{self, Output};
use crate::cli::{Listen, Verify};
use crate::clock::{Clock, SystemClock};
use crate::config::Environment;
use crate::random::SystemRandom;
use crate::web::listen::screen::{Look, Screen};
use crate::web::listen::{self, KEPT_BYTES, KEPT_REQUESTS, Options};

use super::Signals;

/// Receives webhooks until SIGINT or SIGTERM, or until nobody reads what it prints.
///
/// # Errors
/// A sentence that says what to do.
pub fn run(command: &Listen) -> Result<(), String> {
    let random = SystemRandom::new().map_err(|error| format!("no randomness: {error}"))?;
    let stdout = io::stdout();
    let look = look(stdout.is_terminal(), &Environment::of_process());
    let screen = Arc::new(Screen::new(look, Box::new(stdout), Box::new(io::stderr())));
    actix_web::rt::System::new().block_on(async {
        let mut signals = Signals::listen().map_err(|error| error.to_string())?;
        let tcp = std::net::TcpListener::bind(command.address).map_err(|error| {
            format!("cannot receive on {}: {error}; name another port with --port", command.address)
        })?;
        let address = tcp.local_addr().map_err(|error| error.to_string())?;
        let (clock, random) = (Arc::new(SystemClock::new()), Arc::new(random));
        let server = listen::start(tcp, command.options.clone(), Arc::clone(&screen), clock, random)
            .map_err(|error| format!("cannot receive on {address}: {error}"))?;
        // Beside the requests, which a program may read from standard output.
        let told = io::stderr().write_all(greeting(address, &command.options).as_bytes());
        told.map_err(|error| format!("cannot print: {error}"))?;
        let handle = server.handle();
        let server = actix_web::rt::spawn(server);
        signals.wait(screen.gone()).await;
        handle.stop(true).await;
        server.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    })
}

/// Judges a captured request, and says what there is to say about it.
pub fn verify(command: &Verify) -> Output {
    output::verdict(&command.verdict(SystemClock::new().wall()), command.secrets())
}

/// `NO_COLOR` (no-color.org): any text in it, and there are no colours.
fn look(terminal: bool, variables: &Environment) -> Look {
    let dumb = variables.get("TERM").is_some_and(|term| term == "dumb");
    let colours = variables.get("NO_COLOR").is_none() && !dumb;
    if terminal { Look::Terminal { colours } } else { Look::Lines }
}

fn greeting(address: SocketAddr, options: &Options) -> String {
    let mut text = format!("postrider receives on http://{address}, at any path; Ctrl-C ends it\n");
    if options.secrets.is_empty() {
        text.push_str("no --secret was given: signatures are not verified\n");
    }
    if let Some(target) = &options.behaviour.forward {
        text.extend(["every request is handed on to ", target.target(), "\n"]);
    }
    if options.record {
        let megabytes = KEPT_BYTES / 1024 / 1024;
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "http://{address}/received has the last {KEPT_REQUESTS} requests, {megabytes} MB at most"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_has_colours_unless_somebody_does_not_want_them() {
        let of = |terminal, variables: &[(&str, &str)]| look(terminal, &Environment::of(variables));
        assert_eq!(of(true, &[]), Look::Terminal { colours: true });
        assert_eq!(of(true, &[("NO_COLOR", "1")]), Look::Terminal { colours: false });
        assert_eq!(of(true, &[("NO_COLOR", "")]), Look::Terminal { colours: true });
        assert_eq!(of(true, &[("TERM", "dumb")]), Look::Terminal { colours: false });
        assert_eq!(of(false, &[]), Look::Lines);
    }
}
