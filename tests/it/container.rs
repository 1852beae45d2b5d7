//! `Dockerfile` and `compose.yaml`, as far as they can be judged where no engine runs: what they copy is there, what they
//! start is known to the program, who runs it is nobody special, and the program needs no more than is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::guide::output;
use crate::support::process::{PATIENCE, Process};
use crate::support::program::program;

const CLONE: &str = env!("CARGO_MANIFEST_DIR");
const DOCKERFILE: &str = include_str!("../../Dockerfile");
const COMPOSE: &str = include_str!("../../compose.yaml");

/// Instructions with their words, without flags. None here goes over several lines.
fn instructions() -> Vec<(&'static str, Vec<&'static str>)> {
    let lines = DOCKERFILE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let split = |line: &'static str| line.split_once(' ').expect("an instruction with words");
    lines.map(|line| (split(line).0, split(line).1.split(' ').collect())).collect()
}

/// The words of the exec form: a JSON array.
#[track_caller]
fn exec(line: &str) -> Vec<String> {
    let array = line.find('[').map(|at| &line[at..]).expect("the exec form: there is no shell");
    serde_json::from_str(array).expect("a JSON array")
}

/// The line that begins with this.
#[track_caller]
fn line(start: &str) -> &'static str {
    DOCKERFILE.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start}"))
}

/// What the build is given.
fn copied() -> BTreeSet<PathBuf> {
    let copies =
        instructions().into_iter().filter(|(name, words)| *name == "COPY" && !words[0].starts_with("--"));
    copies.flat_map(|(_, words)| words[..words.len() - 1].to_vec()).map(PathBuf::from).collect()
}

#[test]
fn what_is_copied_exists_and_stages_are_those_before() {
    for path in copied() {
        assert!(Path::new(CLONE).join(&path).exists(), "{path:?}");
    }
    let mut stages = BTreeSet::new();
    for (name, words) in instructions() {
        match (name, words.as_slice()) {
            ("FROM", [_, "AS", stage]) => drop(stages.insert(*stage)),
            ("COPY", [from, ..]) if from.starts_with("--from=") => {
                assert!(stages.contains(from.trim_start_matches("--from=")), "{words:?}");
            }
            _ => {}
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn all_that_the_program_is_built_from_is_copied() {
    let (copied, mut files) = (copied(), Vec::new());
    sources(&Path::new(CLONE).join("src"), &mut files);
    let mut included = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source");
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        for piece in product.split("include_str!(\"").chain(product.split("include_bytes!(\"")).skip(1) {
            let Some(path) =
                piece.split_once('"').map(|(path, _)| path).filter(|path| path.starts_with("../"))
            else {
                continue;
            };
            let whole = file.parent().expect("a folder").join(path).canonicalize();
            if let Ok(whole) = whole {
                included.insert(whole.strip_prefix(CLONE).expect("a file of the clone").to_owned());
            }
        }
    }
    assert!(included.iter().any(|path| path.starts_with("templates")), "{included:?}");
    let missing: Vec<_> =
        included.iter().filter(|path| !copied.iter().any(|folder| path.starts_with(folder))).collect();
    assert!(missing.is_empty(), "{missing:?} are not copied");
}

#[test]
fn what_is_started_is_known_to_the_program() {
    let entry = exec(line("ENTRYPOINT"));
    let health = exec(line("HEALTHCHECK"));
    assert_eq!((entry.len(), entry[0].as_str()), (1, health[0].as_str()));
    assert!(line("COPY --from=build /src/target/release/postrider").ends_with(&entry[0]));
    for words in [&exec(line("CMD"))[..], &health[1..]] {
        output(program().args(words).arg("--help"));
    }
}

#[test]
fn it_is_not_root_and_writes_into_its_volume_alone() {
    let user = line("USER").trim_start_matches("USER ");
    let (uid, gid) = user.split_once(':').expect("numbers, which need no file of users");
    assert!(
        uid.parse::<u32>().is_ok_and(|uid| uid > 0) && gid.parse::<u32>().is_ok_and(|gid| gid > 0),
        "{user}"
    );
    assert!(line("COPY --from=build --chown").contains(&format!("--chown={user} /data /data")));
    assert!(line("ENV").contains("POSTRIDER_DATA=/data ") && line("VOLUME") == "VOLUME /data");
    for guard in [
        "read_only: true",
        "cap_drop: [ALL]",
        "no-new-privileges:true",
        "data:/data",
        "\"127.0.0.1:8383:8383\"",
    ] {
        assert!(COMPOSE.contains(guard), "{guard}");
    }
}

#[test]
fn their_options_are_the_programs() {
    let help = output(program().args(["serve", "--help"]));
    let mut options = BTreeSet::new();
    for word in DOCKERFILE.split(char::is_whitespace).chain(COMPOSE.split(char::is_whitespace)) {
        let name = word.split(['=', ':']).next().unwrap_or_default();
        if name.starts_with("POSTRIDER_") {
            options.insert(name);
        }
    }
    assert!(options.len() >= 5, "{options:?}");
    for option in options {
        assert!(help.contains(&format!("[env: {option}]")), "{option}");
    }
}

/// A root with the program and the libraries that it names: what the image holds of it.
fn image(root: &Path) -> PathBuf {
    let own = program();
    let real = Path::new(own.get_program());
    let libraries = output(Command::new("ldd").arg(real));
    let paths = libraries.split_whitespace().filter(|word| word.starts_with('/')).map(Path::new);
    let entry = exec(line("ENTRYPOINT")).remove(0);
    for (from, to) in paths.map(|path| (path, path)).chain([(real, Path::new(&entry))]) {
        let to = root.join(to.strip_prefix("/").expect("a whole path"));
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        fs::copy(from, to).expect("a file");
    }
    let data = root.join("data");
    fs::create_dir(&data).expect("a folder");
    data
}

#[test]
fn it_serves_from_a_read_only_root_with_nothing_but_its_libraries() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let data = image(root.path());
    let script = "mount --bind \"$0\" \"$0\" && mount --bind \"$0/data\" \"$0/data\" && mount -o remount,bind,ro \"$0\" &&
        ip link set lo up && exec chroot \"$0\" \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "--net", "sh", "-c", script]).arg(root.path());
    command.args(exec(line("ENTRYPOINT"))).args(exec(line("CMD"))).env("NOTIFY_SOCKET", "");
    for option in line("ENV").split(' ').filter_map(|word| word.split_once('=')) {
        command.env(option.0, option.1);
    }
    let mut server = Process::spawn(&mut command);
    assert_eq!(server.line("postrider listens on "), Some("http://127.0.0.1:8383".to_owned()));
    let health = exec(line("HEALTHCHECK"));
    let said = output(program().args(&health[1..]).env("POSTRIDER_DATA", &data));
    assert_eq!(said, "ready\n");
    server.signal("TERM");
    assert!(server.wait_for_end(PATIENCE).status.success());
}
