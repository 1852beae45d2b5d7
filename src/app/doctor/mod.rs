//! `postrider doctor`: looks whether all is well, while a server runs and while none does, and changes nothing.
//!
//! - [`files`]: the data directory, who owns it, its key, the room on its disk.
//! - [`database`]: the file, its schema, its soundness; the clock against what is noted in it.
//! - [`work`]: what waits and what needs a hand; backups.
//! - [`machine`]: configuration, the port, proxies, certificates, descriptors, names.
//! - [`egress`]: a request to a receiver, phase by phase.
//! - [`bundle`]: all that as files for whoever helps, without secrets.

mod bundle;
mod database;
mod egress;
mod files;
mod machine;
mod report;
mod work;

use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;

use crate::cli::Doctor;
use crate::cli::Request;
use crate::cli::output::Output;
use crate::cli::socket::{Client, SocketError};
use crate::cli::terminal::View;
use crate::config::{LockState, lock_state, socket_path};

use report::{Grade, Report};

/// How long the server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks at everything, prints what was found, and says how to exit: 0 all is well, 1 warnings, 2 errors.
pub fn run(doctor: &Doctor) -> ExitCode {
    let view = View::of_process();
    let mut report = Report::default();
    let collected = examine(doctor, view, &mut report);
    if let Some(path) = &doctor.bundle
        && let Err(error) = bundle::write(path, doctor, &report, &collected)
    {
        report.error("bundle", format!("{} cannot be written: {error}", path.display()), "name another file");
    }
    let text = if doctor.json { report.json() } else { report.text(view) };
    let remark = doctor.bundle.as_ref().map(|path| format!("The support bundle is {}.", path.display()));
    let printed = Output { remark: remark.unwrap_or_default(), ..Output::of(text) }.print();
    match (printed, report.grade()) {
        (Err(_), _) | (_, Grade::Error) => ExitCode::from(2),
        (_, Grade::Warning) => ExitCode::FAILURE,
        (_, Grade::Ok) => ExitCode::SUCCESS,
    }
}

/// What was seen beside what is told, for the bundle.
#[derive(Default)]
struct Collected {
    examined: Option<crate::store::examine::Examined>,
    metrics: Option<String>,
}

fn examine(doctor: &Doctor, view: View, report: &mut Report) -> Collected {
    let mut collected = Collected::default();
    machine::version(report);
    machine::configuration(doctor, report);
    if files::folder(&doctor.data, report) {
        let server = server(doctor, report);
        collected.metrics = server.metrics;
        files::key(&doctor.data, server.lock != LockState::Free, report);
        collected.examined = database::look(doctor, server.lock, view.now, report);
        files::disk(&doctor.data, collected.examined.as_ref(), view.now, report);
        if let Some(examined) = &collected.examined {
            work::look(examined, view.now, report);
        }
        work::backups(&doctor.data.join("backups"), collected.examined.as_ref(), view.now, report);
        machine::port(doctor, server.lock, report);
        machine::descriptors(doctor, server.lock, report);
        machine::replaced(server.lock, report);
    }
    machine::proxies(doctor, report);
    machine::certificates(doctor, report);
    egress::look(doctor, view.now, report);
    collected
}

/// What is known of the server.
struct Server {
    lock: LockState,
    metrics: Option<String>,
}

/// Whether a server runs, and what it alone knows.
fn server(doctor: &Doctor, report: &mut Report) -> Server {
    let client = Client::new(&socket_path(&doctor.data)).with_timeout(PATIENCE);
    let ready = client.request(&Request::get("/readyz"));
    let lock = match lock_state(&doctor.data, ready.is_ok()) {
        Ok(lock) => lock,
        Err(error) => {
            report.error("lock", error.to_string(), "run this as the user that runs the server");
            LockState::Free
        }
    };
    let pid = match lock {
        LockState::Held { pid: Some(pid) } => format!("process {pid}"),
        LockState::Held { pid: None } => "another process".to_owned(),
        LockState::Free => "nobody".to_owned(),
    };
    match ready {
        Ok(answer) if answer.status == 200 => report.ok("server", format!("{pid} runs it and is ready")),
        Ok(answer) => {
            let detail = answer.body.get("detail").and_then(Value::as_str).unwrap_or("it does not say why");
            let todo = "see its log; GET /readyz says when it is over";
            report.error("server", format!("{pid} runs it and is not ready: {detail}"), todo);
        }
        Err(SocketError::NobodyListens { .. }) if lock == LockState::Free => {
            report.ok("server", "none runs; this looks at its files");
        }
        Err(SocketError::NobodyListens { .. }) => {
            let todo = "it starts or stops; ask again in a moment";
            report.warn("server", format!("{pid} holds the lock and does not answer"), todo);
        }
        Err(error) => {
            let todo = "run this as the user that runs the server, or restart it";
            report.error("server", format!("{pid} holds the lock: {error}"), todo);
        }
    }
    let metrics = client.request(&Request::get("/metrics")).ok().filter(|answer| answer.status == 200);
    Server { lock, metrics: metrics.map(|answer| answer.text) }
}
