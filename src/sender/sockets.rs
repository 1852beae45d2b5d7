//! Every socket that is open, so that a stop can cut those that wait.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

/// The open sockets of one sender.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    next: u64,
    open: HashMap<u64, Arc<TcpStream>>,
}

/// A socket in the list; dropping it closes the socket and strikes it off.
#[derive(Debug)]
pub(super) struct Registered {
    stream: Arc<TcpStream>,
    number: u64,
    sockets: Arc<Sockets>,
}

impl Sockets {
    /// Takes a connected socket in; `None` once the sender is stopped.
    pub(super) fn register(self: &Arc<Self>, stream: TcpStream) -> Option<Registered> {
        let stream = Arc::new(stream);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.stopped {
            return None;
        }
        state.next += 1;
        let number = state.next;
        state.open.insert(number, Arc::clone(&stream));
        Some(Registered { stream, number, sockets: Arc::clone(self) })
    }

    /// Cuts every connection, now and from now on. Who waits on one gets an end of file or an error.
    pub(super) fn stop(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.stopped = true;
        for stream in state.open.values() {
            // The only error is that it is closed already.
            let _: std::io::Result<()> = stream.shutdown(Shutdown::Both);
        }
    }

    /// Whether [`Sockets::stop`] was called.
    pub(super) fn is_stopped(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stopped
    }
}

impl Deref for Registered {
    type Target = TcpStream;

    fn deref(&self) -> &TcpStream {
        &self.stream
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut state = self.sockets.state.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = state.open.remove(&self.number);
        drop(state);
        drop(ours);
    }
}
