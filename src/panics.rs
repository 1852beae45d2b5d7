//! Panics that end where they happen, so that one defect takes no thread with it that others need.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `work`.
///
/// # Errors
/// It panicked: what the panic said. Whatever `work` has changed until then stays changed, so this is for work whose
/// remains are thrown away, or told to be unfinished.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| text(panic.as_ref()))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_and_not_passed_on() {
        assert_eq!(caught(|| 1), Ok(1));
        assert_eq!(caught(|| -> u8 { panic!("oh") }), Err("oh".to_owned()));
        assert_eq!(caught(|| -> u8 { panic!("oh {}", "no") }), Err("oh no".to_owned()));
        assert_eq!(caught(|| -> u8 { std::panic::panic_any(7) }), Err("without a message".to_owned()));
    }
}
