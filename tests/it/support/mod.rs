//! What the behaviour tests are made of.

pub mod actions;
pub mod app;
pub mod browser;
pub mod client;
pub mod console;
pub mod extremes;
pub mod foreign;
pub mod guide;
pub mod house;
pub mod length;
pub mod listener;
pub mod mac;
pub mod poisoned;
pub mod port;
pub mod problem;
pub mod process;
pub mod program;
pub mod receiver;
pub mod routes;
pub mod server;
pub mod shell;
pub mod smtp;
pub mod stranger;
