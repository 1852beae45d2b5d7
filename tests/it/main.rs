//! Postrider's behaviour, seen from outside: one test binary, a file for each behaviour.

mod architecture;
mod receiver;
mod support;
