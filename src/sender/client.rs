//! The HTTP client over connections of ours: the one file that uses `ureq::unversioned`, which may change
//! with every release.
//!
//! For deliveries, ureq writes the request and reads the body. Who is dialled, what is kept and when time is up is decided
//! outside: the connection is made before ureq is called, handed to it through [`HAND_OVER`] (ureq calls
//! everything on the caller's thread), and comes back the same way when ureq lets go of it. So one agent
//! serves all endpoints, and its own pool always stays empty.
//!
//! For [`super::forward`], an agent opens a [`line`] for each request.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use ureq::config::{AutoHeaderValue, Config, ConfigBuilder};
use ureq::http::{Request, Uri};
use ureq::typestate::AgentScope;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Agent, Error};
use url::Url;

use super::exchange::{Exchange, MAX_BODY};
use super::line;

/// How much of the body is kept.
const KEPT_BODY: usize = 2 * 1024;

thread_local! {
    static HAND_OVER: RefCell<Option<Box<Exchange>>> = const { RefCell::new(None) };
}

/// What all requests have in common: they are sent as they are, to where they are sent.
fn config() -> ConfigBuilder<AgentScope> {
    Config::builder()
        .http_status_as_error(false)
        // Nothing from the environment.
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(AutoHeaderValue::None)
        .accept(AutoHeaderValue::None)
        .accept_encoding(AutoHeaderValue::None)
        .max_idle_connections(0)
}

/// The agent that all deliveries go through.
pub(super) fn agent() -> Agent {
    // Ours is smaller and comes first.
    let config = config().max_response_header_size(1024 * 1024).build();
    Agent::with_parts(config, Ready, Ready)
}

/// An agent for one `http` or `https` URL, with this long for a request from connecting to the last byte of the answer.
/// [`Error::Other`] is a sentence that says why nothing was sent.
pub(super) fn agent_to(target: Url, extra_ca: Vec<CertificateDer<'static>>, patience: Duration) -> Agent {
    let config = config().allow_non_standard_methods(true).timeout_global(Some(patience)).build();
    Agent::with_parts(config, Opening { target, extra_ca, patience }, Anywhere)
}

/// Runs one request over the connection in `exchange`. The body of the answer, if there is one, is its
/// beginning; an error matters only if no head came in.
pub(super) fn run(
    agent: &Agent,
    request: Request<&[u8]>,
    exchange: Box<Exchange>,
) -> (Option<Box<Exchange>>, Vec<u8>, Option<Error>) {
    HAND_OVER.replace(Some(exchange));
    let mut body = Vec::new();
    let error = match agent.run(request) {
        Ok(mut response) => {
            read_body(&mut response.body_mut().as_reader(), &mut body);
            None
        }
        Err(error) => Some(error),
    };
    (HAND_OVER.take(), body, error)
}

/// Whatever is wrong with a body has no bearing on the outcome, so what was read until then is the result.
fn read_body(reader: &mut impl Read, body: &mut Vec<u8>) {
    let mut chunk = [0; 4096];
    let mut total = 0;
    while total < MAX_BODY {
        let Ok(count @ 1..) = reader.read(&mut chunk) else {
            return;
        };
        total += count;
        let room = KEPT_BODY - body.len();
        body.extend(chunk.iter().take(count.min(room)));
    }
}

/// Hands out the connection that was made beforehand.
#[derive(Debug)]
struct Ready;

impl Resolver for Ready {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let address = HAND_OVER.with_borrow(|held| held.as_ref().map(|exchange| exchange.address()));
        let mut addresses = self.empty();
        addresses.push(address.ok_or(Error::HostNotFound)?);
        Ok(addresses)
    }
}

impl Connector for Ready {
    type Out = Line;

    fn connect(&self, _: &ConnectionDetails, _: Option<()>) -> Result<Option<Line>, Error> {
        let exchange = HAND_OVER.take().ok_or(Error::ConnectionFailed)?;
        Ok(Some(Line { exchange: Some(exchange) }))
    }
}

