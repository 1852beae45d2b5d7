//! The wall clock of a server in a process of its own, which a test can set.

use std::cell::Cell;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use postrider::clock::{Clock, SystemClock};
use postrider::domain::time::UnixMs;
use tempfile::TempDir;

use crate::support::server::Start;

/// See the module.
pub(super) struct Wall {
    folder: TempDir,
    library: PathBuf,
    file: File,
    ahead_ms: Cell<i64>,
}

impl Wall {
    /// A clock that is right, so far.
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let library = folder.path().join("wall.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/clocks/wall.c");
        let built =
            Command::new("cc").args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(source).status();
        assert!(built.expect("a C compiler").success(), "the library that moves a server's clock");
        let file = File::create(folder.path().join("ahead")).expect("a file");
        let wall = Self { folder, library, file, ahead_ms: Cell::new(0) };
        wall.jump(0);
        wall
    }

    /// Where the servers of this clock keep their data.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A server that goes by this clock.
    pub(super) fn server(&self) -> Start {
        let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
        Start::on(&self.data())
            .with("LD_PRELOAD", &text(&self.library))
            .with("WALL_AHEAD_FILE", &text(&self.folder.path().join("ahead")))
    }

    /// What it shows now.
    pub(super) fn now(&self) -> UnixMs {
        UnixMs(SystemClock::new().wall().0 + self.ahead_ms.get())
    }

    /// Sets it ahead, or back.
    pub(super) fn jump(&self, by_ms: i64) {
        self.ahead_ms.set(self.ahead_ms.get() + by_ms);
        // In one write of one word, so that nobody sees half of it.
        self.file.write_all_at(&self.ahead_ms.get().to_ne_bytes(), 0).expect("the file takes eight bytes");
    }
}
