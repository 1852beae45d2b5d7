//! Commands that make a call of the API: a table ([`groups`]) says which, and all else follows from the API's own
//! description (`web/openapi`): flags from parameters and bodies ([`flags`]), requests from flags ([`wanted`]), tables
//! and fields from answers ([`shown`]), and refusals in the words that were typed ([`refusal`]).
//!
//! *Add a command:* its `Operation` is there already; a line in the table with what is shown of the answer and an
//! example. Nothing is validated here: the API says what is wrong, field by field.

mod admin;
mod flags;
mod groups;
mod kinds;
mod reading;
mod refusal;
mod run;
mod shown;
mod wanted;

use clap::{ArgMatches, Command};

use crate::config::Environment;
use crate::domain::time::UnixMs;
use crate::web::openapi::RESOURCES;
use crate::web::openapi::operation::Operation;

pub use run::{Failed, call, carry_out};
pub(super) use wanted::event;
pub use wanted::{Refused, Wanted};

/// A command with subcommands.
pub(super) struct Group {
    /// As it is typed.
    pub(super) name: &'static str,
    /// What it is about.
    pub(super) about: &'static str,
    /// Its subcommands.
    pub(super) calls: &'static [Call],
}

/// A command that makes one call.
#[derive(Debug, PartialEq, Eq)]
pub struct Call {
    /// As it is typed.
    name: &'static str,
    /// What it does, where the description's own words say too little without their resource.
    about: &'static str,
    /// The call, by its name in the description.
    operation: &'static str,
    /// What of the answer is shown, and how.
    shows: Shows,
    /// Fields of the body that stand without a flag, behind those of the path.
    words: &'static [&'static str],
    /// Flags with a name of their own, because the field's means something else here.
    renamed: &'static [(&'static str, &'static str)],
    /// What the id in the path begins with, where only our own ids are taken: `key`.
    id_of: Option<&'static str>,
    /// The question that a person is asked first; `{}` is what it is about.
    asks: Option<&'static str>,
    /// The field's value with which alone it is asked.
    asks_with: Option<(&'static str, &'static str)>,
    /// What it can do that not every call can.
    ability: Ability,
    /// Lines for the help, with what they do, each without the program's name.
    examples: &'static [(&'static str, &'static str)],
}

/// How an answer looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    /// A list, in these columns.
    Rows(&'static [&'static str]),
    /// One thing, field by field, and lists in it as tables of these columns.
    One(&'static [(&'static str, &'static [&'static str])]),
    /// A key: its text alone is the result.
    Key,
    /// A text as it is.
    Text,
    /// A sentence; `{}` is what it is about.
    Done(&'static str),
    /// The same of what was canceled, unless the answer says that it had ended before.
    Ended(&'static str),
    /// An event that was accepted.
    Accepted,
    /// What a cleanup did.
    Cleaned,
}

/// What a call can do or needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ability {
    /// Nothing special.
    Plain,
    /// Is under way for long; can be waited for.
    Long,
    /// Sends something at once, which only a server does that runs, and fails where the answer says so.
    Judges,
}

impl Call {
    const fn new(name: &'static str, operation: &'static str, shows: Shows) -> Self {
        let (about, ability) = ("", Ability::Plain);
        let (id_of, asks, asks_with) = (None, None, None);
        let (words, renamed, examples): (&[_], &[_], &[_]) = (&[], &[], &[]);
        Self { name, about, operation, shows, words, renamed, id_of, asks, asks_with, ability, examples }
    }

    const fn says(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    const fn words(self, words: &'static [&'static str]) -> Self {
        Self { words, ..self }
    }

    const fn renamed(self, renamed: &'static [(&'static str, &'static str)]) -> Self {
        Self { renamed, ..self }
    }

    const fn only_ids_of(self, kind: &'static str) -> Self {
        Self { id_of: Some(kind), ..self }
    }

    const fn asks(self, question: &'static str) -> Self {
        Self { asks: Some(question), ..self }
    }

