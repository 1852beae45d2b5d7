//! Code of other people, in its own language, that judges a request that has arrived: the receivers that documents
//! show, and published packages. Nothing of ours verifies anything there.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::{PATIENCE, Process};
use super::receiver::Received;

/// The tree's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a receiver has answered.
#[derive(Debug)]
pub struct Verdict {
    pub status: u16,
    pub text: String,
}

/// A program that judges one request.
#[derive(Debug, Clone)]
pub struct Judge {
    script: PathBuf,
    uses_packages: bool,
}

impl Judge {
    /// The receiver of a document, by its path below `tests/seeds`.
    pub fn receiver(path: &str) -> Self {
        Self { script: root().join("tests/seeds").join(path), uses_packages: false }
    }

    /// A program of `tests/packages`.
    pub fn package(name: &str) -> Self {
        Self { script: root().join("tests/packages").join(name), uses_packages: true }
    }

    /// Runs it on a request, with this secret.
    #[track_caller]
    pub fn judge(&self, request: &Received, secret: &str) -> Verdict {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let recorded = temp.path().join("request");
        std::fs::write(&recorded, record(request)).expect("a file");
        let mut command = self.command();
        command.arg(&recorded).env("WEBHOOK_SECRET", secret);
        let ended = Process::spawn(&mut command).wait_for_end(PATIENCE);
        let verdict = ended.out.split_once(' ').and_then(|(status, text)| {
            Some(Verdict { status: status.parse().ok()?, text: text.trim_end().to_owned() })
        });
        let verdict = verdict.unwrap_or_else(|| panic!("{self:?} has judged nothing: {ended:?}"));
        assert_eq!(ended.status.success(), verdict.accepts(), "{self:?}: {ended:?}");
        verdict
    }

    fn command(&self) -> Command {
        let frameworks = root().join("tests/frameworks");
        let language = self.script.extension().and_then(|ending| ending.to_str());
        let mut command = match language {
            Some("py") if self.uses_packages => Command::new(packages().join("venv/bin/python")),
            Some("py") => Command::new("python3"),
            Some("js" | "mjs") => Command::new("node"),
            Some("php") => Command::new("php"),
            _ => panic!("no language for {}", self.script.display()),
        };
        match language {
            // A module finds packages beside its file; one that comes as an argument, in the working directory.
            Some("mjs") => {
                let text = std::fs::read_to_string(&self.script).expect("a program");
                command.args(["--input-type=module", "--eval", &text, "--"]).current_dir(packages())
            }
            Some("php") => {
                command.arg("-d").arg(format!("include_path={}", frameworks.display())).arg(&self.script)
            }
            _ => command.arg(&self.script),
        };
        command.env("PYTHONPATH", &frameworks).env("NODE_PATH", &frameworks);
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

impl Verdict {
    /// Whether a sender takes the request for delivered.
    pub fn accepts(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A folder of the target directory: what is there stays for the next run.
pub fn in_target(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory").join(name)
}

/// Where `tests/run` has put the published packages.
pub fn packages() -> PathBuf {
    let packages = in_target("packages");
    for installed in ["venv/installed", "node_modules/installed"] {
        assert!(packages.join(installed).exists(), "{installed} is missing: run tests/run --prepare first");
    }
    packages
}

/// A request as HTTP/1.1 writes it.
fn record(request: &Received) -> Vec<u8> {
    let mut bytes = format!("{} {} HTTP/1.1\r\n", request.method, request.path).into_bytes();
    for (name, value) in &request.headers {
        writeln!(bytes, "{name}: {value}\r").expect("memory");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&request.body);
    bytes
}

/// A request without a header.
pub fn without(request: &Received, header: &str) -> Received {
    let mut changed = request.clone();
    changed.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(header));
    assert!(changed.headers.len() < request.headers.len(), "no {header} in {:?}", request.headers);
    changed
}

/// A request with another body, in which something else stands for the first `from`.
#[track_caller]
pub fn with_body(request: &Received, from: &str, to: &str) -> Received {
    let body = String::from_utf8(request.body.clone()).expect("UTF-8");
    assert!(body.contains(from), "no {from} in {body}");
    Received { body: body.replacen(from, to, 1).into_bytes(), ..request.clone() }
}

/// Fails unless each judge takes a request as it is, and refuses it with `from` changed to `to` in its body, when it
/// knows another secret, and without its signature.
#[track_caller]
pub fn all_judge(
    judges: &[Judge],
    request: &Received,
    secret: (&str, &str),
    header: &str,
    change: (&str, &str),
) {
    for judge in judges {
        let verdict = judge.judge(request, secret.0);
        assert!(verdict.accepts(), "{judge:?} refuses what is right: {verdict:?}");
        for (what, wrong, secret) in [
            ("another body", with_body(request, change.0, change.1), secret.0),
            ("another secret", request.clone(), secret.1),
            ("no signature", without(request, header), secret.0),
        ] {
            let verdict = judge.judge(&wrong, secret);
            assert!(!verdict.accepts(), "{judge:?} takes {what}: {verdict:?}");
        }
    }
}
