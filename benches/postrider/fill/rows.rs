//! Rows as they are, whatever columns the schema gives them.

use rusqlite::types::Value;
use rusqlite::{Connection, Statement};

/// The values of a row, in the order of its table's columns.
pub(super) type Values = Vec<Value>;

/// The columns of a table.
pub(super) fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid")?;
    let names = statement.query_map([table], |row| row.get(0))?;
    names.collect()
}

/// Reads rows of a table, all columns of each.
pub(super) fn read(
    connection: &Connection,
    table: &str,
    condition: &str,
    params: impl rusqlite::Params,
) -> rusqlite::Result<Vec<Values>> {
    let names = columns(connection, table)?;
    let sql = format!("SELECT {} FROM {table} WHERE {condition}", names.join(", "));
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params, |row| (0..names.len()).map(|column| row.get(column)).collect())?;
    rows.collect()
}

/// Writes rows again with some columns changed.
pub(super) struct Writer<'a> {
    statement: Statement<'a>,
    /// For each column, which of the changes goes there.
    places: Vec<Option<usize>>,
}

impl<'a> Writer<'a> {
    /// For a table. `changed`: the columns that each row has values of its own in.
    pub(super) fn new(connection: &'a Connection, table: &str, changed: &[&str]) -> rusqlite::Result<Self> {
        let names = columns(connection, table)?;
        let marks: Vec<_> = (1..=names.len()).map(|number| format!("?{number}")).collect();
        let sql = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), marks.join(", "));
        let places: Vec<_> =
            names.iter().map(|name| changed.iter().position(|column| column == name)).collect();
        let found = places.iter().flatten().count();
        assert_eq!(found, changed.len(), "{table} no longer has the columns {changed:?}");
        Ok(Self { statement: connection.prepare(&sql)?, places })
    }

    /// Writes a row. What is NULL in it stays so.
    pub(super) fn write(&mut self, row: &Values, changed: &[i64]) -> rusqlite::Result<()> {
        for (index, (value, place)) in row.iter().zip(&self.places).enumerate() {
            match (value, place) {
                (Value::Null, _) | (_, None) => self.statement.raw_bind_parameter(index + 1, value)?,
                (_, Some(which)) => self.statement.raw_bind_parameter(index + 1, changed[*which])?,
            }
        }
        self.statement.raw_execute()?;
        Ok(())
    }
}