    const fn asks_with(self, value: (&'static str, &'static str), question: &'static str) -> Self {
        Self { asks: Some(question), asks_with: Some(value), ..self }
    }

    const fn that(self, ability: Ability) -> Self {
        Self { ability, ..self }
    }

    const fn example(self, examples: &'static [(&'static str, &'static str)]) -> Self {
        Self { examples, ..self }
    }

    /// Whether a field of it is called as the data directory is elsewhere.
    fn takes_data(&self) -> bool {
        let body = self.described().and_then(|operation| operation.body.as_ref());
        body.is_some_and(|body| kinds::fields(&body.schema.0).iter().any(|field| field.name == "data"))
    }

    /// The call's description. A test holds that there is one for each line of the table.
    fn described(&self) -> Option<&'static Operation> {
        let all = RESOURCES.iter().flat_map(|resource| &resource.operations);
        all.into_iter().find(|operation| operation.id == self.operation)
    }
}

/// The commands, with all that belongs to them where `with_flags` says so for their name: describing every flag takes
/// time that `postrider serve` need not spend.
pub(super) fn commands(with_flags: &dyn Fn(&str) -> bool) -> Vec<Command> {
    let group = |group: &Group| {
        let command = Command::new(group.name).about(group.about).arg_required_else_help(true);
        let command = command.subcommand_required(true);
        if with_flags(group.name) {
            command.subcommands(group.calls.iter().map(flags::command))
        } else {
            command
        }
    };
    let single = |call: &'static Call| {
        if with_flags(call.name) { flags::command(call) } else { flags::bare(call) }
    };
    groups::GROUPS.iter().map(group).chain(groups::SINGLE.iter().map(single)).collect()
}

/// What a command of the table asks for; `None`: it is not of the table.
///
/// # Errors
/// See [`Refused`].
pub(super) fn read(matches: &ArgMatches, env: &Environment, now: UnixMs) -> Option<Result<Wanted, Refused>> {
    let (name, matches) = matches.subcommand()?;
    if let Some(call) = groups::SINGLE.iter().find(|call| call.name == name) {
        return Some(wanted::read(&[call.name], call, matches, env, now));
    }
    let group = groups::GROUPS.iter().find(|group| group.name == name)?;
    let (name, matches) = matches.subcommand()?;
    let call = group.calls.iter().find(|call| call.name == name)?;
    Some(wanted::read(&[group.name, call.name], call, matches, env, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_its_call_and_every_example_can_be_read() {
        let mut calls: Vec<(String, &Call)> =
            groups::SINGLE.iter().map(|call| (call.name.to_owned(), call)).collect();
        for group in groups::GROUPS {
            calls.extend(group.calls.iter().map(|call| (format!("{} {}", group.name, call.name), call)));
        }
        let env = Environment::of(&[]);
        for (name, call) in calls {
            assert!(call.described().is_some(), "{name}: {}", call.operation);
            assert!(!call.examples.is_empty(), "{name} has no example");
            for (line, about) in call.examples {
                assert!(!about.is_empty() && line.starts_with(&name), "{name}: {line}");
                let all = Command::new("postrider").subcommands(commands(&|_| true));
                let words = std::iter::once("postrider".to_owned()).chain(words_of(line));
                let matches = all.try_get_matches_from(words).unwrap_or_else(|e| panic!("{line}: {e}"));
                let read = read(&matches, &env, UnixMs(1_771_857_000_000)).unwrap();
                assert!(read.is_ok() || line.contains('@'), "{line}: {:?}", read.err());
            }
        }
    }

    /// As a shell takes them apart, single quotation marks alone.
    fn words_of(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
        for c in line.chars() {
            match c {
                '\'' => quoted = !quoted,
                ' ' if !quoted => words.extend(Some(std::mem::take(&mut word)).filter(|w| !w.is_empty())),
                c => word.push(c),
            }
        }
        words.extend(Some(word).filter(|w| !w.is_empty()));
        words
    }
}
