//! An answer that ends too early: before its head is in, nobody has answered; after it, the status stands.

use super::script::{Act, answer, send};
use super::table::{Row, check};

const HEAD: &str = "HTTP/1.1 201 Created\r\nX-Kind: a b\r\nTransfer-Encoding: chunked\r\n\r\n";
const BODY: &str = "4\r\nsome\r\n5;x=y\r\n more\r\n0\r\nX-Trailer: z\r\n\r\n";

fn reset_after(bytes: &str) -> Vec<Act> {
    vec![Act::Read, send(bytes), Act::Reset]
}

#[test]
fn a_close_at_each_byte_of_an_answer() {
    let whole = format!("{HEAD}{BODY}");
    let rows: Vec<Row> = (0..=whole.len())
        .map(|at| match at {
            0 => Row::broken("at 0", answer(""), "closed the connection without answering"),
            _ if at < HEAD.len() => Row::broken(
                format!("at {at}"),
                answer(&whole[..at]),
                "closed the connection in the middle of the answer's headers",
            ),
            _ => Row::answers(format!("at {at}"), answer(&whole[..at]), 201),
        })
        .collect();
    check(&rows);
}

#[test]
fn a_reset_in_each_part_of_an_answer() {
    check(&[
        Row::broken("at once", vec![Act::Reset], "connect").any_connections(),
        Row::broken("after the request", reset_after(""), "closed the connection without answering"),
        Row::broken("in the status line", reset_after("HTTP/1.1 2"), "closed the connection in the middle"),
        Row::broken(
            "in a field",
            reset_after("HTTP/1.1 200 OK\r\nx-a: "),
            "closed the connection in the middle",
        ),
        Row::answers("in the body", reset_after(&format!("{HEAD}4\r\nso")), 201).body("so"),
        Row::answers("in the trailer", reset_after(&format!("{HEAD}4\r\nsome\r\n0\r\nX-")), 201).body("some"),
    ]);
}

#[test]
fn a_connection_that_ends_before_the_request_has_been_read() {
    let (ok, no) = (
        "HTTP/1.1 202 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno",
    );
    // How far the request comes before that is up to the buffers of the two sockets.
    let ended = "closed the connection";
    check(&[
        Row::broken("accepts and closes", vec![Act::Close], "closed the connection without answering"),
        Row::broken(
            "reads a little, and closes",
            vec![Act::ReadSome(10), Act::Reset],
            "closed the connection",
        )
        .any_connections(),
        Row::broken("the same with a large request", vec![Act::ReadSome(10), Act::Reset], ended).large(),
        Row::answers(
            "says 413 before the body, and resets",
            vec![Act::ReadSome(10), send(no), Act::Reset],
            413,
        )
        .large()
        .body("no"),
        Row::answers(
            "says 202 before the body, and resets",
            vec![Act::ReadSome(10), send(ok), Act::Reset],
            202,
        )
        .large()
        .body("ok"),
        Row::answers("says 413, and reads no more", vec![Act::ReadSome(10), send(no), Act::Freeze], 413)
            .large()
            .slow(),
        Row::answers("says 413 before anything", vec![send(no), Act::Hang], 413).large(),
        Row::answers("answers twice", answer(ok.repeat(2)), 202).body("ok"),
    ]);
}
