//! Requests that are wrong in every way: each is answered with a problem document, and the server goes on.

use serde_json::json;

use crate::support::app::{KEY, TestApp};
use crate::support::client::Response;
use crate::support::problem::{self, problem};
use crate::support::routes;

/// An answer of 400 and above that is a problem, with one of these statuses.
#[track_caller]
fn refused(answer: &Response, statuses: &[u16], what: &str) {
    problem(answer, what);
    assert!(statuses.contains(&answer.status), "{what}: {}", answer.text());
}

/// The server still accepts events.
#[track_caller]
fn goes_on(app: &TestApp) {
    app.publish("still.here", &json!({ "n": 1 }));
    app.client.get("/healthz").expect(200);
}

#[test]
fn whatever_can_be_read_can_be_asked_for_without_its_body() {
    let app = TestApp::start();
    let read = |method: &str, path: &str| app.client.request(method, path, &[], None);
    let routes = routes::all().into_iter().chain(routes::console()).filter(|(method, _)| *method == "GET");
    for (_, path) in routes {
        let path = path.replace("{name:.+}", "a.b").replace(['{', '}'], "");
        let (got, head) = (read("GET", &path), read("HEAD", &path));
        assert_eq!((head.status, head.body.len()), (got.status, 0), "{path}");
        assert_eq!(head.header("Content-Type"), got.header("Content-Type"), "{path}");
    }
    let batch = read("HEAD", "/api/v1/events/batch");
    assert_eq!(batch.status, 404, "an event may have the id batch");
    let refused = read("DELETE", "/docs");
    assert_eq!((refused.status, refused.header("Allow")), (405, Some("GET, HEAD")));
}

