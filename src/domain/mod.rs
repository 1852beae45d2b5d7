//! Floor 0: values and rules. No I/O, no clock, no randomness, so that each rule can be read and tested alone.

pub mod ids;
pub mod time;
