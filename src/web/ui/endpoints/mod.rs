//! Endpoints: the list, making one, and the pages of one. [`tabs`] is what the latter have in common.

pub mod tabs;
