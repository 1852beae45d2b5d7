//! What odd clients send, and what they get.

use crate::support::app::KEY;

/// Bytes, and what follows.
pub struct Row {
    pub what: &'static str,
    pub bytes: Vec<u8>,
    /// The statuses of the answers, in order, each with the code of its problem document.
    pub answers: Vec<(u16, &'static str)>,
    /// Whether the connection takes another request afterwards.
    pub survives: bool,
}

fn row(what: &'static str, bytes: impl Into<Vec<u8>>, answer: (u16, &'static str), survives: bool) -> Row {
    Row { what, bytes: bytes.into(), answers: vec![answer], survives }
}

pub const OK: (u16, &str) = (200, "");
pub const ACCEPTED: (u16, &str) = (202, "");
const MALFORMED: (u16, &str) = (400, "malformed_request");
const TOO_LARGE: (u16, &str) = (413, "too_large");
const NO_JSON: (u16, &str) = (400, "malformed_json");

const EVENT: &str = "{\"type\":\"a\",\"data\":1}";

/// The head of a publish that says these things about its body.
pub fn publish(headers: &str) -> String {
    format!(
        "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Type: application/json\r\n{headers}\r\n\r\n"
    )
}

/// A whole publish, with the right length.
pub fn event(body: impl AsRef<[u8]>) -> Vec<u8> {
    post("/api/v1/events", body)
}

fn post(path: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let head = publish(&format!("Content-Length: {}", body.as_ref().len()));
    [head.replace("/api/v1/events", path).as_bytes(), body.as_ref()].concat()
}

fn chunked(chunks: impl AsRef<[u8]>) -> Vec<u8> {
    [publish("Transfer-Encoding: chunked").as_bytes(), chunks.as_ref()].concat()
}

fn get(target: &str, headers: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n")
}

