//! What belongs to one house only: crates, SQL. And how long a file may be.

use super::source::{File, Tree};

/// Crates, and the houses that may name them.
const CRATES: [(&str, &[&str]); 12] = [
    ("rusqlite", &["store"]),
    ("rusqlite_migration", &["store"]),
    ("r2d2", &["store"]),
    ("r2d2_sqlite", &["store"]),
    ("ureq", &["sender"]),
    ("lettre", &["mail"]),
    ("askama", &["web"]),
    ("prometheus", &["web"]),
    ("pulldown_cmark", &["web"]),
    ("actix_web", &["web", "app"]),
    ("actix_http", &["web"]),
    ("actix_rt", &["web", "app"]),
];

/// The most lines of a file. The aim is 80 to 300.
const MOST_LINES: usize = 400;

/// Words in capitals, and pairs of them, that are SQL and not English or HTTP.
const SQL: [&str; 17] = [
    "SELECT",
    "INSERT",
    "PRAGMA",
    "SAVEPOINT",
    "ROLLBACK",
    "VACUUM",
    "WHERE",
    "RETURNING",
    "DELETE FROM",
    "BEGIN IMMEDIATE",
    "CREATE TABLE",
    "CREATE INDEX",
    "CREATE UNIQUE",
    "ALTER TABLE",
    "DROP TABLE",
    "ORDER BY",
    "UPDATE SET",
];

/// How a statement in small letters starts and goes on.
const SMALL_SQL: [(&str, &str); 6] = [
    ("select ", " from "),
    ("insert into ", "values"),
    ("delete from ", " where "),
    ("update ", " set "),
    ("create table ", "("),
    ("pragma ", ""),
];

/// A crate is named only in the houses it belongs to.
pub fn crates(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in &tree.files {
        for (line, word) in file.words() {
            let rule = CRATES.iter().find(|(name, _)| *name == word);
            if let Some((name, houses)) = rule.filter(|(_, houses)| !houses.contains(&file.house())) {
                let homes = houses.join("/ and ");
                found.push(format!("{}:{line}: `{name}` belongs to {homes}/", file.path));
            }
        }
    }
    found
}

/// `ureq::unversioned`, which may change with any release, is used by one file.
pub fn unversioned(tree: &Tree) -> Vec<String> {
    let first_use =
        |file: &File| file.words().into_iter().find(|(_, word)| word == "unversioned").map(|(line, _)| line);
    let users: Vec<_> = tree.files.iter().filter_map(|file| Some((file, first_use(file)?))).collect();
    users
        .iter()
        .skip(1)
        .map(|(file, line)| {
            let first = &users[0].0.path;
            format!("{}:{line}: `ureq::unversioned` is used by {first}, and by one file only", file.path)
        })
        .collect()
}

/// SQL is in the store.
pub fn sql(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|file| file.house() != "store") {
        if std::path::Path::new(&file.path).extension().is_some_and(|extension| extension == "sql") {
            found.push(format!("{}:1: SQL belongs to store/", file.path));
        }
        for (line, text) in file.texts() {
            if is_sql(&text) {
                found.push(format!("{}:{line}: SQL belongs to store/: {:.60}", file.path, text));
            }
        }
    }
    found
}

fn is_sql(text: &str) -> bool {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    let capitals = SQL.iter().any(|sql| match sql.split_once(' ') {
        None => words.contains(sql),
        // `UPDATE table SET`.
        Some((first @ "UPDATE", second)) => words.windows(3).any(|w| w[0] == first && w[2] == second),
        Some((first, second)) => words.windows(2).any(|w| w[0] == first && w[1] == second),
    });
    let small = text.trim_start();
    capitals
        || SMALL_SQL
            .iter()
            .any(|(start, then)| small.strip_prefix(start).is_some_and(|rest| rest.contains(then)))
}

/// Files are short enough to be read.
pub fn lengths(tree: &Tree) -> Vec<String> {
    let long = tree.files.iter().filter(|file| file.lines > MOST_LINES);
    long.map(|file| format!("{}:{MOST_LINES}: has {} lines, {MOST_LINES} at most", file.path, file.lines))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::architecture::assert_found;

    #[test]
    fn crates_in_their_houses_are_fine() {
        assert_found(
            &[
                ("store/mod.rs", "use rusqlite::Connection; use r2d2_sqlite::SqliteConnectionManager;"),
                ("sender/client.rs", "use ureq::{Agent, unversioned::transport::Connector};"),
                ("app/mod.rs", "fn run() { actix_web::rt::System::new(); }"),
                ("domain/mod.rs", "//! Not for rusqlite, ureq or actix_web.\nconst NOTE: &str = \"ureq\";"),
            ],
            &[],
        );
    }

    #[test]
    fn a_crate_outside_its_house_is_found() {
        assert_found(
            &[("service/mod.rs", "\nfn f(c: &rusqlite::Connection) {}")],
            &["service/mod.rs:2: `rusqlite` belongs to store/"],
        );
        assert_found(&[("dispatcher/mod.rs", "use ureq as http;")], &["`ureq` belongs to sender/"]);
        assert_found(&[("service/mod.rs", "use actix_web::web::Data;")], &["belongs to web/ and app/"]);
        assert_found(&[("cli.rs", "use r2d2::Pool;")], &["`r2d2` belongs to store/"]);
        assert_found(
            &[("app/mod.rs", "#[derive(askama::Template)] struct Page;")],
            &["`askama` belongs to web/"],
        );
    }

    #[test]
    fn a_second_user_of_what_is_unversioned_is_found() {
        assert_found(
            &[
                ("sender/connector.rs", "use ureq::unversioned::transport::Connector;"),
                ("sender/resolver.rs", "use ureq::{Agent,\n unversioned::resolver::Resolver};"),
            ],
            &["sender/resolver.rs:2: `ureq::unversioned` is used by sender/connector.rs"],
        );
    }

    #[test]
    fn sql_outside_the_store_is_found() {
        for sql in [
            "SELECT 1",
            "DELETE FROM events",
            "\\n  UPDATE events SET data = NULL",
            "select id from events",
            "insert into events values (1)",
            "update events set data = 1",
            "PRAGMA wal_checkpoint(RESTART)",
            "pragma user_version",
            "x ORDER BY id",
        ] {
            let planted = format!("fn f() {{ g(\n\"{sql}\", 'x') }}");
            assert_found(&[("web/mod.rs", &planted)], &["web/mod.rs:2: SQL belongs to store/"]);
            assert_found(&[("store/mod.rs", &planted)], &[]);
        }
        assert_found(&[("app/mod.rs", "const S: &str = r#\"SELECT 1\"#;")], &["SQL belongs to store/"]);
        assert_found(&[("service/find.sql", "")], &["service/find.sql:1: SQL belongs to store/"]);
    }

    #[test]
    fn methods_sentences_and_documentation_are_not_sql() {
        let text = "//! SELECT in the docs.\n/// UPDATE x SET y\nconst A: [&str; 4] = [\"DELETE\", \"UPDATE\",\n\
            \"select an endpoint\", \"update the URL or disable the endpoint\"]; // SELECT 1";
        assert_found(&[("web/mod.rs", text)], &[]);
    }

    #[test]
    fn a_file_that_is_too_long_is_found() {
        assert_found(
            &[("web/a.rs", &"\n".repeat(400)), ("web/b.rs", &"\n".repeat(401))],
            &["web/b.rs:400: has 401 lines"],
        );
        assert_found(&[("web/ui/page.html", &"\n".repeat(401))], &["web/ui/page.html:400: has 401 lines"]);
    }
}
