//! The program as it is started by hand.

use crate::support::program::program;

#[test]
fn the_program_explains_itself() {
    let output = program().arg("--help").output().expect("the program starts");
    assert!(output.status.success(), "{output:?}");
}
