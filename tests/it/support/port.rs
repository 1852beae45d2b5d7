//! Ports of this machine that nobody listens on.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use socket2::{Domain, Socket, Type};

/// A port that refuses connections, as long as the socket is kept: nobody else gets it meanwhile.
pub fn closed() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    socket.bind(&any.into()).expect("a free port");
    let address = socket.local_addr().ok().and_then(|address| address.as_socket()).expect("an address");
    (socket, address)
}

/// A port for a program that has to be told its port. It is another one for each caller, and below those that the system
/// gives to who asks for any: thousands do in a run, and one of them might be given it before the program has it.
pub fn free() -> SocketAddr {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    // Another run on this machine begins elsewhere.
    let first = 10_000 + u16::try_from(std::process::id() % 1_000).expect("it is small") * 20;
    loop {
        let port = first + GIVEN.fetch_add(1, Ordering::Relaxed);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
