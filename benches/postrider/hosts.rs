//! The benchmark's resolver: a hosts file that takes the place of the system's for one server (see
//! [`crate::server::Start::hosts`]), so that each endpoint has a host name of its own and all are the receiver.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::Fallible;

/// The `number`-th name.
pub fn name(number: usize) -> String {
    format!("h{number}.bench.example.net")
}

/// Writes a hosts file with so many names into a folder; its path.
pub fn write(folder: &Path, count: usize) -> Fallible<PathBuf> {
    let mut text = "127.0.0.1 localhost\n".to_owned();
    for number in 0..count {
        writeln!(text, "127.0.0.1 {}", name(number))?;
    }
    let path = folder.join("hosts");
    std::fs::write(&path, text)?;
    Ok(path)
}
