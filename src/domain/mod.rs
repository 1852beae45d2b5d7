//! Floor 0: values and rules. No I/O, no clock, no randomness, so that each rule can be read and tested alone.

pub mod address;
pub mod delivery;
pub mod filters;
pub mod format;
pub mod headers;
pub mod health;
pub mod histogram;
pub mod ids;
pub mod invalid;
pub mod json;
pub mod limits;
pub mod matching;
pub mod names;
pub mod number;
pub mod outcome;
pub mod retry;
pub mod retry_after;
pub mod schedule;
pub mod scope;
pub mod secret;
pub mod settings;
pub mod signing;
pub mod stats;
pub mod target;
pub mod time;
