//! Floor 4: what wires everything together.

pub mod logging;
