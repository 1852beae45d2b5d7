//! The command line as clap reads it.

use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{Flags, with_variables};

use super::demo::DemoFlags;
use super::duration;
use super::listen::ListenFlags;
use super::send::SendFlags;
use super::verify::VerifyFlags;

/// What the program is called with.
#[derive(Debug, Parser)]
#[command(
    name = "postrider",
    version,
    about = "Webhook delivery: one binary, one SQLite file",
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
    /// Make, list and revoke API keys
    #[command(subcommand, arg_required_else_help = true)]
    Keys(Keys),
    /// Delete what is older than the retention now, as the nightly cleanup does
    Cleanup(Cleanup),
    /// Say whether the server accepts and delivers; exits with 0 or 1
    Health(Data),
    /// Receive webhooks on this machine: show, verify, forward and record them
    Listen(Box<ListenFlags>),
    /// Publish an event
    Send(SendFlags),
    /// Say whether the signature of a webhook holds, and if not why; exits with 0 or 1
    Verify(VerifyFlags),
}

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Make a key and print it, this once
    Create(CreateKey),
    /// List the keys (never their text)
    List(Data),
    /// Revoke a key at once
    Revoke(RevokeKey),
}

/// Which server is meant.
#[derive(Debug, Args)]
pub(super) struct Data {
    /// The server's data directory [default: ./postrider-data]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct CreateKey {
    /// What the key is for
    #[arg(long)]
    pub(super) name: String,
    /// What it may do, with commas: events:write, events:read, endpoints:read, endpoints:write, deliveries:read,
    /// deliveries:write, metrics:read, admin
    #[arg(long, value_name = "SCOPE,…", required = true, value_delimiter = ',')]
    pub(super) scopes: Vec<String>,
    /// The one tenant that it is bound to
    #[arg(long)]
    pub(super) tenant: Option<String>,
    #[command(flatten)]
    pub(super) data: Data,
}

#[derive(Debug, Args)]
pub(super) struct RevokeKey {
    /// The key's id, `key_…`, as `keys list` shows it
    #[arg(value_name = "ID")]
    pub(super) id: String,
    #[command(flatten)]
    pub(super) data: Data,
}

#[derive(Debug, Args)]
pub(super) struct Cleanup {
    /// Delete what is older than this instead of what the retention settings say: 30d, 48h; at least a day
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(super) older_than: Option<Duration>,
    /// Only count what would be deleted
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) data: Data,
}

/// The command line with the variables named in its help.
pub(super) fn command() -> clap::Command {
    Arguments::command()
        .mut_subcommand("serve", |serve| {
            with_variables(serve).after_help(
                "At the first start only: POSTRIDER_API_KEY registers this key (pr_ and at least 24 characters) \
                 with every scope;\nPOSTRIDER_ADMIN_EMAIL and POSTRIDER_ADMIN_PASSWORD make the first operator.",
            )
        })
        .mut_subcommand("keys", |keys| {
            ["create", "list", "revoke"].into_iter().fold(keys, |keys, name| keys.mut_subcommand(name, with_variables))
        })
        .mut_subcommand("cleanup", with_variables)
        .mut_subcommand("health", with_variables)
}

/// Reads `args`, the program's name first.
pub(super) fn read<I>(args: I) -> Result<Subcommands, clap::Error>
where
    I: IntoIterator,
    I::Item: Into<std::ffi::OsString> + Clone,
{
    let matches = command().try_get_matches_from(args)?;
    Ok(Arguments::from_arg_matches(&matches)?.command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
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
        ] {
            let args = ["postrider"].iter().chain(path).chain(&["--help"]);
            let help = read(args).unwrap_err().to_string();
            assert!(help.contains("[env: POSTRIDER_DATA]"), "{help}");
        }
    }
}
