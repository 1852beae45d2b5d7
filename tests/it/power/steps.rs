//! What a trace says about one folder and what was answered meanwhile, as steps in order.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::strace::{self, Call};

/// What strace has to record for this.
pub(super) const TRACED: &str = "trace=pwrite64,pwritev,pwritev2,write,writev,sendto,sendmsg,\
     fsync,fdatasync,sync_file_range,msync,ftruncate,truncate,fallocate,\
     openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat";

/// Something that a call does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Without an offset: at the end, as it is done with small files.
    Write {
        path: PathBuf,
        offset: Option<u64>,
        data: Arc<[u8]>,
    },
    Truncate {
        path: PathBuf,
        length: u64,
    },
    /// Of a file or a folder.
    Sync {
        path: PathBuf,
    },
    /// Opens a file that is made if it is not there.
    Open {
        path: PathBuf,
    },
    MakeFolder {
        path: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Remove {
        path: PathBuf,
    },
    /// Bytes to a socket.
    Say {
        data: Arc<[u8]>,
    },
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { path, offset, data } => {
                write!(f, "write {} bytes at {offset:?} of {}", data.len(), path.display())
            }
            Self::Say { data } => write!(f, "say {} bytes", data.len()),
            other => write!(f, "{other:?}"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Begins,
    Has,
}

/// One end of a call. Between the two nobody knows whether it has had its effect.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// The same number for both ends.
    pub(super) call: usize,
    pub(super) phase: Phase,
    pub(super) act: Act,
}

/// The steps of a trace as far as they are about files in `folder`, the folder itself, its entry in the folder above,
/// or answers of a server.
pub(super) fn read(trace: &str, folder: &Path) -> Vec<Step> {
    let mut steps = Vec::new();
    for (number, call) in strace::read(trace).iter().enumerate() {
        // One that failed did nothing. One that was cut off by a kill may have.
        if call.ended.is_some() && call.result.is_none() {
            continue;
        }
        let Some(act) = act(call, folder) else { continue };
        steps.push((call.began, Step { call: number, phase: Phase::Begins, act: act.clone() }));
        if let Some(ended) = call.ended {
            steps.push((ended, Step { call: number, phase: Phase::Has, act }));
        }
    }
    steps.sort_by_key(|(moment, _)| *moment);
    steps.into_iter().map(|(_, step)| step).collect()
}

fn act(call: &Call<'_>, folder: &Path) -> Option<Act> {
    let ours = |path: &str| {
        let path = Path::new(path);
        (path.starts_with(folder) || Some(path) == folder.parent()).then(|| path.to_owned())
    };
    match call.name {
        "pwrite64" => {
            let path = ours(call.descriptor())?;
            Some(Act::Write { path, offset: Some(call.number_from_last(0)), data: written(call).into() })
        }
        "write" | "sendto" | "writev" | "sendmsg" => {
            let behind = call.descriptor();
            if behind.starts_with("socket:") {
                return answer(call).map(|data| Act::Say { data: data.into() });
            }
            let path = ours(behind)?;
            assert_eq!(call.name, "write", "files are written otherwise: {}", call.arguments);
            Some(Act::Write { path, offset: None, data: written(call).into() })
        }
        "ftruncate" => {
            Some(Act::Truncate { path: ours(call.descriptor())?, length: call.number_from_last(0) })
        }
        "fsync" | "fdatasync" => Some(Act::Sync { path: ours(call.descriptor())? }),
        "openat" => {
            let path = ours(&path(call, 0))?;
            let makes = call.arguments.contains("O_CREAT");
            assert!(!call.arguments.contains("O_TRUNC"), "not understood here: {}", call.arguments);
            makes.then_some(Act::Open { path })
        }
        "mkdir" => Some(Act::MakeFolder { path: ours(&path(call, 0))? }),
        "rename" => Some(Act::Rename { from: ours(&path(call, 0))?, to: ours(&path(call, 1))? }),
        "unlink" => Some(Act::Remove { path: ours(&path(call, 0))? }),
        // Whoever changes files by another call has to teach this model what it means.
        _ => {
            let ours = folder.to_str().is_some_and(|folder| call.arguments.contains(folder));
            assert!(!ours, "{} is not understood here: {}", call.name, call.arguments);
            None
        }
    }
}

fn path(call: &Call<'_>, place: usize) -> String {
    String::from_utf8(call.texts().swap_remove(place)).expect("a path in UTF-8")
}

/// The bytes of a file that were written: all that were asked for, unless the call said less.
fn written(call: &Call<'_>) -> Vec<u8> {
    let mut data = call.texts().swap_remove(0);
    if let Some(count) = call.result {
        data.truncate(usize::try_from(count).expect("a count of bytes"));
    }
    data
}

/// The bytes that went to a socket, if they are an answer.
fn answer(call: &Call<'_>) -> Option<Vec<u8>> {
    if !call.arguments.contains("\"HTTP/1.1 ") {
        return None;
    }
    Some(call.texts().concat())
}
