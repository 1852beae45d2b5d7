//! A command as clap reads it, from the description of its call.

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, Command};
use std::fmt::Write as _;

use crate::web::openapi::json::Json;
use crate::web::openapi::operation::{Operation, Place};

use super::kinds::{self, Kind};
use super::{Ability, Call, Shows};

/// Ids of the arguments that every such command has.
pub(super) const DATA: &str = "own:data";
pub(super) const URL: &str = "own:url";
pub(super) const KEY: &str = "own:key";
pub(super) const EXTRA_CA: &str = "own:extra-ca";
pub(super) const JSON: &str = "own:json";
pub(super) const YES: &str = "own:yes";
pub(super) const ALL: &str = "own:all";
pub(super) const LIMIT: &str = "own:limit";
pub(super) const WAIT: &str = "own:wait";
pub(super) const RESET: &str = "own:reset";
pub(super) const FROM: &str = "own:from";

/// What stands above the flags that say which server is meant.
const SERVER: &str = "Server";

/// The id of a field's argument.
pub(super) fn of_field(name: &str) -> String {
    format!("field:{name}")
}

/// The id of a parameter's argument.
pub(super) fn of_parameter(name: &str) -> String {
    format!("parameter:{name}")
}

/// The flag of a field: as the API names it, without a unit that a duration has itself.
pub(super) fn flag(call: &Call, name: &str) -> String {
    let renamed = call.renamed.iter().find(|(field, _)| *field == name).map(|(_, flag)| *flag);
    renamed.unwrap_or(name.strip_suffix("_seconds").unwrap_or(name)).replace('_', "-").to_ascii_lowercase()
}

/// The command without its flags.
pub(super) fn bare(call: &Call) -> Command {
    let described = || call.described().map(|operation| operation.summary).unwrap_or_default();
    Command::new(call.name).about(if call.about.is_empty() { described() } else { call.about })
}

/// The whole command.
pub(super) fn command(call: &Call) -> Command {
    let mut command = bare(call);
    let Some(operation) = call.described() else { return command };
    let is_list = matches!(call.shows, Shows::Rows(_));
    for parameter in &operation.parameters {
        let (name, about) = (parameter.name, plain(parameter.about));
        let paged = operation.parameters.iter().any(|parameter| parameter.name == "cursor");
        command = match parameter.place {
            Place::Path => {
                command.arg(Arg::new(of_parameter(name)).value_name(upper(name)).help(about).required(true))
            }
            _ if is_list && paged && name == "limit" => command.args(paging()),
            Place::Query | Place::Header => {
                command.arg(parameter_flag(call, name, &parameter.schema.0, &about))
            }
        };
    }
    if let Some(body) = &operation.body {
        let fields = kinds::fields(&body.schema.0);
        for field in &fields {
            command = command.arg(field_argument(call, *field));
        }
        command = command.args(whole_body(operation, fields.is_empty()));
    }
    // Below the flags: a long text above them would spread them over the page, one here and one there.
    let about =
        if operation.about.is_empty() { String::new() } else { format!("{}\n\n", plain(operation.about)) };
    let help = format!("{about}{}", examples(call));
    command.args(special(call)).args(server(call.takes_data())).after_help(help)
}

/// What stands for a value without a flag.
pub(super) fn upper(name: &str) -> String {
    name.to_ascii_uppercase().replace('_', "-")
}

/// Words of the reference, which is Markdown.
fn plain(about: &str) -> String {
    about.replace('`', "")
}

fn parameter_flag(call: &Call, name: &str, schema: &Json, about: &str) -> Arg {
    let kind = Kind::of(name, schema);
    let help = format!("{about}{}", allowed(schema, kind));
    shaped(Arg::new(of_parameter(name)).long(flag(call, name)).help(help), kind)
}

fn field_argument(call: &Call, field: kinds::Field<'_>) -> Arg {
    let about = field.schema.get("description").and_then(Json::text).unwrap_or_default();
    let kind = Kind::of(field.name, field.schema);
    let help = format!("{}{}", plain(about), allowed(field.schema, kind));
    let argument = Arg::new(of_field(field.name)).help(help);
    let argument = if field.required { argument.required_unless_present(FROM) } else { argument };
    if call.words.contains(&field.name) {
        return argument.value_name(upper(field.name));
    }
    shaped(argument.long(flag(call, field.name)), kind)
}

