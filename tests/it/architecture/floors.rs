//! Imports go down only.

use super::source::Tree;

/// Every module and folder directly below `src`, with its floor.
const FLOORS: [(&str, u8); 15] = [
    ("domain", 0),
    ("clock", 0),
    ("random", 0),
    ("panics", 0),
    ("store", 1),
    ("sender", 1),
    ("mail", 1),
    ("config", 1),
    ("service", 2),
    ("web", 3),
    ("dispatcher", 3),
    ("app", TOP),
    ("cli", TOP),
    ("main", TOP),
    ("lib", TOP),
];

/// The floor that wires the others together; its modules know each other.
const TOP: u8 = 4;

fn floor(house: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == house).map(|(_, floor)| *floor)
}

/// Everything below `src` has a floor.
pub fn places(tree: &Tree) -> Vec<String> {
    let lost = |path: &str, house: &str| {
        format!("{path}:1: `{house}` is on no floor: add it to the table in tests/it/architecture/floors.rs")
    };
    let homeless = tree.files.iter().filter(|file| floor(file.house()).is_none());
    homeless.map(|file| lost(&file.path, file.house())).collect()
}

/// No import goes up or sideways.
pub fn imports(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in &tree.files {
        let from = file.house();
        let Some(own) = floor(from) else { continue };
        for import in file.imports() {
            if let Some(wrong) = judge(from, own, &import.names) {
                found.push(format!("{}:{}: {}: {wrong}", file.path, import.line, import.names.join("::")));
            }
        }
    }
    found
}

/// What is wrong with this import into the house `from` on floor `own`.
fn judge(from: &str, own: u8, names: &[String]) -> Option<String> {
    let Some(to) = names.first() else {
        return (own != TOP).then(|| "takes the whole root of the crate; name what is used".to_owned());
    };
    let Some(other) = floor(to) else {
        return Some(format!("`{to}` is on no floor; import a thing from where it is defined"));
    };
    let may_be_known = to == from || other < own || (other == TOP && own == TOP);
    let is_clocks_own_time = from == "clock" && names.starts_with(&["domain".to_owned(), "time".to_owned()]);
    if may_be_known || is_clocks_own_time {
        None
    } else if other == own {
        Some(format!("goes sideways, `{from}` and `{to}` are neighbours"))
    } else {
        Some(format!("goes up, `{from}` may not know `{to}`"))
    }
}

#[cfg(test)]
mod tests {
    use crate::architecture::assert_found;

    #[test]
    fn imports_that_go_down_or_stay_in_the_house_are_fine() {
        let service = "use crate::{domain::event::Event, store::{self as disk, Store}, clock::*};\n\
            use crate::service::error::Error; use super::events; fn f() { crate::config::load::<u8>() }\n\
            macro_rules! m { () => { $crate::service::g() } } pub(crate) struct S; pub(in crate::service) fn h() {}\n\
            #[cfg(test)] mod tests { use super::super::events; use super::*; }";
        assert_found(
            &[
                ("service/publish.rs", service),
                (
                    "clock.rs",
                    "use crate::domain::time::UnixMs; #[cfg(test)] mod tests { use super::UnixMs; }",
                ),
                ("app/mod.rs", "use crate::{cli, web::Server, dispatcher::Dispatcher};"),
                (
                    "web/mod.rs",
                    "use super::service::Service; // use crate::dispatcher::X;\n/// crate::app::X\nstruct W;",
                ),
            ],
            &[],
        );
    }

    #[test]
    fn an_import_that_goes_up_is_found() {
        assert_found(
            &[("domain/event.rs", "\nuse crate::store::Row;")],
            &["domain/event.rs:2: store::Row: goes up, `domain` may not know `store`"],
        );
        assert_found(&[("service/mod.rs", "use crate::web;")], &["goes up"]);
        assert_found(&[("dispatcher/mod.rs", "pub use crate::app::Application;")], &["goes up"]);
        assert_found(&[("store/mod.rs", "use crate::lib::x;")], &["goes up"]);
    }

    #[test]
    fn an_import_that_goes_sideways_is_found() {
        assert_found(&[("web/api/events.rs", "use crate::dispatcher::Wake;")], &["sideways"]);
        assert_found(&[("store/mod.rs", "use crate::sender::Outcome;")], &["sideways"]);
        assert_found(&[("config/mod.rs", "use crate::store::Store;")], &["sideways"]);
        assert_found(&[("domain/time.rs", "use crate::clock::Clock;")], &["sideways"]);
        assert_found(&[("clock.rs", "use crate::domain::ids::EventId;")], &["sideways"]);
    }

    #[test]
    fn paths_inside_functions_braces_and_macros_are_found() {
        let inline = "fn f() -> u8 {\n g(|| vec![crate::web::status()]) }";
        assert_found(&[("store/mod.rs", inline)], &["store/mod.rs:2: web::status"]);
        let braces = "use crate::{domain::{ids, time::UnixMs}, config,\n sender::{Sender, guard::*}};";
        assert_found(
            &[("store/mod.rs", braces)],
            &["mod.rs:1: config: goes sideways", "mod.rs:2: sender::Sender", "mod.rs:2: sender::guard: "],
        );
        assert_found(&[("store/mod.rs", "macro_rules! m { () => { $crate::cli::f() } }")], &["goes up"]);
        assert_found(&[("domain/x.rs", "impl From<crate::store::E> for X {}")], &["goes up"]);
    }

    #[test]
    fn paths_by_super_are_followed_to_the_root() {
        assert_found(&[("store/rows/event.rs", "use super::super::super::web::X;")], &["web::X: goes up"]);
        assert_found(&[("store/mod.rs", "use super::sender::X;")], &["sender::X: goes sideways"]);
        assert_found(&[("clock.rs", "mod tests { use super::super::store::X; }")], &["store::X: goes up"]);
    }

    #[test]
    fn names_of_the_root_are_no_way_round() {
        assert_found(&[("domain/x.rs", "use crate::Application;")], &["`Application` is on no floor"]);
        assert_found(&[("domain/x.rs", "use crate::*;")], &["takes the whole root"]);
        assert_found(&[("domain/mod.rs", "use super::*;")], &["takes the whole root"]);
        assert_found(&[("domain/x.rs", "use crate as root;")], &["takes the whole root"]);
        assert_found(&[("domain/x.rs", "use crate::{self as root};")], &["`self` is on no floor"]);
    }

    #[test]
    fn a_folder_without_a_floor_is_found() {
        assert_found(
            &[("helpers/mod.rs", ""), ("util.rs", "use crate::web::X;"), ("notes.txt", "")],
            &["`helpers` is on no floor", "`util` is on no floor", "`notes.txt` is on no floor"],
        );
    }
}
