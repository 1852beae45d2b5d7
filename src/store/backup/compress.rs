//! Compression: gzip (RFC 1952), which every machine can undo without Postrider, with a checksum of what is in it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::part;
use crate::store::error::StoreError;

/// Bytes that are read at once.
const PIECE: usize = 256 * 1024;
/// Bytes after which what was written is synced: a copy must not pile up what the next commit's sync has to wait for.
const SYNC_EVERY: u64 = 4 * 1024 * 1024;
/// What gzip begins with.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Compresses the file `from` to a new file `to`, which is synced. `told` hears how many bytes were read so far; `false`
/// ends it.
///
/// # Errors
/// The disk, or `told` has ended it.
pub fn compress(from: &Path, to: &Path, told: impl FnMut(u64) -> bool) -> Result<(), StoreError> {
    let mut source = File::open(from).map_err(|error| part::failed(from, &error))?;
    let file = part::create(to)?;
    // The fastest: what there is are texts that repeat themselves, and the slower levels gain a tenth.
    let mut packed = GzEncoder::new(&file, Compression::fast());
    pump(&mut source, &mut packed, &file, told)
        .and_then(|()| packed.finish())
        .and_then(|_| file.sync_all())
        .map_err(|error| part::failed(to, &error))
}

/// How a file is packed that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packed {
    /// As it is.
    No,
    /// By gzip.
    Gzip,
}

/// Copies what `from` holds, unpacked if it is packed, into `to` and syncs that.
///
/// # Errors
/// It cannot be read (cut short, a wrong checksum), or `to` cannot be written.
pub fn unpack(from: impl Read, to: &File) -> io::Result<Packed> {
    let mut from = BufReader::with_capacity(PIECE, from);
    let packed = if from.fill_buf()?.starts_with(&MAGIC) { Packed::Gzip } else { Packed::No };
    let mut target = to;
    match packed {
        Packed::Gzip => {
            let mut from = Unpacking(MultiGzDecoder::new(from));
            pump(&mut from, &mut target, to, |_| true)?;
        }
        Packed::No => pump(&mut from, &mut target, to, |_| true)?,
    }
    to.sync_all()?;
    Ok(packed)
}

/// What is read from a packed file, with words for what may be wrong with it.
struct Unpacking<R>(R);

impl<R: Read> Read for Unpacking<R> {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        self.0.read(piece).map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::UnexpectedEof => "it was cut short: its end is missing",
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => "it is damaged",
                _ => return error,
            };
            let says = format!("{why} ({error}); copy it here again, or take another backup");
            io::Error::new(error.kind(), says)
        })
    }
}

fn pump(
    from: &mut impl Read,
    to: &mut impl Write,
    synced: &File,
    mut told: impl FnMut(u64) -> bool,
) -> io::Result<()> {
    let (mut piece, mut done, mut next) = (vec![0; PIECE], 0, SYNC_EVERY);
    loop {
        let count = from.read(&mut piece)?;
        if count == 0 {
            return Ok(());
        }
        to.write_all(&piece[..count])?;
        done += count as u64;
        if done >= next {
            synced.sync_data()?;
            next = done + SYNC_EVERY;
        }
        if !told(done) {
            return Err(io::ErrorKind::Interrupted.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compressed_comes_back_and_damage_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let [plain, packed, back] = ["plain", "packed", "back"].map(|name| dir.path().join(name));
        let content = "a line that repeats itself\n".repeat(40_000);
        std::fs::write(&plain, &content).unwrap();
        let mut told = 0;
        compress(&plain, &packed, |done| {
            told = done;
            true
        })
        .unwrap();
        assert_eq!(told, content.len() as u64);
        let bytes = std::fs::read(&packed).unwrap();
        assert!(bytes.len() < content.len() / 50, "{}", bytes.len());
        let read = |bytes: &[u8]| unpack(bytes, &File::create(&back).unwrap());
        assert_eq!(read(&bytes).unwrap(), Packed::Gzip);
        assert_eq!(std::fs::read_to_string(&back).unwrap(), content);
        for end in [bytes.len() / 2, bytes.len() - 9, bytes.len() - 1] {
            let error = read(&bytes[..end]).unwrap_err().to_string();
            assert!(error.starts_with("it was cut short"), "{error}");
        }
        let mut wrong = bytes.clone();
        let at = wrong.len() - 6;
        wrong[at] ^= 1;
        let error = read(&wrong).unwrap_err().to_string();
        assert!(error.starts_with("it is damaged"), "its checksum does not fit: {error}");
        assert_eq!(read(content.as_bytes()).unwrap(), Packed::No);
        assert_eq!(std::fs::read_to_string(&back).unwrap(), content);
    }

    #[test]
    fn it_can_be_ended_on_its_way() {
        let dir = tempfile::tempdir().unwrap();
        let [plain, packed] = ["plain", "packed"].map(|name| dir.path().join(name));
        std::fs::write(&plain, vec![7; 2 * PIECE]).unwrap();
        assert!(compress(&plain, &packed, |_| false).is_err());
    }
}
