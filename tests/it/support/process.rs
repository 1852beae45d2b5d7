//! A child process whose output is kept line by line. It is killed when it is dropped.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use postrider::clock::Stopwatch;
use postrider::domain::time::UnixMs;

/// How long something may take that should happen at once: on a machine that has much else to do, that is a while. What
/// a test measures is another thing than how long it waits, so nothing is lost by waiting longer.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// See the module.
pub struct Process {
    child: Child,
    output: Arc<Output>,
    reaped: Option<ExitStatus>,
}

/// How a process has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// Everything that it has written to standard output.
    pub out: String,
    /// The same for standard error: the log, and why it has failed.
    pub err: String,
}

#[derive(Default)]
struct Output {
    said: Mutex<Said>,
    changed: Condvar,
}

#[derive(Default)]
struct Said {
    out: String,
    err: String,
    /// Streams that have ended. Both have when the process has, and all that it has started.
    ended: usize,
}

impl Ended {
    /// How long after its line with `first` the log has its next line with `then`, by the times that the program itself has
    /// written: however long this process had to wait for them.
    #[track_caller]
    pub fn between(&self, first: &str, then: &str) -> Duration {
        let mut lines = self.err.lines();
        let mut time_of = |text: &str| {
            let line = lines.find(|line| line.contains(text));
            let line = line.unwrap_or_else(|| panic!("the log does not say {text:?}:\n{}", self.err));
            let time = line.split_whitespace().next().and_then(|time| UnixMs::parse(time).ok());
            time.unwrap_or_else(|| panic!("there is no time in {line:?}")).0
        };
        let (first, then) = (time_of(first), time_of(then));
        Duration::from_millis((then - first).try_into().expect("the clock goes on"))
    }
}

impl Process {
    /// Starts it.
    pub fn spawn(command: &mut Command) -> Self {
        let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = started.unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        let output = Arc::new(Output::default());
        let (out, err) = (child.stdout.take().expect("a pipe"), child.stderr.take().expect("a pipe"));
        Output::follow(&output, out, |said| &mut said.out);
        Output::follow(&output, err, |said| &mut said.err);
        Self { child, output, reaped: None }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to standard error so far.
    pub fn log(&self) -> String {
        self.output.lock().err.clone()
    }

    /// Waits for a line on standard output that begins with this; the rest of it. Nothing if the process ends first.
    #[track_caller]
    pub fn line(&self, start: &str) -> Option<String> {
        self.wait(&format!("the line {start:?}"), |said| {
            let mut complete = said.out.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
            let found = complete.find_map(|line| line.strip_prefix(start)).map(str::to_owned);
            (found.is_some() || said.ended == 2).then_some(found)
        })
    }

    /// Waits until the log holds this text `times` times.
    #[track_caller]
    pub fn wait_for_log(&self, text: &str, times: usize) {
        self.wait(&format!("{text:?} in the log"), |said| {
            // It may have said so and ended before anybody looked.
            let is_there = said.err.matches(text).count() >= times;
            assert!(is_there || said.ended < 2, "it has ended without {text:?} in its log:\n{}", said.err);
            is_there.then_some(())
        });
    }

    /// Waits until it has ended by itself, at most `patience`.
    #[track_caller]
    pub fn wait_for_end(&mut self, patience: Duration) -> Ended {
        self.output.wait("its end", patience, |said| (said.ended == 2).then_some(()));
        self.reap()
    }

    /// Ends it as a power cut would: nothing of it runs any more when this returns.
    pub fn kill(&mut self) -> Ended {
        if self.reaped.is_none() {
            self.child.kill().expect("a child of ours can be killed");
        }
        self.reap()
    }

    /// Sends it a signal, by name without `SIG`.
    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    fn reap(&mut self) -> Ended {
        let status = self.child.wait().expect("a child of ours");
        self.reaped = Some(status);
        let mut ended = None;
        self.output.wait("the end of its output", PATIENCE, |said| {
            ended = Some((said.out.clone(), said.err.clone()));
            (said.ended == 2).then_some(())
        });
        let (out, err) = ended.expect("it was looked at");
        Ended { status, out, err }
    }

    #[track_caller]
    fn wait<T>(&self, what: &str, ready: impl FnMut(&mut Said) -> Option<T>) -> T {
        self.output.wait(what, PATIENCE, ready)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.reaped.is_none() {
            // It may have ended by itself.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- the log of process {}:\n{}", self.pid(), self.log());
        }
    }
}

impl Output {
    fn lock(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(output: &Arc<Self>, pipe: impl Read + Send + 'static, which: fn(&mut Said) -> &mut String) {
        let output = Arc::clone(output);
        std::thread::spawn(move || {
            let mut lines = BufReader::new(pipe);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                which(&mut output.lock()).push_str(&String::from_utf8_lossy(&line));
                output.changed.notify_all();
                line.clear();
            }
            output.lock().ended += 1;
            output.changed.notify_all();
        });
    }

    #[track_caller]
    fn wait<T>(&self, what: &str, patience: Duration, mut ready: impl FnMut(&mut Said) -> Option<T>) -> T {
        let waiting = Stopwatch::start();
        let mut said = self.lock();
        loop {
            if let Some(found) = ready(&mut said) {
                return found;
            }
            let left = waiting.left(patience);
            if left.is_zero() {
                let seen = format!("{}\n{}", said.out, said.err);
                drop(said);
                panic!("waited {patience:?} for {what}; the process has said:\n{seen}");
            }
            said = self.changed.wait_timeout(said, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Sends a signal to one process.
pub fn signal(pid: u32, name: &str) {
    let script = format!("kill -{name} {pid}");
    let sent = Command::new("sh").arg("-c").arg(&script).status().expect("sh can be started");
    assert!(sent.success(), "{script}: {sent}");
}

/// Waits until something outside of this process is so. Nobody tells of that, so it is looked at again and again.
#[track_caller]
pub fn until<T>(what: &str, patience: Duration, mut ready: impl FnMut() -> Option<T>) -> T {
    let waiting = Stopwatch::start();
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(!waiting.left(patience).is_zero(), "waited {patience:?} for {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
