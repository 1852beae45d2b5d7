//! Floor 1: what is on disk.

pub mod vault;
