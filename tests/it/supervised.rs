//! The program under a service manager, and asked for its health: `sd_notify`, `postrider health`.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;

use serde_json::json;

use crate::support::process::{PATIENCE, Process, until};
use crate::support::program::program;
use crate::support::server::{Server, Start};

/// Reads what is told until a line is so.
#[track_caller]
fn told(manager: &UnixDatagram, line: &str) -> String {
    manager.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let mut bytes = [0; 4096];
    loop {
        let count = manager.recv(&mut bytes).unwrap_or_else(|error| panic!("waited for {line}: {error}"));
        let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
        if text.lines().any(|there| there.starts_with(line)) {
            return text;
        }
    }
}

#[test]
fn a_service_manager_hears_that_it_is_ready_well_and_stopping() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let path = temp.path().join("notify");
    let name = format!("postrider-test-{}", std::process::id());
    let abstract_name = SocketAddr::from_abstract_name(&name).expect("a name");
    for (variable, manager) in [
        (path.to_str().expect("a path").to_owned(), UnixDatagram::bind(&path).expect("a socket")),
        (format!("@{name}"), UnixDatagram::bind_addr(&abstract_name).expect("a socket")),
    ] {
        let data = temp.path().join("data");
        let server = Start::on(&data).with("NOTIFY_SOCKET", &variable).with("WATCHDOG_USEC", "60000").start();
        let ready = told(&manager, "READY=1");
        assert!(ready.contains("STATUS=accepting; "), "{ready}");
        assert_eq!(server.readiness().0, 200);
        for _ in 0..3 {
            told(&manager, "WATCHDOG=1");
        }
        server.endpoint(
            "http://127.0.0.1:1025/",
            &json!({ "tenant": variable.trim_start_matches(['/', '@']).replace('/', "-") }),
        );
        told(&manager, "STATUS=accepting; ");
        server.terminate();
        told(&manager, "STOPPING=1");
        server.stop();
    }
}

#[test]
fn a_manager_that_wants_no_watchdog_gets_none_and_one_that_is_gone_does_no_harm() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let path = temp.path().join("notify");
    let data = temp.path().join("data");
    let manager = UnixDatagram::bind(&path).expect("a socket");
    let start = Start::on(&data).with("NOTIFY_SOCKET", path.to_str().expect("a path"));
    let server = start.clone().with("WATCHDOG_USEC", "1000").with("WATCHDOG_PID", "1").start();
    assert!(!told(&manager, "READY=1").contains("WATCHDOG"));
    server.terminate();
    assert!(!told(&manager, "").contains("WATCHDOG=1"), "the watchdog of process 1 is not ours");
    server.stop();

    drop(manager);
    let server = start.start();
    server.process.wait_for_log("the service manager (NOTIFY_SOCKET) cannot be reached", 1);
    assert_eq!(server.readiness().0, 200);
    server.stop();
}

fn health(data: &Path) -> (Option<i32>, String, String) {
    let mut process = Process::spawn(program().arg("health").arg("--data").arg(data));
    let ended = process.wait_for_end(PATIENCE);
    (ended.status.code(), ended.out, ended.err)
}

#[test]
fn health_is_asked_of_the_running_server_and_opens_no_file_itself() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    let (code, out, err) = health(&data);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("no server listens") && !data.exists(), "{err}");
    let server = Server::on(&data);
    assert_eq!(health(&data), (Some(0), "ready\n".to_owned(), String::new()));
    server.stop();
    assert_eq!(health(&data).0, Some(1));
}

#[test]
fn health_tells_a_server_that_accepts_and_cannot_send_from_one_that_does_not_accept() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    // Nobody listens there.
    let server = Start::on(&data).with("POSTRIDER_EGRESS_PROXY", "http://127.0.0.1:1").start();
    server.endpoint("http://127.0.0.1:1025/", &json!({}));
    assert_eq!(health(&data).0, Some(0));
    server.publish(&json!(1)).expect(202);
    until("the trouble", PATIENCE, || (server.readiness().0 == 503).then_some(()));
    let (code, out, err) = health(&data);
    assert!((code, out.as_str()) == (Some(3), "") && err.contains("deliveries fail on this side"), "{err}");
    server.publish(&json!(2)).expect(202);
    server.stop();
}
