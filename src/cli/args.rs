//! The command line as clap reads it: what has flags of its own, and the commands of the table in [`calls`].

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{Flags, RemoteFlags, with_variables};

use super::backup::BackupFlags;
use super::calls;
use super::demo::DemoFlags;
use super::doctor::DoctorFlags;
use super::listen::ListenFlags;
use super::manual::Shell;
use super::restore::RestoreFlags;
use super::send::SendFlags;
use super::verify::VerifyFlags;

/// What the program is called with.
#[derive(Debug, Parser)]
#[command(
    name = "postrider",
    version,
    about = "Webhook delivery: one binary, one SQLite file",
    after_help = "Exit codes: 0 done; 1 failed or refused (`doctor`: warnings); 2 wrong usage (`doctor`: errors);\n\
                  3 (`health`) the server accepts, and deliveries fail on its side.\n\
                  Results go to standard output, all else to standard error. The manual is at /docs of a server.",
    arg_required_else_help = true,
    infer_subcommands = false
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Subcommands,
}

#[derive(Debug, Subcommand)]
pub(super) enum Subcommands {
    /// Run the API, the console and the deliveries
    Serve(Box<Flags>),
    /// Show a server at work: customers of all kinds, six days of history, a stream of events. Ctrl-C removes it all
    Demo(DemoFlags),
    /// Say whether the server accepts and delivers
    #[command(
        after_help = "Exit codes: 0 it does; 3 it accepts, and deliveries fail on its own side (no route, no names, the \
                            proxy);\n1 it does not accept, or nobody listens; 2 wrong usage."
    )]
    Health(Data),
    /// Copy the database: consistent, checked, while the server goes on
    #[command(after_help = super::backup::HELP)]
    Backup(BackupFlags),
    /// Put a backup in the place of the database; the server has to be stopped
    #[command(after_help = super::restore::HELP)]
    Restore(RestoreFlags),
    /// Receive webhooks on this machine: show, verify, forward and record them
    Listen(Box<ListenFlags>),
    /// Publish an event
    #[command(after_help = "Examples:\n  \
        # with the data on the command line\n  \
        postrider send order.paid --data '{\"order\": 17}'\n  \
        # of a tenant, accepted once whatever happens\n  \
        postrider send order.paid --tenant acme --data @order.json --id order-17-paid")]
    Send(SendFlags),
    /// Say whether the signature of a webhook holds, and if not why; exits with 0 or 1
    Verify(VerifyFlags),
    /// Look whether all is well: files, disk, clock, network, backlog
    Doctor(DoctorFlags),
    /// Print the description of the API, OpenAPI 3.1
    #[command(after_help = "Examples:\n  # for generators of clients\n  postrider openapi > openapi.json")]
    Openapi,
    /// Print what makes a shell complete commands and flags
    #[command(after_help = "Examples:\n  \
        # bash, for this user\n  \
        mkdir -p ~/.local/share/bash-completion/completions\n  \
        postrider completions bash > ~/.local/share/bash-completion/completions/postrider")]
    Completions {
        /// Which shell: bash, zsh or fish
        #[arg(hide_possible_values = true)]
        shell: Shell,
    },
    /// Print a manual page, or write all of them
    #[command(after_help = "Examples:\n  \
        # read one\n  \
        postrider man endpoints create | man -l -\n  \
        # install all\n  \
        postrider man --dir /usr/local/share/man/man1")]
    Man {
        /// The command that it is about; the whole program when absent
        #[arg(conflicts_with = "dir")]
        command: Vec<String>,
        /// Write a page for each command into this folder
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

/// A server that is reached by its URL.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct RemoteArgs {
    #[arg(
        long,
        value_name = "URL",
        help = "A server that is reached by its URL instead [env: POSTRIDER_URL]"
    )]
    url: Option<String>,
    #[arg(
        long,
        value_name = "KEY",
        help = "An API key of that server; better in the variable, which other users do not see [env: POSTRIDER_KEY]"
    )]
    key: Option<String>,
    #[arg(
        long,
        value_name = "FILE",
        help = "PEM certificates that are trusted for it besides the public ones [env: POSTRIDER_EXTRA_CA]"
    )]
    extra_ca: Option<String>,
}

impl From<RemoteArgs> for RemoteFlags {
    fn from(RemoteArgs { url, key, extra_ca }: RemoteArgs) -> Self {
        Self { url, key, extra_ca }
    }
}