/// Heads.
pub fn heads() -> Vec<Row> {
    let tls = "\u{16}\u{3}\u{1}\u{0}\u{4}\u{1}\u{0}\u{0}\u{0}\u{3}\u{3}\r\n\r\n";
    vec![
        row("nothing but a request", get("/healthz", ""), OK, true),
        row("90 headers", get("/healthz", &"A: b\r\n".repeat(90)), OK, true),
        row("5,000 headers", get("/healthz", &"A: b\r\n".repeat(5_000)), TOO_LARGE, false),
        row("100,000 headers", get("/healthz", &"A: b\r\n".repeat(100_000)), TOO_LARGE, false),
        row("a header of 60 KB", get("/healthz", &format!("A: {}\r\n", "b".repeat(60_000))), OK, true),
        row(
            "a header of 1 MB",
            get("/healthz", &format!("A: {}\r\n", "b".repeat(1_000_000))),
            TOO_LARGE,
            false,
        ),
        row("a path of 60 KB", get(&format!("/{}", "b".repeat(60_000)), ""), (404, "unknown_path"), true),
        row("a path of 1 MB", get(&format!("/{}", "b".repeat(1_000_000)), ""), TOO_LARGE, false),
        row("a bad percent-encoding", get("/api/v1/events/%zz%", ""), (401, "unauthorized"), true),
        row(
            "the authority form",
            "GET example.com:80 HTTP/1.1\r\nHost: x\r\n\r\n",
            (404, "unknown_path"),
            true,
        ),
        row("CONNECT", "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", (404, "unknown_path"), false),
        row("the asterisk form", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", (404, "unknown_path"), true),
        row("the absolute form", get("http://somewhere.test/healthz", ""), OK, true),
        row("no Host", "GET /healthz HTTP/1.1\r\n\r\n", MALFORMED, false),
        row("two Hosts", get("/healthz", "Host: y\r\n"), MALFORMED, false),
        row("HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n", OK, false),
        row("HTTP/1.0, kept", "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", OK, true),
        row("HTTP/0.9", "GET /healthz\r\n\r\n", MALFORMED, false),
        row("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0", MALFORMED, false),
        row("TLS", tls, MALFORMED, false),
        row("SSH", "SSH-2.0-OpenSSH_9.9\r\n\r\n", MALFORMED, false),
        row("an upgrade", get("/healthz", "Connection: Upgrade\r\nUpgrade: websocket\r\n"), OK, false),
        row(
            "no method that there is",
            "BREW /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
            (405, "method_not_allowed"),
            true,
        ),
        row("bare line feeds", "GET /healthz HTTP/1.1\nHost: x\n\n", OK, true),
        row("many blank lines first", format!("{}{}", "\r\n".repeat(100), get("/healthz", "")), OK, true),
        row("an unknown expectation", get("/healthz", "Expect: the-unexpected\r\n"), OK, true),
    ]
}

/// What is said about bodies, and is not so.
pub fn lengths() -> Vec<Row> {
    let length = |headers: &str| [publish(headers), EVENT.to_owned()].concat();
    let byte = |byte: u8| [b"1\r\n".as_slice(), &[byte], b"\r\n"].concat();
    let chunks_of_a_byte = [EVENT.bytes().flat_map(byte).collect(), b"0\r\n\r\n".to_vec()].concat();
    let both = "Content-Length: 20\r\nTransfer-Encoding: chunked";
    let big = vec![b' '; 1_500_000];
    vec![
        row("both lengths", [publish(both), "0\r\n\r\n".to_owned()].concat(), MALFORMED, false),
        row("two lengths", length("Content-Length: 20\r\nContent-Length: 21"), MALFORMED, false),
        row("two lengths in one", length("Content-Length: 20, 21"), MALFORMED, false),
        row("a negative length", length("Content-Length: -20"), MALFORMED, false),
        row("a length with a sign", length("Content-Length: +20"), MALFORMED, false),
        row("a length in hexadecimal", length("Content-Length: 0x14"), MALFORMED, false),
        row("a length that overflows", length("Content-Length: 18446744073709551636"), MALFORMED, false),
        row("the largest length", length("Content-Length: 18446744073709551615"), TOO_LARGE, false),
        row("1 GB, as it says", length("Content-Length: 1073741824"), TOO_LARGE, false),
        row("no coding that there is", length("Transfer-Encoding: xchunked"), MALFORMED, false),
        row("another coding", length("Transfer-Encoding: gzip, chunked"), MALFORMED, false),
        row(
            "chunks in HTTP/1.0",
            chunked("14\r\n{\"type\":\"a\",\"data\":1}\r\n0\r\n\r\n").replace_version(),
            MALFORMED,
            false,
        ),
        row("an honest chunk", chunked(format!("{:x}\r\n{EVENT}\r\n0\r\n\r\n", EVENT.len())), ACCEPTED, true),
        row("chunks of a byte", chunked(chunks_of_a_byte), ACCEPTED, true),
        row(
            "a chunk with an extension",
            chunked(format!("{:x};a=b;c=\"d\"\r\n{EVENT}\r\n0;e\r\n\r\n", EVENT.len())),
            ACCEPTED,
            true,
        ),
        row(
            "leading zeros",
            chunked(format!("0000{:X}\r\n{EVENT}\r\n000\r\n\r\n", EVENT.len())),
            ACCEPTED,
            true,
        ),
        row(
            "trailers",
            chunked(format!("{:x}\r\n{EVENT}\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n", EVENT.len())),
            ACCEPTED,
            true,
        ),
        row(
            "a chunk that is longer than it says",
            chunked(format!("5\r\n{EVENT}\r\n0\r\n\r\n")),
            MALFORMED,
            false,
        ),
        row(
            "a chunk of 16 EB",
            chunked([b"ffffffffffffffff\r\n", big.as_slice()].concat()),
            TOO_LARGE,
            false,
        ),
        row("a chunk that overflows", chunked("fffffffffffffffff\r\n{}"), MALFORMED, false),
        row("a chunk that is none", chunked("hello\r\n{}\r\n0\r\n\r\n"), MALFORMED, false),
        row("a negative chunk", chunked("-5\r\n{}\r\n0\r\n\r\n"), MALFORMED, false),
        row(
            "too much in chunks",
            chunked([b"16e360\r\n", big.as_slice(), b"\r\n0\r\n\r\n"].concat()),
            TOO_LARGE,
            true,
        ),
        row(
            "a body that nobody asked for",
            [get("/healthz", "Content-Length: 5\r\n"), "12345".to_owned()].concat(),
            OK,
            false,
        ),
    ]
}

trait Version {
    fn replace_version(self) -> Self;
}

impl Version for Vec<u8> {
    fn replace_version(self) -> Self {
        String::from_utf8(self).expect("text").replacen("HTTP/1.1", "HTTP/1.0", 1).into_bytes()
    }
}

/// Documents.
pub fn documents() -> Vec<Row> {
    let deep = |open: &str, close: &str, n| format!("{}1{}", open.repeat(n), close.repeat(n));
    let (arrays, objects) = (deep("[", "]", 100_000), deep("{\"a\":", "}", 100_000));
    let of = |name: &str, value: &str| event(format!("{{\"type\":\"a\",\"data\":1,\"{name}\":{value}}}"));
    let filters = format!("{{\"url\":\"https://a.test/\",\"filters\":{}}}", deep("{\"\":", "}", 50_000));
    let data = |value: &str| event(format!("{{\"type\":\"a\",\"data\":{value}}}"));
    let raw = |bytes: &[u8]| event([b"{\"type\":\"a\",\"data\":\"".as_slice(), bytes, b"\"}"].concat());
    let invalid = (422, "invalid");
    vec![
        row("deep arrays in data", data(&arrays), NO_JSON, true),
        row("deep objects in data", data(&objects), NO_JSON, true),
        row("deep arrays in an unknown field", of("more", &arrays), NO_JSON, true),
        row("deep objects where a text belongs", of("tenant", &objects), NO_JSON, true),
        row("deep objects in filters", post("/api/v1/endpoints", filters), NO_JSON, true),
        row("arrays without an end", event("[".repeat(200_000)), NO_JSON, true),
        row("64 deep", data(&format!("{}1{}", "[".repeat(64), "]".repeat(64))), ACCEPTED, true),
        row("65 deep", data(&format!("{}1{}", "[".repeat(65), "]".repeat(65))), NO_JSON, true),
        row("two types", event("{\"type\":\"a\",\"type\":\"b\",\"data\":1}"), invalid, true),
        row("two data", event("{\"type\":\"a\",\"data\":1,\"data\":2}"), invalid, true),
        row(
            "two types, one escaped",
            event("{\"type\":\"a\",\"\\u0074ype\":\"b\",\"data\":1}"),
            invalid,
            true,
        ),
        row("two of an unknown field", event("{\"type\":\"a\",\"data\":1,\"x\":1,\"x\":2}"), invalid, true),
        row("a million digits", data(&"9".repeat(1_000_000)), ACCEPTED, true),
        row("not UTF-8", raw(b"\xff"), NO_JSON, true),
        row("an overlong NUL", raw(b"\xc0\x80"), NO_JSON, true),
        row("half a character", raw(b"\xe2\x82"), NO_JSON, true),
        row("a surrogate in UTF-8", raw(b"\xed\xa0\x80"), NO_JSON, true),
        row("a NUL", raw(b"\0"), NO_JSON, true),
        row("a NUL after the document", event("{\"type\":\"a\",\"data\":1}\0"), NO_JSON, true),
        row("a byte-order mark", event("\u{feff}{\"type\":\"a\",\"data\":1}"), NO_JSON, true),
    ]
}

/// Data that is passed on byte for byte, however odd.
pub fn odd_data() -> Vec<String> {
    let mut odd: Vec<String> = [
        "1e400",
        "-1e400",
        "1e-400",
        "-0",
        "-0.0e-0",
        "1E+00000000000000000000000000000400",
        "{\"a\":1,\"a\":2,\"\\u0061\":3}",
        "\"\\ud800\"",
        "\"\\udfff\\ud800\"",
        "\"\\u0000\"",
        "\"\u{7f}\u{80}\u{2028}\u{202e}\u{feff}\"",
        "[ 1 ,\t2\n,\r3 ]",
        "{\"\":{\"\":[]}}",
    ]
    .map(str::to_owned)
    .to_vec();
    odd.push("7".repeat(10_000));
    odd.push(format!("0.{}1e-{}", "0".repeat(5_000), "9".repeat(50)));
    odd
}
