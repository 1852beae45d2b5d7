//! A shell in which `postrider` is the program under test.

use std::path::Path;
use std::process::Command;

use super::process::{Ended, PATIENCE, Process};
use super::program::program;

/// Bash in this folder, with the program on its path and this data directory for its commands.
pub fn bash(folder: &Path, data: &Path, script: &str) -> Command {
    let own = program();
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin).expect("a folder");
    let link = bin.join("postrider");
    if !link.exists() {
        std::os::unix::fs::symlink(own.get_program(), &link).expect("a link");
    }
    let mut command = Command::new("bash");
    for (name, value) in own.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let path = std::env::var("PATH").expect("a path");
    command.env("PATH", format!("{}:{path}", bin.display())).env("POSTRIDER_DATA", data);
    command.args(["-euc", script]).current_dir(folder);
    command
}

/// Runs a script that has to succeed; what it has printed.
#[track_caller]
pub fn run(folder: &Path, data: &Path, script: &str) -> Ended {
    let ended = Process::spawn(&mut bash(folder, data, script)).wait_for_end(PATIENCE);
    assert!(ended.status.success(), "{script}\n{}{}", ended.out, ended.err);
    ended
}
