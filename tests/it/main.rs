//! Postrider's behaviour, seen from outside: one test binary, a file for each behaviour.

mod api_codes;
mod api_events;
mod api_idempotency;
mod api_problems;
mod api_scopes;
mod architecture;
mod commands;
mod delivering;
mod files;
mod health;
mod kills;
mod program;
mod readme;
mod receiver;
mod retrying;
mod sender;
mod service_admin;
mod service_endpoints;
mod service_tests;
mod stopping;
mod support;
mod web_resources;
