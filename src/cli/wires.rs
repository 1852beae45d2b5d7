//! `--format` and `--secret`, as `listen` and `verify` take them.

use std::sync::Arc;

use crate::domain::secret::Secret;
use crate::domain::verifying::{Standard, Wire};

/// The format that `--format` names.
///
/// # Errors
/// A sentence that says what is allowed.
pub(super) fn find(format: Option<&str>) -> Result<Arc<dyn Wire>, String> {
    match format {
        None | Some("standard") => Ok(Arc::new(Standard)),
        Some(other) => Err(format!("--format must be standard, and is {other:?}")),
    }
}

/// The secrets, read as the format does.
///
/// # Errors
/// What a secret of this format must be; without the secret.
pub(super) fn secrets(wire: &dyn Wire, texts: &[String]) -> Result<Vec<Secret>, String> {
    let read = |text: &String| wire.secret(text).map_err(|says| format!("--secret {says}"));
    texts.iter().map(read).collect()
}
