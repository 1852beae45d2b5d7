//! Filters of lists: they stand in the address, and what is wrong with one stands beside its field.

use crate::domain::names::TenantName;
use crate::service::Error;
use crate::store::lists::Span;
use crate::web::problem::Problem;
use crate::web::query;
use crate::web::state::AppState;

use super::form::Form;
use super::moments::Zone;

/// A filter that `parse` accepts. An empty one is none; what is wrong with it is noted.
pub(super) fn taken<T>(
    form: &mut Form,
    name: &'static str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    let parsed = parse(form.filled(name)?);
    form.invalid().check(name, parsed)
}

/// Where the page begins, as an address of this list says it. What is none is noted.
pub(super) fn cursor<T>(form: &mut Form, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    taken(form, "cursor", |text| parse(text).ok_or_else(|| query::WRONG_CURSOR.to_owned()))
}

/// The same for a page that has no field to tell it beside: which of several parts is shown, where one of its lists begins.
///
/// # Errors
/// 422, with what such an address says.
pub(super) fn exactly<T>(
    asked: &Form,
    name: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let Some(text) = asked.filled(name) else { return Ok(None) };
    let wrong = || Error::field(name, "is not of this page; open it from the page that leads here");
    Ok(Some(parse(text).ok_or_else(wrong)?))
}

/// A tenant. That there is none of this name is noted, for a list of nothing would look like a tenant without anything.
pub(super) fn tenant(form: &mut Form, state: &AppState) -> Option<TenantName> {
    let named = taken(form, "tenant", TenantName::parse)?;
    let known = state.service.store().directory().tenant(&named).is_some();
    if !known {
        form.invalid().push("tenant", "is the name of no tenant");
    }
    known.then_some(named)
}

/// `since` and `until`, in the time zone of whoever looks.
pub(super) fn span(form: &mut Form, zone: &Zone) -> Span {
    let since = taken(form, "since", |text| zone.parse(text));
    let until = taken(form, "until", |text| zone.parse(text));
    if since.zip(until).is_some_and(|(since, until)| until <= since) {
        form.invalid().push("until", "must be later than the time in Since");
    }
    Span { since, until }
}

/// Whether a list is filtered by any of these.
pub(super) fn any(form: &Form, names: &[&str]) -> bool {
    names.iter().any(|name| form.filled(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::EventId;

    #[test]
    fn an_empty_filter_is_none_and_a_wrong_one_is_told_beside_its_field() {
        let mut form = Form::of_query("tenant=+&since=2026-02-23+15:30&until=soon&cursor=x");
        assert!(cursor(&mut form, EventId::parse).is_none() && form.is_wrong("cursor"));
        assert_eq!(taken(&mut form, "tenant", TenantName::parse), None);
        let span = span(&mut form, &Zone::named("Europe/Berlin").unwrap());
        assert_eq!(span.since.map(|at| at.0), Some(1_771_857_000_000));
        assert!(form.is_wrong("until") && !form.is_wrong("since") && !form.is_wrong("tenant"));
        let mut form = Form::of_query("since=2026-02-23&until=2026-02-23");
        super::span(&mut form, &Zone::utc());
        assert_eq!(form.wrong("until"), ["Must be later than the time in Since."]);
        let exactly = |text| exactly(&Form::of_query(text), "below", |text| text.parse::<u32>().ok());
        assert_eq!((exactly("below=7").unwrap(), exactly("below=+").unwrap()), (Some(7), None));
        assert_eq!(exactly("below=x").unwrap_err().0.fields[0].field, "below");
        assert!(any(&form, &["tenant", "since"]) && !any(&form, &["tenant", "type"]));
    }
}
