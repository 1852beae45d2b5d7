//! What is made of the command line's own definition: manual pages, and what makes a shell complete commands. And the
//! description of the API, which the commands are made of.

use std::io;
use std::path::Path;

use clap::ValueEnum;
use clap_complete::{generate, shells};
use clap_mangen::Man;

use crate::web::openapi;

use super::args;
use super::output::Output;

/// A shell that can complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU Bash.
    Bash,
    /// Z shell.
    Zsh,
    /// fish.
    Fish,
}

/// The script that makes a shell complete commands and flags.
pub fn completions(shell: Shell) -> Output {
    let (mut command, mut script) = (args::command(), Vec::new());
    match shell {
        Shell::Bash => generate(shells::Bash, &mut command, "postrider", &mut script),
        Shell::Zsh => generate(shells::Zsh, &mut command, "postrider", &mut script),
        Shell::Fish => {
            generate(shells::Fish, &mut command, "postrider", &mut script);
            script.extend(left_out_for_fish(&command).bytes());
        }
    }
    Output::of(String::from_utf8_lossy(&script).trim_end().to_owned())
}

/// What clap's script for fish does not offer: the commands behind `help`, and words that stand without a flag.
fn left_out_for_fish(command: &clap::Command) -> String {
    let commands = command.get_subcommands().map(|below| below.get_name().to_owned());
    let mut offers = vec![("help", commands.collect::<Vec<_>>())];
    for below in command.get_subcommands() {
        let values = below.get_positionals().flat_map(clap::Arg::get_possible_values);
        offers.push((below.get_name(), values.map(|value| value.get_name().to_owned()).collect()));
    }
    let lines = offers.iter().filter(|(_, words)| !words.is_empty()).map(|(name, words)| {
        format!(
            "complete -c postrider -n \"__fish_postrider_using_subcommand {name}; and test (count (commandline -opc)) \
             -eq 2\" -f -a \"{}\"\n",
            words.join(" ")
        )
    });
    lines.collect::<Vec<_>>().concat()
}

/// The manual page of a command, named by its words; of the whole program without any.
///
/// # Errors
/// There is no such command.
pub fn page(words: &[String]) -> Result<Output, String> {
    let mut whole = whole();
    whole.build();
    let found = words.iter().try_fold(&whole, |command, word| command.find_subcommand(word));
    let command =
        found.ok_or_else(|| format!("there is no command {:?}: see `postrider --help`", words.join(" ")))?;
    let mut page = Vec::new();
    let rendered = Man::new(command.clone()).source(source()).manual("Postrider").render(&mut page);
    rendered.map_err(|error| error.to_string())?;
    Ok(Output::of(String::from_utf8_lossy(&page).trim_end().to_owned()))
}

/// Writes a page for every command into a folder, which is made if it is not there.
///
/// # Errors
/// The folder or a file in it cannot be written.
pub fn pages(folder: &Path) -> Result<Output, String> {
    let failed = |error: io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut whole = whole();
    whole.build();
    let count = write(&whole, folder).map_err(failed)?;
    Ok(Output::remark(format!("Wrote {count} pages into {}.", folder.display())))
}

fn write(command: &clap::Command, folder: &Path) -> io::Result<usize> {
    Man::new(command.clone()).source(source()).manual("Postrider").generate_to(folder)?;
    let below = command.get_subcommands().filter(|command| !command.is_hide_set());
    below.map(|command| write(command, folder)).sum::<io::Result<usize>>().map(|count| count + 1)
}

fn whole() -> clap::Command {
    args::command().disable_help_subcommand(true)
}

fn source() -> String {
    format!("postrider {}", env!("CARGO_PKG_VERSION"))
}

/// The description of the API.
pub fn openapi() -> Output {
    Output::of(openapi::document::build(&openapi::RESOURCES).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        fn check(command: &clap::Command, path: &mut Vec<String>) -> usize {
            let page = page(path).unwrap().result;
            assert!(page.contains(".TH postrider") && page.contains(".SH SYNOPSIS"), "{path:?}: {page}");
            let mut pages = 1;
            for below in command.get_subcommands() {
                path.push(below.get_name().to_owned());
                pages += check(below, path);
                path.pop();
            }
            pages
        }
        let pages = check(&args::command(), &mut Vec::new());
        assert!(pages > 50, "{pages}");
        assert!(page(&["fly".to_owned()]).unwrap_err().contains("\"fly\""));
    }

    #[test]
    fn each_shell_is_told_of_the_commands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = completions(shell).result;
            assert!(script.contains("rotate-secret") && script.contains("while-disabled"), "{shell:?}");
        }
    }
}