/// What a flag takes, as clap knows it. Whether it is allowed is for the API to say.
fn shaped(argument: Arg, kind: Kind) -> Arg {
    let argument = argument.value_name(kind.stands_for()).allow_negative_numbers(true);
    match kind {
        Kind::Flag => argument
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(["true", "false"]),
        _ if kind.has_commas() => argument.value_delimiter(',').action(ArgAction::Append),
        _ if kind.is_many() => argument.action(ArgAction::Append),
        _ => argument,
    }
}

/// The words that a field may be, and what it is when it is absent.
fn allowed(schema: &Json, kind: Kind) -> String {
    let schema = kinds::resolved(schema);
    let words = schema
        .get("enum")
        .or_else(|| schema.get("items").map(kinds::resolved).and_then(|items| items.get("enum")));
    let words: Vec<&str> = words.map(Json::items).unwrap_or_default().iter().filter_map(Json::text).collect();
    let default = schema.get("default").filter(|default| **default != Json::Null);
    let mut said = String::new();
    if !words.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(said, " [{}]", words.join(", "));
    }
    if let Some(default) = default {
        let shown = default.text().map_or_else(|| default.to_string(), str::to_owned);
        let unit = if kind == Kind::Seconds { "s" } else { "" };
        let _ = write!(said, " [default: {shown}{unit}]");
    }
    said
}

fn paging() -> [Arg; 2] {
    let number = ValueParser::from(clap::value_parser!(u32).range(1..));
    [
        Arg::new(LIMIT)
            .long("limit")
            .value_name("N")
            .value_parser(number)
            .help("Rows at most, over as many pages as it takes [default: 50]"),
        Arg::new(ALL).long("all").action(ArgAction::SetTrue).conflicts_with(LIMIT).help("All rows"),
    ]
}

/// `--from`, and `--reset` where null means the default.
fn whole_body(operation: &Operation, empty: bool) -> Vec<Arg> {
    if empty {
        return Vec::new();
    }
    let from = Arg::new(FROM)
        .long("from")
        .value_name("JSON|@FILE|-")
        .help("The whole body of the call as JSON; flags beside it replace its fields");
    let reset = Arg::new(RESET)
        .long("reset")
        .value_name("FIELD,…")
        .value_delimiter(',')
        .action(ArgAction::Append)
        .help("Fields that get their defaults again");
    if operation.method == "PATCH" { vec![from, reset] } else { vec![from] }
}

fn special(call: &Call) -> Vec<Arg> {
    let mut all = vec![
        Arg::new(JSON)
            .long("json")
            .action(ArgAction::SetTrue)
            .help("Print the API's answer, one JSON document, for programs"),
    ];
    if call.asks.is_some() {
        let help = "Do not ask; needed where nobody can be asked";
        all.push(Arg::new(YES).long("yes").short('y').action(ArgAction::SetTrue).help(help));
    }
    if call.ability == Ability::Long && !matches!(call.shows, Shows::Cleaned) {
        all.push(Arg::new(WAIT).long("wait").action(ArgAction::SetTrue).help("Wait until it is done"));
    }
    all
}

/// Which server is meant. Where `--data` is the event's, the folder is `--data-dir` alone.
fn server(takes_data: bool) -> [Arg; 4] {
    let folder = Arg::new(DATA).value_name("DIR").help(
        "The data directory of the server on this machine [default: ./postrider-data, or without one /var/lib/postrider] [env: POSTRIDER_DATA]",
    );
    let folder =
        if takes_data { folder.long("data-dir") } else { folder.long("data").visible_alias("data-dir") };
    [
        folder,
        Arg::new(URL)
            .long("url")
            .value_name("URL")
            .conflicts_with(DATA)
            .help("A server that is reached by its URL instead [env: POSTRIDER_URL]"),
        Arg::new(KEY)
            .long("key")
            .value_name("KEY")
            .help("An API key of that server; better in the variable, which other users do not see [env: POSTRIDER_KEY]"),
        Arg::new(EXTRA_CA)
            .long("extra-ca")
            .value_name("FILE")
            .help("PEM certificates that are trusted for it besides the public ones [env: POSTRIDER_EXTRA_CA]"),
    ]
    .map(|argument| argument.help_heading(SERVER))
}

fn examples(call: &Call) -> String {
    let lines = call.examples.iter().map(|(line, about)| format!("  # {about}\n  postrider {line}"));
    format!("Examples:\n{}", lines.collect::<Vec<_>>().join("\n"))
}
