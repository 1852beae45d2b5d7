//! What is measured: a file each, in the order of the table.

pub mod course;

mod accept;
mod ceilings;
mod fan_out;
mod many;
mod memory;
mod one;
mod paced;

use crate::bench::Scenario;

/// All of them.
pub const ALL: &[Scenario] = &[
    ceilings::SCENARIO,
    one::SCENARIO,
    fan_out::SCENARIO,
    many::SCENARIO,
    accept::SCENARIO,
    paced::SCENARIO,
    memory::SCENARIO,
];
