//! From words on the command line to a [`Command`], or the reason why there is none.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::config::{Config, ConfigError, Environment, data_dir_path, data_path};
use crate::domain::ids::KeyId;

use super::args::{self, Keys, Subcommands};
use super::command::{AdminCommand, Command};

/// The exit code for a wrong flag, argument or variable, as clap has it.
const USAGE: u8 = 2;

/// Why there is nothing to do: help was asked for, or something is wrong.
#[derive(Debug)]
pub enum Refusal {
    /// clap's: `--help`, `--version`, an unknown flag, a missing argument.
    Usage(clap::Error),
    /// A setting with a wrong value.
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
                eprintln!("error: {error}");
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
    let admin = |data: args::Data, command| Ok(Command::Admin { data: data_path(data.data, env)?, command });
    match args::read(args)? {
        Subcommands::Serve(flags) => Ok(Command::Serve(Box::new(Config::read(*flags, env)?))),
        Subcommands::Keys(Keys::Create(key)) => {
            let scopes = key.scopes.iter().map(|scope| scope.trim().to_owned()).collect();
            admin(key.data, AdminCommand::CreateKey { name: key.name, scopes, tenant: key.tenant })
        }
        Subcommands::Keys(Keys::List(data)) => admin(data, AdminCommand::ListKeys),
        Subcommands::Keys(Keys::Revoke(key)) => {
            let id = KeyId::parse(&key.id).ok_or_else(|| {
                wrong(
                    &["keys", "revoke"],
                    format!("{:?} is not the id of a key: `postrider keys list` shows them", key.id),
                )
            })?;
            admin(key.data, AdminCommand::RevokeKey { id })
        }
        Subcommands::Cleanup(args::Cleanup { older_than, dry_run, data }) => {
            admin(data, AdminCommand::Cleanup { older_than, dry_run })
        }
        Subcommands::Demo(flags) => Ok(Command::Demo(flags.read())),
        Subcommands::Health(data) => Ok(Command::Health { data: data_path(data.data, env)? }),
        Subcommands::Send(flags) => {
            let command = flags.read().map_err(|says| wrong(&["send"], says))?;
            Ok(Command::Admin { data: data_dir_path(flags.data_dir, env)?, command })
        }
        Subcommands::Listen(mut flags) => {
            let data = data_dir_path(flags.data_dir.take(), env)?;
            let listen = flags.read(&data).map_err(|says| wrong(&["listen"], says))?;
            Ok(Command::Listen(Box::new(listen)))
        }
        Subcommands::Verify(mut flags) => {
            let data = data_dir_path(flags.data_dir.take(), env)?;
            Ok(Command::Verify(flags.read(&data).map_err(|says| wrong(&["verify"], says))?))
        }
    }
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
    use std::time::Duration;

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
        let create = AdminCommand::CreateKey {
            name: "ci".into(),
            scopes: vec!["events:write".into(), "events:read".into()],
            tenant: Some("acme".into()),
        };
        let line = "keys create --name ci --scopes events:write,events:read --tenant acme --data /srv/p";
        assert_eq!(admin(line), ("/srv/p".into(), create));
        assert_eq!(admin("keys list"), ("./postrider-data".into(), AdminCommand::ListKeys));
        assert_eq!(admin("keys revoke key_0000000000001").1, AdminCommand::RevokeKey { id: KeyId(1) });
        let cleanup =
            AdminCommand::Cleanup { older_than: Some(Duration::from_hours(30 * 24)), dry_run: true };
        assert_eq!(admin("cleanup --older-than 30d --dry-run").1, cleanup);
        assert_eq!(admin("cleanup").1, AdminCommand::Cleanup { older_than: None, dry_run: false });
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
        for line in ["--help", "--version", "help serve", "serve --help"] {
            let Err(Refusal::Usage(error)) = parse(line, &[]) else { panic!("{line}") };
            assert!(!error.use_stderr(), "{line}");
        }
    }
}
