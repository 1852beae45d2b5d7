//! The console: what the team does by looking. A page is one file, named as what a person does there, with its template in
//! `templates/ui`; it calls the same use cases as the API, and can do nothing else.
//!
//! - [`visit`]: who looks. A page takes a [`visit::Visit`], or a [`stranger::Stranger`] before there is a session; what
//!   changes something takes a [`visit::Posted`] form. [`common`]: what both bring. [`send_again`]: a form whose session has
//!   ended.
//! - [`kept`]: a secret that was made, on a page of its own, this once. [`shelf`]: where it waits for it. [`lost`]: what
//!   that page says later. [`made`]: what a form has made, so that it makes no other.
//! - [`page`]: an answer with its headers, and the page that tells a failure.
//! - [`form`]: what was typed, and what is wrong with it. [`origin`]: whether it was typed on one of our pages.
//! - [`frame`]: the navigation, times, the look. [`moments`], [`pager`], [`plot`]: pieces of pages.
//! - [`filters`]: what a list is filtered by. [`shown`]: texts from outside, cut; [`weight`]: to what a page has room for.
//!   `web/inert.rs`: every value without effect.
//!
//! *Add a page:* its file here with `routes`, its line below, its template that extends `ui/frame.html`, and its row in
//! `tests/it/ui_routes.rs`, which fails without one.

mod account;
mod alerts;
mod amounts;
mod audit;
mod charts;
mod common;
mod cookies;
mod deliveries;
mod endpoint_tabs;
mod endpoints;
mod event_types;
mod events;
mod filters;
mod form;
mod formats;
mod frame;
mod join;
mod kept;
mod keys;
mod login;
mod lost;
pub mod made;
mod moments;
mod operators;
mod origin;
mod overview;
pub mod page;
mod pager;
mod plot;
mod send_again;
mod sent;
mod settings;
mod setup;
pub mod shelf;
mod shown;
pub mod stranger;
mod tenants;
pub mod theme;
mod typed;
pub mod visit;
mod weight;

use actix_web::web::ServiceConfig;

/// Registers all pages.
pub fn routes(config: &mut ServiceConfig) {
    account::routes(config);
    alerts::routes(config);
    audit::routes(config);
    deliveries::routes(config);
    endpoint_tabs::routes(config);
    endpoints::routes(config);
    event_types::routes(config);
    events::routes(config);
    formats::routes(config);
    join::routes(config);
    kept::routes(config);
    keys::routes(config);
    login::routes(config);
    operators::routes(config);
    overview::routes(config);
    settings::routes(config);
    setup::routes(config);
    tenants::routes(config);
    theme::routes(config);
}
