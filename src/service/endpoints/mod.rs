//! Endpoints: the use cases around them.
//!
//! - [`EndpointDraft`]: what a caller says, unchecked; `draft` checks all of it at once.
//! - `create` and `change` work in two steps, because looking a name up takes up to 2 s and must not keep the
//!   writer: a check that blocks, then a write.
//! - `signing`: formats and secrets. `rotate`: a new secret, with an overlap.
//! - `read`: one, many, and what a path segment means. `state`: enable, disable, delete. `test`: send one now.
//! - [`EndpointView`]: what an endpoint looks like outside.

mod change;
mod create;
mod draft;
mod read;
mod rotate;
mod signing;
mod state;
mod test;
mod tests_running;
mod view;

pub use change::CheckedChange;
pub use create::CheckedEndpoint;
pub use draft::EndpointDraft;
pub use read::{Day, EndpointDetail, EndpointQuery, MAX_SEARCH, search};
pub use rotate::{MAX_OVERLAP_SECONDS, OVERLAP_SECONDS, RotationDraft};
pub use state::Held;
pub use test::{TEST_TYPE, TestDraft, TestResult, Testing};
pub use view::{EndpointSaved, EndpointView, HealthStatus, Judging};

pub(super) use test::sample;
pub(super) use tests_running::TestsRunning;