/// Which server is meant.
#[derive(Debug, Args)]
pub(super) struct Data {
    /// The server's data directory [default: ./postrider-data, or without one /var/lib/postrider]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<String>,
}

/// The whole command line.
pub(super) fn command() -> clap::Command {
    with(&|_| true)
}

/// The command line with the variables named in its help. Only those commands of the table have their flags that
/// `with_flags` wants.
fn with(with_flags: &dyn Fn(&str) -> bool) -> clap::Command {
    Arguments::command()
        .mut_subcommand("serve", |serve| {
            with_variables(serve).after_help(
                "At the first start only: POSTRIDER_API_KEY registers this key (pr_ and at least 24 characters) \
                 with every scope;\nPOSTRIDER_ADMIN_EMAIL and POSTRIDER_ADMIN_PASSWORD make the first operator.",
            )
        })
        .mut_subcommand("health", with_variables)
        .mut_subcommand("doctor", with_variables)
        .mut_subcommand("backup", with_variables)
        .mut_subcommand("restore", with_variables)
        .subcommands(calls::commands(with_flags))
}

/// What was typed.
#[derive(Debug)]
pub(super) enum Typed {
    /// A command with flags of its own.
    Own(Box<Subcommands>),
    /// One of the table.
    Call(ArgMatches),
}

/// Reads `args`, the program's name first.
pub(super) fn read<I>(args: I) -> Result<Typed, clap::Error>
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    let mut args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    if args.get(1).is_some_and(|first| first == "help") {
        // It is help that is asked for; clap's own command has no flag for it.
        args.retain(|word| word != "--help" && word != "-h");
    }
    let mut words =
        args.iter().skip(1).filter_map(|word| word.to_str()).filter(|word| !word.starts_with('-'));
    let first = words.next().unwrap_or_default().to_owned();
    let all = matches!(first.as_str(), "" | "help");
    let matches = with(&|name| all || first == name).try_get_matches_from(args)?;
    let own = matches.subcommand_name().is_some_and(Subcommands::has_subcommand);
    if own {
        return Ok(Typed::Own(Box::new(Arguments::from_arg_matches(&matches)?.command)));
    }
    Ok(Typed::Call(matches))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn the_help_of_every_command_looks_the_same() {
        fn check(command: &clap::Command) {
            let name = command.get_name();
            // Any of these would spread the flags of this command over several lines each.
            assert!(command.get_long_about().is_none() && command.get_after_long_help().is_none(), "{name}");
            for argument in command.get_arguments() {
                let spread = |value: &clap::builder::PossibleValue| value.get_help().is_some();
                let values = argument.get_possible_values();
                let spread = !argument.is_hide_possible_values_set() && values.iter().any(spread);
                assert!(argument.get_long_help().is_none() && !spread, "{name}: {argument}");
            }
            command.get_subcommands().for_each(check);
        }
        check(&command());
    }

    /// The examples in the help of a command and of all below it.
    fn examples(of: &clap::Command) -> Vec<String> {
        let help = of.get_after_help().map(ToString::to_string).unwrap_or_default();
        let own = help.lines().map(str::trim).filter(|line| line.starts_with("postrider "));
        let own: Vec<String> = own.map(str::to_owned).collect();
        own.into_iter().chain(of.get_subcommands().flat_map(examples)).collect()
    }

    #[test]
    fn every_example_in_a_help_can_be_typed() {
        let examples = examples(&command());
        assert!(examples.len() > 60, "{examples:#?}");
        for line in examples {
            // What the shell does with the output.
            let typed = line.split([';', '>', '|']).next().unwrap_or_default();
            let words = typed.split('\'').enumerate().flat_map(|(at, piece)| {
                let quoted = at % 2 == 1;
                if quoted { vec![piece] } else { piece.split_whitespace().collect() }
            });
            if let Err(error) = read(words.collect::<Vec<_>>()) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn every_command_names_the_variable_of_its_data_directory() {
        for path in [
            &["serve"][..],
            &["keys", "create"],
            &["keys", "list"],
            &["keys", "revoke"],
            &["cleanup"],
            &["health"],
            &["endpoints", "test"],
            &["doctor"],
            &["backup"],
            &["restore"],
        ] {
            let args = ["postrider"].iter().chain(path).chain(&["--help"]);
            let help = read(args).unwrap_err().to_string();
            assert!(help.contains("[env: POSTRIDER_DATA]"), "{help}");
        }
    }
}
