//! R: `ureq` as it comes, but for its resolver, which starts a thread for every request; an agent for each thread.

use std::net::SocketAddr;
use std::time::Duration;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::{calls_per_second, request};
use crate::Fallible;

/// Knows one address.
#[derive(Debug)]
struct Fixed(SocketAddr);

impl Resolver for Fixed {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(self.0);
        Ok(addresses)
    }
}

/// Deliveries per second on so many threads.
pub fn per_second(receiver: SocketAddr, threads: usize, seconds: f64) -> Fallible<f64> {
    let rendered = request::rendered()?;
    let url = format!("http://r.bench.example.net:{}/ok/stock", receiver.port());
    calls_per_second(threads, seconds, || {
        let timeout = Some(Duration::from_secs(10));
        let config = ureq::Agent::config_builder().proxy(None).timeout_global(timeout).build();
        let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), Fixed(receiver));
        let (url, rendered) = (url.clone(), rendered.clone());
        Ok(move || {
            let headers = rendered.headers.iter();
            let call = headers.fold(agent.post(&url), |call, (name, value)| call.header(name, value));
            call.send(&rendered.body[..])?.body_mut().read_to_vec()?;
            Ok(())
        })
    })
}
