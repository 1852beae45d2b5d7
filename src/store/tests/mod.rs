//! Tests of the store, by theme.
//!
//! Most of them turn the writer by hand ([`house::House`]): no thread, no waiting, and a look at the file
//! between any two turns.

mod alerts;
mod anything;
mod backups;
mod blanking;
mod bulk;
mod changes;
mod cleaning;
mod cleanup;
mod cleanup_ends;
mod commits;
mod depth;
mod doubts;
mod economy;
mod filling;
mod formats;
mod health;
mod house;
mod idempotency;
mod ids;
mod make;
mod opening;
mod operators;
mod outcomes;
mod pages;
mod plans;
mod recorder;
mod replays;
mod replays_model;
mod restored;
mod restoring;
mod soundness;
mod tenant_jobs;
mod trace;
mod trouble;
mod upgrading;
