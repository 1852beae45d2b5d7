//! A disk as a power loss leaves it: what was synced is there, and of the rest any part.
//!
//! Files and entries of folders are separate. A file's bytes survive if a sync of the file that began after their write
//! had ended has returned; its entry survives if a sync of the folder has. All else survives or not, in sectors of
//! 512 bytes, whatever the order in which it was written, and so does the length of the file.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use postrider::random::Random;

use super::file::File;
use super::luck::Luck;
use super::steps::{Act, Phase, Step};

/// What a name in a folder leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    File(usize),
    Folder,
}

type Names = BTreeMap<PathBuf, Node>;

/// A change of a folder that is not synced.
#[derive(Debug, Clone)]
struct Change {
    call: usize,
    ended: bool,
    folder: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Put(PathBuf, Node),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

impl Kind {
    /// Without what it needs it changes nothing.
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Put(path, node) => drop(names.insert(path.clone(), *node)),
            Self::Rename(from, to) => {
                if let Some(node) = names.remove(from) {
                    names.insert(to.clone(), node);
                }
            }
            Self::Remove(path) => drop(names.remove(path)),
        }
    }
}

/// See the module.
#[derive(Default, Clone)]
pub(super) struct Disk {
    files: Vec<File>,
    /// As the program sees it.
    names: Names,
    synced: Names,
    pending: Vec<Change>,
    /// What a sync of a folder that has not returned will have synced, by its call.
    syncs: HashMap<usize, Vec<usize>>,
}

/// What is found after the power loss: files with their content, folders without.
pub(super) type Found = BTreeMap<PathBuf, Option<Vec<u8>>>;

impl Disk {
    /// A disk on which all that is in `folder` is synced.
    pub(super) fn of(folder: &Path) -> Self {
        let mut disk = Self::default();
        disk.scan(folder);
        disk.names.clone_from(&disk.synced);
        disk
    }

    fn scan(&mut self, folder: &Path) {
        self.synced.insert(folder.to_owned(), Node::Folder);
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                self.scan(&path);
            } else {
                self.files.push(File::synced(fs::read(&path).expect("a file")));
                self.synced.insert(path, Node::File(self.files.len() - 1));
            }
        }
    }

    /// Goes one step on.
    pub(super) fn step(&mut self, step: &Step) {
        match (&step.act, step.phase) {
            (Act::Say { .. }, _) => {}
            (Act::Write { path, offset, data }, Phase::Begins) => {
                if let Some(file) = self.file(path) {
                    file.write(step.call, *offset, data);
                }
            }
            (Act::Truncate { path, length }, Phase::Begins) => {
                if let Some(file) = self.file(path) {
                    file.truncate(step.call, *length);
                }
            }
            (Act::Write { path, .. } | Act::Truncate { path, .. }, Phase::Has) => {
                if let Some(file) = self.file(path) {
                    file.ended(step.call);
                }
            }
            (Act::Sync { path }, phase) => match self.names.get(path) {
                Some(Node::File(file)) => self.files[*file].sync(step.call, phase),
                // The folder above the one that is looked at, or a file that was removed meanwhile.
                None | Some(Node::Folder) => self.sync_folder(step.call, path, phase),
            },
            (Act::Open { path }, Phase::Begins) => {
                if !self.names.contains_key(path) {
                    self.files.push(File::default());
                    let node = Node::File(self.files.len() - 1);
                    self.change(step.call, path, Kind::Put(path.clone(), node));
                }
            }
            (Act::MakeFolder { path }, Phase::Begins) => {
                self.change(step.call, path, Kind::Put(path.clone(), Node::Folder));
            }
            (Act::Rename { from, to }, Phase::Begins) => {
                assert_eq!(from.parent(), to.parent(), "one folder syncs both names");
                self.change(step.call, from, Kind::Rename(from.clone(), to.clone()));
            }
            (Act::Remove { path }, Phase::Begins) => {
                self.change(step.call, path, Kind::Remove(path.clone()));
            }
            (
                Act::Open { .. } | Act::MakeFolder { .. } | Act::Rename { .. } | Act::Remove { .. },
                Phase::Has,
            ) => {
                for change in self.pending.iter_mut().filter(|change| change.call == step.call) {
                    change.ended = true;
                }
            }
        }
    }

    fn file(&mut self, path: &Path) -> Option<&mut File> {
        match self.names.get(path) {
            Some(Node::File(file)) => Some(&mut self.files[*file]),
            _ => None,
        }
    }

    fn change(&mut self, call: usize, path: &Path, kind: Kind) {
        kind.apply(&mut self.names);
        let folder = path.parent().expect("a folder").to_owned();
        self.pending.push(Change { call, ended: false, folder, kind });
    }

    fn sync_folder(&mut self, call: usize, folder: &Path, phase: Phase) {
        if phase == Phase::Begins {
            let covered = self.pending.iter().filter(|change| change.ended && change.folder == folder);
            self.syncs.insert(call, covered.map(|change| change.call).collect());
            return;
        }
        let covered = self.syncs.remove(&call).expect("a sync that began");
        for change in self.pending.extract_if(.., |change| covered.contains(&change.call)) {
            change.kind.apply(&mut self.synced);
        }
    }

    /// What could be found if the power went now.
    pub(super) fn after_power_loss(&self, luck: Luck, random: &dyn Random) -> Found {
        let mut names = self.synced.clone();
        for change in &self.pending {
            if luck.keeps(random) {
                change.kind.apply(&mut names);
            }
        }
        let content = |(path, node): (PathBuf, Node)| match node {
            Node::Folder => (path, None),
            Node::File(file) => (path, Some(self.files[file].after_power_loss(luck, random))),
        };
        // Without its folder nothing is found.
        let there = |path: &Path, names: &Names| {
            names.contains_key(path.parent().expect("a folder")) || names.get(path) == Some(&Node::Folder)
        };
        let found = names.clone().into_iter().filter(|(path, _)| there(path, &names));
        found.map(content).collect()
    }
}

