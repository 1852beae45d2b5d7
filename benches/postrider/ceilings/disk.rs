//! What it costs to have 4 KB on the disk for certain.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::Fallible;
use crate::histogram::Histogram;
use crate::now::{millis, now, since};

const PAGE: usize = 4096;
/// Pairs of an append and an overwrite.
const PAIRS: u64 = 150;

/// The median time of `fdatasync`, in milliseconds: after appending 4 KB to a file, and after overwriting the 4 KB at its start,
/// in turn. A log that grows does the first, one that was checkpointed the second.
pub fn sync_ms(folder: &Path) -> Fallible<f64> {
    let file = File::create(folder.join("syncs"))?;
    let page = [7; PAGE];
    let mut times = Histogram::default();
    for number in 0..PAIRS {
        for offset in [number * PAGE as u64, 0] {
            file.write_all_at(&page, offset)?;
            let started = now();
            file.sync_data()?;
            times.record(since(started));
        }
    }
    Ok(millis(times.percentile(50.0)))
}
