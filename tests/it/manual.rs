//! The manual: its snippets are run, its commands and calls exist, and no snippet is without somebody who runs it.

mod verifying;

use std::path::Path;

use postrider::web::docs::PAGES;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::guide;
use crate::support::port;
use crate::support::program::program;
use crate::support::receiver::Receiver;
use crate::support::server::Start;

/// The pages with blocks of code, and the files of tests that run them. `fakes.rs` runs the README of the examples.
const RUN_BY: &[(&str, &[&str])] = &[
    ("quick-start", &["manual.rs"]),
    ("moving", &["moving.rs"]),
    ("receiving", &["guides.rs"]),
    ("verifying-python", &["manual/verifying.rs"]),
    ("verifying-node", &["manual/verifying.rs"]),
    ("verifying-php", &["manual/verifying.rs"]),
    ("verifying-ruby", &["manual/verifying.rs"]),
    ("verifying-go", &["manual/verifying.rs"]),
    ("verifying-rust", &["manual/verifying.rs"]),
    ("testing", &["listening.rs", "manual.rs", "fakes.rs", "../examples/fake/README.md"]),
    ("formats", &["guides.rs"]),
    ("running", &["installing/guide.rs", "installing/domain.rs", "demo.rs", "container.rs"]),
    ("backup", &["backups/guide.rs", "backups/litestream.rs"]),
    ("commands", &["commands_guide.rs"]),
    ("monitoring", &["monitoring.rs"]),
    ("contributing", &["readme.rs"]),
];

/// The words behind the three backquotes of each block.
fn marks(markdown: &str) -> Vec<&str> {
    let fences = markdown.lines().filter_map(|line| line.strip_prefix("```"));
    fences.enumerate().filter(|(at, _)| at % 2 == 0).map(|(_, mark)| mark).collect()
}

#[test]
fn every_block_of_code_is_run_by_a_test() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let read = |file: &&str| {
        std::fs::read_to_string(tests.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    };
    for page in PAGES {
        let text = page.markdown();
        let marks = marks(&text);
        let Some((_, files)) = RUN_BY.iter().find(|(name, _)| *name == page.name) else {
            assert!(marks.is_empty(), "nobody runs {marks:?} of {}", page.name);
            continue;
        };
        assert!(!marks.is_empty(), "there is nothing to run in {}", page.name);
        let files: Vec<_> = files.iter().map(read).collect();
        for mark in marks {
            let word =
                mark.split_once(' ').map_or(mark, |(_, name)| name).split('.').next().unwrap_or_default();
            let found = !word.is_empty() && files.iter().any(|file| file.contains(word));
            assert!(found, "no test of {} names its block {mark:?}", page.name);
        }
    }
}

/// A page of the manual.
pub fn page(name: &str) -> String {
    PAGES.iter().find(|page| page.name == name).expect("a page").markdown().into_owned()
}

