//! From words on the command line to a [`Command`], or the reason why there is none.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::ArgMatches;

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigError, Environment, Remote, data_dir_path, data_path, new_data_path};

use super::args::{self, Subcommands, Typed};
use super::calls::{self, Refused, Wanted};
use super::command::{AdminCommand, Command};
use super::send::SendFlags;

/// The exit code for a wrong flag, argument or variable, as clap has it.
const USAGE: u8 = 2;

/// Why there is nothing to do: help was asked for, or something is wrong.
#[derive(Debug)]
pub enum Refusal {
    /// clap's: `--help`, `--version`, an unknown flag, a missing argument.
    Usage(clap::Error),
    /// Settings with wrong values.
    Config(ConfigError),
}

impl Refusal {
    /// Prints it, help to standard output and errors to standard error, and says how to exit: 0 for help,
    /// 2 for errors.
    pub fn report(&self) -> ExitCode {
        match self {
            Self::Usage(error) => {
                // A closed pipe (`postrider --help | head -1`) is no reason to fail otherwise than planned.
                let printed = error.print();
                if error.use_stderr() || printed.is_err() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
            }
            Self::Config(error) => {
                for sentence in error.sentences() {
                    eprintln!("error: {sentence}");
                }
                ExitCode::from(USAGE)
            }
        }
    }
}

impl From<clap::Error> for Refusal {
    fn from(error: clap::Error) -> Self {
        Self::Usage(error)
    }
}

impl From<ConfigError> for Refusal {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// Reads this process's command line and environment.
///
/// # Errors
/// [`Refusal`], to be reported by the caller.
pub fn parse() -> Result<Command, Refusal> {
    parse_from(std::env::args_os(), &Environment::of_process())
}

/// Reads a command line, the program's name first.
///
/// # Errors
/// [`Refusal`], to be reported by the caller.
pub fn parse_from<I>(args: I, env: &Environment) -> Result<Command, Refusal>
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    let own = match args::read(args)? {
        Typed::Own(own) => *own,
        Typed::Call(matches) => return called(&matches, env),
    };
    match own {
        Subcommands::Serve(flags) => Ok(Command::Serve(Box::new(Config::read(*flags, env)?))),
        Subcommands::Demo(flags) => Ok(Command::Demo(flags.read())),
        Subcommands::Health(data) => Ok(Command::Health { data: data_path(data.data, env)? }),
        Subcommands::Backup(mut flags) => {
            let data = data_path(flags.data.take(), env)?;
            Ok(Command::Backup(flags.read(data).map_err(|says| wrong(&["backup"], says))?))
        }
        Subcommands::Restore(mut flags) => {
            let data = new_data_path(flags.data.take(), env)?;
            Ok(Command::Restore(flags.read(data)))
        }
        Subcommands::Send(flags) => send(flags, env),
        Subcommands::Listen(mut flags) => {
            let data = data_dir_path(flags.data_dir.take(), env)?;
            let extra_ca = flags.extra_ca(env)?;
            let listen = flags.read(&data, extra_ca).map_err(|says| wrong(&["listen"], says))?;
            Ok(Command::Listen(Box::new(listen)))
        }
        Subcommands::Verify(mut flags) => {
            let data = data_dir_path(flags.data_dir.take(), env)?;
            Ok(Command::Verify(flags.read(&data).map_err(|says| wrong(&["verify"], says))?))
        }
        Subcommands::Doctor(flags) => Ok(Command::Doctor(Box::new(flags.read(env)?))),
        Subcommands::Openapi => Ok(Command::Openapi),
        Subcommands::Completions { shell } => Ok(Command::Completions(shell)),
        Subcommands::Man { command, dir } => Ok(Command::Man { command, dir }),
    }
}

/// A command of the table.
fn called(matches: &ArgMatches, env: &Environment) -> Result<Command, Refusal> {
    match calls::read(matches, env, SystemClock::new().wall()) {
        Some(Ok(wanted)) => Ok(admin(wanted)),
        Some(Err(Refused::Config(error))) => Err(error.into()),
        Some(Err(Refused::Flag(path, says))) => Err(wrong(&path, says)),
        None => Err(wrong(&[], "is not a command".to_owned())),
    }
}

fn admin(wanted: Wanted) -> Command {
    Command::Admin { data: wanted.data.clone(), command: AdminCommand::Call(Box::new(wanted)) }
}

fn send(flags: SendFlags, env: &Environment) -> Result<Command, Refusal> {
    let (event, idempotency_key) = flags.read().map_err(|says| wrong(&["send"], says))?;
    let remote = Remote::read(flags.remote.into(), flags.data_dir.is_some(), env)?;
    let data = data_dir_path(flags.data_dir, env)?;
    Ok(admin(calls::event(event, idempotency_key, data, remote)))
}

