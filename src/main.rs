//! The program `postrider`: reads the command line and runs what it asks for.

use std::process::ExitCode;

use postrider::app;
use postrider::cli::output::Output;
use postrider::cli::{self, Command, manual};

fn main() -> ExitCode {
    let command = match cli::parse() {
        Ok(command) => command,
        Err(refusal) => return refusal.report(),
    };
    let output = match command {
        Command::Serve(config) => app::serve(&config).map(|()| Output::default()),
        Command::Listen(options) => app::receive(&options).map(|()| Output::default()),
        Command::Verify(request) => Ok(app::verify(&request)),
        Command::Admin { data, command } => app::run_command(&data, &command),
        Command::Backup(options) => app::back_up(&options),
        Command::Restore(options) => app::restore(&options),
        Command::Demo(demo) => app::demo::run(&demo).map(|()| Output::default()),
        Command::Health { data } => return app::health(&data),
        Command::Doctor(doctor) => return app::doctor(&doctor),
        Command::Openapi => Ok(manual::openapi()),
        Command::Completions(shell) => Ok(manual::completions(shell)),
        Command::Man { dir: Some(folder), .. } => manual::pages(&folder),
        Command::Man { command, dir: None } => manual::page(&command),
    };
    let failed = output.as_ref().is_ok_and(|output| output.failed);
    match output.and_then(|output| output.print().map_err(|error| error.to_string())) {
        Ok(()) if !failed => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("postrider: {message}");
            ExitCode::FAILURE
        }
    }
}
