//! What a process takes of the machine, from `/proc`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use crate::Fallible;
use crate::now::{nanos, now, since, sleep};

/// Seconds between two looks at the memory.
const EVERY: f64 = 0.02;
/// A process that has used no processor time for so many seconds is at rest.
const REST: f64 = 0.3;
/// How long rest is waited for.
const PATIENCE: f64 = 60.0;

/// A process that runs.
#[derive(Debug, Clone, Copy)]
pub struct Watched {
    pid: u32,
}

/// Processor time since the start of a process, in seconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    /// In the program itself.
    pub user: f64,
    /// In the kernel, on its behalf.
    pub system: f64,
}

/// Looks at a process again and again; see [`Watched::sample`].
pub struct Sampler {
    seen: Arc<Seen>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    memory: AtomicU64,
    threads: AtomicU64,
    over: AtomicBool,
}

impl Cpu {
    /// Both.
    pub fn total(self) -> f64 {
        self.user + self.system
    }

    /// What was used since an earlier reading.
    pub fn since(self, earlier: Self) -> Self {
        Self { user: self.user - earlier.user, system: self.system - earlier.system }
    }
}

impl Watched {
    /// The process of this id.
    pub fn new(pid: u32) -> Self {
        Self { pid }
    }

    fn file(self, name: &str) -> Fallible<String> {
        let path = format!("/proc/{}/{name}", self.pid);
        std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}").into())
    }

    /// Its processor time so far, that of threads that have ended included.
    pub fn cpu(self) -> Fallible<Cpu> {
        let stat = self.file("stat")?;
        // The name of the program may hold anything; what follows its parenthesis does not.
        let (_, fields) = stat.rsplit_once(')').ok_or("an odd stat")?;
        let fields: Vec<_> = fields.split_ascii_whitespace().collect();
        let seconds = |at: usize| -> Fallible<f64> {
            let ticks: u32 = fields.get(at).ok_or("a short stat")?.parse()?;
            #[expect(clippy::cast_precision_loss, reason = "it is 100 everywhere")]
            let per_second = rustix::param::clock_ticks_per_second() as f64;
            Ok(f64::from(ticks) / per_second)
        };
        Ok(Cpu { user: seconds(11)?, system: seconds(12)? })
    }

    /// A figure of `/proc/PID/status` in bytes, such as `VmRSS` and `VmHWM`, the greatest `VmRSS` ever.
    pub fn memory(self, name: &str) -> Fallible<u64> {
        let kilobytes = self.status(name)?;
        let kilobytes = kilobytes.strip_suffix(" kB").ok_or("a figure without kB")?;
        Ok(kilobytes.parse::<u64>()? * 1024)
    }

    /// How many threads it has.
    pub fn threads(self) -> Fallible<u64> {
        Ok(self.status("Threads")?.parse()?)
    }

    fn status(self, name: &str) -> Fallible<String> {
        let status = self.file("status")?;
        let found = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        Ok(found.ok_or_else(|| format!("no {name} in the status of a process"))?.trim().to_owned())
    }

    /// Bytes that it has made the disk write since its start.
    pub fn written(self) -> Fallible<u64> {
        let io = self.file("io")?;
        let found = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
        Ok(found.ok_or("no write_bytes in the io of a process")?.parse()?)
    }

    /// Waits until it uses no processor time any more: what is done behind is done.
    pub fn rest(self) -> Fallible<()> {
        let started = now();
        let mut last = self.cpu()?.total();
        let mut quiet = now();
        while since(quiet) < nanos(REST) {
            if since(started) > nanos(PATIENCE) {
                return Err(format!("the server has not come to rest within {PATIENCE} s").into());
            }
            sleep(0.05);
            let total = self.cpu()?.total();
            if total > last {
                (last, quiet) = (total, now());
            }
        }
        Ok(())
    }

    /// Begins to look at its resident memory and its threads every 20 ms.
    pub fn sample(self) -> Sampler {
        let seen = Arc::new(Seen::default());
        let seeing = Arc::clone(&seen);
        let thread = std::thread::spawn(move || {
            while !seeing.over.load(Ordering::Relaxed) {
                // There is nothing to see once the process has ended.
                seeing.memory.fetch_max(self.memory("VmRSS").unwrap_or(0), Ordering::Relaxed);
                seeing.threads.fetch_max(self.threads().unwrap_or(0), Ordering::Relaxed);
                sleep(EVERY);
            }
        });
        Sampler { seen, thread: Some(thread) }
    }
}

impl Sampler {
    /// The greatest resident memory that was seen so far, in bytes.
    pub fn peak(&self) -> u64 {
        self.seen.memory.load(Ordering::Relaxed)
    }

    /// The most threads that were seen so far.
    pub fn threads(&self) -> u64 {
        self.seen.threads.load(Ordering::Relaxed)
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.seen.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed.
            let _ = thread.join();
        }
    }
}
