//! The program and its surroundings: version, configuration, port, proxies, certificates, descriptors.

use std::fs;

use rustix::process::{Resource, getrlimit};

use crate::app::{bind, descriptors};
use crate::cli::Doctor;
use crate::config::LockState;
use crate::sender;
use crate::store::examine;

use super::report::Report;

/// Delivery threads where nothing else is said.
const THREADS: u16 = 512;
/// Variables by which other programs are told of a proxy.
const PROXIES: [&str; 6] =
    ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

pub(super) fn version(report: &mut Report) {
    report.ok(
        "version",
        format!("postrider {}, SQLite {}", env!("CARGO_PKG_VERSION"), examine::sqlite_version()),
    );
}

/// What variables say; what `serve` was started with is not seen from here.
pub(super) fn configuration(doctor: &Doctor, report: &mut Report) {
    match &doctor.config {
        Ok(config) if config.dev => {
            report.warn("config", "POSTRIDER_DEV is set: for trying it out", "leave it away on a server");
        }
        Ok(_) => report.ok("config", "the variables of this shell can be used"),
        Err(error) => {
            report.error("config", error.to_string(), "a server with these variables would not start");
        }
    }
}

/// Whether a server could listen where the variables say. One that runs does already.
pub(super) fn port(doctor: &Doctor, lock: LockState, report: &mut Report) {
    let (Ok(config), LockState::Free) = (&doctor.config, lock) else { return };
    let address = config.listen;
    match bind(address) {
        Ok(_) => report.ok("port", format!("a server can listen on {address}")),
        Err(error) => {
            let todo = format!(
                "`ss -ltnp 'sport = :{}'` says who has it; end that, or name another address with --listen (POSTRIDER_LISTEN)",
                address.port()
            );
            // Where no variable of this shell names one, the server's own options may.
            let says = format!("no server can listen on {address}: {error}");
            if std::env::var_os("POSTRIDER_LISTEN").is_some() {
                report.error("port", says, todo);
            } else {
                report.warn("port", format!("{says} (the default; this shell names no other)"), todo);
            }
        }
    }
}

pub(super) fn proxies(doctor: &Doctor, report: &mut Report) {
    let set: Vec<&str> = PROXIES
        .into_iter()
        .filter(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
        .collect();
    let own = doctor.config.as_ref().ok().and_then(|config| config.egress_proxy.as_ref());
    match own {
        Some(proxy) => {
            report.ok("proxy", format!("deliveries go through {:?}, port {}", proxy.host, proxy.port));
        }
        None if set.is_empty() => report.ok("proxy", "none; deliveries go directly"),
        None => report.warn(
            "proxy",
            format!("{} are set, and Postrider ignores them", set.join(", ")),
            "if deliveries have to go through a proxy, name it with --egress-proxy (POSTRIDER_EGRESS_PROXY)",
        ),
    }
}

pub(super) fn certificates(doctor: &Doctor, report: &mut Report) {
    let public = sender::public_authorities();
    let extra = doctor.config.as_ref().map_or(0, |config| config.extra_ca.len());
    report.ok("authorities", format!("{public} public ones, inside the program, and {extra} of --extra-ca"));
}

/// Open files: of the server, if it can be seen, else of this process, which was started like it perhaps.
pub(super) fn descriptors(doctor: &Doctor, lock: LockState, report: &mut Report) {
    let threads = doctor.config.as_ref().map_or(THREADS, |config| config.delivery_threads);
    let server = match lock {
        LockState::Held { pid: Some(pid) } => limit_of(pid),
        _ => None,
    };
    let own = getrlimit(Resource::Nofile).maximum;
    let (whose, limit) = match server {
        Some(limit) => ("the server", limit),
        None => ("this shell", own.unwrap_or(u64::MAX)),
    };
    let number = usize::try_from(limit).unwrap_or(usize::MAX);
    let shown = if limit == u64::MAX { "any number of".to_owned() } else { limit.to_string() };
    let says = format!("{whose} may open {shown} files, for {threads} delivery threads and the clients");
    if number < descriptors::wanted(threads.into()) {
        let todo = "raise LimitNOFILE (systemd) or `ulimit -n`, or lower --delivery-threads";
        report.warn("descriptors", says, todo);
    } else {
        report.ok("descriptors", says);
    }
}

/// The hard limit of a process, as Linux tells it; the greatest number: it has none.
fn limit_of(pid: u32) -> Option<u64> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let hard = line.split_whitespace().nth(1)?;
    Some(hard.parse().unwrap_or(u64::MAX))
}

/// A program that was replaced while the server runs the old one.
pub(super) fn replaced(lock: LockState, report: &mut Report) {
    let LockState::Held { pid: Some(pid) } = lock else { return };
    let program = fs::read_link(format!("/proc/{pid}/exe"));
    if program.is_ok_and(|program| program.to_string_lossy().ends_with(" (deleted)")) {
        report.warn(
            "program",
            "the server runs a program that was replaced since",
            "restart it, to run the new one",
        );
    }
}
