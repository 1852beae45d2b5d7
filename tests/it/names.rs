//! Names, with a DNS server and a network of the test's own, through the whole product.
//!
//! Each test runs once more in a network namespace ([`namespace`]) in which every address of the world is this
//! machine: a request to a forbidden address would arrive, and be answered. [`wire`] sees each packet.

mod dns;
mod forbidden;
mod hanging;
mod many;
pub mod namespace;
mod odd;
mod turning;
mod wire;
mod world;
