//! What is measured: a file each, in the order of the table.

pub mod course;

mod ceilings;
mod one;

use crate::bench::Scenario;

/// All of them.
pub const ALL: &[Scenario] = &[ceilings::SCENARIO, one::SCENARIO];
