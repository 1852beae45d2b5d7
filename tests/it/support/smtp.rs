//! A scripted mail server on a loopback port, by hand: it takes mail, in the clear or over TLS, keeps what it got,
//! refuses what it is told to, and lets wait or turns away whom it is told to. Dropping it ends its thread.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use data_encoding::BASE64;
use postrider::clock::Stopwatch;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::process::PATIENCE;

/// A mail that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// User and password that somebody signed in with.
    pub login: Option<(String, String)>,
    pub from: String,
    pub to: Vec<String>,
    /// Headers and text, as they came, without the dots that were added on the way.
    pub data: String,
}

impl Mail {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.data.split("\r\n\r\n").next()?;
        head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The text below the headers, decoded where it was encoded as quoted-printable.
    pub fn text(&self) -> String {
        let (head, body) = self.data.split_once("\r\n\r\n").expect("a head and a text");
        let body = body.replace("\r\n", "\n");
        if !head.contains("quoted-printable") {
            return body;
        }
        let joined = body.replace("=\n", "");
        let mut parts = joined.split('=');
        let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
        for part in parts {
            bytes.push(u8::from_str_radix(&part[..2], 16).expect("two digits"));
            bytes.extend(&part.as_bytes()[2..]);
        }
        String::from_utf8(bytes).expect("UTF-8")
    }
}

#[derive(Default)]
struct State {
    mails: Vec<Mail>,
    /// What the next commands `DATA` are answered with.
    refusals: VecDeque<&'static str>,
    /// Connections so far.
    connections: usize,
    /// So many more connections are spoken to, and the next waits; `None`: all are.
    let_in: Option<usize>,
    /// Connections are closed at once.
    absent: bool,
    stopped: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// What becomes of a connection.
enum Welcome {
    Speak,
    TurnAway,
    Stop,
}

/// See the module.
pub struct MailServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

/// How sessions are encrypted.
#[derive(Clone)]
pub enum Way {
    /// Not at all.
    Clear,
    /// From `STARTTLS` on, and nothing is taken before.
    StartTls(Arc<ServerConfig>),
    /// From the first byte on.
    Tls(Arc<ServerConfig>),
}

impl MailServer {
    pub fn start() -> Self {
        Self::by(Way::Clear)
    }

    pub fn by(way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let serving = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                match serving.welcome() {
                    Welcome::Speak => {}
                    Welcome::TurnAway => continue,
                    Welcome::Stop => return,
                }
                // A client that leaves in the middle has sent nothing.
                let _ = serve(&serving, stream.expect("a connection"), &way);
            }
        });
        Self { shared, address, thread: Some(thread) }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The next mail is refused with this answer.
    pub fn refuse(&self, answer: &'static str) {
        self.shared.lock().refusals.push_back(answer);
    }

    /// From now on connections are closed at once, or not any more.
    pub fn absent(&self, absent: bool) {
        self.shared.change(|state| state.absent = absent);
    }

    /// From now on whoever connects waits for [`MailServer::let_in`] before anything is said.
    pub fn hold(&self) {
        self.shared.change(|state| state.let_in = Some(0));
    }

    /// Speaks to so many more connections.
    pub fn let_in(&self, n: usize) {
        self.shared.change(|state| state.let_in = state.let_in.map(|left| left + n));
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.shared.lock().connections
    }

    /// Waits until there were at least `n` connections.
    #[track_caller]
    pub fn wait_for_connections(&self, n: usize) {
        drop(self.wait_until(&format!("{n} connections"), |state| state.connections >= n));
    }

    /// Waits until at least `n` mails were taken; all of them.
    #[track_caller]
    pub fn wait_for(&self, n: usize) -> Vec<Mail> {
        self.wait_until(&format!("{n} mails"), |state| state.mails.len() >= n).mails.clone()
    }

    #[track_caller]
    fn wait_until(&self, what: &str, holds: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waiting = Stopwatch::start();
        let mut state = self.shared.lock();
        while !holds(&state) {
            let left = waiting.left(PATIENCE);
            assert!(!left.is_zero(), "waited {PATIENCE:?} for {what}, and there are {:?}", state.mails);
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.shared.change(|state| state.stopped = true);
        // The thread looks at `stopped` when it has accepted this one.
        let _ = TcpStream::connect_timeout(&self.address, PATIENCE);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, with: impl FnOnce(&mut State)) {
        with(&mut self.lock());
        self.changed.notify_all();
    }

    /// What becomes of a connection that has come; waits as long as it is to wait.
    fn welcome(&self) -> Welcome {
        self.change(|state| state.connections += 1);
        let waits = |state: &mut State| !state.stopped && state.let_in == Some(0);
        let state = self.changed.wait_while(self.lock(), waits);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        state.let_in = state.let_in.map(|left| left.saturating_sub(1));
        match (state.stopped, state.absent) {
            (true, _) => Welcome::Stop,
            (false, true) => Welcome::TurnAway,
            (false, false) => Welcome::Speak,
        }
    }
}

