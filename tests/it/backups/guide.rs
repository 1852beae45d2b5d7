//! The page "Backup, restore, moving": its commands, run as they stand there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;

use crate::support::client::Client;
use crate::support::guide;
use crate::support::program::program;
use crate::support::receiver::{Receiver, Reply};
use crate::support::server::{Server, Start};

pub const PAGE: &str = include_str!("../../../templates/docs/backup.md");
const MOVING: &str = include_str!("../../../templates/docs/moving.md");
/// The key in the commands of all guides.
const KEY: &str = "pr_only_for_trying_it_out_0";

/// Runs a block of the page in this folder, where `postrider` is the program of the test.
#[track_caller]
pub fn run(folder: &Path, mark: &str, replaced: &[(&str, &str)]) -> String {
    let bin = folder.join("bin");
    if !bin.exists() {
        fs::create_dir(&bin).expect("a folder");
        symlink(program().get_program(), bin.join("postrider")).expect("a link");
    }
    let mut block = guide::block(PAGE, &format!("sh {mark}")).to_owned();
    for (from, to) in replaced {
        assert!(block.contains(from), "{mark} has no {from}");
        block = block.replace(from, to);
    }
    let path = format!("export PATH=\"{}:$PATH\"", bin.display());
    guide::run(&format!("{path}\nset -o pipefail\n{}\n{block}", guide::block(MOVING, "sh prelude")), folder)
}

fn server(data: &Path) -> Server {
    let mut server = Start::on(data).with("POSTRIDER_API_KEY", KEY).start();
    server.client = Client::tcp(server.address).with_key(KEY);
    server
}

#[test]
fn backups_are_made_copied_away_and_restored_as_the_page_says() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (folder, data) = (dir.path(), dir.path().join("postrider-data"));
    let (running, receiver) = (server(&data), Receiver::start());
    receiver.always(Reply::status(500));
    running.endpoint(&receiver.url("/"), &json!({ "retry_schedule": [100_000] }));
    running.publish(&json!(1)).expect(202);
    receiver.wait_for(1);
    run(folder, "backup", &[]);
    for file in ["before-the-change.db.gz", "elsewhere.db.gz"] {
        assert!(fs::read(folder.join(file)).expect("a file").starts_with(&[0x1f, 0x8b]), "{file}");
    }
    let address = running.address.to_string();
    let answers = run(folder, "api", &[("localhost:8383", &address)]);
    assert!(answers.contains("\"status\":\"running\"") && answers.contains("\"by\":\"cli:"), "{answers}");
    let elsewhere = folder.join("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    run(folder, "away", &[("/mnt/elsewhere/", elsewhere.to_str().expect("a path"))]);
    assert!(fs::read_dir(&elsewhere).expect("a folder").count() > 0);
    running.stop();
    let said = run(folder, "restore", &[]);
    assert!(said.contains("held now: 1."), "{said}");
    let running = server(&data);
    let address = running.address.to_string();
    assert_eq!(running.get("/deliveries?status=held")["data"].as_array().map(Vec::len), Some(1));
    receiver.always(Reply::ok());
    run(folder, "release", &[("localhost:8383", &address)]);
    receiver.wait_for(2);
    running.stop();
}

#[test]
fn a_server_moves_with_all_that_it_has_as_the_page_says() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (folder, old, new) = (dir.path(), dir.path().join("old"), dir.path().join("new"));
    let (running, receiver) = (server(&old), Receiver::start());
    receiver.always(Reply::status(500));
    running.endpoint(&receiver.url("/"), &json!({ "retry_schedule": [100_000] }));
    running.publish(&json!(1)).expect(202);
    receiver.wait_for(1);
    // Whoever has started a process is who knows that it has ended.
    let mut process = running.process;
    let reaper = std::thread::spawn(move || process.wait_for_end(crate::support::process::PATIENCE));
    let said = run(folder, "move", &[]);
    assert!(reaper.join().expect("its end").status.success());
    assert!(said.contains("will be sent: 1."), "{said}");
    let running = server(&new);
    assert_eq!(running.get("/deliveries?status=retrying")["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        fs::read(old.join("secret.key")).expect("a key"),
        fs::read(new.join("secret.key")).expect("a key")
    );
    running.stop();
}
