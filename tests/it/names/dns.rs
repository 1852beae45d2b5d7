//! A DNS server (RFC 1035) that says what a test wants, over UDP on port 53 of this machine.

use std::collections::HashMap;
use std::net::{IpAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;
/// Names that an alias may lead through.
const CHAIN: usize = 16;

/// What is said about a name.
#[derive(Debug, Clone)]
pub enum Says {
    /// It has these addresses.
    Addresses(Vec<IpAddr>),
    /// It is another name for this one.
    Alias(String),
    /// Nothing is answered.
    Nothing,
    /// "The server failed."
    Failure,
}

pub fn addresses(all: &[&str]) -> Says {
    Says::Addresses(all.iter().map(|address| address.parse().expect("an address")).collect())
}

/// See the module. A name that is not set does not exist.
pub struct Dns {
    zone: Arc<Mutex<Zone>>,
}

#[derive(Default)]
struct Zone {
    names: HashMap<String, Says>,
    /// What is said about all names below a suffix.
    below: Option<(String, Says)>,
    is_mute: bool,
}

impl Dns {
    pub fn start() -> Self {
        let zone = Arc::new(Mutex::new(Zone::default()));
        let known = Arc::clone(&zone);
        // The tests run one after the other, and the thread of the one before may still be there.
        let socket = UdpSocket::bind("127.0.0.1:53").expect("the port of DNS, in a network of our own");
        thread::spawn(move || {
            let mut packet = [0; 1500];
            // The last one that holds the zone beside us is the test.
            while Arc::strong_count(&known) > 1 {
                let Ok((count, from)) = socket.recv_from(&mut packet) else { continue };
                let answer = known.lock().unwrap_or_else(PoisonError::into_inner).answer(&packet[..count]);
                if let Some(answer) = answer {
                    socket.send_to(&answer, from).expect("an answer can be sent");
                }
            }
        });
        Self { zone }
    }

    fn change<T>(&self, with: impl FnOnce(&mut Zone) -> T) -> T {
        with(&mut self.zone.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn set(&self, name: &str, says: Says) {
        self.change(|zone| zone.names.insert(name.to_owned(), says));
    }

    pub fn set_all_below(&self, suffix: &str, says: Says) {
        self.change(|zone| zone.below = Some((suffix.to_owned(), says)));
    }

    /// Answers nothing at all from now on, or again.
    pub fn mute(&self, is_mute: bool) {
        self.change(|zone| zone.is_mute = is_mute);
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        // Wakes the thread, which then lets go of the port. It holds the zone as well, so this one goes first.
        self.zone = Arc::default();
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        socket.send_to(&[], "127.0.0.1:53").expect("a packet can be sent");
        while UdpSocket::bind("127.0.0.1:53").is_err() {
            thread::yield_now();
        }
    }
}

impl Zone {
    fn says(&self, name: &str) -> Option<Says> {
        let below = self.below.as_ref().filter(|(suffix, _)| name.ends_with(suffix.as_str()));
        self.names.get(name).or(below.map(|(_, says)| says)).cloned()
    }

    fn answer(&self, question: &[u8]) -> Option<Vec<u8>> {
        let (name, kind, end) = read_question(question)?;
        if self.is_mute {
            return None;
        }
        // Where the question has its name: what is said about it need not repeat it.
        let mut owner = vec![0xc0, 12];
        let (mut records, mut at, mut code) = (Vec::new(), name, 0);
        for _ in 0..CHAIN {
            match self.says(&at) {
                None => code = 3,
                Some(Says::Nothing) => return None,
                Some(Says::Failure) => code = 2,
                Some(Says::Addresses(all)) => {
                    records.extend(all.iter().filter_map(|address| record(&owner, kind, *address)));
                }
                Some(Says::Alias(to)) => {
                    records.push(raw_record(&owner, CNAME, &encode(&to)));
                    (owner, at) = (encode(&to), to);
                    continue;
                }
            }
            break;
        }
        Some(packet(question, end, code, &records))
    }
}

/// The name and the type of the question, and where it ends.
fn read_question(packet: &[u8]) -> Option<(String, u16, usize)> {
    let mut at = 12;
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*packet.get(at)?);
        let label = packet.get(at + 1..at + 1 + length)?;
        at += 1 + length;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(label).to_lowercase());
    }
    let kind = u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]);
    Some((labels.join("."), kind, at + 4))
}

fn packet(question: &[u8], end: usize, code: u8, records: &[Vec<u8>]) -> Vec<u8> {
    let count = u16::try_from(records.len()).expect("few records").to_be_bytes();
    // An answer, recursion wanted and available; one question and these records.
    let mut packet = vec![question[0], question[1], 0x81, 0x80 | code, 0, 1, count[0], count[1], 0, 0, 0, 0];
    packet.extend(&question[12..end]);
    packet.extend(records.concat());
    packet
}

fn record(owner: &[u8], kind: u16, address: IpAddr) -> Option<Vec<u8>> {
    match (kind, address) {
        (A, IpAddr::V4(ip)) => Some(raw_record(owner, A, &ip.octets())),
        (AAAA, IpAddr::V6(ip)) => Some(raw_record(owner, AAAA, &ip.octets())),
        _ => None,
    }
}

/// A record that may be remembered for no time at all.
fn raw_record(owner: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).expect("little data").to_be_bytes();
    [owner, &kind.to_be_bytes()[..], &[0, 1, 0, 0, 0, 0], &length, data].concat()
}

fn encode(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).expect("a short label"));
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}
