//! What is measured: a file each, in the order of the table.

pub mod course;

mod accept;
mod backlog;
mod bodies;
mod ceilings;
mod console;
mod fan_out;
mod formats;
mod fresh;
mod hanging;
mod history;
mod many;
mod memory;
mod one;
mod paced;
mod replay;
mod slow;

use crate::Fallible;
use crate::bench::{Bench, Scenario};

/// All of them.
pub const ALL: &[Scenario] = &[
    ceilings::SCENARIO,
    one::SCENARIO,
    fan_out::SCENARIO,
    formats::SCENARIO,
    many::SCENARIO,
    accept::SCENARIO,
    paced::SCENARIO,
    memory::SCENARIO,
    bodies::SCENARIO,
    slow::SCENARIO,
    backlog::SCENARIO,
    replay::SCENARIO,
    hanging::SCENARIO,
    history::SCENARIO,
    console::SCENARIO,
];

/// The rounds of a scenario that takes long: of a quick run, one. Each is told its number, from 1.
///
/// # Errors
/// That of the first round that fails.
fn heavy_rounds<T>(
    bench: &mut Bench,
    mut round: impl FnMut(&mut Bench, usize) -> Fallible<T>,
) -> Fallible<Vec<T>> {
    let rounds = bench.pick(bench.options.rounds, 1);
    (1..=rounds).map(|number| round(bench, number)).collect()
}
