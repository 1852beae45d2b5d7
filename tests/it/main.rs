//! Postrider's behaviour, seen from outside: one test binary, a file for each behaviour.

mod architecture;
mod delivering;
mod files;
mod health;
mod program;
mod receiver;
mod retrying;
mod sender;
mod service_admin;
mod service_endpoints;
mod service_tests;
mod support;
mod waking;
mod web_resources;