#[cfg(test)]
mod tests {
    use postrider::random::SeededRandom;

    use super::*;

    fn run(acts: &[Act]) -> Disk {
        let mut disk = Disk::default();
        for (call, act) in acts.iter().enumerate() {
            for phase in [Phase::Begins, Phase::Has] {
                disk.step(&Step { call, phase, act: act.clone() });
            }
        }
        disk
    }

    fn found(disk: &Disk, luck: Luck) -> Vec<String> {
        let found = disk.after_power_loss(luck, &SeededRandom::new(1));
        found.keys().map(|path| path.display().to_string()).collect()
    }

    fn at(path: &str) -> PathBuf {
        PathBuf::from(path)
    }

    #[test]
    fn a_file_is_lost_without_a_sync_of_its_folder_whatever_is_synced_in_it() {
        let mut acts = vec![
            Act::MakeFolder { path: at("/data") },
            Act::Sync { path: at("/") },
            Act::Open { path: at("/data/a") },
            Act::Write { path: at("/data/a"), offset: Some(0), data: [1].into() },
            Act::Sync { path: at("/data/a") },
        ];
        let disk = run(&acts);
        assert_eq!(found(&disk, Luck::Nothing), ["/data"]);
        assert_eq!(found(&disk, Luck::Everything), ["/data", "/data/a"]);
        acts.push(Act::Sync { path: at("/data") });
        assert_eq!(found(&run(&acts), Luck::Nothing), ["/data", "/data/a"]);
    }

    #[test]
    fn a_new_name_and_a_removal_take_a_sync_as_well() {
        let mut acts = vec![
            Act::MakeFolder { path: at("/data") },
            Act::Sync { path: at("/") },
            Act::Open { path: at("/data/a.new") },
            Act::Open { path: at("/data/b") },
            Act::Sync { path: at("/data") },
            Act::Rename { from: at("/data/a.new"), to: at("/data/a") },
            Act::Remove { path: at("/data/b") },
        ];
        let disk = run(&acts);
        assert_eq!(found(&disk, Luck::Nothing), ["/data", "/data/a.new", "/data/b"]);
        assert_eq!(found(&disk, Luck::Everything), ["/data", "/data/a"]);
        acts.push(Act::Sync { path: at("/data") });
        assert_eq!(found(&run(&acts), Luck::Nothing), ["/data", "/data/a"]);
    }
}
