//! Sees every packet in the namespace, whoever sends it and whether or not somebody listens.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpStream, UdpSocket};
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
    targets: BTreeSet<Target>,
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

    /// What does not belong here: packets from or to other addresses than these, and whatever was opened or asked
    /// that is not in `targets`.
    #[track_caller]
    pub fn strays(&self, addresses: &[IpAddr], targets: &[Target]) -> (BTreeSet<IpAddr>, BTreeSet<Target>) {
        self.expect_complete();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let odd = |target: &&Target| !targets.contains(*target);
        let strangers = seen.addresses.iter().filter(|address| !addresses.contains(*address));
        (strangers.copied().collect(), seen.targets.iter().filter(odd).copied().collect())
    }

    /// That no packet was missed is known from the kernel's own counters. A first packet that is sent again counts
    /// here and not there.
    #[track_caller]
    fn expect_complete(&self) {
        let all = || {
            let kernel = Counted::by_kernel();
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).counted;
            let opened = seen.opened >= kernel.opened - self.before.opened;
            (opened && seen.datagrams >= kernel.datagrams - self.before.datagrams).then_some(())
        };
        until("every packet to be seen", Duration::from_secs(30), all);
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
                self.targets.insert((TCP, to, port(2)));
            }
            UDP => {
                self.counted.datagrams += 1;
                if port(0) != 53 {
                    self.targets.insert((UDP, to, port(2)));
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
    let mut socket =
        Socket::new(Domain::from(PACKETS), Type::DGRAM, Some(protocol)).expect("a packet socket");
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

#[test]
fn a_packet_to_a_forbidden_address_is_seen_whatever_its_kind() {
    super::namespace::inside("timeout:1", || {
        let wire = Wire::watch();
        assert_eq!(wire.strays(&[], &[]), (BTreeSet::new(), BTreeSet::new()));
        // Nobody listens there.
        TcpStream::connect("10.0.0.1:80").expect_err("a refusal");
        TcpStream::connect("[fd00:ec2::254]:80").expect_err("a refusal");
        TcpStream::connect("[::ffff:127.0.0.2]:80").expect_err("a refusal");
        let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
        socket.send_to(b"?", "169.254.169.254:9").expect("a datagram leaves");
        let ips = ["10.0.0.1", "fd00:ec2::254", "127.0.0.2", "169.254.169.254"];
        let ips = ips.map(|text| text.parse::<IpAddr>().expect("an address"));
        let targets = [(TCP, ips[0], 80), (TCP, ips[1], 80), (TCP, ips[2], 80), (UDP, ips[3], 9)];
        let (strangers, odd) = wire.strays(&[], &[]);
        assert_eq!(odd, targets.into());
        assert!(ips.iter().all(|ip| strangers.contains(ip)), "{strangers:?}");
    });
}