/// A flag of the command at this path whose value cannot be used, as clap tells of such: with that command's usage.
fn wrong(path: &[&str], says: String) -> Refusal {
    let mut whole = args::command();
    whole.build();
    let found = path.iter().try_fold(&whole, |command, name| command.find_subcommand(name));
    let mut command = found.unwrap_or(&whole).clone();
    command.error(clap::error::ErrorKind::ValueValidation, says).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn parse(line: &str, variables: &[(&str, &str)]) -> Result<Command, Refusal> {
        parse_from(["postrider"].into_iter().chain(line.split_whitespace()), &Environment::of(variables))
    }

    fn admin(line: &str) -> (PathBuf, AdminCommand) {
        match parse(line, &[]) {
            Ok(Command::Admin { data, command }) => (data, command),
            other => panic!("{other:?}"),
        }
    }

    fn refusal(line: &str) -> String {
        match parse(line, &[]).unwrap_err() {
            Refusal::Usage(error) => {
                assert_eq!(error.exit_code(), 2, "{error}");
                error.to_string()
            }
            Refusal::Config(error) => error.to_string(),
        }
    }

    #[test]
    fn serve_takes_flags_and_variables() {
        let line = "serve --dev --listen 127.0.0.1:0 --allow-net 10.0.0.1:80,10.0.0.2 --allow-net ::1 --log-format json";
        let Ok(Command::Serve(config)) = parse(line, &[("POSTRIDER_DATA", "/srv/p")]) else { panic!() };
        assert_eq!((config.listen.port(), config.data.to_str()), (0, Some("/srv/p")));
        assert_eq!(config.allow_net.len(), 3 + 2, "and those of --dev");
    }

    #[test]
    fn commands_are_read_with_their_data_directory() {
        let (data, AdminCommand::Call(create)) =
            admin("keys create --name ci --scopes events:write,events:read --tenant acme --data /srv/p");
        assert_eq!(data, PathBuf::from("/srv/p"));
        assert!(create.remote.is_none());
        assert_eq!(admin("keys list").0, data_path(None, &Environment::of(&[])).unwrap());
        assert_eq!(admin("send a --data 1 --data-dir /srv/p").0, PathBuf::from("/srv/p"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, says) in [
            ("keys create --scopes admin", "--name"),
            ("keys create --name ci", "--scopes"),
            ("keys revoke evt_0000000000001", "is not the id of a key"),
            ("cleanup --older-than 30", "such as 30d, 36h or 5400m"),
            ("serve --listen 8383", "--listen (POSTRIDER_LISTEN)"),
            ("serve --delivery-threads -5", "--delivery-threads (POSTRIDER_DELIVERY_THREADS)"),
            ("serve --listen 127.0.0.1:1 --listen 127.0.0.1:2", "cannot be used multiple times"),
            ("serve --verbose", "--verbose"),
            ("fly", "fly"),
            ("endpoints", "Usage"),
            ("endpoints fly", "fly"),
            ("endpoints create", "<URL>"),
            ("endpoints create https://x --filters a", "--filters must be NAME=VALUE"),
            ("endpoints list --url nowhere", "--url (POSTRIDER_URL) must be the URL"),
            ("endpoints list --url https://x --data y", "cannot be used with"),
            ("deliveries show evt_0000000000001", "is not the id of a delivery"),
            ("completions tcsh", "bash"),
            ("listen --secret whsec_zz", "of 24 to 64 bytes in this format\n"),
            ("settings update", "nothing is said that is to change"),
            ("endpoints update ep_1", "Usage: postrider endpoints update"),
            ("", "Usage"),
        ] {
            let refusal = refusal(line);
            assert!(refusal.contains(says), "{line}: {refusal}");
        }
    }

    #[test]
    fn what_is_wrong_comes_with_the_usage_of_its_command() {
        let none = "--secret x --headers a:b --body /nowhere/to/be/found";
        for (line, usage) in [
            ("send order.paid --data {", "Usage: postrider send "),
            ("listen --status 204 --forward http://localhost:1/", "Usage: postrider listen "),
            (&format!("verify {none}"), "Usage: postrider verify "),
            ("keys revoke evt_0000000000001", "Usage: postrider keys revoke "),
        ] {
            let refusal = refusal(line);
            assert!(refusal.contains(usage), "{line}: {refusal}");
        }
    }

    #[test]
    fn the_flag_of_the_data_directory_is_called_as_the_command_has_it() {
        for (line, flag) in [
            (&["keys", "list", "--data", ""][..], "--data "),
            (&["send", "a", "--data", "1", "--data-dir", ""], "--data-dir "),
            (&["listen", "--data-dir", ""], "--data-dir "),
        ] {
            let words = ["postrider"].iter().chain(line);
            let refused = parse_from(words, &Environment::of(&[])).unwrap_err();
            let Refusal::Config(error) = refused else { panic!("{refused:?}") };
            assert!(error.to_string().starts_with(flag), "{error}");
        }
    }

    #[test]
    fn help_and_version_are_no_errors() {
        for line in [
            "--help",
            "--version",
            "help",
            "help --help",
            "help -h",
            "help serve",
            "help serve --help",
            "serve --help",
        ] {
            let Err(Refusal::Usage(error)) = parse(line, &[]) else { panic!("{line}") };
            assert!(!error.use_stderr(), "{line}");
        }
    }
}
