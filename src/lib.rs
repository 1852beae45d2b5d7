//! Postrider: webhook delivery in one process, one SQLite file, threads.
//!
//! # The house
//!
//! Floors; imports go down only, and neighbours do not know each other (`tests/it/architecture.rs` holds this).
//!
//! | floor | what | may not know |
//! |---|---|---|
//! | 4 | `main`, [`cli`], [`app`]: wiring, the order of start and stop | |
//! | 3 | [`web`]: HTTP, the only actix · [`dispatcher`]: the only threads that deliver, what is done by a schedule | each other |
//! | 2 | [`service`]: the use cases, synchronous; everybody above calls the same methods | HTTP, threads |
//! | 1 | [`store`]: the file, the only SQL · [`sender`]: the only HTTP client · [`mail`] · [`config`]: flags, data directory | each other |
//! | 0 | [`domain`]: values and rules without I/O · [`clock`] · [`random`] · [`panics`] | everything above |
//!
//! # The way of an event
//!
//! 1. `web/api/events.rs` reads `POST /api/v1/events` and checks its fields.
//! 2. `service/events.rs` asks the catalogue of types (`store/event_types.rs`), whose schemas the data has to fit
//!    (`domain/schema`), finds the endpoints that match (`domain/matching.rs`, on the snapshot of
//!    `store/directory.rs`) and hands the event to the writer.
//! 3. `store/publish.rs` inserts the event and its deliveries, in one transaction with whatever else waits
//!    (`store/batch.rs`). After the commit, and its fsync, the answer is 202.
//! 4. Between the two, `store/handover.rs` tells the dispatcher; `dispatcher/book` queues the deliveries, or only
//!    counts them where memory is full: then `store/page.rs` reads them later.
//! 5. A thread of `dispatcher/threads.rs` takes one; `dispatcher/attempt.rs` renders it (`domain/format`), signs it
//!    (`domain/signing.rs`) and sends it through [`sender`], which checks every address (`domain/address`).
//! 6. The outcome, a fact, goes back to the writer: `store/outcome.rs` decides with `domain/outcome.rs` what follows
//!    (delivered, a retry, failed, held, an endpoint disabled) and writes it down with the attempt.
//! 7. `web/api/deliveries.rs` shows it; `store/cleanup` deletes it when it is old.
//!
//! `store/backup` copies the file while all that goes on; `store/restore` makes such a copy ready to go on where
//! `config/restoring.rs` puts it.
//!
//! What takes long (`store/bulk.rs`, `store/replaying.rs`, `store/tenant_jobs.rs`, `store/blanking.rs`, `store/cleanup`) goes in turns of a few
//! milliseconds on the writer's thread, each a transaction that also notes how far it has come. A replay makes
//! deliveries ready on disk and keeps few of them ahead of fresh events; pages bring them to the dispatcher.
//!
//! # How to
//!
//! *Add an API call:* a use case in [`service`] that wants a `TenantScope` or an `AdminScope`; its SQL in the table's file
//! of [`store`]; a handler under 30 lines in the resource's file of `web/api` and its line in `routes` there; a
//! test in `tests/it`. A new failure is a line of `service/error.rs`. Its description is an `Operation` in the
//! resource's file of `web/openapi/resources`; `/openapi.json` and `/docs` are made of it, and a test misses it.
//! *Add a page to `/docs`:* its HTML in `templates/docs` and a line of `PAGES` in `web/docs`.
//!
//! *Add a page to the console:* a file of `web/ui`, named as what a person does there, with its template in
//! `templates/ui`; it calls the same use cases as the API. Its row in `tests/it/ui_routes.rs` says who may see it.
//!
//! *Add a command that makes an API call:* a line of the table in `cli/calls`; its flags and its help come from the
//! call's description. Its row in `templates/docs/commands.md`, whose commands a test runs.
//!
//! *Add a setting that operators change:* a field of `domain::settings::Settings` with its default and its range in
//! `set`; it is stored, listed and patched by name from there on. *One that belongs to the process:* a line of
//! `config::flags`, which names flag and variable together, and one of `templates/install/postrider.env`.
//!
//! *Add a signature scheme:* a file in `domain/format/scheme` with its `SCHEME`, and its line in `SCHEMES` there.
//! *A format that is built in:* its definition in `domain/format/builtin.rs`.
//! *A language of receivers, for the code that verifies:* its template in `templates/verify`, its line in
//! `domain/format/code.rs`, and what runs it in `tests/it/verify_code.rs`.
//! *Add a guide:* its Markdown in `templates/docs`, and its line in `web/docs/mod.rs`.
//! *Add a metric:* count it in `store/figures.rs`, with the commit that makes it true, or hand it over in
//! `service/metrics.rs`; then a line in `web/metrics`, with what it means, and its row in `templates/docs/monitoring.md`.
//! No labels that grow with the data.
//! *Add a message to the log at warning or above:* its row in `templates/docs/messages.md`, which a test misses.
//! *Add a condition that alerts tell of:* a `Topic` in `domain/alert`, and when it holds in `service/alerts/present.rs`.
//!
//! *Change the schema:* a new file in `store/migrations` and its line in `store/migrations.rs`. Released ones are
//! never edited.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests may wait"))]

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod dispatcher;
pub mod domain;
pub mod mail;
pub mod panics;
pub mod random;
pub mod sender;
pub mod service;
pub mod store;
pub mod web;
