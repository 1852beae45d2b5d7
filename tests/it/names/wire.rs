//! Sees every packet in the namespace, whoever sends it and whether or not somebody listens.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::support::process::until;

/// `AF_PACKET`: whole packets, from the IP header on.
const PACKETS: i32 = 17;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// What was opened or asked: TCP by its first packet, UDP by every datagram that is no answer of a DNS server.
pub type Target = (u8, IpAddr, u16);

/// See the module.
pub struct Wire {
    seen: Arc<Mutex<Seen>>,
    /// What the kernel had counted when this began.
    before: Counted,
}

#[derive(Default)]
struct Seen {
    targets: BTreeMap<Target, u64>,
    /// Of every packet, of any protocol.
    addresses: BTreeSet<IpAddr>,
    counted: Counted,
}

/// First packets of TCP, and datagrams over IPv4.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counted {
    opened: u64,
    datagrams: u64,
}

impl Wire {
    pub fn watch() -> Self {
        let seen = Arc::default();
        follow(&seen, IPV4);
        follow(&seen, IPV6);
        Self { seen, before: Counted::by_kernel() }
    }

    /// Fails unless every packet so far was between these addresses, 127.0.0.1 among them, and everything that
    /// was opened or asked is in `targets`.
    #[track_caller]
    pub fn expect_only(&self, addresses: &[IpAddr], targets: &[Target]) {
        self.expect_complete();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let odd: Vec<_> = seen.targets.iter().filter(|(target, _)| !targets.contains(target)).collect();
        assert!(odd.is_empty(), "packets went to {odd:?}");
        let odd: Vec<_> = seen.addresses.iter().filter(|address| !addresses.contains(address)).collect();
        assert!(odd.is_empty(), "packets from or to {odd:?}");
        assert!(targets.iter().any(|target| seen.targets.contains_key(target)), "nothing was seen at all");
    }

    /// That no packet was missed is known from the kernel's own counters. A first packet that is sent again counts
    /// here and not there.
    #[track_caller]
    fn expect_complete(&self) {
        let mut last = String::new();
        let all = || {
            let kernel = Counted::by_kernel();
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).counted;
            last = format!("{seen:?} of {kernel:?} since {:?}", self.before);
            let opened = seen.opened >= kernel.opened - self.before.opened;
            (opened && seen.datagrams >= kernel.datagrams - self.before.datagrams).then_some(())
        };
        until("every packet to be seen", Duration::from_secs(30), all);
        eprintln!("{last}");
    }
}

impl Seen {
    fn note(&mut self, packet: &[u8]) {
        let Some((protocol, from, to, rest)) = parse(packet) else {
            panic!("not a packet: {packet:?}");
        };
        self.addresses.extend([from, to]);
        let port = |at: usize| u16::from_be_bytes([rest[at], rest[at + 1]]);
        match protocol {
            // SYN without ACK.
            TCP if rest[13] & 0x12 == 0x02 => {
                self.counted.opened += 1;
                *self.targets.entry((TCP, to, port(2))).or_default() += 1;
            }
            UDP => {
                self.counted.datagrams += 1;
                if port(0) != 53 {
                    *self.targets.entry((UDP, to, port(2))).or_default() += 1;
                }
            }
            _ => {}
        }
    }
}

impl Counted {
    fn by_kernel() -> Self {
        let table = fs::read_to_string("/proc/net/snmp").expect("the kernel's counters");
        let value = |protocol: &str, name: &str| {
            let mut lines = table.lines().filter_map(|line| line.strip_prefix(protocol));
            let (names, values) = (lines.next().expect("names"), lines.next().expect("values"));
            let mut pairs = names.split_whitespace().zip(values.split_whitespace());
            let (_, value) = pairs.find(|(known, _)| *known == name).expect("a counter");
            value.parse().expect("a number")
        };
        Self { opened: value("Tcp:", "ActiveOpens"), datagrams: value("Udp:", "OutDatagrams") }
    }
}

fn follow(seen: &Arc<Mutex<Seen>>, kind: u16) {
    let protocol = Protocol::from(i32::from(kind.to_be()));
    let mut socket = Socket::new(Domain::from(PACKETS), Type::DGRAM, Some(protocol)).expect("a packet socket");
    // As much as the kernel gives.
    socket.set_recv_buffer_size(64 * 1024 * 1024).expect("a larger buffer");
    let seen = Arc::clone(seen);
    thread::spawn(move || {
        let mut packet = [0; 256];
        loop {
            let length = socket.read(&mut packet).expect("a packet");
            seen.lock().unwrap_or_else(PoisonError::into_inner).note(&packet[..length]);
        }
    });
}

/// Protocol, source, destination, and what follows the header.
fn parse(packet: &[u8]) -> Option<(u8, IpAddr, IpAddr, &[u8])> {
    let v4 = |at: usize| Some(Ipv4Addr::from(<[u8; 4]>::try_from(packet.get(at..at + 4)?).ok()?));
    let v6 = |at: usize| Some(Ipv6Addr::from(<[u8; 16]>::try_from(packet.get(at..at + 16)?).ok()?));
    let first = *packet.first()?;
    match first >> 4 {
        4 => {
            let rest = packet.get(usize::from(first & 0x0f) * 4..)?;
            Some((*packet.get(9)?, v4(12)?.into(), v4(16)?.into(), rest))
        }
        6 => Some((*packet.get(6)?, v6(8)?.into(), v6(24)?.into(), packet.get(40..)?)),
        _ => None,
    }
}
