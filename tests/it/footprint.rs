//! What the program may take of a small machine: size, memory, time to start.
//!
//! The limits hold for what ships, which `tests/run` names in `POSTRIDER_BIN`. A build for debugging is held to
//! bounds that only catch what is out of all proportion. Times are bounded widely: other tests run beside this one.

use std::fs;
use std::time::Duration;

use crate::support::console;
use crate::support::program::program;
use crate::support::server::{Server, Start};

const MEGABYTE: u64 = 1024 * 1024;

/// Whether the program under test is the one that ships.
fn ships() -> bool {
    std::env::var_os("POSTRIDER_BIN").is_some()
}

/// A figure of `/proc/PID/status` or `smaps_rollup`, in bytes.
fn memory(server: &Server, file: &str, field: &str) -> u64 {
    let path = format!("/proc/{}/{file}", server.process.pid());
    let text = fs::read_to_string(&path).expect("a process that runs");
    let line = text.lines().find_map(|line| line.strip_prefix(field)).expect("the field");
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes * 1024
}

#[test]
fn the_program_is_small() {
    let size = fs::metadata(program().get_program()).expect("the program").len();
    println!("the program has {size} bytes");
    // With the console; what has no part in an event's way is compiled for size.
    let limit = if ships() { 24 } else { 300 };
    assert!(size < limit * MEGABYTE, "{size} bytes");
}

#[test]
fn wrong_passwords_take_no_memory_that_stays() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let server = Start::on(&temp.path().join("data"))
        .with("POSTRIDER_ADMIN_EMAIL", "ada@example.com")
        .with("POSTRIDER_ADMIN_PASSWORD", "correct horse")
        .start();
    let address = server.client.get("/login").expect(200);
    let cookie =
        address.header("set-cookie").and_then(|line| line.split(';').next()).expect("a cookie").to_owned();
    let csrf = console::value(address.text(), "csrf");
    let before = memory(&server, "status", "VmRSS:");
    let mut hashed = 0;
    for account in 0..40 {
        let body = format!("csrf={csrf}&email=nobody{account}%40example.com&password=wrong+password");
        let headers = [
            ("Cookie", cookie.as_str()),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Accept", "text/html"),
        ];
        let answer = server.client.request("POST", "/login", &headers, Some(body.as_bytes()));
        hashed += u32::from(answer.status == 401);
    }
    assert!(hashed >= 5, "{hashed}");
    let grown = memory(&server, "status", "VmRSS:").saturating_sub(before);
    assert!(grown < 16 * MEGABYTE, "{grown} bytes after {hashed} hashes");
    server.stop();
}

#[test]
fn an_idle_server_needs_little_memory() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let server = Server::on(&temp.path().join("data"));
    server.client.get("/readyz").expect(200);
    server.get("/endpoints");
    let resident = memory(&server, "status", "VmRSS:");
    println!("resident: {resident} bytes, of that its own: {}", memory(&server, "smaps_rollup", "Pss:"));
    let limit = if ships() { 20 } else { 60 };
    assert!(resident < limit * MEGABYTE, "{resident} bytes");
    server.stop();
}

#[test]
fn a_server_is_ready_soon_on_an_empty_directory_and_on_a_used_one() {
    let mut first = Vec::new();
    let mut again = Vec::new();
    for _ in 0..7 {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let start = Start::on(&temp.path().join("data"));
        for times in [&mut first, &mut again] {
            let server = start.start();
            server.client.get("/readyz").expect(200);
            times.push(server.ready_after);
            server.stop();
        }
    }
    for (what, times) in [("an empty", &mut first), ("a used", &mut again)] {
        times.sort();
        println!("ready on {what} directory after {times:?}");
        // The promise is tested where nothing else runs; this guards against decay by an order.
        assert!(times[0] < Duration::from_secs(3), "{times:?}");
    }
}
