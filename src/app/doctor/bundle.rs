//! The support bundle: a tar of text files for whoever helps. Only what is named here goes into it: no rows of the
//! database, so no secrets, keys, bodies, URLs or names of people and tenants.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde_json::json;
use tar::{Builder, Header};

use crate::cli::Doctor;
use crate::cli::terminal::View;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Environment, SETTINGS};
use crate::store::examine::Examined;

use super::Collected;
use super::report::Report;

/// Writes it to a file that is not there yet, for this user alone.
pub(super) fn write(path: &Path, doctor: &Doctor, report: &Report, collected: &Collected) -> io::Result<()> {
    let now = SystemClock::new().wall();
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut tar = Builder::new(file);
    let mut add = |name: &str, text: &str| {
        let mut header = Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(now.seconds().unsigned_abs());
        tar.append_data(&mut header, format!("postrider-support/{name}"), text.as_bytes())
    };
    add("doctor.txt", &report.text(View::plain(now)))?;
    add("doctor.json", &report.json())?;
    add("config.txt", &configuration(doctor))?;
    if let Some(examined) = &collected.examined {
        add("settings.json", &format!("{:#}", json!(examined.settings)))?;
        add("counts.txt", &counts(examined))?;
        add("schema.sql", &(examined.schema.join(";\n") + ";\n"))?;
    }
    if let Some(metrics) = &collected.metrics {
        // Names of tenants are names of customers.
        let told: Vec<_> = metrics.lines().filter(|line| !line.contains("tenant=\"")).collect();
        add("metrics.txt", &(told.join("\n") + "\n"))?;
    }
    tar.into_inner()?.sync_all()
}

/// Which variables are set, without their values, and what of them is a number or a switch: as the doctor was started,
/// which knows nothing of the server's own.
fn configuration(doctor: &Doctor) -> String {
    let env = Environment::of_process();
    let mut text = String::from("As `postrider doctor` was started; the server may have other options.\n\n");
    for setting in SETTINGS {
        let set = if env.get(setting.variable).is_some() { "set" } else { "not set" };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}: {set}", setting.variable);
    }
    match &doctor.config {
        Ok(Config {
            allow_http,
            dev,
            delivery_threads,
            checkpoint,
            allow_net,
            extra_ca,
            trusted_proxy,
            ..
        }) => {
            let _ = writeln!(
                text,
                "\nallow_http: {allow_http}\ndev: {dev}\ndelivery_threads: {delivery_threads}\ncheckpoint: {checkpoint}\n\
                 allow_net: {} networks\nextra_ca: {} certificates\ntrusted_proxy: {} networks",
                allow_net.len(),
                extra_ca.len(),
                trusted_proxy.len()
            );
        }
        Err(_) => text.push_str("\nThese variables cannot be used; doctor.txt says why.\n"),
    }
    let kernel = std::fs::read_to_string("/proc/version").unwrap_or_default();
    let _ = write!(text, "\n{}\n{kernel}", std::env::consts::ARCH);
    text
}

fn counts(examined: &Examined) -> String {
    let mut text = format!("{:#?}\n\nday, bytes, free bytes:\n", examined.counts);
    for size in &examined.sizes {
        let _ = writeln!(text, "{} {} {}", size.at, size.database_bytes, size.free_bytes);
    }
    text
}
