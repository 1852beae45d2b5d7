//! The pages of one endpoint that show what happens at it, a file for each; their top is [`super::endpoints::tabs`].
//!
//! - [`overview`]: how it does, with [`charts`]. [`deliveries`]: what was sent to it, with each [`answer`].
//! - [`verify`]: code for its receiver. [`test`]: sending it something now, of the types that [`types`] offers; [`exchange`] is
//!   what came of it.
//! - [`replay`]: sending it again what it has missed; [`replay_start`] counts it first.

mod answer;
mod charts;
mod deliveries;
mod exchange;
mod overview;
mod replay;
mod replay_start;
mod standing;
mod test;
mod types;
mod verify;

use actix_web::web::ServiceConfig;

use super::endpoints::PATH as SECTION;

/// Registers the pages.
pub fn routes(config: &mut ServiceConfig) {
    deliveries::routes(config);
    overview::routes(config);
    replay::routes(config);
    test::routes(config);
    verify::routes(config);
}
