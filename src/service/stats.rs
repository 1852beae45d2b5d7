//! What happened lately: at an endpoint, at those of a tenant, at all. Read from counters that are kept with each
//! outcome; deliveries are never counted for it.

use serde::{Serialize, Serializer};

use crate::domain::names::TenantName;
use crate::domain::stats::{Counts, Step, Window, begin_of, hour_of};
use crate::domain::time::UnixMs;
use crate::store::StoreError;
use crate::store::backlog::Backlog;
use crate::store::hourly::Hours;

use super::lookup::find_endpoint;
use super::{Error, Service, TenantScope};

/// Whose past is asked for.
#[derive(Debug, Clone)]
pub enum StatsOf {
    /// An endpoint's, by id or by handle in a tenant. One that was deleted is found by its id, as its deliveries are.
    Endpoint(String, Option<TenantName>),
    /// That of the endpoints that a tenant has; `None`: of all that the caller may see. For a caller who may see
    /// every tenant those are all endpoints, also deleted ones.
    Tenant(Option<TenantName>),
}

/// Counts of a window, and the same for each of its steps.
#[derive(Debug, Clone, Serialize)]
pub struct Stats {
    /// What was asked for.
    #[serde(serialize_with = "name")]
    pub window: Window,
    /// From when on it counts: the beginning of an hour.
    pub since: UnixMs,
    /// Until when: now.
    pub until: UnixMs,
    /// All of it.
    #[serde(flatten)]
    pub all: Counted,
    /// Step by step, the oldest first, those without anything too; the first may begin before the window, and counts
    /// from its beginning; the last is not over yet.
    pub series: Vec<Point>,
}

/// What has not come to an end yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Now {
    /// Deliveries that wait for an attempt, those in flight included, as far as they are counted: to 10,000 or a little
    /// more.
    pub waiting: u32,
    /// Whether there are more.
    pub waiting_more: bool,
    /// Deliveries that are held, as far as they are counted: to 10,000.
    pub held: u32,
    /// Whether there are more.
    pub held_more: bool,
    /// When the oldest of those that wait was made.
    pub oldest_waiting_at: Option<UnixMs>,
}

/// An hour, or a longer step.
#[derive(Debug, Clone, Serialize)]
pub struct Point {
    /// When it begins.
    pub at: UnixMs,
    /// What happened in it.
    #[serde(flatten)]
    pub counted: Counted,
}

/// What is told of a time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Counted {
    /// Deliveries that became `delivered`.
    pub delivered: u64,
    /// Deliveries that became `failed`: their attempts were used up.
    pub failed: u64,
    /// Requests that were made. Those of tests do not count, nor do those that failed on our side.
    pub attempts: u64,
    /// Those of them that failed, whether another one followed or not.
    pub attempts_failed: u64,
    /// Of the deliveries that came to an end, the share that was delivered, 0 to 1; null where none did.
    pub success_rate: Option<f64>,
    /// How long requests took, whatever came of them; null where there were none.
    pub latency_ms: Option<LatencyMs>,
}

/// Percentiles of the duration of requests, in milliseconds: an estimate within the bounds of the bucket that the
/// exact value lies in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1,000, 2,000, 5,000, 10,000, 20,000, 30,000), in which
/// requests are taken to be spread evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LatencyMs {
    /// Half of the requests took at most so long.
    pub p50: u32,
    /// 95 of 100.
    pub p95: u32,
    /// 99 of 100.
    pub p99: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn name<S: Serializer>(window: &Window, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(window.as_str())
}

impl Service {
    /// What happened in a window that ends now, hour by hour. Blocks.
    ///
    /// # Errors
    /// `not_found` for an endpoint or a tenant that is not there or that the caller may not see.
    pub fn stats(&self, scope: &TenantScope, of: &StatsOf, window: Window) -> Result<Stats, Error> {
        self.stats_by(scope, of, window, Step::Hour)
    }

    /// The same in steps of another length: percentiles of a longer time cannot be made of those of its hours. Blocks.
    ///
    /// # Errors
    /// See [`Service::stats`].
    pub fn stats_by(
        &self,
        scope: &TenantScope,
        of: &StatsOf,
        window: Window,
        step: Step,
    ) -> Result<Stats, Error> {
        let now = self.store.times().wall();
        let (from, to) = (hour_of(now) - window.hours(), hour_of(now));
        let hours = match of {
            StatsOf::Endpoint(text, tenant) => self.store.read(|reader| {
                let endpoint = find_endpoint(reader, scope, text, tenant.as_ref())?;
                Ok::<_, Error>(reader.hours_of_endpoint(endpoint.id, from, to)?)
            })?,
            StatsOf::Tenant(named) => match self.list_tenant_id(scope, named.as_ref())? {
                None => Hours::new(),
                Some(None) => self.store.read::<_, StoreError>(|reader| reader.hours_of_all(from, to))?,
                Some(Some(tenant)) => {
                    self.store.read::<_, StoreError>(|reader| reader.hours_of_tenant(tenant, from, to))?
                }
            },
        };
        Ok(Stats::of(window, step, now, &hours))
    }
}

impl Service {
    /// What waits and is held at this moment, of a tenant or of all that the caller may see. Blocks.
    ///
    /// # Errors
    /// `not_found` for a tenant that the caller may not see.
    pub fn waiting_now(&self, scope: &TenantScope, tenant: Option<&TenantName>) -> Result<Now, Error> {
        let backlog = match self.list_tenant_id(scope, tenant)? {
            None => Backlog::default(),
            Some(tenant) => self.store.read::<_, StoreError>(|reader| reader.backlog(tenant))?,
        };
        let Backlog { waiting, held, oldest_waiting_at } = backlog;
        Ok(Now {
            waiting: waiting.count,
            waiting_more: waiting.more,
            held: held.count,
            held_more: held.more,
            oldest_waiting_at,
        })
    }
}

