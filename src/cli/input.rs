//! What a flag names instead of holding it: a file, or standard input.

use std::io::Read;

/// The most that is read.
const MAX: u64 = 16 * 1024 * 1024;

/// Reads a file, or standard input if `name` is `-`. `flag` is who asks.
///
/// # Errors
/// A sentence that names the flag and the file.
pub(super) fn read(flag: &str, name: &str) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| match name {
        "-" => format!("{flag}: standard input cannot be read: {error}"),
        _ => format!("{flag}: the file {name} cannot be read: {error}"),
    };
    let mut bytes = Vec::new();
    let read = match name {
        "-" => std::io::stdin().lock().take(MAX + 1).read_to_end(&mut bytes),
        _ => std::fs::File::open(name).and_then(|file| file.take(MAX + 1).read_to_end(&mut bytes)),
    };
    let length = read.map_err(failed)?;
    if length as u64 > MAX {
        return Err(format!("{flag}: {name} has more than {} MB", MAX / 1024 / 1024));
    }
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
/// A sentence, also if it is not UTF-8.
pub(super) fn read_text(flag: &str, name: &str) -> Result<String, String> {
    String::from_utf8(read(flag, name)?).map_err(|_| format!("{flag}: {name} is not in UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_and_one_that_is_not_there_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("body.json");
        std::fs::write(&path, b"{}\n").unwrap();
        let name = path.to_str().unwrap();
        assert_eq!(read("--body", name), Ok(b"{}\n".to_vec()));
        std::fs::write(&path, b"\xff").unwrap();
        assert!(read_text("--body", name).unwrap_err().contains("not in UTF-8"));
        let error = read("--body", &format!("{name}.gone")).unwrap_err();
        assert!(error.starts_with("--body: the file ") && error.contains("body.json.gone"), "{error}");
    }
}
