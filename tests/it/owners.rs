//! Root on a data directory that belongs to another user: what is made there is that user's, who runs the server.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::backups::{done, fails, text};
use crate::support::client::Client;
use crate::support::guide::output;
use crate::support::program::program;
use crate::support::server::{Server, Start};

/// Nobody in particular.
const USER: u32 = 61_234;

/// An empty data directory of that user, in a folder that everybody may look into.
fn folder() -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().expect("a temporary directory");
    fs::set_permissions(temp.path(), Permissions::from_mode(0o755)).expect("a folder of ours");
    let data = temp.path().join("data");
    fs::create_dir(&data).expect("a folder");
    chown(&data, Some(USER), Some(USER)).expect("these tests run as root");
    (temp, data)
}

#[track_caller]
fn belongs_to_the_user(path: &Path) {
    let found = fs::symlink_metadata(path).expect("a file");
    assert_eq!((found.uid(), found.gid()), (USER, USER), "{}", path.display());
    if found.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            belongs_to_the_user(&entry.expect("an entry").path());
        }
    }
}

/// The server as that user.
#[track_caller]
fn served(data: &Path) -> Server {
    let user = USER.to_string();
    Start::on(data).under(&["setpriv", "--reuid", &user, "--regid", &user, "--clear-groups", "--"]).start()
}

#[test]
fn what_commands_of_root_make_is_the_users_and_its_server_opens_it() {
    let (temp, data) = folder();
    served(&data).stop();
    let key = done(&data, &["keys", "create", "--name", "app", "--scopes", "events:write"]);
    assert!(key.starts_with("pr_"), "{key}");
    done(&data, &["backup", "--compress"]);
    // Where only root may write and read.
    let private = temp.path().join("private");
    fs::create_dir(&private).expect("a folder");
    fs::set_permissions(&private, Permissions::from_mode(0o700)).expect("a folder of ours");
    let (plain, whole) = (private.join("plain.db"), private.join("whole.db.gz"));
    done(&data, &["backup", text(&plain)]);
    done(&data, &["backup", "--with-key", "--compress", text(&whole)]);
    belongs_to_the_user(&data);

    done(&data, &["restore", text(&plain)]);
    belongs_to_the_user(&data);
    let server = served(&data);
    let local = Client::unix(data.join("postrider.sock"));
    local.post("/api/v1/events", &json!({ "type": "order.paid", "data": 1 })).expect(202);
    let audit = local.get("/api/v1/audit?action=backup.restore").expect(200).json();
    assert_eq!(audit["data"][0]["actor"], "cli:0", "who has done it, not as whom");
    // Beside the server, root's commands go through its socket.
    done(&data, &["backup", text(&private.join("another.db"))]);
    server.stop();
    belongs_to_the_user(&data);

    let (_temp, new) = folder();
    done(&new, &["restore", text(&whole)]);
    belongs_to_the_user(&new);
    served(&new).stop();
}

#[test]
fn a_server_that_root_starts_there_runs_as_the_user() {
    let (_temp, data) = folder();
    let server = Server::on(&data);
    let status = fs::read_to_string(format!("/proc/{}/status", server.process.pid())).expect("a process");
    for name in ["Uid", "Gid"] {
        assert!(status.contains(&format!("{name}:\t{USER}\t{USER}\t{USER}\t{USER}\n")), "{status}");
    }
    let metrics = server.client.get("/metrics").expect(200);
    assert!(metrics.text().contains("process_open_fds"), "it may look at itself");
    belongs_to_the_user(&data);
    server.stop();
    served(&data).stop();
}

#[test]
fn a_directory_of_roots_own_and_one_that_is_not_there_stay_roots() {
    let (_temp, data) = crate::backups::folder();
    Server::on(&data).stop();
    output(
        program().args(["keys", "create", "--name", "app", "--scopes", "events:write", "--data"]).arg(&data),
    );
    assert_eq!(fs::metadata(data.join("postrider.db")).expect("a file").uid(), 0);
    assert!(fails(&data, &["restore", "/nowhere.db"]).contains("nothing was touched"));
}

#[test]
fn where_root_cannot_become_the_user_it_says_as_whom_to_run() {
    let (_temp, data) = folder();
    // Root of a name space that knows no other user: the folder is nobody's there.
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user"])
        .arg(program().get_program())
        .args(["keys", "list", "--data"])
        .arg(&data);
    let ended = command.output().expect("unshare");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        !ended.status.success() && said.contains("belongs to user 65534, whom root cannot become"),
        "{said}"
    );
    assert_eq!(fs::read_dir(&data).expect("a folder").count(), 0, "nothing was made");
}
