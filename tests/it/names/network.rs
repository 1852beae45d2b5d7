//! The addresses of the test's own network, all of them this machine's, and the canaries on those that are forbidden.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

/// The port of all targets.
pub const PORT: u16 = 8088;

/// Where receivers stand: public addresses.
pub const PUBLIC: [&str; 3] = ["93.184.215.14", "9.9.9.9", "2606:4700::1111"];

/// Public addresses of this machine where nothing listens.
pub const EMPTY: [&str; 2] = ["8.8.4.4", "2606:4700::2222"];

/// Addresses that endpoints may not reach, and the words of the rule.
pub const FORBIDDEN: [(&str, &str); 16] = [
    ("10.1.2.3", "10.0.0.0/8"),
    ("172.16.5.6", "172.16.0.0/12"),
    ("192.168.7.8", "192.168.0.0/16"),
    ("100.64.1.1", "100.64.0.0/10"),
    ("198.18.0.9", "198.18.0.0/15"),
    ("203.0.113.7", "203.0.113.0/24"),
    ("169.254.1.1", "169.254.0.0/16"),
    ("169.254.169.254", "cloud metadata"),
    ("168.63.129.16", "cloud metadata"),
    ("100.100.100.200", "cloud metadata"),
    ("fd00:ec2::254", "cloud metadata"),
    ("fd12::1", "fc00::/7"),
    ("2001:db8::1", "2001:db8::/32"),
    ("2002:a01:203::1", "2002::/16"),
    ("64:ff9b::a01:203", "10.0.0.0/8"),
    ("64:ff9b:1::a01:203", "10.0.0.0/8"),
];

/// Those that are added to the loopback device.
pub fn addresses() -> String {
    let forbidden = FORBIDDEN.iter().map(|(address, _)| *address);
    PUBLIC.into_iter().chain(EMPTY).chain(forbidden).collect::<Vec<_>>().join(" ")
}

pub fn at(address: &str) -> SocketAddr {
    SocketAddr::new(address.parse::<IpAddr>().expect("an address"), PORT)
}

/// A listener on every forbidden address.
pub struct Canaries(Vec<TcpListener>);

impl Canaries {
    pub fn new() -> Self {
        let listen = |(address, _): &(&str, &str)| {
            let listener = TcpListener::bind(at(address)).expect("a forbidden address of this machine");
            listener.set_nonblocking(true).expect("a listener that does not wait");
            listener
        };
        Self(FORBIDDEN.iter().map(listen).collect())
    }

    /// The addresses that somebody has come to since the last look. A connection stands in the queue as soon as it is
    /// made, so there is nothing to wait for.
    fn disturbed(&self) -> Vec<SocketAddr> {
        let mut disturbed = Vec::new();
        for listener in &self.0 {
            match listener.accept() {
                Ok(_) => disturbed.push(listener.local_addr().expect("an address")),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => panic!("a canary: {error}"),
            }
        }
        disturbed
    }

    /// Fails if somebody has come; and if the canaries do not see one who does.
    #[track_caller]
    pub fn assert_undisturbed(&self) {
        assert_eq!(self.disturbed(), [], "somebody has come where nobody may go");
        for (address, _) in FORBIDDEN {
            TcpStream::connect(at(address)).expect("a connection to a canary");
        }
        assert_eq!(self.disturbed().len(), FORBIDDEN.len(), "the canaries see who comes");
    }
}
