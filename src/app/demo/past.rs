//! Some days of history, lived through on a clock that is moved: the same server, deliveries and retries as ever.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;

use crate::clock::{Clock, ManualClock, Stopwatch};
use crate::dispatcher::Dispatcher;
use crate::domain::schedule::Schedule;
use crate::domain::settings::Settings;
use crate::domain::time::UnixMs;

use super::calls::Server;
use super::cast;

const MINUTE: Duration = Duration::from_mins(1);
/// How each hour is cut, so that retries come when they are due: the waits of the schedule are some seconds, five
/// minutes, half an hour, and hours.
const STEPS: [Duration; 4] =
    [Duration::from_secs(20), MINUTE.saturating_mul(6), MINUTE.saturating_mul(35), MINUTE.saturating_mul(19)];
/// Days that pass. An endpoint that fails for five is disabled.
pub(super) const DAYS: u32 = 6;
/// How long what is under way may take after each step, in real time.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is looked whether the work of a night is over, in real time.
const LOOK: Duration = Duration::from_millis(5);

/// What a server needs to be hurried through the days.
pub(super) struct Past {
    pub(super) clock: ManualClock,
    pub(super) dispatcher: Arc<Dispatcher>,
    pub(super) server: Server,
    /// The receiver's port.
    pub(super) port: u16,
    /// Ends the server.
    pub(super) stopper: Arc<Notify>,
}

impl Past {
    /// Lives through all days until `now` and stops the server; how many events there were. Blocks.
    ///
    /// # Errors
    /// A sentence, which may be that somebody has stopped the server before.
    pub(super) fn live(&self, now: UnixMs) -> Result<u64, String> {
        let lived = self.days(now);
        self.stopper.notify_one();
        lived
    }

    fn days(&self, now: UnixMs) -> Result<u64, String> {
        self.server.set_the_scene(self.port)?;
        let settings = Settings::default();
        let nights = [
            ("backups", Schedule::parse(&settings.backup_schedule)?),
            ("cleanups", Schedule::parse(&settings.cleanup_schedule)?),
        ];
        let mut number = 0;
        loop {
            for step in STEPS {
                let events: Vec<Value> =
                    (0..busy(self.clock.wall().seconds())).map(|at| cast::event(number + at)).collect();
                number += u64::try_from(events.len()).unwrap_or_default();
                self.server.publish(&events)?;
                self.settle()?;
                let left = u64::try_from(now.0 - self.clock.wall().0).unwrap_or_default();
                let before = self.clock.wall();
                self.clock.advance(step.min(Duration::from_millis(left)));
                self.settle()?;
                for (list, schedule) in &nights {
                    if let Some(due) = schedule.next_after(before).filter(|&due| due <= self.clock.wall()) {
                        self.wait_for(list, due)?;
                    }
                }
                if Duration::from_millis(left) <= step {
                    return Ok(number);
                }
            }
        }
    }

    fn settle(&self) -> Result<(), String> {
        let quiet = self.dispatcher.wait_until_quiet(PATIENCE);
        quiet.then_some(()).ok_or_else(|| "deliveries of the past did not come to an end".to_owned())
    }

    /// Waits until the work of a night, due at this time, is over: the clock does not leap while it goes on, and the
    /// end of the past does not cut it off, which would be told as a failure.
    fn wait_for(&self, list: &str, due: UnixMs) -> Result<(), String> {
        let watch = Stopwatch::start();
        while !self.server.is_over(list, due)? {
            if watch.left(PATIENCE).is_zero() {
                return Err(format!("the {list} of the past did not come to an end"));
            }
            std::thread::park_timeout(LOOK);
        }
        Ok(())
    }
}

/// Events at once at this time of the day, in UTC: two at night, ten in the afternoon.
fn busy(seconds: i64) -> u64 {
    let hour = u64::try_from(seconds / 3600 % 24).unwrap_or_default();
    2 + 8_u64.saturating_sub(hour.abs_diff(14))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_busier_than_nights() {
        assert_eq!((busy(2 * 3600), busy(14 * 3600), busy(86_400 * 3 + 14 * 3600)), (2, 10, 10));
    }
}
