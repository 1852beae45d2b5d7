//! The floors of the house hold: `src/lib.rs` says why, this says what is checked.
//!
//! Each rule is followed by tests that plant a violation in a small tree, so that a rule that has gone blind fails.

mod floors;
mod source;
mod walls;

use source::Tree;

/// Every violation, as `file:line: sentence`.
fn check(tree: &Tree) -> Vec<String> {
    let mut found = tree.unreadable();
    found.extend(floors::places(tree));
    found.extend(floors::imports(tree));
    found.extend(walls::crates(tree));
    found.extend(walls::unversioned(tree));
    found.extend(walls::sql(tree));
    found.extend(walls::lengths(tree));
    found
}

#[test]
fn the_house_stands() {
    let tree = Tree::read(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(tree.files.iter().any(|file| file.path == "lib.rs"), "the sources are where they were");
    let found = check(&tree);
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
}

/// Fails unless checking these files finds exactly one violation for each expected text.
#[track_caller]
fn assert_found(files: &[(&str, &str)], expected: &[&str]) {
    let found = check(&Tree::planted(files));
    let matches =
        found.len() == expected.len() && expected.iter().zip(&found).all(|(text, line)| line.contains(text));
    assert!(matches, "expected {expected:#?}, found {found:#?}");
}

#[test]
fn a_file_that_is_not_rust_is_a_violation() {
    assert_found(&[("domain/odd.rs", "fn open() {")], &["domain/odd.rs:1: cannot be read as Rust"]);
}
