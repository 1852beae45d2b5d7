//! The program `postrider`: reads the command line and runs what it asks for.

use std::process::ExitCode;

use postrider::app;
use postrider::cli::{self, Command};

fn main() -> ExitCode {
    let command = match cli::parse() {
        Ok(command) => command,
        Err(refusal) => return refusal.report(),
    };
    let result = match command {
        Command::Serve(config) => app::serve(&config),
        Command::Listen(options) => app::receive(&options),
        Command::Verify(request) => match app::verify(&request) {
            (true, output) => output.print().map_err(|error| error.to_string()),
            (false, output) => match output.print() {
                Ok(()) => return ExitCode::FAILURE,
                Err(error) => Err(error.to_string()),
            },
        },
        Command::Demo(demo) => app::demo::run(&demo),
        Command::Health { data } => {
            app::health(&data).and_then(|output| output.print().map_err(|error| error.to_string()))
        }
        Command::Admin { data, command } => app::run_command(&data, &command)
            .and_then(|output| output.print().map_err(|error| error.to_string())),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("postrider: {message}");
            ExitCode::FAILURE
        }
    }
}
