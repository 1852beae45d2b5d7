//! How long the tests of faults may be: short enough for every run, or as long as they deserve.

use std::env;

/// The short value in every run, the long one under `tests/run --long`.
pub fn short_or_long<T>(short: T, long: T) -> T {
    if env::var_os("POSTRIDER_TEST_LONG").is_some() { long } else { short }
}
