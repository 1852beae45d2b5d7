//! A file on the model disk: the bytes that are synced, and changes that are not.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use postrider::random::{Random, bytes};

use super::luck::Luck;
use super::steps::Phase;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

#[derive(Debug, Clone)]
struct Change {
    call: usize,
    ended: bool,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Write(usize, Arc<[u8]>),
    Truncate(usize),
}

/// See the module.
#[derive(Debug, Default, Clone)]
pub(super) struct File {
    synced: Vec<u8>,
    pending: Vec<Change>,
    /// As the program sees it.
    length: usize,
    /// What a sync that has not returned will have synced, by its call.
    syncs: HashMap<usize, Vec<usize>>,
}

impl File {
    /// One of which everything is synced.
    pub(super) fn synced(bytes: Vec<u8>) -> Self {
        Self { length: bytes.len(), synced: bytes, ..Self::default() }
    }

    pub(super) fn write(&mut self, call: usize, offset: Option<u64>, data: &Arc<[u8]>) {
        let offset = offset.map_or(self.length, size);
        self.length = self.length.max(offset + data.len());
        self.pending.push(Change { call, ended: false, kind: Kind::Write(offset, Arc::clone(data)) });
    }

    pub(super) fn truncate(&mut self, call: usize, length: u64) {
        self.length = size(length);
        self.pending.push(Change { call, ended: false, kind: Kind::Truncate(self.length) });
    }

    pub(super) fn ended(&mut self, call: usize) {
        for change in self.pending.iter_mut().filter(|change| change.call == call) {
            change.ended = true;
        }
    }

    pub(super) fn sync(&mut self, call: usize, phase: Phase) {
        if phase == Phase::Begins {
            let covered = self.pending.iter().filter(|change| change.ended).map(|change| change.call);
            self.syncs.insert(call, covered.collect());
            return;
        }
        let covered = self.syncs.remove(&call).expect("a sync that began");
        // They stand in the order of their calls, as the changes do.
        let synced = self.pending.extract_if(.., |change| covered.binary_search(&change.call).is_ok());
        for change in synced {
            change.kind.apply(&mut self.synced);
        }
    }

    /// What could be found if the power went now.
    pub(super) fn after_power_loss(&self, luck: Luck, random: &dyn Random) -> Vec<u8> {
        let before = self.synced.len();
        let (mut lengths, mut longest) = (vec![before], before);
        for change in &self.pending {
            let last = *lengths.last().expect("the first");
            lengths.push(change.kind.length_after(last));
            longest = longest.max(lengths[lengths.len() - 1]);
        }
        // A sector holds all changes up to the last one after which it was written.
        let mut last_kept: BTreeMap<usize, usize> = BTreeMap::new();
        for (number, change) in self.pending.iter().enumerate() {
            // Often a change survives as a whole, or not at all.
            let torn = random.u32().is_multiple_of(2);
            let kept = luck.keeps(random);
            for sector in change.kind.sectors(longest) {
                if if torn { luck.keeps(random) } else { kept } {
                    last_kept.insert(sector, number);
                }
            }
        }
        let mut found = self.synced.clone();
        found.resize(longest, 0);
        // A place that was never written may hold what somebody else had there.
        if random.u32().is_multiple_of(4) {
            for (sector, place) in found.chunks_mut(SECTOR).enumerate().skip(before.div_ceil(SECTOR)) {
                if !last_kept.contains_key(&sector) {
                    place.copy_from_slice(&noise(random)[..place.len()]);
                }
            }
        }
        for (number, change) in self.pending.iter().enumerate() {
            for sector in change.kind.sectors(longest) {
                if last_kept.get(&sector).is_some_and(|last| number <= *last) {
                    change.kind.apply_to_sector(&mut found, sector);
                }
            }
        }
        let length = match luck {
            Luck::Nothing => before,
            Luck::Everything => lengths[lengths.len() - 1],
            Luck::Chance(_) => lengths[random.u32() as usize % lengths.len()],
        };
        found.truncate(length);
        found
    }
}

impl Kind {
    fn length_after(&self, before: usize) -> usize {
        match self {
            Self::Write(offset, data) => before.max(offset + data.len()),
            Self::Truncate(length) => *length,
        }
    }

