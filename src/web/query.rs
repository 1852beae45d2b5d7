//! Query parameters, each refused by name when it is unknown or wrong; and the form of a list's answer.

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use url::form_urlencoded;

use crate::domain::invalid::Invalid;
use crate::domain::time::UnixMs;
use crate::service::Code;
use crate::store::lists::Span;

use super::problem::Problem;

/// Rows of a page when the caller does not say.
pub const DEFAULT_LIMIT: usize = 50;
/// What is said of a cursor that is none of a list.
pub const WRONG_CURSOR: &str =
    "must be the next_cursor of another page of this list, or absent for the first page";
/// Rows of a page at most.
pub const MAX_LIMIT: usize = 250;

/// A request's parameters. Take them one by one, then [`Query::finish`]: it fails with everything that was wrong,
/// parameters that nobody asked for among it. A parameter with an empty value is one without a value: wrong
/// wherever an empty text is.
#[derive(Debug)]
pub struct Query {
    given: Vec<(String, String)>,
    asked: Vec<&'static str>,
    invalid: Invalid,
}

impl Query {
    /// The parameters of a request.
    pub fn of(request: &HttpRequest) -> Self {
        Self::parse(request.query_string())
    }

    /// The parameters that a text holds, as it stands behind the question mark of a path.
    pub fn parse(text: &str) -> Self {
        let given = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        Self { given, asked: Vec::new(), invalid: Invalid::new() }
    }

    /// A parameter as text.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.asked.push(name);
        let mut found = self.given.iter().filter(|(given, _)| given == name);
        let value = found.next().map(|(_, value)| value.clone());
        if found.next().is_some() {
            self.invalid.push(name, "is there twice");
        }
        value
    }

    /// A parameter that `parse` accepts.
    pub fn parsed<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(name)?;
        self.invalid.check(name, parse(&text))
    }

    /// A parameter that is compared with a text as it stands.
    pub fn named(&mut self, name: &'static str) -> Option<String> {
        self.parsed(name, |text| {
            if text.is_empty() { Err("must not be empty".to_owned()) } else { Ok(text.to_owned()) }
        })
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.parsed(name, |text| text.parse().map_err(|_| "must be true or false".to_owned()))
    }

    /// `limit`: rows of a page, 1 to 250, 50 when absent.
    pub fn limit(&mut self) -> usize {
        let limit = self.parsed("limit", |text| {
            let rows = text.parse().ok().filter(|rows| (1..=MAX_LIMIT).contains(rows));
            rows.ok_or_else(|| format!("must be a whole number from 1 to {MAX_LIMIT}"))
        });
        limit.unwrap_or(DEFAULT_LIMIT)
    }

    /// `cursor`: where the page starts, as `next_cursor` of the one before says.
    pub fn cursor<T>(&mut self, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        self.parsed("cursor", |text| parse(text).ok_or_else(|| WRONG_CURSOR.to_owned()))
    }

    /// `since` (inclusive) and `until` (exclusive), by the time of acceptance.
    pub fn span(&mut self) -> Span {
        Span { since: self.parsed("since", UnixMs::parse), until: self.parsed("until", UnixMs::parse) }
    }

    /// What is wrong so far, to be added to.
    pub fn invalid(&mut self) -> &mut Invalid {
        &mut self.invalid
    }

    /// Whether every parameter was as it must be and every parameter is known.
    ///
    /// # Errors
    /// `invalid_query`, with every wrong parameter.
    pub fn finish(mut self) -> Result<(), Problem> {
        for (given, _) in &self.given {
            if !self.asked.iter().any(|asked| asked == given) {
                let message = match self.asked.as_slice() {
                    [] => "is unknown; this call takes no parameters".to_owned(),
                    asked => format!("is unknown; there are {}", asked.join(", ")),
                };
                self.invalid.push(given.as_str(), message);
            }
        }
        self.invalid.into_result(()).map_err(|invalid| Problem::fields(Code::InvalidQuery, invalid))
    }
}

