//! A line to a server that a person has named, for commands: no guard, no pool, no proxy.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConnection, StreamOwned};
use url::{Host, Url};

use super::lookup::{Lookup, LookupError, SystemLookup};
use super::tls;

/// A connection, with TLS where the URL wants it.
#[derive(Debug)]
pub struct Line(Kind);

#[derive(Debug)]
enum Kind {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Line {
    /// Connects to the host of an `http` or `https` URL; `timeout` holds for connecting to each of its addresses and
    /// for every read and write of the handshake.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub fn open(url: &Url, extra_ca: &[CertificateDer<'static>], timeout: Duration) -> Result<Self, String> {
        let host = url.host().ok_or("the URL has no host")?;
        let port = url.port_or_known_default().unwrap_or(443);
        let stream = connect(&host, port, timeout)?;
        if url.scheme() != "https" {
            return Ok(Self(Kind::Plain(stream)));
        }
        let name = match &host {
            Host::Domain(name) => ServerName::try_from((*name).to_owned())
                .map_err(|error| format!("`{name}` cannot be a name in a certificate: {error}"))?,
            Host::Ipv4(ip) => ServerName::from(IpAddr::V4(*ip)),
            Host::Ipv6(ip) => ServerName::from(IpAddr::V6(*ip)),
        };
        let config = tls::config(extra_ca.to_vec())?;
        let session = ClientConnection::new(Arc::clone(&config), name)
            .map_err(|error| format!("TLS cannot start: {error}"))?;
        let mut line = StreamOwned::new(session, stream);
        while line.conn.is_handshaking() {
            line.conn.complete_io(&mut line.sock).map_err(|error| handshake(&error, &host))?;
        }
        Ok(Self(Kind::Tls(Box::new(line))))
    }

    /// Whether TLS is spoken.
    pub(super) fn is_tls(&self) -> bool {
        matches!(self.0, Kind::Tls(_))
    }

    /// How long a single read or write may take from now on.
    ///
    /// # Errors
    /// The system refuses; a zero is refused.
    pub fn set_timeout(&self, timeout: Duration) -> io::Result<()> {
        let stream = match &self.0 {
            Kind::Plain(stream) => stream,
            Kind::Tls(line) => &line.sock,
        };
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Plain(stream) => stream.read(buffer),
            Kind::Tls(line) => line.read(buffer),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Plain(stream) => stream.write(bytes),
            Kind::Tls(line) => line.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Kind::Plain(stream) => stream.flush(),
            Kind::Tls(line) => line.flush(),
        }
    }
}

/// A connection to the first address that answers.
fn connect(host: &Host<&str>, port: u16, timeout: Duration) -> Result<TcpStream, String> {
    let addresses = match host {
        Host::Ipv4(ip) => vec![IpAddr::V4(*ip)],
        Host::Ipv6(ip) => vec![IpAddr::V6(*ip)],
        Host::Domain(name) => SystemLookup.lookup(name).map_err(|error| match error {
            LookupError::NoSuchName => format!("there is no host {name}"),
            LookupError::Temporary(why) => format!("the name {name} cannot be resolved now: {why}"),
        })?,
    };
    let mut why = format!("{host} has no address");
    for ip in addresses {
        let address = SocketAddr::new(ip, port);
        let opened = TcpStream::connect_timeout(&address, timeout).and_then(|stream| {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(timeout))?;
            stream.set_write_timeout(Some(timeout))?;
            Ok(stream)
        });
        match opened {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                let refused = error.kind() == io::ErrorKind::ConnectionRefused;
                let hint = if refused { "; does the server run?" } else { "" };
                why = format!("{address} cannot be reached: {error}{hint}");
            }
        }
    }
    Err(why)
}

fn handshake(error: &io::Error, host: &Host<&str>) -> String {
    let fault = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match fault {
        Some(fault) => tls::fault(fault, &host.to_string(), host).message,
        None => format!("the TLS handshake with {host} failed: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn open(url: &str) -> Result<Line, String> {
        Line::open(&Url::parse(url).unwrap(), &[], Duration::from_secs(5))
    }

    #[test]
    fn bytes_go_both_ways() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 2];
            stream.read_exact(&mut asked).unwrap();
            stream.write_all(&asked).unwrap();
        });
        let mut line = open(&url).unwrap();
        line.write_all(b"hi").unwrap();
        let mut heard = String::new();
        line.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "hi");
        server.join().unwrap();
    }

    #[test]
    fn a_host_that_does_not_answer_or_speaks_no_tls_is_a_sentence() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut hello = [0; 5];
            stream.read_exact(&mut hello).unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        });
        let error = open(&format!("https://{address}/")).err().unwrap();
        assert!(error.contains("does not speak TLS"), "{error}");
        server.join().unwrap();
        let error = open(&format!("http://{address}/")).err().unwrap();
        assert!(error.contains("cannot be reached") && error.ends_with("; does the server run?"), "{error}");
    }
}
