//! One endpoint in other formats than `standard`: what a signature over the body alone costs, headers of one's own, and a
//! body that is written again as ECMAScript would.

use serde_json::{Value, json};

use super::course::Load;
use crate::Fallible;
use crate::bench::{Bench, Scenario};
use crate::ceilings::request::TENANT;
use crate::load::request::BODY;
use crate::row::Row;
use crate::server::{Server, Start};

/// See the module.
pub const SCENARIO: Scenario = Scenario {
    name: "formats",
    about: "one endpoint in a format of one's own, verbatim and as ECMAScript",
    run,
};

/// A format as teams bring it along, with this kind of body.
fn own(body: &str) -> Value {
    json!({
        "signature": { "scheme": "hmac-sha256-hex", "header": "X-Own-Signature", "prefix": "t={timestamp},v1=",
            "over": "timestamp.body" },
        "headers": { "event": "X-Own-Event", "id": "X-Own-Id", "timestamp": "X-Own-Timestamp" },
        "envelope": { "id": "id", "type": "event", "timestamp": { "key": "created_at", "as": "rfc3339" },
            "tenant": { "key": "workspace", "as": "string" }, "data": "data.object" },
        "body": body
    })
}

fn run(bench: &mut Bench) -> Fallible<Vec<Row>> {
    let rounds = bench.rounds(|bench, _| {
        let standard = round(bench, "standard")?;
        Ok([standard, round(bench, "own-verbatim")?, round(bench, "own-ecmascript")?])
    })?;
    let each = |at: usize| rounds.iter().map(|round| round[at]).collect::<Vec<_>>();
    let row =
        |name: &str, at: usize| Row::new(name, "deliveries/s", each(at)).over(&each(0), "of `standard`");
    Ok(vec![
        row("one endpoint in a format of one's own, data verbatim", 1),
        row("the same, the body as ECMAScript writes it", 2),
    ])
}

fn round(bench: &Bench, format: &str) -> Fallible<f64> {
    let folder = bench.folder()?;
    let server = Start::on(folder.path()).start()?;
    make(&server)?;
    server.endpoint(TENANT, &bench.receiver.url("/ok/one"), &json!({ "format": format }))?;
    let requests = [server.event(TENANT, BODY)];
    let seconds = bench.pick(5.0, 0.7);
    let load =
        Load { server: &server, connections: 32, requests: &requests, fan_out: 1, class: "ok/one", seconds };
    let course = load.run(bench)?;
    server.stop()?;
    Ok(course.per_second)
}

fn make(server: &Server) -> Fallible<()> {
    for body in ["verbatim", "ecmascript"] {
        server.put(&format!("/formats/own-{body}"), &own(body))?;
    }
    Ok(())
}
