//! Postrider: webhook delivery in one process, one SQLite file, threads.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests may wait"))]

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod random;
pub mod sender;
pub mod service;
pub mod store;
pub mod web;