#[test]
fn the_quick_start_ends_with_a_delivery_that_was_verified() {
    let page = page("quick-start");
    let start = guide::block(&page, "sh start");
    let key =
        start.strip_prefix("POSTRIDER_API_KEY=").and_then(|rest| rest.split(' ').next()).expect("a key");
    assert!(start.ends_with(" postrider serve --dev"), "{start}");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Start::on(&dir.path().join("data")).with("POSTRIDER_API_KEY", key).start();
    let free = port::free();

    let receive =
        guide::block(&page, "sh receive").replace("postrider", &program().get_program().to_string_lossy());
    let listening =
        format!("until (: < /dev/tcp/127.0.0.1/{}) 2>/dev/null; do sleep 0.05; done", free.port());
    let blocks = ["sh endpoint", "sh event", "sh look"].map(|mark| guide::block(&page, mark));
    let until_sent = "for turn in $(seq 600)\n\
                      do api \"localhost:8383/api/v1/deliveries?status=pending\" | grep -q '\"id\"' || break; sleep 0.05; done";
    let [endpoint, event, look] = blocks;
    let script = [&receive, &listening, endpoint, event, until_sent, look, "kill $!"].join("\n");
    let script = script.replace("localhost:8383", &server.address.to_string());
    let said = guide::run(&script.replace("9000", &free.port().to_string()), dir.path());

    assert!(said.contains(r#""data":{"order": 17, "total": 29.90}"#) || said.contains("29.90"), "{said}");
    assert!(said.contains(r#""status":"delivered""#) && said.contains(r#""tenant":"acme""#), "{said}");
}

#[test]
fn what_the_page_about_testing_sends_is_published_and_what_it_verifies_holds() {
    let page = page("testing");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let data = dir.path().join("data");
    let (server, receiver) = (Start::on(&data).start(), Receiver::start());
    let made = server
        .post("/endpoints", &json!({ "url": receiver.url("/"), "events": ["order.*"] }))
        .expect(201)
        .json();
    let (send, verify) = guide::block(&page, "sh send").split_once('\n').expect("two commands");
    let command = program().get_program().to_string_lossy().into_owned();
    let send = send
        .split("  #")
        .next()
        .expect("a command")
        .replace("postrider send", &format!("{command} send --data-dir data"));
    guide::run(&send, dir.path());

    let request = receiver.next();
    let headers: Vec<_> = request.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    std::fs::write(dir.path().join("headers.txt"), headers.concat()).expect("a file");
    std::fs::write(dir.path().join("body.json"), &request.body).expect("a file");
    let secret = made["secret"].as_str().expect("a secret");
    guide::run(&verify.replace("postrider", &command).replace("whsec_…", secret), dir.path());
    std::fs::write(dir.path().join("body.json"), "{}").expect("a file");
    let refused = format!("! {}", verify.replace("postrider", &command).replace("whsec_…", secret));
    guide::run(&refused, dir.path());
}

/// The names that a forge gives the headings of a file.
fn headings(markdown: &str) -> Vec<String> {
    let mut within = false;
    let lines = markdown.lines().filter(|line| {
        within ^= line.starts_with("```");
        !within && line.starts_with('#')
    });
    let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
    let name = |line: &str| line.trim_start_matches('#').trim().to_lowercase().chars().filter(kept).collect();
    lines.map(name).map(|name: String| name.replace(' ', "-")).collect()
}

#[test]
fn the_files_of_the_manual_read_well_on_a_forge_and_every_link_leads_somewhere() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/docs");
    let read = |path: &Path| std::fs::read_to_string(path).expect("a file");
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = read(&path);
        assert!(!text.contains("{#") && !text.contains("\n%"), "signs of ours in {}", path.display());
        let mut names = headings(&text);
        names.sort_unstable();
        assert!(names.windows(2).all(|two| two[0] != two[1]), "two headings alike in {}", path.display());
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("https://") {
                continue;
            }
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let there = if file.is_empty() { path.clone() } else { folder.join(file) };
            assert!(there.is_file(), "{} links to {link}, which is not there", path.display());
            let found = place.is_empty() || headings(&read(&there)).iter().any(|name| name == place);
            assert!(found, "{} links to {link}, and there is no such heading", path.display());
            seen += 1;
        }
    }
    assert!(seen > 80, "only {seen} links");
    let contents = read(&folder.join("README.md"));
    for page in PAGES {
        assert!(contents.contains(&format!("- [{}](", page.title)), "{} is not in the contents", page.name);
    }
}

/// What stands between backquotes in running text.
fn spans(markdown: &str) -> Vec<String> {
    let mut within = false;
    let text = markdown.lines().filter(|line| {
        let fence = line.starts_with("```");
        within ^= fence;
        !within && !fence
    });
    text.flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// Whether two paths have the same form: what is in braces or in capitals stands for anything.
fn same(described: &str, written: &str) -> bool {
    let (described, written): (Vec<_>, Vec<_>) =
        (described.split('/').collect(), written.split('/').collect());
    described.len() == written.len()
        && described.iter().zip(&written).all(|(one, other)| one == other || one.starts_with('{'))
}

#[test]
fn every_call_that_is_named_is_in_the_api() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Start::on(&dir.path().join("data")).start();
    let document = Client::tcp(server.address).get("/openapi.json").expect(200).json();
    let paths = document["paths"].as_object().expect("paths");
    let mut seen = 0;
    for page in PAGES {
        for span in spans(&page.markdown()) {
            let Some((method, path)) = span.split_once(" /") else { continue };
            if !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method) {
                continue;
            }
            let path = path.split(['?', ' ']).next().expect("a path");
            // That page also names calls of the systems that one moves away from.
            if page.name == "moving" && !path.starts_with("api/v1") {
                continue;
            }
            let path = format!("/{path}");
            let full = if path.starts_with("/api/v1") || paths.contains_key(&path) {
                path
            } else {
                format!("/api/v1{path}")
            };
            let known = |(described, calls): (&String, &Value)| {
                same(described, &full) && calls.get(method.to_ascii_lowercase()).is_some()
            };
            let listen = ["/received", "/received/count"].iter().any(|own| full.ends_with(own));
            assert!(listen || paths.iter().any(known), "{} names {span}, which is not there", page.name);
            seen += 1;
        }
    }
    assert!(seen >= 20, "only {seen} calls are named");
}

/// Whether it can be the name of a command.
fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

#[test]
fn every_command_that_is_named_exists() {
    let mut seen = 0;
    for page in PAGES {
        for span in spans(&page.markdown()) {
            let Some(rest) = span.strip_prefix("postrider ") else { continue };
            let names: Vec<&str> = rest.split(' ').take_while(|word| is_name(word)).collect();
            let flags = rest.split(' ').filter(|word| word.starts_with("--") && *word != "--version");
            let ended = program().args(&names).arg("--help").output().expect("the program can be started");
            assert!(
                ended.status.success(),
                "{} names {span}: {}",
                page.name,
                String::from_utf8_lossy(&ended.stderr)
            );
            let help = String::from_utf8_lossy(&ended.stdout);
            for flag in flags {
                assert!(help.contains(flag), "{} names {span}, but there is no {flag}", page.name);
            }
            seen += 1;
        }
    }
    assert!(seen >= 5, "only {seen} commands are named");
}
