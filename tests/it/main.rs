//! Postrider's behaviour, seen from outside: one test binary, a file for each behaviour.

mod architecture;
mod program;
mod receiver;
mod sender;
mod support;