/// What ureq sees of an exchange. The option is empty only while it is being dropped.
#[derive(Debug)]
struct Line {
    exchange: Option<Box<Exchange>>,
}

impl Line {
    fn exchange(&mut self) -> Result<&mut Exchange, Error> {
        self.exchange.as_deref_mut().ok_or(Error::ConnectionFailed)
    }
}

impl Transport for Line {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
        self.exchange()?.written(amount);
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        self.exchange()?.await_input().map_err(|()| Error::Io(io::ErrorKind::ConnectionAborted.into()))
    }

    /// ureq asks this when a request is over and the connection fit for another one, which is ours to keep.
    fn is_open(&mut self) -> bool {
        if let Some(exchange) = &mut self.exchange {
            exchange.complete();
        }
        false
    }

    fn is_tls(&self) -> bool {
        self.exchange.as_ref().is_some_and(|exchange| exchange.is_tls())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        HAND_OVER.replace(self.exchange.take());
    }
}

impl Buffers for Line {
    fn output(&mut self) -> &mut [u8] {
        self.exchange.as_mut().map(|exchange| exchange.output()).unwrap_or_default()
    }

    fn input(&self) -> &[u8] {
        self.exchange.as_ref().map(|exchange| exchange.input()).unwrap_or_default()
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        // Only transports call this, and ours fills its buffer itself.
        &mut []
    }

    fn input_appended(&mut self, _: usize) {}

    fn input_consume(&mut self, amount: usize) {
        if let Some(exchange) = &mut self.exchange {
            exchange.consume(amount);
        }
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        // The first is for chunked requests, which are never made.
        (&mut [], self.output())
    }

    fn can_use_input(&self) -> bool {
        self.exchange.as_ref().is_some_and(|exchange| exchange.can_use_input())
    }
}

/// A line looks its host up by itself: ureq gets an address that nobody dials.
#[derive(Debug)]
struct Anywhere;

impl Resolver for Anywhere {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        addresses.push(([0, 0, 0, 0], 0).into());
        Ok(addresses)
    }
}

/// Opens a line for each request.
#[derive(Debug)]
struct Opening {
    target: Url,
    extra_ca: Vec<CertificateDer<'static>>,
    patience: Duration,
}

impl Connector for Opening {
    type Out = Opened;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Opened>, Error> {
        let left = details.timeout.not_zero().map_or(self.patience, |left| *left);
        let line = line::Line::open(&self.target, &self.extra_ca, left);
        let line = line.map_err(|says| Error::Other(says.into()))?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(Opened { line, buffers }))
    }
}

/// What ureq sees of a line.
#[derive(Debug)]
struct Opened {
    line: line::Line,
    buffers: LazyBuffers,
}

impl Opened {
    fn limit(&self, timeout: NextTimeout) -> Result<(), Error> {
        timeout.not_zero().map_or(Ok(()), |left| self.line.set_timeout(*left)).map_err(Error::Io)
    }
}

impl Transport for Opened {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.limit(timeout)?;
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        let written = self.line.write_all(output).and_then(|()| self.line.flush());
        written.map_err(|error| in_time(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.limit(timeout)?;
        let count = match self.line.read(self.buffers.input_append_buf()) {
            Ok(count) => count,
            // TLS that ends without a word: what came may be whole.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(error) => return Err(in_time(error, timeout)),
        };
        self.buffers.input_appended(count);
        Ok(count > 0)
    }

    fn is_open(&mut self) -> bool {
        false
    }

    fn is_tls(&self) -> bool {
        self.line.is_tls()
    }
}

/// An error of a socket whose time may have been up.
fn in_time(error: io::Error, timeout: NextTimeout) -> Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::Timeout(timeout.reason),
        _ => Error::Io(error),
    }
}
