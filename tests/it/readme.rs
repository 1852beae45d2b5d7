//! The README's commands, run as they stand there.

use std::path::Path;
use std::process::Command;

use crate::support::guide;
use crate::support::port;
use crate::support::program::program;
use crate::support::server::Start;

const README: &str = include_str!("../../README.md");

/// The commands in the first block after a heading.
fn commands(heading: &str) -> &'static str {
    let after = README.split_once(heading).expect("the heading").1;
    after.split_once("```sh\n").expect("a block").1.split_once("```").expect("its end").0
}

#[test]
fn the_first_delivery_of_the_readme_arrives() {
    let key = README.split_once("POSTRIDER_API_KEY=").expect("a key").1.split_whitespace().next().unwrap();
    assert!(commands("## The first delivery").contains(key), "both blocks use the same key");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Start::on(&dir.path().join("data")).with("POSTRIDER_API_KEY", key).start();
    let free = port::free();
    let script = commands("## The first delivery")
        .replace("localhost:8383", &server.address.to_string())
        .replace("9000", &free.port().to_string());

    let shell = Command::new("bash").arg("-c").arg(format!("{script}\nkill $!")).output().expect("bash");

    let out = String::from_utf8_lossy(&shell.stdout);
    let answers = out
        .lines()
        .filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok_and(|it| it.is_object()));
    assert!(answers.count() >= 3, "each answer on a line of its own: {out}");
    assert!(out.contains("webhook-signature: v1,"), "{out}{}", String::from_utf8_lossy(&shell.stderr));
    assert!(out.contains(r#""data":{"order": 17, "total": 29.90}"#), "{out}");
    assert!(out.contains(r#""status":"delivered""#), "{out}");
}

#[test]
fn the_readme_names_the_two_commands_that_do_everything() {
    assert!(commands("## Run it").contains("cargo run --release -- serve --dev"));
    assert!(README.contains("`cargo run --release -- demo`"), "what there is to see before anything else");
    assert_eq!(commands("## Test it").trim(), "tests/run");
}

#[test]
fn every_link_of_the_readme_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let links = README.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let own: Vec<_> = links.filter(|link| !link.starts_with("https://")).collect();
    assert!(own.len() >= 10, "{own:?}");
    for link in own {
        assert!(root.join(link).exists(), "the README links to {link}, which is not there");
    }
}

#[test]
fn whoever_contributes_is_told_the_same_two_commands() {
    let page = include_str!("../../templates/docs/contributing.md");
    let shown: Vec<_> = guide::block(page, "sh shown").lines().collect();
    let run = commands("## Run it").split_once(' ').expect("the key before the command").1.trim();
    assert_eq!(shown, [run, commands("## Test it").trim()]);
}

#[test]
fn the_page_about_testing_explains_every_flag_of_the_receiver() {
    let page = include_str!("../../templates/docs/testing.md");
    let help = program().args(["listen", "--help"]).output().expect("the program can be started");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let flags: Vec<_> =
        help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2).collect();
    assert!(flags.len() >= 9, "{help}");
    for flag in
        flags.iter().map(|flag| flag.trim_end_matches([',', ';', '.'])).filter(|flag| *flag != "--help")
    {
        assert!(page.contains(&format!("`{flag}")), "{flag} is not in the page");
    }
}
