//! How a file grows, and when the disk is full at that rate.

use super::time::UnixMs;

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;
/// How far back growth is measured: the days before are another life.
const LOOK_BACK_MS: i64 = 7 * DAY_MS;
/// What lies further ahead is no forecast.
const FORESEEN_DAYS: u64 = 3_650;

/// The size of the file at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: UnixMs,
    /// Bytes of the file.
    pub database_bytes: u64,
    /// Bytes of it that are free: used again before the file grows.
    pub free_bytes: u64,
}

impl Sample {
    /// Bytes that hold something.
    pub fn used(&self) -> u64 {
        self.database_bytes.saturating_sub(self.free_bytes)
    }
}

/// How the used part grew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// Bytes a day; below 0: it shrinks.
    pub bytes_per_day: i64,
    /// From when on it was measured.
    pub since: UnixMs,
}

impl Growth {
    /// From the oldest sample of the last seven days up to `now`. `None` where there is none that is a day old.
    pub fn of(samples: &[Sample], now: &Sample) -> Option<Self> {
        let age = |sample: &Sample| now.at.0.saturating_sub(sample.at.0);
        let recent = samples.iter().filter(|sample| (DAY_MS..=LOOK_BACK_MS).contains(&age(sample)));
        let first = recent.max_by_key(|sample| age(sample))?;
        let grown = i128::from(now.used()) - i128::from(first.used());
        let per_day = grown * i128::from(DAY_MS) / i128::from(age(first));
        Some(Self { bytes_per_day: i64::try_from(per_day).ok()?, since: first.at })
    }

    /// When `room` bytes are used up at this rate. `None`: not within ten years, or it does not grow.
    pub fn full_at(&self, now: UnixMs, room: u64) -> Option<UnixMs> {
        let rate = u64::try_from(self.bytes_per_day).ok().filter(|rate| *rate > 0)?;
        if room / rate >= FORESEEN_DAYS {
            return None;
        }
        let ms = u128::from(room) * u128::from(DAY_MS.unsigned_abs()) / u128::from(rate);
        i64::try_from(ms).ok().map(|ms| UnixMs(now.0.saturating_add(ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(day: i64, database_bytes: u64, free_bytes: u64) -> Sample {
        Sample { at: UnixMs(day * DAY_MS), database_bytes, free_bytes }
    }

    #[test]
    fn growth_is_that_of_the_used_part_over_a_week_at_most() {
        let samples = [sample(80, 9_000, 0), sample(94, 1_000, 500), sample(97, 1_000, 100)];
        let growth = Growth::of(&samples, &sample(100, 1_300, 200)).unwrap();
        assert_eq!((growth.bytes_per_day, growth.since), (100, UnixMs(94 * DAY_MS)));
        let shrinks = Growth::of(&samples[2..], &sample(100, 600, 0)).unwrap();
        assert_eq!((shrinks.bytes_per_day, shrinks.full_at(UnixMs(0), 1)), (-100, None));
    }

    #[test]
    fn less_than_a_day_says_nothing() {
        let now = sample(100, 1_300, 200);
        assert_eq!(Growth::of(&[], &now), None);
        let young = Sample { at: UnixMs(99 * DAY_MS + 1), ..sample(99, 1, 0) };
        assert_eq!(Growth::of(&[young, now, sample(101, 1, 0)], &now), None);
    }

    #[test]
    fn the_disk_is_full_when_the_room_is_used_up() {
        let growth = Growth { bytes_per_day: 100, since: UnixMs(0) };
        assert_eq!(growth.full_at(UnixMs(7), 250), Some(UnixMs(7 + DAY_MS * 5 / 2)));
        assert_eq!(growth.full_at(UnixMs(7), 0), Some(UnixMs(7)));
        assert_eq!(growth.full_at(UnixMs(7), 100 * 3_650), None);
        assert_eq!(Growth { bytes_per_day: 0, ..growth }.full_at(UnixMs(7), 0), None);
    }
}
