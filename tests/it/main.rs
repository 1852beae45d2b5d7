//! Postrider's behaviour, seen from outside: one test binary, a file for each behaviour.

mod architecture;
mod delivering;
mod health;
mod holding;
mod limits;
mod ordering;
mod program;
mod receiver;
mod retrying;
mod sender;
mod service_admin;
mod service_endpoints;
mod service_tests;
mod support;
mod web_resources;
