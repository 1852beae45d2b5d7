//! The ceilings themselves, and what the receiver could take.

use crate::Fallible;
use crate::bench::{Bench, Scenario, float};
use crate::ceilings::{own, request};
use crate::load::{Closed, Prepared, Until};
use crate::now::seconds;
use crate::row::Row;

/// The first lines of the table.
pub const SCENARIO: Scenario =
    Scenario { name: "ceilings", about: "what the machine could do: receiver, R, S, one fdatasync", run };

fn run(bench: &mut Bench) -> Fallible<Vec<Row>> {
    let rounds = bench.rounds(|bench, _| {
        let seconds = bench.pick(1.5, 0.3);
        let threads = bench.ceilings()?.threads;
        let (receiver, r) = (receiver(bench)?, bench.r()?);
        let own = own::per_second(bench.receiver.address, threads, seconds)?;
        let sync = bench.sync_ms()?;
        Ok([receiver, r, own, bench.s()?, sync])
    })?;
    let threads = bench.ceilings()?.threads;
    let column = |at: usize| rounds.iter().map(|round| round[at]).collect::<Vec<_>>();
    let of_r = |row: Row| row.over(&column(1), "of R");
    Ok(vec![
        Row::new("the receiver: raw HTTP, 32 connections", "requests/s", column(0)),
        Row::new("R: ureq's stock connector, straight to the receiver", "deliveries/s", column(1))
            .note(format!("{threads} threads, the best number on this machine")),
        of_r(Row::new("Postrider's sender in R's place", "deliveries/s", column(2))),
        of_r(Row::new("S: the life of a delivery in the store alone", "deliveries/s", column(3))),
        Row::new("one fdatasync of 4 KB, p50", "ms", column(4)),
    ])
}

/// How fast the receiver answers the load with nothing between them.
fn receiver(bench: &Bench) -> Fallible<f64> {
    let rendered = request::rendered()?;
    let body = String::from_utf8(rendered.body)?;
    let request = Prepared::post(bench.receiver.address, "/ok/raw", "", &body);
    let answers = Closed {
        target: bench.receiver.address,
        connections: 32,
        requests: &[request],
        number: 0,
        until: Until::Seconds(bench.pick(1.5, 0.3)),
    }
    .run()?;
    answers.only(204)?;
    Ok(float(answers.sent) / seconds(answers.last - answers.first))
}
