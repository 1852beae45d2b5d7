//! Where the files of the benchmark are, and what kind of disk that is.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::Fallible;

/// A directory on a real disk.
pub struct Place {
    /// The directory.
    pub path: PathBuf,
    /// Its file system, such as `ext4`.
    pub file_system: String,
    /// The device that this is on.
    pub device: String,
    /// Whether it has a journal, as far as the system tells.
    pub journal: Journal,
}

/// Whether a file system has a journal. With one, a sync writes more than the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    /// It has.
    Yes,
    /// It has none.
    No,
    /// The system does not tell.
    Unknown,
}

impl Journal {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Yes => "with a journal",
            Self::No => "without a journal",
            Self::Unknown => "whether it has a journal is unknown",
        }
    }
}

/// One mount of `/proc/self/mountinfo`.
struct Mount {
    point: PathBuf,
    file_system: String,
    device: String,
    /// Of the device: `MAJOR:MINOR`.
    number: String,
}

impl Place {
    /// The directory named in `POSTRIDER_BENCH_DIR`, else one below the build's own.
    ///
    /// # Errors
    /// When it is in memory: a sync would cost nothing there.
    pub fn find() -> Fallible<Self> {
        let path = std::env::var_os("POSTRIDER_BENCH_DIR").filter(|path| !path.is_empty());
        let path = path.map_or_else(default_path, PathBuf::from);
        std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let path = path.canonicalize()?;
        let mount = mount_of(&path)?;
        if matches!(mount.file_system.as_str(), "tmpfs" | "ramfs") {
            let shown = path.display();
            return Err(format!(
                "{shown} is in memory ({}); name a directory on a disk in POSTRIDER_BENCH_DIR",
                mount.file_system
            )
            .into());
        }
        let journal = journal(&mount);
        Ok(Self { path, file_system: mount.file_system, device: mount.device, journal })
    }

    /// A new directory in it, which is removed when it is dropped unless it is to be kept.
    pub fn folder(&self, keep: bool) -> Fallible<TempDir> {
        Ok(tempfile::Builder::new().prefix("run-").disable_cleanup(keep).tempdir_in(&self.path)?)
    }
}

/// `bench` in the directory of the build.
pub fn default_path() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench")
}

fn mount_of(path: &Path) -> Fallible<Mount> {
    let table = std::fs::read_to_string("/proc/self/mountinfo")?;
    let mounts = table.lines().filter_map(mount).filter(|mount| path.starts_with(&mount.point));
    // The longest one holds the path; of two at the same point, the later one.
    mounts
        .max_by_key(|mount| mount.point.as_os_str().len())
        .ok_or_else(|| format!("{} is on no mount of /proc/self/mountinfo", path.display()).into())
}

/// A line of `/proc/self/mountinfo`: see `proc_pid_mountinfo(5)`.
fn mount(line: &str) -> Option<Mount> {
    let (left, right) = line.split_once(" - ")?;
    let left: Vec<_> = left.split(' ').collect();
    let mut right = right.split(' ');
    Some(Mount {
        point: PathBuf::from(left.get(4)?.replace("\\040", " ")),
        file_system: right.next()?.to_owned(),
        device: right.next()?.to_owned(),
        number: (*left.get(2)?).to_owned(),
    })
}

fn journal(mount: &Mount) -> Journal {
    match mount.file_system.as_str() {
        "xfs" | "jfs" => Journal::Yes,
        "ext2" => Journal::No,
        "ext3" | "ext4" => journal_of_ext(&mount.number).unwrap_or(Journal::Unknown),
        _ => Journal::Unknown,
    }
}

/// The kernel names the thread that writes the journal of each ext4, or says that there is none.
fn journal_of_ext(number: &str) -> Option<Journal> {
    let device = Path::new("/sys/dev/block").join(number).canonicalize().ok()?;
    let task = Path::new("/sys/fs/ext4").join(device.file_name()?).join("journal_task");
    let task = std::fs::read_to_string(task).ok()?;
    Some(if task.trim() == "<none>" { Journal::No } else { Journal::Yes })
}
