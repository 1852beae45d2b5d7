//! Threads that publish: as fast as they can, or at a pace.

use std::collections::BTreeMap;
use std::time::Duration;

use postrider::clock::Stopwatch;
use serde_json::json;

use crate::support::client::Client;

use super::counter::{Counter, Manner};
use super::tenant;

const THREADS: u64 = 8;
/// Who has fallen behind by more does not try to catch up.
const BEHIND: Duration = Duration::from_secs(1);
/// What an event carries besides.
const NOTE: &str =
    "an invoice was paid, in full and in time, and somebody would like to know of it as soon as possible";

/// What was acknowledged.
pub(super) type Acknowledged = BTreeMap<Manner, u64>;

/// Of 100 events, 6 go to endpoints of which each is trouble of another kind.
fn manner(number: u64) -> Manner {
    match number % 100 {
        17 | 67 => Manner::Slow,
        34 | 84 => Manner::Failing,
        1 | 51 => Manner::Flapping,
        _ => Manner::Good,
    }
}

/// Publishes for so long, at so many events a second if that is given.
pub(super) fn publish(
    client: &Client,
    counter: &Counter,
    length: Duration,
    per_second: Option<f64>,
) -> Acknowledged {
    let watch = Stopwatch::start();
    let every = per_second.map(|rate| Duration::from_secs(THREADS).div_f64(rate));
    let publisher = |thread: u64| {
        let mut acknowledged = Acknowledged::new();
        let mut number = thread * 13;
        let mut due = every.map_or(Duration::ZERO, |every| every.mul_f64(unit(thread)));
        while !watch.left(length).is_zero() {
            if let Some(every) = every {
                wait_until(&watch, due.min(length));
                due = (due + every).max(watch.elapsed().saturating_sub(BEHIND));
            }
            let manner = manner(number);
            let body = json!({ "type": format!("soak.{}", manner.word()), "tenant": tenant(number),
                "data": { "at": counter.micros(), "note": NOTE } });
            client.post("/api/v1/events", &body).expect(202);
            *acknowledged.entry(manner).or_default() += 1;
            number += 1;
        }
        acknowledged
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || publisher(thread))).collect();
        let mut all = Acknowledged::new();
        for thread in threads {
            add(&mut all, &thread.join().expect("a publisher that has not failed"));
        }
        all
    })
}

pub(super) fn add(sum: &mut Acknowledged, more: &Acknowledged) {
    for (manner, count) in more {
        *sum.entry(*manner).or_default() += count;
    }
}

/// Spreads the threads over one interval.
fn unit(thread: u64) -> f64 {
    f64::from(u32::try_from(thread).expect("a few")) / f64::from(u32::try_from(THREADS).expect("a few"))
}

fn wait_until(watch: &Stopwatch, due: Duration) {
    loop {
        let left = watch.left(due);
        if left.is_zero() {
            return;
        }
        std::thread::park_timeout(left);
    }
}