#[test]
fn heads_that_are_not_http_are_problems() {
    let app = TestApp::start();
    let key = format!("Authorization: Bearer {KEY}\r\n");
    for bytes in [
        "GET\r\n\r\n".to_owned(),
        "GET /healthz\r\n\r\n".to_owned(),
        "GET /healthz HTTP/3.0\r\n\r\n".to_owned(),
        "GET /healthz HTTP/1.1 more\r\nHost: x\r\n\r\n".to_owned(),
        "GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "G@T /healthz HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        "GET /healthz HTTP/1.1\r\nHost x\r\n\r\n".to_owned(),
        "GET /healthz HTTP/1.1\r\n: x\r\n\r\n".to_owned(),
        "GET /healthz HTTP/1.1\r\nA B: x\r\n\r\n".to_owned(),
        "GET /healthz HTTP/1.1\r\nA : x\r\n\r\n".to_owned(),
        "GET /healthz HTTP/1.1\r\nA: x\0y\r\n\r\n".to_owned(),
        "GET /healthz HTTP/1.1\r\nA: x\r\n folded\r\n\r\n".to_owned(),
        "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET http:// HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\r\n\r\n".to_owned(),
        format!("POST /api/v1/events HTTP/1.1\r\n{key}Content-Length: -1\r\n\r\n"),
        format!("POST /api/v1/events HTTP/1.1\r\n{key}Content-Length: +2\r\n\r\n{{}}"),
        format!("POST /api/v1/events HTTP/1.1\r\n{key}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}"),
        format!("POST /api/v1/events HTTP/1.1\r\n{key}Content-Length: 99999999999999999999999\r\n\r\n{{}}"),
        format!(
            "POST /api/v1/events HTTP/1.1\r\n{key}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{{}}"
        ),
        format!("POST /api/v1/events HTTP/1.1\r\n{key}Transfer-Encoding: gzip\r\n\r\n{{}}"),
        format!("POST /api/v1/events HTTP/1.1\r\n{key}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    ] {
        let answer = app.client.raw(bytes.as_bytes(), true);
        let answer = answer.unwrap_or_else(|| panic!("no answer to {bytes:?}"));
        refused(&answer, &[400], &bytes);
    }
    goes_on(&app);
}

#[test]
fn heads_that_are_too_long_are_problems() {
    let app = TestApp::start();
    let long = "x".repeat(200_000);
    for bytes in [
        format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET /healthz?{long} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\nA: {long}\r\n\r\n"),
        format!("GET /healthz HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(101)),
        long.clone(),
    ] {
        let answer = app.client.raw(bytes.as_bytes(), true);
        let answer = answer.unwrap_or_else(|| panic!("no answer to {:?}…", &bytes[..40]));
        refused(&answer, &[400, 413], &bytes[..40]);
    }
    goes_on(&app);
}

#[test]
fn bodies_that_lie_about_themselves_are_problems() {
    let app = TestApp::start();
    let post = |headers: &str, body: &[u8]| {
        let head = format!(
            "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\
             Content-Type: application/json\r\n{headers}\r\n\r\n"
        );
        app.client.raw(&[head.as_bytes(), body].concat(), true).expect("an answer")
    };
    let chunked = "Transfer-Encoding: chunked";
    for (headers, body) in [
        ("Content-Length: 50", &b"{\"type\":\"a\",\"data\":1}"[..]),
        ("Content-Length: 5", b"{\"type\":\"a\",\"data\":1}"),
        (chunked, b"zz\r\n{}\r\n0\r\n\r\n"),
        (chunked, b"-2\r\n{}\r\n0\r\n\r\n"),
        (chunked, b"5\r\n{}\r\n0\r\n\r\n"),
        (chunked, b"2\r\n{}0\r\n\r\n"),
        (chunked, b"2\r\n{}\r\n"),
        (chunked, b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        (chunked, b""),
        (chunked, b"0\r\n\r\n"),
        ("Content-Length: 0", b""),
        ("X: no length at all", b"{\"type\":\"a\",\"data\":1}"),
    ] {
        let what = format!("{headers} {}", String::from_utf8_lossy(body));
        refused(&post(headers, body), &[400], &what);
    }
    let large = post("Content-Length: 30000000", &vec![b' '; 30_000_000]);
    refused(&large, &[413], "a body that is far too large");
    let chunks = [b"f4240\r\n".as_slice(), &vec![b' '; 1_000_000], b"\r\n0\r\n\r\n"].concat();
    refused(&post(chunked, &chunks), &[413], "chunks that are too large");
    let honest = post(chunked, b"15\r\n{\"type\":\"a\",\"data\":1}\r\n0\r\n\r\n");
    assert_eq!(honest.status, 202, "{}", honest.text());
    goes_on(&app);
}

#[test]
fn bodies_that_are_not_json_are_problems() {
    let app = TestApp::start();
    let deep = |open: &str, close: &str| {
        format!("{{\"type\":\"a\",\"data\":{}1{}}}", open.repeat(100_000), close.repeat(100_000)).into_bytes()
    };
    for body in [
        b"".to_vec(),
        b" ".to_vec(),
        b"{".to_vec(),
        b"[]".to_vec(),
        b"null".to_vec(),
        b"\"text\"".to_vec(),
        b"{}{}".to_vec(),
        b"{\"type\":\"a\",\"data\":1,}".to_vec(),
        b"{\"type\":\"a\",\"data\":01}".to_vec(),
        b"{\"type\":\"a\",\"data\":NaN}".to_vec(),
        b"{\"type\":\"a\",\"data\":'x'}".to_vec(),
        b"{\"type\":\"a\",\"data\":\"\\x\"}".to_vec(),
        b"{\"type\":\"a\",\"data\":\"\0\"}".to_vec(),
        b"{\"type\":\"a\",\"data\":\"line\nbreak\"}".to_vec(),
        b"{\"type\":\"a\",\"data\":\"\xff\"}".to_vec(),
        b"{\"type\":\"a\",\"data\":\"\xed\xa0\x80\"}".to_vec(),
        b"\xef\xbb\xbf{\"type\":\"a\",\"data\":1}".to_vec(),
        "{\"type\":\"a\",\"data\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect(),
        deep("[", "]"),
        deep("{\"a\":", "}"),
        vec![b'['; 100_000],
    ] {
        for path in ["/api/v1/events", "/api/v1/endpoints", "/api/v1/keys"] {
            let headers = [("Content-Type", "application/json")];
            let answer = app.client.request("POST", path, &headers, Some(&body));
            let what = format!("{path} {}", String::from_utf8_lossy(&body[..body.len().min(60)]));
            refused(&answer, &[400, 413], &what);
        }
    }
    goes_on(&app);
}

#[test]
fn wrong_methods_on_every_route_are_problems_that_name_the_right_ones() {
    let app = TestApp::start();
    for path in routes::all().into_iter().map(|(_, path)| path) {
        let right: Vec<&str> =
            routes::all().into_iter().filter(|(_, other)| *other == path).map(|(method, _)| method).collect();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"] {
            // An event may have the id `batch`.
            let reads = path.ends_with("/events/batch") && method == "GET";
            if right.contains(&method) || reads {
                continue;
            }
            let answer = app.client.request(method, &path, &[], None);
            let what = format!("{method} {path}");
            refused(&answer, &[405], &what);
            let allowed = answer.header("allow").unwrap_or_default().to_owned();
            let allowed: Vec<&str> = allowed.split(", ").filter(|method| *method != "HEAD").collect();
            assert!(right.iter().all(|method| allowed.contains(method)), "{what}: {allowed:?}");
            assert_eq!(allowed.len(), right.len(), "{what}: {allowed:?}");
        }
    }
    goes_on(&app);
}

#[test]
fn heads_of_errors_have_no_body_and_the_same_headers() {
    let app = TestApp::start();
    for (path, status) in [
        ("/nothing", 404),
        ("/api/v1/events/batch/x", 404),
        ("/api/v1/events/x/data", 405),
        ("/api/v1/events/x/y/z", 404),
    ] {
        let answer = app.client.request("HEAD", path, &[], None);
        assert_eq!(answer.status, status, "{path}");
        problem::headers(&answer, path);
    }
    // The connection is kept, so a body would have been taken for the next answer.
    let healthy = app.client.request("HEAD", "/healthz", &[], None).expect(200);
    assert_eq!(healthy.header("content-type"), Some("application/json"));
    goes_on(&app);
}

#[test]
fn nonsense_in_paths_and_parameters_is_a_problem() {
    let app = TestApp::start();
    let long = "z".repeat(5_000);
    let nonsense =
        ["%", "%zz", "%00", "%ff%fe", "%2e%2e", "..", "%2F", "%C3%28", "\u{7f}", "é", "*", long.as_str()];
    for piece in nonsense {
        for path in ["events", "endpoints", "deliveries", "keys", "tenants", "nothing"] {
            let target = format!("/api/v1/{path}/{piece}");
            let method = if path == "keys" { "DELETE" } else { "GET" };
            refused(&app.client.request(method, &target, &[], None), &[400, 404], &target);
        }
        for parameter in ["cursor", "limit", "since", piece] {
            let target = format!("/api/v1/events?{parameter}={piece}");
            refused(&app.client.get(&target), &[400], &target);
        }
    }
    for parameter in
        ["tenant=%ff", "tenant=a%20b", "tenant=", "type=a..b", "type=*.a", "type=%00", "since=now&since=now"]
    {
        let target = format!("/api/v1/events?{parameter}");
        refused(&app.client.get(&target), &[400], &target);
    }
    for path in
        ["/api/v1/events/", "//api/v1/events", "/api//v1/events", "/API/V1/events", "/api/v1/events/../keys"]
    {
        refused(&app.client.get(path), &[404], path);
    }
    goes_on(&app);
}

#[test]
fn absurd_cursors_are_problems_in_every_list() {
    let app = TestApp::start();
    let lists = ["events", "endpoints", "deliveries", "keys", "tenants", "cleanups", "backups"];
    let wrong = ["", "0x1", "1.5", "evt_", "evt_!!!!!!!!!!!!!", "evt_zzzzzzzzzzzzz", "dlv_00000", "null"];
    for list in lists {
        let huge = [i64::MIN.to_string(), i64::MAX.to_string() + "0", "-1".to_owned()];
        for cursor in wrong.into_iter().chain(huge.iter().map(String::as_str)) {
            let target = format!("/api/v1/{list}?cursor={cursor}");
            refused(&app.client.get(&target), &[400], &target);
        }
    }
    let id = "key_0000000000001";
    refused(&app.client.get(&format!("/api/v1/events?cursor={id}")), &[400], "the cursor of another list");
}

#[test]
fn a_body_after_expect_100_continue_is_asked_for() {
    let app = TestApp::start();
    let body = "{\"type\":\"a\",\"data\":1}";
    let head = format!(
        "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nExpect: 100-continue\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let answer = app.client.raw(format!("{head}{body}").as_bytes(), false).expect("an answer");
    assert_eq!(answer.status, 202, "{}", answer.text());
    let wrong = head.replace(KEY, "pr_wrong");
    refused(
        &app.client.raw(format!("{wrong}{body}").as_bytes(), false).expect("an answer"),
        &[401],
        "no key",
    );
}

#[test]
fn old_and_odd_requests_that_are_right_are_answered() {
    let app = TestApp::start();
    for bytes in [
        "GET /healthz HTTP/1.0\r\n\r\n".to_owned(),
        format!("GET http://{}/healthz HTTP/1.1\r\nHost: x\r\n\r\n", app.address()),
        "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n".to_owned(),
        "\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET /%68ealthz HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
    ] {
        let answer =
            app.client.raw(bytes.as_bytes(), false).unwrap_or_else(|| panic!("no answer to {bytes:?}"));
        assert_eq!(answer.status, 200, "{bytes:?}: {}", answer.text());
    }
    let old = app.client.raw(b"GET /nothing HTTP/1.0\r\n\r\n", false).expect("an answer");
    refused(&old, &[404], "HTTP/1.0");
}
