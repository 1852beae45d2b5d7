//! Postrider: webhook delivery in one process, one SQLite file, threads.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests may wait"))]

pub mod clock;
pub mod domain;
pub mod sender;