/// One connection.
fn serve(shared: &Shared, stream: TcpStream, way: &Way) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let secured = |config: &Arc<ServerConfig>, stream| {
        StreamOwned::new(ServerConnection::new(Arc::clone(config)).expect("a session"), stream)
    };
    match way {
        Way::Clear => session(shared, stream, false, true).map(drop),
        Way::Tls(config) => session(shared, secured(config, stream), false, true).map(drop),
        Way::StartTls(config) => match session(shared, stream, true, true)? {
            Some(stream) => session(shared, secured(config, stream), false, false).map(drop),
            None => Ok(()),
        },
    }
}

/// One session: RFC 5321, AUTH PLAIN of RFC 4954, and STARTTLS of RFC 3207, at which it hands the stream back.
fn session<S: Read + Write>(
    shared: &Shared,
    mut stream: S,
    starts_tls: bool,
    greets: bool,
) -> io::Result<Option<S>> {
    let mut mail = Mail { login: None, from: String::new(), to: Vec::new(), data: String::new() };
    if greets {
        stream.write_all(b"220 mail.test ready\r\n")?;
    }
    loop {
        let line = line(&mut stream)?;
        let angled = || {
            let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
            inside.map_or_else(String::new, |(address, _)| address.to_owned())
        };
        let mut answer = "250 ok";
        match line.to_ascii_uppercase().split([' ', ':']).next().unwrap_or_default() {
            "EHLO" if starts_tls => answer = "250-mail.test\r\n250 STARTTLS",
            "EHLO" => answer = "250-mail.test\r\n250 AUTH PLAIN",
            "STARTTLS" if starts_tls => {
                stream.write_all(b"220 go on\r\n")?;
                return Ok(Some(stream));
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n")?;
                return Ok(None);
            }
            _ if starts_tls => answer = "530 not in the clear",
            "AUTH" => {
                mail.login = login(&line);
                answer = "235 welcome";
            }
            "MAIL" => mail.from = angled(),
            "RCPT" => mail.to.push(angled()),
            "DATA" => {
                let refusal = shared.lock().refusals.pop_front();
                if let Some(refusal) = refusal {
                    answer = refusal;
                } else {
                    stream.write_all(b"354 go on\r\n")?;
                    mail.data = data(&mut stream)?;
                    shared.lock().mails.push(mail.clone());
                    shared.changed.notify_all();
                }
            }
            "RSET" | "NOOP" => {}
            _ => answer = "502 not here",
        }
        stream.write_all(format!("{answer}\r\n").as_bytes())?;
    }
}

/// A line without its end. Byte by byte: what follows may belong to TLS.
fn line(stream: &mut impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        bytes.push(byte[0]);
    }
    bytes.truncate(bytes.len() - 2);
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// `AUTH PLAIN` with its answer on the same line: `\0user\0password`.
fn login(line: &str) -> Option<(String, String)> {
    let decoded = BASE64.decode(line.split(' ').nth(2)?.as_bytes()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let mut parts = text.split('\0').skip(1);
    Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
}

fn data(stream: &mut impl Read) -> io::Result<String> {
    let mut data = String::new();
    loop {
        let line = line(stream)?;
        if line == "." {
            return Ok(data);
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
        data.push_str("\r\n");
    }
}