/// The cursor of a list whose rows have a number and no id: with the list's name, so that another list refuses it.
#[derive(Debug, Clone, Copy)]
pub struct Numbered(pub &'static str);

impl Numbered {
    /// The cursor of the page below this row.
    pub fn cursor(self, row: i64) -> String {
        format!("{}:{row}", self.0)
    }

    /// Reads what [`Numbered::cursor`] has written, and nothing else.
    pub fn parse(self, text: &str) -> Option<i64> {
        let number = text.strip_prefix(self.0)?.strip_prefix(':')?;
        // `parse` would take a sign, and zeros in front, as well.
        let plain = number.bytes().all(|b| b.is_ascii_digit()) && (number == "0" || !number.starts_with('0'));
        plain.then(|| number.parse().ok()).flatten()
    }
}

/// For a list without filters: how many rows, and below which one.
///
/// # Errors
/// `invalid_query`, with every parameter that is wrong or unknown.
pub fn page<T>(
    request: &HttpRequest,
    cursor: impl FnOnce(&str) -> Option<T>,
) -> Result<(usize, Option<T>), Problem> {
    let mut query = Query::of(request);
    let page = (query.limit(), query.cursor(cursor));
    query.finish()?;
    Ok(page)
}

/// For a call that takes no parameters.
///
/// # Errors
/// `invalid_query`, with every parameter that is there.
pub fn none(request: &HttpRequest) -> Result<(), Problem> {
    if request.query_string().is_empty() { Ok(()) } else { Query::of(request).finish() }
}

/// A list's answer.
#[derive(Debug, Serialize)]
struct List<T> {
    data: Vec<T>,
    next_cursor: Option<String>,
}

/// The text of a list that may be long, for [`super::state::AppState::answer`].
pub fn long_list<T: Serialize>(data: Vec<T>, next_cursor: Option<String>) -> Result<Vec<u8>, Problem> {
    Problem::or_json(&List { data, next_cursor })
}

/// The answer of a list: a page, and where the next one starts.
pub fn list<T: Serialize>(data: Vec<T>, next_cursor: Option<String>) -> HttpResponse {
    HttpResponse::Ok().json(List { data, next_cursor })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::EventId;

    fn wrong(query: Query) -> Vec<String> {
        let problem = query.finish().unwrap_err();
        assert_eq!(problem.0.code, Code::InvalidQuery);
        problem.0.fields.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn a_page_has_50_rows_unless_the_caller_says_1_to_250() {
        assert_eq!(Query::parse("").limit(), 50);
        assert_eq!(Query::parse("limit=250").limit(), 250);
        for bad in ["0", "251", "-1", "x", "", "1.0"] {
            let mut query = Query::parse(&format!("limit={bad}"));
            query.limit();
            assert_eq!(wrong(query), ["limit"], "{bad}");
        }
    }

    #[test]
    fn unknown_wrong_and_repeated_parameters_are_named_at_once() {
        let mut query = Query::parse("sinze=1&until=yesterday&cursor=x&limit=1&limit=2");
        query.span();
        query.limit();
        assert_eq!(query.cursor(EventId::parse), None);
        assert_eq!(wrong(query), ["until", "limit", "cursor", "sinze"]);
    }

    #[test]
    fn a_span_is_read_with_any_offset() {
        let mut query = Query::parse("since=2026-02-23T15:30:00%2B01:00&until=2026-02-23T14:30:00Z");
        let span = query.span();
        assert_eq!(span.since, span.until);
        assert!(span.since.is_some() && query.finish().is_ok());
    }

    #[test]
    fn a_cursor_is_the_id_of_the_last_row() {
        let id = EventId(7);
        let mut query = Query::parse(&format!("cursor={id}"));
        assert_eq!(query.cursor(EventId::parse), Some(id));
        assert!(query.finish().is_ok());
    }

    #[test]
    fn the_number_of_a_row_has_one_spelling() {
        let rows = Numbered("rows");
        assert_eq!((rows.parse("rows:17"), rows.parse(&rows.cursor(0))), (Some(17), Some(0)));
        for bad in ["", "-1", "+1", "1.0", "007", "00", "9223372036854775808"] {
            assert_eq!(rows.parse(&format!("rows:{bad}")), None, "{bad}");
        }
        assert_eq!((rows.parse("17"), rows.parse("rooms:17"), rows.parse("rows17")), (None, None, None));
    }
}
