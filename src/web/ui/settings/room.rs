//! Room on the disk, in words and as a plot.

use crate::domain::time::UnixMs;
use crate::service::storage::Storage;
use crate::web::ui::amounts::{bytes, change};
use crate::web::ui::moments::Zone;
use crate::web::ui::plot::{Plot, Series, Step};

/// What there is to tell.
pub(super) struct Room {
    pub(super) database: String,
    pub(super) free: String,
    pub(super) wal: String,
    pub(super) disk_free: String,
    /// A day; `None`: less than a day is known.
    pub(super) growth: Option<String>,
    pub(super) since: Option<UnixMs>,
    pub(super) full_at: Option<UnixMs>,
    /// `None`: less than two days are known.
    pub(super) plot: Option<Plot>,
}

impl Room {
    pub(super) fn of(storage: &Storage, zone: &Zone) -> Self {
        Self {
            database: bytes(storage.database_bytes),
            free: bytes(storage.free_bytes),
            wal: bytes(storage.wal_bytes),
            disk_free: bytes(storage.disk_free_bytes),
            growth: storage.growth_bytes_per_day.as_ref().map(change),
            since: storage.growth_since,
            full_at: storage.full_at,
            plot: (storage.days.len() > 1).then(|| plot(storage, zone)),
        }
    }
}

/// The unit in which the greatest size has some digits.
fn unit(greatest: u64) -> (u64, &'static str) {
    match greatest {
        ..10_000_000 => (1_000, " kB"),
        10_000_000..10_000_000_000 => (1_000_000, " MB"),
        _ => (1_000_000_000, " GB"),
    }
}

fn plot(storage: &Storage, zone: &Zone) -> Plot {
    let greatest = storage.days.iter().map(|day| day.database_bytes).max().unwrap_or(0);
    let (one, name) = unit(greatest);
    let steps = storage.days.iter().map(|day| Step {
        label: zone.day(day.at),
        values: vec![
            Some(day.database_bytes.saturating_sub(day.free_bytes) / one),
            Some(day.free_bytes.min(day.database_bytes) / one),
        ],
    });
    Plot {
        title: "Size of the file, day by day",
        unit: name,
        series: vec![Series { name: "used", colour: "accent" }, Series { name: "free", colour: "quiet" }],
        steps: steps.collect(),
        stacked: true,
    }
}