    /// The sectors that it changes in a file that was `longest` bytes long at most.
    fn sectors(&self, longest: usize) -> std::ops::Range<usize> {
        match self {
            Self::Write(offset, data) => offset / SECTOR..(offset + data.len()).div_ceil(SECTOR),
            Self::Truncate(length) => length / SECTOR..longest.div_ceil(SECTOR),
        }
    }

    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, data) => {
                let end = offset + data.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(data);
            }
            Self::Truncate(length) => bytes.resize(*length, 0),
        }
    }

    fn apply_to_sector(&self, bytes: &mut [u8], sector: usize) {
        let (from, to) = (sector * SECTOR, ((sector + 1) * SECTOR).min(bytes.len()));
        match self {
            Self::Write(offset, data) => {
                let (from, to) = (from.max(*offset), to.min(offset + data.len()));
                bytes[from..to].copy_from_slice(&data[from - offset..to - offset]);
            }
            Self::Truncate(length) => bytes[from.max(*length)..to].fill(0),
        }
    }
}

fn noise(random: &dyn Random) -> [u8; SECTOR] {
    let piece: [u8; 32] = bytes(random);
    let mut sector = [0; SECTOR];
    for part in sector.chunks_mut(piece.len()) {
        part.copy_from_slice(&piece);
    }
    sector
}

fn size(value: u64) -> usize {
    usize::try_from(value).expect("files are smaller than memory")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use postrider::random::SeededRandom;

    use super::*;

    /// A file of which two sectors are synced and four are not.
    fn file() -> File {
        let mut file = File::default();
        file.write(0, Some(0), &vec![b'a'; 2 * SECTOR].into());
        file.ended(0);
        file.sync(1, Phase::Begins);
        // Too late for that sync.
        file.write(2, Some(512), &vec![b'b'; 4 * SECTOR].into());
        file.ended(2);
        file.sync(1, Phase::Has);
        file
    }

    #[test]
    fn what_is_synced_survives_and_the_rest_does_or_does_not() {
        let (file, random) = (file(), SeededRandom::new(1));
        assert_eq!(file.after_power_loss(Luck::Nothing, &random), [b'a'; 2 * SECTOR]);
        let all = [[b'a'; SECTOR].as_slice(), &[b'b'; 4 * SECTOR]].concat();
        assert_eq!(file.after_power_loss(Luck::Everything, &random), all);
    }

    #[test]
    fn a_write_is_torn_between_any_sectors_and_in_none() {
        let (file, random) = (file(), SeededRandom::new(1));
        let mut seen = BTreeSet::new();
        for _ in 0..300 {
            let found = file.after_power_loss(Luck::Chance(50), &random);
            assert_eq!(found[..SECTOR], [b'a'; SECTOR], "it was synced, and nothing was written there");
            let pattern = found.chunks(SECTOR).map(|sector| {
                assert!(sector.iter().all(|byte| *byte == sector[0]) || sector[0] != sector[1]);
                if sector[0] == b'b' { 'b' } else { '-' }
            });
            seen.insert(pattern.collect::<String>());
        }
        assert!(
            ["--", "-b", "-b-b-", "--b-b", "-bbbb"].iter().all(|found| seen.contains(*found)),
            "{seen:?}"
        );
    }

    #[test]
    fn a_sector_that_was_written_after_two_changes_holds_both() {
        let (mut file, random) = (File::default(), SeededRandom::new(1));
        file.write(0, Some(0), &b"first".as_slice().into());
        file.write(1, None, &b"second".as_slice().into());
        let found: BTreeSet<Vec<u8>> =
            (0..300).map(|_| file.after_power_loss(Luck::Chance(50), &random)).collect();
        let text = |text: &[u8]| found.contains(text);
        assert!(
            text(b"") && text(b"first") && text(b"firstsecond") && text(b"first\0\0\0\0\0\0"),
            "{found:?}"
        );
        assert!(!found.iter().any(|bytes| bytes.ends_with(b"second") && !bytes.starts_with(b"first")));
    }

    #[test]
    fn a_file_that_was_cut_may_have_its_old_length_or_its_new_one() {
        let (mut file, random) = (file(), SeededRandom::new(1));
        file.truncate(3, 100);
        let lengths: BTreeSet<usize> =
            (0..300).map(|_| file.after_power_loss(Luck::Chance(50), &random).len()).collect();
        assert!([100, 2 * SECTOR, 5 * SECTOR].iter().all(|length| lengths.contains(length)), "{lengths:?}");
    }
}
