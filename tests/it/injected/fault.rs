//! Faults that strace injects into the system calls of a server, on its own files and on no others.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use postrider::clock::Stopwatch;

use crate::support::process::{self, PATIENCE};
use crate::support::server::{Server, Start};

/// Runs of a server at the same time.
const AT_ONCE: usize = 4;

/// What goes wrong: the `from`-th call of this name that a thread makes, and with `lasting` all that follow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault {
    pub(super) call: &'static str,
    pub(super) error: &'static str,
    pub(super) from: usize,
    pub(super) lasting: bool,
}

/// A server under strace: which files are watched, and where strace writes what it has seen.
pub(super) struct Watch {
    files: Vec<PathBuf>,
    trace: PathBuf,
}

impl Watch {
    /// These files, which need not be there yet, of the data directory (an empty name is the directory itself).
    pub(super) fn on(data: &Path, names: &[&str]) -> Self {
        let files = names.iter().map(|name| if name.is_empty() { data.to_owned() } else { data.join(name) });
        Self { files: files.collect(), trace: data.with_extension("trace") }
    }

    /// How a server is started so that these calls are recorded, and a fault is injected.
    pub(super) fn start(&self, data: &Path, calls: &str, fault: Option<&Fault>) -> Start {
        let trace = self.trace.to_str().expect("a path").to_owned();
        // `-D`: the server stays this test's own child.
        let mut words = ["strace", "-D", "-I2", "-f", "-q", "-o", &trace, "-e"].map(str::to_owned).to_vec();
        words.push(format!("trace={calls}"));
        if let Some(Fault { call, error, from, lasting }) = fault {
            let on = if *lasting { "+" } else { "" };
            words.extend(["-e".to_owned(), format!("inject={call}:error={error}:when={from}{on}")]);
        }
        for file in &self.files {
            words.extend(["-P".to_owned(), file.to_str().expect("a path").to_owned()]);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Start::on(data).under(&words)
    }

    fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.trace).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// How often the fault has struck.
    pub(super) fn injected(&self) -> usize {
        self.lines().iter().filter(|line| line.contains("(INJECTED)")).count()
    }

    /// How often the thread that did so most often has made this call.
    pub(super) fn count(&self, call: &str) -> usize {
        let call = format!("{call}(");
        let lines = self.lines();
        let by: Vec<&str> = lines
            .iter()
            .filter_map(|line| line.split_once(' '))
            .filter(|(_, rest)| rest.trim_start().starts_with(&call))
            .map(|(thread, _)| thread)
            .collect();
        by.iter().map(|thread| by.iter().filter(|other| *other == thread).count()).max().unwrap_or(0)
    }

    /// Ends the fault: strace lets go of the server, which goes on.
    pub(super) fn let_go(server: &Server) {
        let status = format!("/proc/{}/status", server.process.pid());
        let tracer = || {
            let text = fs::read_to_string(&status).expect("a process that runs");
            let line = text.lines().find_map(|line| line.strip_prefix("TracerPid:")).expect("a tracer");
            line.trim().parse::<u32>().expect("a process id")
        };
        let strace = tracer();
        assert!(strace > 0, "it is traced");
        process::signal(strace, "TERM");
        process::until("strace to let go", PATIENCE, || (tracer() == 0).then_some(()));
    }

    /// Waits until the fault has struck so many times more: the server has tried again. It must not do so without
    /// a pause.
    pub(super) fn wait_for_tries(&self, more: usize) {
        let (watch, before) = (Stopwatch::start(), self.injected());
        process::until("the server to try again", PATIENCE, || {
            (self.injected() >= before + more).then_some(())
        });
        let (tries, waited) = (self.injected() - before, watch.elapsed());
        let most = 12 + usize::try_from(waited.as_millis()).expect("a short time") / 80;
        assert!(tries <= most, "{tries} calls failed in {waited:?}: it does not pause");
    }
}

/// Says at a failure which case it was.
struct Case(String);

impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- failed in the case {}", self.0);
        }
    }
}

/// Runs every case, some at a time.
pub(super) fn for_each<T: std::fmt::Debug + Sync>(cases: &[T], run: impl Fn(&T) + Sync) {
    let (next, watch) = (AtomicUsize::new(0), Stopwatch::start());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(at) else { break };
                    if at > 0 && at.is_multiple_of(100) {
                        println!("{at} of {} cases in {:?}", cases.len(), watch.elapsed());
                    }
                    let _named = Case(format!("{case:?}"));
                    run(case);
                }
            });
        }
    });
    println!("{} cases in {:?}", cases.len(), watch.elapsed());
}