impl Stats {
    /// What is told of these hours at `now`.
    fn of(window: Window, step: Step, now: UnixMs, hours: &Hours) -> Self {
        let (from, to) = (hour_of(now) - window.hours(), hour_of(now));
        let (mut sum, mut steps) = (Counts::default(), Vec::<(i64, Counts)>::new());
        for hour in from..=to {
            let counts = hours.get(&hour).copied().unwrap_or_default();
            sum.add(&counts);
            let first = step.first_of(hour).max(from);
            match steps.last_mut() {
                Some((at, so_far)) if *at == first => so_far.add(&counts),
                _ => steps.push((first, counts)),
            }
        }
        let point = |(hour, counts)| Point { at: begin_of(hour), counted: Counted::of(&counts) };
        let series = steps.into_iter().map(point).collect();
        Self { window, since: begin_of(from), until: now, all: Counted::of(&sum), series }
    }
}

impl Counted {
    fn of(counts: &Counts) -> Self {
        Self {
            delivered: counts.delivered,
            failed: counts.failed,
            attempts: counts.attempts(),
            attempts_failed: counts.attempts_failed,
            success_rate: counts.success_rate(),
            latency_ms: LatencyMs::of(counts),
        }
    }
}

impl LatencyMs {
    fn of(counts: &Counts) -> Option<Self> {
        let [p50, p95, p99] = [50, 95, 99].map(|percent| counts.percentile(percent));
        Some(Self { p50: p50?, p95: p95?, p99: p99? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::histogram::bucket;

    #[test]
    fn a_window_is_whole_hours_and_every_hour_has_a_point() {
        let now = UnixMs::parse("2026-02-23T14:59:59.999Z").unwrap();
        for (window, since, points) in [
            (Window::Hour, "2026-02-23T13:00:00.000Z", 2),
            (Window::Day, "2026-02-22T14:00:00.000Z", 25),
            (Window::Week, "2026-02-16T14:00:00.000Z", 169),
            (Window::Month, "2026-01-24T14:00:00.000Z", 721),
        ] {
            let stats = Stats::of(window, Step::Hour, now, &Hours::new());
            assert_eq!((stats.since.to_string().as_str(), stats.series.len()), (since, points));
            assert_eq!((stats.series[0].at, stats.until), (stats.since, now));
            let last = stats.series.last().unwrap();
            assert_eq!(last.at.to_string(), "2026-02-23T14:00:00.000Z");
            assert_eq!((last.counted.success_rate, last.counted.latency_ms), (None, None));
        }
    }

    #[test]
    fn the_sum_is_that_of_the_points_and_percentiles_are_of_all() {
        let now = UnixMs(5 * 3_600_000);
        let mut slow = Counts { delivered: 1, attempts_ok: 1, attempts_failed: 1, ..Counts::default() };
        slow.latency[bucket(1500)] = 2;
        let mut fast = Counts { delivered: 2, failed: 1, attempts_ok: 98, ..Counts::default() };
        fast.latency[bucket(4)] = 98;
        let stats = Stats::of(Window::Hour, Step::Hour, now, &Hours::from([(4, slow), (5, fast), (3, fast)]));
        let sum = &stats.all;
        assert_eq!((sum.delivered, sum.failed, sum.attempts, sum.attempts_failed), (3, 1, 100, 1));
        assert_eq!(sum.success_rate, Some(0.75));
        let latency = sum.latency_ms.unwrap();
        assert!(latency.p50 <= 5 && latency.p95 <= 5 && (1001..=2000).contains(&latency.p99), "{latency:?}");
        let points: Vec<_> = stats.series.iter().map(|point| point.counted.delivered).collect();
        assert_eq!(points, [1, 2]);
    }

    #[test]
    fn a_step_is_the_sum_of_its_hours_with_percentiles_of_all_their_requests() {
        let now = UnixMs::parse("2026-02-23T14:30:00Z").unwrap();
        let hour = hour_of(now);
        let mut slow = Counts { delivered: 1, attempts_ok: 1, ..Counts::default() };
        slow.latency[bucket(1500)] = 1;
        let mut fast = Counts { delivered: 99, attempts_ok: 99, ..Counts::default() };
        fast.latency[bucket(4)] = 99;
        let hours = Hours::from([(hour, slow), (hour - 2, fast), (hour - 3, fast)]);
        let stats = Stats::of(Window::Day, Step::Quarter, now, &hours);
        let told = |point: &Point| (point.at.to_string(), point.counted.delivered);
        let points: Vec<_> = stats.series.iter().map(told).collect();
        let at = |text: &str, delivered| (format!("2026-02-{text}:00:00.000Z"), delivered);
        assert_eq!(
            points,
            [at("22T14", 0), at("22T18", 0), at("23T00", 0), at("23T06", 99), at("23T12", 100)]
        );
        let last = stats.series.last().and_then(|point| point.counted.latency_ms).unwrap();
        assert!(last.p95 <= 5 && last.p99 <= 5, "{last:?}");
        assert_eq!(stats.all.delivered, 199);
        assert_eq!(Stats::of(Window::Month, Step::Day, now, &hours).series.len(), 31);
    }
}
