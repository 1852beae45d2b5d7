//! What this machine could do, measured with nothing of Postrider's around it.
//!
//! - [`stock`]: R, `ureq` with its own connector and a resolver that knows the answer, straight to the receiver.
//! - [`own`]: the same with Postrider's sender. Beside R it says what a better client is worth.
//! - [`store`]: S, the life of a delivery in SQLite by the store's own code, without HTTP and without sending.
//! - [`disk`]: one `fdatasync`.

pub mod disk;
pub mod own;
pub mod request;
pub mod stock;
pub mod store;

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Fallible;
use crate::bench::{Bench, float};
use crate::now::{nanos, now, seconds, since};

/// Numbers of threads among which the best for R is looked for.
const THREADS: [usize; 5] = [1, 2, 4, 8, 16];

/// What is found out once.
#[derive(Debug, Clone, Copy)]
pub struct Ceilings {
    /// The number of threads with which R is best on this machine.
    pub threads: usize,
}

impl Ceilings {
    /// Tries them.
    pub fn find(bench: &Bench) -> Fallible<Self> {
        let mut best = (0.0, THREADS[0]);
        for threads in THREADS {
            let per_second = stock::per_second(bench.receiver.address, threads, bench.pick(1.0, 0.25))?;
            if per_second > best.0 {
                best = (per_second, threads);
            }
        }
        Ok(Self { threads: best.1 })
    }
}

/// Calls on so many threads for so many seconds, one after another on each; calls per second.
///
/// `caller` makes what a thread calls.
fn calls_per_second<C>(threads: usize, length: f64, caller: impl Fn() -> Fallible<C>) -> Fallible<f64>
where
    C: FnMut() -> Fallible<()> + Send,
{
    let callers = (0..threads).map(|_| caller()).collect::<Fallible<Vec<_>>>()?;
    let calls = AtomicU64::new(0);
    let start = now();
    let end = start + nanos(length);
    std::thread::scope(|scope| {
        let spawned: Vec<_> = callers
            .into_iter()
            .map(|mut call| {
                let calls = &calls;
                scope.spawn(move || {
                    while now() < end {
                        call()?;
                        calls.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        let joined = spawned.into_iter().map(|thread| thread.join().map_err(|_| "a thread has panicked")?);
        joined.collect::<Fallible<()>>()
    })?;
    Ok(float(calls.into_inner()) / seconds(since(start)))
}
