//! What the behaviour tests are made of.

pub mod client;
pub mod receiver;
