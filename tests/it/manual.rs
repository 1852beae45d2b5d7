//! The manual: its snippets are run, its commands and calls exist, and no snippet is without somebody who runs it.

mod verifying;

use std::net::TcpListener;
use std::path::Path;

use postrider::web::docs::PAGES;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::guide;
use crate::support::program::program;
use crate::support::receiver::Receiver;
use crate::support::server::Start;

/// Every block of code in the manual, and the file of tests that runs it; the README of the examples is run by `fakes.rs`.
const BLOCKS: &[(&str, &str, &str)] = &[
    ("quick-start", "sh start", "manual.rs"),
    ("quick-start", "sh receive", "manual.rs"),
    ("quick-start", "sh endpoint", "manual.rs"),
    ("quick-start", "sh event", "manual.rs"),
    ("quick-start", "sh look", "manual.rs"),
    ("moving", "sh run", "moving.rs"),
    ("moving", "sh prelude", "moving.rs"),
    ("moving", "json phosra.json", "moving.rs"),
    ("moving", "sh phosra", "moving.rs"),
    ("moving", "json krafter.json", "moving.rs"),
    ("moving", "sh krafter", "moving.rs"),
    ("moving", "json zyra.json", "moving.rs"),
    ("moving", "sh zyra", "moving.rs"),
    ("moving", "json generic.json", "moving.rs"),
    ("moving", "sh generic", "moving.rs"),
    ("moving", "json workspaces.json", "moving.rs"),
    ("moving", "sh workspaces", "moving.rs"),
    ("receiving", "python verify", "guides.rs"),
    ("receiving", "js verify", "guides.rs"),
    ("receiving", "php verify", "guides.rs"),
    ("verifying-python", "python verify", "manual/verifying.rs"),
    ("verifying-python", "python receiver", "manual/verifying.rs"),
    ("verifying-node", "node verify", "manual/verifying.rs"),
    ("verifying-node", "js receiver", "manual/verifying.rs"),
    ("verifying-php", "php verify", "manual/verifying.rs"),
    ("verifying-php", "php receiver", "manual/verifying.rs"),
    ("verifying-ruby", "ruby verify", "manual/verifying.rs"),
    ("verifying-ruby", "ruby receiver", "manual/verifying.rs"),
    ("verifying-go", "go verify", "manual/verifying.rs"),
    ("verifying-go", "go receiver", "manual/verifying.rs"),
    ("verifying-rust", "rust verify", "manual/verifying.rs"),
    ("verifying-rust", "rust receiver", "manual/verifying.rs"),
    ("formats", "json acme.json", "guides.rs"),
    ("formats", "sh acme", "guides.rs"),
    ("formats", "json acme-body", "guides.rs"),
    ("testing", "sh listen", "listening.rs"),
    ("testing", "sh send", "manual.rs"),
    ("testing", "python webhooks.py", "fakes.rs"),
    ("testing", "python test_posts.py", "../examples/fake/README.md"),
    ("testing", "js webhooks.mjs", "fakes.rs"),
    ("testing", "js posts.test.mjs", "../examples/fake/README.md"),
    ("testing", "php Webhooks.php", "fakes.rs"),
    ("testing", "php posts_test.php", "../examples/fake/README.md"),
    ("contributing", "sh shown", "readme.rs"),
];

/// The words behind the three backquotes of each block.
fn marks(markdown: &str) -> Vec<&str> {
    let fences = markdown.lines().filter_map(|line| line.strip_prefix("```"));
    fences.enumerate().filter(|(at, _)| at % 2 == 0).map(|(_, mark)| mark).collect()
}

#[test]
fn every_block_of_code_is_run_by_a_test() {
    let mut known: Vec<_> = BLOCKS.iter().map(|(page, mark, _)| (*page, (*mark).to_owned())).collect();
    for page in PAGES {
        for mark in marks(&page.markdown()) {
            let entry = (page.name, mark.to_owned());
            let at = known.iter().position(|known| *known == entry);
            let at = at.unwrap_or_else(|| panic!("nobody runs the block {mark:?} of {}", page.name));
            known.swap_remove(at);
        }
    }
    assert!(known.is_empty(), "there are no such blocks: {known:?}");
    for (page, mark, file) in BLOCKS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(file);
        let test = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"));
        let word = mark.split_once(' ').expect("a language and a name").1;
        let word = word.split('.').next().expect("a word");
        assert!(test.contains(word), "{file} does not name {mark} of {page}");
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
    let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port");

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
    let headers: String = request.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    std::fs::write(dir.path().join("headers.txt"), headers).expect("a file");
    std::fs::write(dir.path().join("body.json"), &request.body).expect("a file");
    let secret = made["secret"].as_str().expect("a secret");
    guide::run(&verify.replace("postrider", &command).replace("whsec_…", secret), dir.path());
    std::fs::write(dir.path().join("body.json"), "{}").expect("a file");
    let refused = format!("! {}", verify.replace("postrider", &command).replace("whsec_…", secret));
    guide::run(&refused, dir.path());
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
