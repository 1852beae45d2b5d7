//! The receiver as the benchmark sees it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::ARGUMENT;
use crate::Fallible;
use crate::histogram::Histogram;
use crate::now;

/// How long nothing may arrive before what is missing counts as lost.
const PATIENCE: f64 = 30.0;

/// A receiver in a process of its own; it ends when this is dropped.
pub struct Receiver {
    child: Child,
    agent: ureq::Agent,
    /// Where it listens.
    pub address: SocketAddr,
}

/// What has arrived since the last reset.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Connections that were opened.
    pub connections: u64,
    classes: BTreeMap<String, Class>,
}

/// What has arrived of a class.
#[derive(Debug, Clone, Default)]
pub struct Class {
    /// Requests.
    pub requests: u64,
    /// When the first arrived; see [`now::now`].
    pub first: u64,
    /// When the last arrived.
    pub last: u64,
    /// From the moment that an event says it was sent at.
    pub latency: Histogram,
}

impl Receiver {
    /// Starts it.
    pub fn start() -> Fallible<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.arg(ARGUMENT).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("the receiver has no output")?;
        BufReader::new(out).read_line(&mut line)?;
        let port: u16 = line.trim().parse().map_err(|_| "the receiver has not started")?;
        let config = ureq::Agent::config_builder().proxy(None);
        Ok(Self { child, agent: config.build().into(), address: ([127, 0, 0, 1], port).into() })
    }

    /// A URL of it; the path begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Forgets what has arrived.
    pub fn reset(&self) -> Fallible<()> {
        self.agent.get(self.url("/control/reset")).call()?;
        Ok(())
    }

    /// What has arrived.
    pub fn report(&self) -> Fallible<Report> {
        let text = self.agent.get(self.url("/control/report")).call()?.body_mut().read_to_string()?;
        let told: Value = serde_json::from_str(&text)?;
        Report::read(&told).ok_or_else(|| format!("the receiver's report cannot be read: {text}").into())
    }

    /// Waits until exactly `expected` requests of a class have arrived, as long as any arrive.
    ///
    /// # Errors
    /// When some are lost, or more arrive.
    pub fn drained(&self, class: &str, expected: u64) -> Fallible<Class> {
        let (mut arrived, mut progress) = (0, now::now());
        while arrived < expected {
            let requests = self.report()?.class(class).requests;
            if requests > arrived {
                (arrived, progress) = (requests, now::now());
            } else if now::since(progress) > now::nanos(PATIENCE) {
                return Err(format!("lost: {arrived} of {expected} deliveries ({class}) have arrived").into());
            }
            now::sleep(0.02);
        }
        // What is sent twice comes a moment later.
        now::sleep(0.05);
        let class_report = self.report()?.class(class);
        if class_report.requests > expected {
            let arrived = class_report.requests;
            return Err(format!("sent twice: {arrived} deliveries ({class}) instead of {expected}").into());
        }
        Ok(class_report)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Report {
    fn read(told: &Value) -> Option<Self> {
        let classes = told["classes"].as_object()?.iter();
        let classes = classes.map(|(name, told)| Some((name.clone(), Class::read(told)?)));
        Some(Self { connections: told["connections"].as_u64()?, classes: classes.collect::<Option<_>>()? })
    }

    /// What has arrived of a class; nothing if it was never heard of.
    pub fn class(&self, name: &str) -> Class {
        self.classes.get(name).cloned().unwrap_or_default()
    }
}

impl Class {
    fn read(told: &Value) -> Option<Self> {
        Some(Self {
            requests: told["requests"].as_u64()?,
            first: told["first"].as_u64()?,
            last: told["last"].as_u64()?,
            latency: Histogram::from_json(&told["latency"])?,
        })
    }
}
