//! Telling the service manager how it goes, as `sd_notify(3)` has it: datagrams on the socket that it names in
//! `NOTIFY_SOCKET`. Without one nothing is told.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use crate::config::Environment;
use crate::dispatcher::Dispatcher;
use crate::service::Service;
use crate::store::{Promise, StoreError};

/// How often the status is told where no watchdog asks for more.
const STATUS_EVERY: Duration = Duration::from_secs(20);
/// A manager that does not read is not waited for.
const SEND_PATIENCE: Duration = Duration::from_secs(2);

/// Who started this process and wants to hear from it.
pub(super) struct Manager {
    socket: UnixDatagram,
    /// How long it waits for a sign of health before it starts the program anew.
    watchdog: Option<Duration>,
    /// What was told last.
    status: Mutex<String>,
}

/// Looks after the health of the server until it is dropped.
pub(super) struct Watch(Option<(Arc<Manager>, mpsc::Sender<()>)>);

impl Manager {
    /// The manager that the environment names; `process` is the id of this one. The variables stay as they are: this
    /// program starts no others that could take them for theirs.
    ///
    /// # Errors
    /// The socket cannot be reached.
    pub(super) fn of(env: &Environment, process: u32) -> io::Result<Option<Self>> {
        let Some(name) = env.get("NOTIFY_SOCKET") else { return Ok(None) };
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(&address(&name)?)?;
        socket.set_write_timeout(Some(SEND_PATIENCE))?;
        let number = |name: &str| env.get(name).and_then(|text| text.to_str()?.parse::<u64>().ok());
        // Meant for another process: a shell that started this one, perhaps.
        let ours = env.get("WATCHDOG_PID").is_none() || number("WATCHDOG_PID") == Some(process.into());
        let watchdog =
            number("WATCHDOG_USEC").filter(|&micros| ours && micros > 0).map(Duration::from_micros);
        Ok(Some(Self { socket, watchdog, status: Mutex::default() }))
    }

    fn tell(&self, lines: &str) {
        if let Err(error) = self.socket.send(lines.as_bytes()) {
            tracing::warn!(%error, "the service manager (NOTIFY_SOCKET) could not be told");
        }
    }

    /// The status, if it has changed, and whatever else there is to say.
    fn report(&self, says: &[&str], status: String) {
        let mut told = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let line = (*told != status).then(|| format!("STATUS={status}"));
        let lines: Vec<_> = says.iter().copied().chain(line.as_deref()).collect();
        if !lines.is_empty() {
            self.tell(&lines.join("\n"));
        }
        *told = status;
    }

    /// Tells that requests are accepted, and from now on that it is well, as often as the manager wants to hear it.
    pub(super) fn ready(
        self,
        service: Arc<Service>,
        dispatcher: Arc<Dispatcher>,
    ) -> Result<Watch, io::Error> {
        let manager = Arc::new(self);
        manager.report(&["READY=1"], status(&service, &dispatcher));
        let (stop, stopped) = mpsc::channel();
        let told = Arc::clone(&manager);
        std::thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
            let every = told.watchdog.map_or(STATUS_EVERY, |limit| (limit / 3).min(STATUS_EVERY));
            while stopped.recv_timeout(every) == Err(mpsc::RecvTimeoutError::Timeout) {
                if told.watchdog.is_some() && is_well(&service, &dispatcher, every) {
                    told.report(&["WATCHDOG=1"], status(&service, &dispatcher));
                } else {
                    told.report(&[], status(&service, &dispatcher));
                }
            }
        })?;
        Ok(Watch(Some((manager, stop))))
    }
}

impl Watch {
    /// Nobody wants to hear anything.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Tells that the server stops, and no more after that.
    pub(super) fn stopping(self) {
        if let Some((manager, stop)) = self.0 {
            // Before the thread is told, which may say nothing more.
            drop(stop);
            manager.report(&["STOPPING=1"], "stopping".to_owned());
        }
    }
}

