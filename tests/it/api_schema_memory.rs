//! Data that does not fit its schema in very many places: what finding them takes of memory and of time.

use std::fs;
use std::thread;
use std::time::Duration;

use postrider::clock::Stopwatch;
use serde_json::{Value, json};

use crate::support::problem::fields;
use crate::support::server::Server;

const MEGABYTE: u64 = 1024 * 1024;
/// Publishers at once.
const AT_ONCE: usize = 8;

/// The most memory that a server has taken so far, in bytes.
fn peak(server: &Server) -> u64 {
    let text =
        fs::read_to_string(format!("/proc/{}/status", server.process.pid())).expect("a process that runs");
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the field");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// A list of so many of these, as text: the body of an event is a quarter of a megabyte.
fn list(item: &str, count: usize) -> String {
    format!("[{}]", vec![item; count].join(","))
}

/// The wrong fields that eight publishers at once are told about, and what they cost.
fn cost(schema: &Value, data: &str) -> (Vec<String>, u64, Duration) {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let server = Server::on(&temp.path().join("data"));
    server.client.send_json("PUT", "/api/v1/event-types/t", &json!({ "schema": schema })).expect(201);
    let body = format!("{{\"type\":\"t\",\"data\":{data}}}");
    let (before, watch) = (peak(&server), Stopwatch::start());
    let answers: Vec<Vec<String>> = thread::scope(|scope| {
        let publish = || {
            let headers = [("Content-Type", "application/json")];
            fields(
                &server.client.request("POST", "/api/v1/events", &headers, Some(body.as_bytes())).expect(422),
            )
        };
        let publishers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(publish)).collect();
        publishers.into_iter().map(|publisher| publisher.join().expect("an answer")).collect()
    });
    let (took, peak) = (watch.elapsed(), peak(&server) - before);
    println!("{} MB more, {took:?}", peak / MEGABYTE);
    server.stop();
    (answers.into_iter().next().expect("eight"), peak, took)
}

#[test]
fn very_many_violations_take_little_memory_and_little_time() {
    let names = |count: usize| (0..count).map(|n| format!("field_{n}")).collect::<Vec<_>>();
    let required =
        |count| json!({ "type": "array", "items": { "type": "object", "required": names(count) } });
    let all_of = json!({ "items": { "allOf": vec![json!({ "type": "string" }); 12] } });
    let any_of = json!({ "anyOf": [{ "items": { "type": "string" } }, { "items": { "type": "null" } }] });
    for (schema, data, first) in [
        (required(20), list("{}", 85_000), "data[0].field_0"),
        // Too many looks: 4,000 names times 85,000 values.
        (required(4_000), list("{}", 85_000), "data"),
        (required(4_000), list("{}", 5_000), "data[0].field_0"),
        (all_of, list("1", 125_000), "data[0]"),
        (any_of, list("1", 125_000), "data"),
        // As many as can be told one by one.
        (json!({ "items": { "type": "string" } }), list("1", 9_000), "data[0]"),
    ] {
        let (told, peak, took) = cost(&schema, &data);
        assert_eq!(told[0], first);
        assert!(peak < 200 * MEGABYTE, "{first}: {} MB", peak / MEGABYTE);
        assert!(took < Duration::from_mins(1), "{first}: {took:?}");
    }
}
