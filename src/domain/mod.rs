//! Floor 0: values and rules. No I/O, no clock, no randomness, so that each rule can be read and tested alone.

pub mod address;
pub mod ids;
pub mod target;
pub mod time;