/// Whether those threads turn without which nothing is accepted or sent. Does not come back while the writer hangs, which
/// is as good an answer.
fn is_well(service: &Service, dispatcher: &Dispatcher, patience: Duration) -> bool {
    let store = service.store();
    // A disk that is full is no reason to be started anew: the writer has said so, and tries again by itself.
    if store.trouble().is_none() {
        // Behind whatever waits, also where that is as much as may wait.
        let (promise, answer) = Promise::<(), StoreError>::new();
        store.write_for(promise, |_| Ok(()));
        if let Err(error) = answer.wait() {
            tracing::debug!(%error, "the writer answers that it cannot write");
        }
    }
    dispatcher.turns(patience)
}

/// One line for `systemctl status`.
fn status(service: &Service, dispatcher: &Dispatcher) -> String {
    let problems = service.problems();
    if problems.is_empty() {
        let (in_flight, ..) = dispatcher.load();
        let endpoints = service.store().directory().all().len();
        return format!("accepting; {endpoints} endpoints, {in_flight} deliveries in flight");
    }
    // A line break would begin another word of the protocol.
    problems.join("; ").replace(['\n', '\r'], " ")
}

/// A path, or after `@` a name in the abstract namespace.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes() {
        [b'/', ..] => SocketAddr::from_pathname(name),
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is neither a path nor begins with @")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> io::Result<Option<Manager>> {
        Manager::of(&Environment::of(variables), 17)
    }

    #[test]
    fn sockets_are_paths_or_abstract_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let name = format!("postrider-{}", path.display()).replace('/', "-");
        let abstract_name = SocketAddr::from_abstract_name(&name).unwrap();
        for (variable, listener) in [
            (path.to_str().unwrap().to_owned(), UnixDatagram::bind(&path).unwrap()),
            (format!("@{name}"), UnixDatagram::bind_addr(&abstract_name).unwrap()),
        ] {
            let manager = of(&[("NOTIFY_SOCKET", &variable)]).unwrap().unwrap();
            manager.report(&["READY=1"], "well".to_owned());
            manager.report(&[], "well".to_owned());
            manager.report(&["STOPPING=1"], "well".to_owned());
            let mut bytes = [0; 100];
            let mut next = || {
                let count = listener.recv(&mut bytes).unwrap();
                String::from_utf8(bytes[..count].to_vec()).unwrap()
            };
            assert_eq!((next(), next()), ("READY=1\nSTATUS=well".to_owned(), "STOPPING=1".to_owned()));
        }
    }

    #[test]
    fn without_a_socket_nobody_is_told_and_one_that_cannot_be_reached_is_an_error() {
        assert!(of(&[]).unwrap().is_none() && of(&[("NOTIFY_SOCKET", "")]).unwrap().is_none());
        for wrong in ["/nowhere/to/be/found", "@nobody-listens-here-17", "vsock:2:1234"] {
            assert!(of(&[("NOTIFY_SOCKET", wrong)]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_watchdog_of_another_process_is_none_of_ours() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let _listener = UnixDatagram::bind(&path).unwrap();
        let watchdog = |variables: &[(&str, &str)]| {
            let all: Vec<_> =
                variables.iter().copied().chain([("NOTIFY_SOCKET", path.to_str().unwrap())]).collect();
            of(&all).unwrap().unwrap().watchdog
        };
        let minute = ("WATCHDOG_USEC", "60000000");
        assert_eq!(watchdog(&[minute]), Some(Duration::from_mins(1)));
        assert_eq!(watchdog(&[minute, ("WATCHDOG_PID", "17")]), Some(Duration::from_mins(1)));
        assert_eq!(watchdog(&[minute, ("WATCHDOG_PID", "18")]), None);
        assert_eq!(watchdog(&[("WATCHDOG_USEC", "0")]), None);
        assert_eq!(watchdog(&[]), None);
    }
}
