//! The program `postrider`: reads the command line and runs what it asks for.

use std::process::ExitCode;
use std::sync::Arc;

use postrider::app::{self, Application, World, logging};
use postrider::cli::{self, Command};
use postrider::config::Config;

fn main() -> ExitCode {
    let command = match cli::parse() {
        Ok(command) => command,
        Err(refusal) => return refusal.report(),
    };
    let result = match command {
        Command::Serve(config) => serve(&config),
        Command::Admin { data, command } => {
            app::run_command(&data, &command).and_then(|output| output.print().map_err(|error| error.to_string()))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("postrider: {message}");
            ExitCode::FAILURE
        }
    }
}

fn serve(config: &Config) -> Result<(), String> {
    let world = World::real().map_err(|error| error.to_string())?;
    logging::start(config.log_format, Arc::clone(&world.clock)).map_err(|error| error.to_string())?;
    actix_web::rt::System::new().block_on(async {
        let application = Application::build(config, world).await.map_err(|error| error.to_string())?;
        // For people and for scripts that asked for port 0.
        println!("postrider listens on {}", config.reached_at(application.address()));
        application.run_until_stopped().await.map_err(|error| error.to_string())
    })
}
