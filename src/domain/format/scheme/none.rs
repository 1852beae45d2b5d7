//! `none`: no signature and no secret, for receivers that trust the network or a header of the endpoint.

use super::{Scheme, Shape};

pub(super) const SCHEME: Scheme = Scheme { name: "none", shape: Shape::Unsigned, keys: None };
