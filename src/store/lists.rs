//! What all lists have in common.

use std::ops::Range;

use rusqlite::{Row, Rows};

use crate::domain::ids;
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::reader::{EXAMINED, Listed, SCATTERED};
use super::tx::AHEAD;

/// Cuts a query that asked for one row more than `limit` to a page.
pub(super) fn cut<T, N>(mut rows: Vec<T>, limit: usize, id: impl Fn(&T) -> N) -> Listed<T, N> {
    let next = if rows.len() > limit { rows.get(limit.saturating_sub(1)).map(&id) } else { None };
    rows.truncate(limit);
    Listed { rows, next }
}

/// A page that is being collected from one query after another.
pub(super) struct Collector<T> {
    rows: Vec<T>,
    examined: usize,
    may_examine: usize,
    cost: usize,
    limit: usize,
    last: i64,
}

impl<T> Collector<T> {
    pub(super) fn new(limit: usize) -> Self {
        Self::examining(limit, EXAMINED)
    }

    /// One that may spend so much only (enough for one row at least, so that it always goes on).
    pub(super) fn examining(limit: usize, may_examine: usize) -> Self {
        let may_examine = may_examine.max(1);
        Self { rows: Vec::new(), examined: 0, may_examine, cost: 1, limit, last: i64::MAX }
    }

    /// From now on an index leads to the rows.
    pub(super) fn scattered(&mut self) {
        self.cost = SCATTERED;
    }

    /// Whether the page has room, and may examine another row.
    pub(super) fn has_room(&self) -> bool {
        self.rows.len() < self.limit && self.examined < self.may_examine
    }

    /// Takes a row that was examined; `None`: it did not pass the filter.
    pub(super) fn add(&mut self, id: i64, row: Option<T>) {
        self.examined += self.cost;
        self.last = id;
        self.rows.extend(row);
    }

    /// The page. `more`: there was another row that it had no room for.
    pub(super) fn finish(self, more: bool) -> Listed<T> {
        Listed { rows: self.rows, next: more.then_some(self.last) }
    }
}

/// A page of what a query brings, the newest first: of its rows those that `pass`.
pub(super) fn walk<T>(
    mut rows: Rows<'_>,
    limit: usize,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    id: impl Fn(&T) -> i64,
    pass: impl Fn(&T) -> bool,
) -> Result<Listed<T>, StoreError> {
    let mut page = Collector::new(limit);
    while let Some(row) = rows.next()? {
        if !page.has_room() {
            return Ok(page.finish(true));
        }
        let one = read(row)?;
        let (at, passes) = (id(&one), pass(&one));
        page.add(at, passes.then_some(one));
    }
    Ok(page.finish(false))
}

/// Whether a name holds a text in small letters, in whatever case: SQLite knows capital letters of ASCII alone.
pub(super) fn holds(name: &str, text: &str) -> bool {
    name.to_lowercase().contains(text)
}

/// A column that holds a checked name.
pub(super) fn name<T>(
    row: &Row<'_>,
    column: usize,
    parse: impl Fn(&str) -> Result<T, String>,
) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    parse(text).map_err(|message| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, message.into())
    })
}

/// A span of acceptance times: from `since` (inclusive) to `until` (exclusive).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// Not before this.
    pub since: Option<UnixMs>,
    /// Before this.
    pub until: Option<UnixMs>,
}

impl Span {
    /// Whether a row that was accepted at `at` lies in it.
    pub(super) fn holds(&self, at: UnixMs) -> bool {
        self.since.is_none_or(|since| since <= at) && self.until.is_none_or(|until| at < until)
    }

    /// The ids among which all rows of the span are. Ids carry the time of acceptance, unless the clock went
    /// back: `ahead_until` is the last id that was ahead of it.
    pub(super) fn ids(&self, ahead_until: i64) -> Range<i64> {
        let from = self.since.map_or(0, ids::first_at);
        let to = self.until.map_or(i64::MAX, |until| ids::first_at(until.plus(AHEAD)).max(ahead_until + 1));
        from..to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_not_the_last_says_where_the_next_one_starts() {
        assert_eq!(cut(vec![9, 8, 7], 2, |n| *n), Listed { rows: vec![9, 8], next: Some(8) });
        assert_eq!(cut(vec![9, 8], 2, |n| *n), Listed { rows: vec![9, 8], next: None });
    }

    #[test]
    fn a_span_finds_rows_whose_ids_are_ahead_of_the_clock() {
        let span = Span { since: Some(UnixMs(1_000)), until: Some(UnixMs(2_000)) };
        let ahead = ids::first_at(UnixMs(5_000_000));
        assert!(span.ids(ahead).contains(&ahead));
        assert!(!span.ids(0).contains(&ahead));
        assert!(span.holds(UnixMs(1_000)) && !span.holds(UnixMs(2_000)));
    }
}
