//! A DNS server that says what a test wants: over UDP and TCP on 127.0.0.1:53, every answer with a TTL of 0.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

const PLACE: &str = "127.0.0.1:53";
const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;
/// The largest answer in a datagram; longer ones are asked for over TCP.
const DATAGRAM: usize = 512;

/// What is said to one question.
#[derive(Debug, Clone)]
pub enum Reply {
    /// The name leads through these others to these addresses; a question gets those of its own type.
    Found { chain: Vec<String>, addresses: Vec<IpAddr> },
    /// Nothing but this code.
    Code(u8),
    /// Nothing at all.
    Silence,
    /// What `Found` would be, after this was done to its bytes. Over TCP the connection ends instead.
    Mangled(Vec<IpAddr>, fn(&mut Vec<u8>)),
}

impl Reply {
    pub fn addresses(addresses: &[&str]) -> Self {
        Self::chain(&[], addresses)
    }

    pub fn chain(chain: &[&str], addresses: &[&str]) -> Self {
        let chain = chain.iter().map(|&name| name.to_owned()).collect();
        Self::Found { chain, addresses: parsed(addresses) }
    }

    pub fn mangled(addresses: &[&str], how: fn(&mut Vec<u8>)) -> Self {
        Self::Mangled(parsed(addresses), how)
    }
}

fn parsed(addresses: &[&str]) -> Vec<IpAddr> {
    addresses.iter().map(|text| text.parse().expect("an address")).collect()
}

/// See the module. It lives as long as the process.
#[derive(Debug, Clone, Default)]
pub struct Dns {
    zone: Arc<Mutex<Zone>>,
}

#[derive(Debug, Default)]
struct Zone {
    /// What is said about a name, one reply after the other; the last one stands.
    scripts: HashMap<String, Vec<Reply>>,
    /// How often a name was asked for, by type.
    asked: HashMap<(String, u16), usize>,
}

impl Dns {
    pub fn start() -> Self {
        let dns = Self::default();
        let datagrams = UdpSocket::bind(PLACE).expect("the port of DNS");
        let streams = TcpListener::bind(PLACE).expect("the port of DNS");
        let (over_udp, over_tcp) = (dns.clone(), dns.clone());
        thread::spawn(move || over_udp.serve_datagrams(&datagrams));
        thread::spawn(move || {
            for stream in streams.incoming() {
                // Who asks may leave at any time.
                let _ = over_tcp.serve_stream(stream.expect("a connection"));
            }
        });
        dns
    }

    /// What is said about `name` from now on, one reply after the other; the last one stands. `*.rest` holds for
    /// all names below `rest` that have no script of their own. Others do not exist.
    pub fn set(&self, name: &str, script: &[Reply]) {
        let mut zone = self.lock();
        zone.asked.retain(|(asked, _), _| asked != name);
        zone.scripts.insert(name.to_owned(), script.to_vec());
    }

    /// How often the IPv4 addresses of `name` were asked for since its script was set.
    pub fn asked(&self, name: &str) -> usize {
        self.lock().asked.get(&(name.to_owned(), A)).copied().unwrap_or(0)
    }

    /// How many names were asked for.
    pub fn names_asked(&self) -> usize {
        self.lock().asked.keys().filter(|(_, kind)| *kind == A).count()
    }

    fn lock(&self) -> MutexGuard<'_, Zone> {
        self.zone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve_datagrams(&self, socket: &UdpSocket) {
        let mut buffer = [0; DATAGRAM];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).expect("a datagram");
            if let Some(mut answer) = self.answer(&buffer[..length], true) {
                if answer.len() > DATAGRAM {
                    answer = truncated(&buffer[..length]);
                }
                // Who asked may be gone.
                let _ = socket.send_to(&answer, from);
            }
        }
    }

    fn serve_stream(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        loop {
            let mut length = [0; 2];
            stream.read_exact(&mut length)?;
            let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut question)?;
            let Some(answer) = self.answer(&question, false) else {
                return Ok(());
            };
            let length = u16::try_from(answer.len()).expect("an answer of less than 64 KB");
            stream.write_all(&[&length.to_be_bytes()[..], &answer].concat())?;
        }
    }

    fn answer(&self, message: &[u8], datagram: bool) -> Option<Vec<u8>> {
        let question = Question::read(message).expect("a question as glibc asks it");
        match self.lock().next(&question) {
            Reply::Silence => None,
            Reply::Mangled(..) if !datagram => None,
            Reply::Code(code) => Some(question.answer(code, &[], &[])),
            Reply::Found { chain, addresses } => Some(question.answer(0, &chain, &addresses)),
            Reply::Mangled(addresses, how) => {
                let mut answer = question.answer(0, &[], &addresses);
                how(&mut answer);
                Some(answer)
            }
        }
    }
}

impl Zone {
    fn next(&mut self, question: &Question<'_>) -> Reply {
        const NO_SUCH_NAME: Reply = Reply::Code(3);
        let asked = self.asked.entry((question.name.clone(), question.kind)).or_default();
        *asked += 1;
        let parent = question.name.split_once('.').map(|(_, rest)| format!("*.{rest}"));
        let own = self.scripts.get(&question.name);
        let script = own.or_else(|| self.scripts.get(&parent?));
        let reply = script.and_then(|script| script.get(*asked - 1).or(script.last()));
        reply.cloned().unwrap_or(NO_SUCH_NAME)
    }
}

/// One question, and its message.
struct Question<'a> {
    id: &'a [u8],
    /// From the name to its class, as it was asked.
    bytes: &'a [u8],
    name: String,
    kind: u16,
}

impl<'a> Question<'a> {
    fn read(message: &'a [u8]) -> Option<Self> {
        let mut labels = Vec::new();
        let mut at = 12;
        while let length @ 1.. = usize::from(*message.get(at)?) {
            labels.push(String::from_utf8_lossy(message.get(at + 1..=at + length)?).to_lowercase());
            at += 1 + length;
        }
        let kind = message.get(at + 1..at + 3)?;
        let kind = u16::from_be_bytes([kind[0], kind[1]]);
        Some(Self { id: message.get(..2)?, bytes: message.get(12..at + 5)?, name: labels.join("."), kind })
    }

    fn answer(&self, code: u8, chain: &[String], addresses: &[IpAddr]) -> Vec<u8> {
        let mut owner = self.name.as_str();
        let mut records = Vec::new();
        for next in chain {
            records.push(record(owner, CNAME, &encoded(next)));
            owner = next;
        }
        for address in addresses {
            match address {
                IpAddr::V4(v4) if self.kind == A => records.push(record(owner, A, &v4.octets())),
                IpAddr::V6(v6) if self.kind == AAAA => records.push(record(owner, AAAA, &v6.octets())),
                _ => {}
            }
        }
        let count = u16::try_from(records.len()).expect("some records").to_be_bytes();
        // An answer, recursion asked for and available.
        let head = [self.id, &[0x81, 0x80 | code, 0, 1], &count, &[0; 4], self.bytes].concat();
        [head, records.concat()].concat()
    }
}

/// "Ask again over TCP."
fn truncated(question: &[u8]) -> Vec<u8> {
    let question = Question::read(question).expect("it was read before");
    let mut answer = question.answer(0, &[], &[]);
    answer[2] |= 0x02;
    answer
}

fn record(owner: &str, kind: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).expect("a short record").to_be_bytes();
    // Class IN, TTL 0.
    [&encoded(owner)[..], &kind.to_be_bytes(), &[0, 1, 0, 0, 0, 0], &length, data].concat()
}

fn encoded(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).expect("a short label"));
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}
