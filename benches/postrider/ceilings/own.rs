//! Postrider's sender, driven as R is: straight to the receiver, on the same number of threads.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use postrider::domain::address::{AllowedNet, Policy};
use postrider::domain::ids::EndpointId;
use postrider::domain::target::{Target, TargetRules};
use postrider::sender::{HeaderName, HeaderValue, Lookup, LookupError, Request, Sender, SenderConfig};

use super::{calls_per_second, request};
use crate::Fallible;

/// Knows one address.
struct Fixed(IpAddr);

impl Lookup for Fixed {
    fn lookup(&self, _name: &str) -> Result<Vec<IpAddr>, LookupError> {
        Ok(vec![self.0])
    }
}

/// Deliveries per second on so many threads.
pub fn per_second(receiver: SocketAddr, threads: usize, seconds: f64) -> Fallible<f64> {
    let rendered = request::rendered()?;
    let mut headers = Vec::new();
    for (name, value) in &rendered.headers {
        headers.push((HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?));
    }
    let url = format!("http://r.bench.example.net:{}/ok/own", receiver.port());
    let target = Target::parse(&url, TargetRules { allow_http: true }).map_err(|error| error.to_string())?;
    let allow = vec![AllowedNet { net: "127.0.0.0/8".parse()?, port: None }];
    let config = SenderConfig {
        policy: Policy { allow, ..Policy::default() },
        lookup: Arc::new(Fixed(receiver.ip())),
        ..SenderConfig::default()
    };
    let sender = Sender::new(config)?;
    let request = Request {
        endpoint: EndpointId(1),
        revision: 1,
        target: &target,
        headers: &headers,
        body: &rendered.body,
        timeout: Duration::from_secs(10),
    };
    let sender = &sender;
    calls_per_second(threads, seconds, || {
        Ok(move || match sender.send(&request).result {
            Ok(answer) if answer.status == 204 => Ok(()),
            result => Err(format!("Postrider's sender: {result:?}").into()),
        })
    })
}
