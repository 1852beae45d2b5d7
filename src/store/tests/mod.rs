//! Tests of the store, by theme.
//!
//! Most of them turn the writer by hand ([`house::House`]): no thread, no waiting, and a look at the file
//! between any two turns.

mod cleaning;
mod commits;
mod house;
mod idempotency;
mod opening;
mod recorder;
mod smoke;
mod upgrading;
