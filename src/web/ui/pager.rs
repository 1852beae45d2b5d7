//! "Newer" and "older" below a list, from a cursor that only leads to older rows.
//!
//! The way back stands in the address: `back` holds the cursors of the pages before this one, the nearest last. So a
//! page can be shared and still has its "newer", and the server keeps nothing. No cursor holds an asterisk.

use url::form_urlencoded;

/// Pages that `back` remembers; from further down "newer" leads to the first page.
const REMEMBERED: usize = 20;

/// The links below a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pager {
    /// To the page before.
    pub newer: Option<String>,
    /// To the page behind.
    pub older: Option<String>,
}

impl Pager {
    /// For the list at `path`, shown with `query`, whose next page begins at `next`.
    pub fn new(path: &str, query: &str, next: Option<&str>) -> Self {
        let mut kept: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let mut take = |name: &str| {
            let at = kept.iter().position(|(given, _)| given == name)?;
            Some(kept.remove(at).1)
        };
        let (cursor, back) = (take("cursor"), take("back").unwrap_or_default());
        let mut back: Vec<String> =
            back.split('*').filter(|one| !one.is_empty()).map(str::to_owned).collect();
        let link = |cursor: Option<&str>, back: &[String]| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(&kept);
            if let Some(cursor) = cursor {
                query.append_pair("cursor", cursor);
            }
            if !back.is_empty() {
                query.append_pair("back", &back.join("*"));
            }
            let query = query.finish();
            if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
        };
        let newer = cursor.is_some().then(|| match back.split_last() {
            Some((last, rest)) => link(Some(last.as_str()), rest),
            None => link(None, &[]),
        });
        let older = next.map(|next| {
            back.extend(cursor.clone());
            let from = back.len().saturating_sub(REMEMBERED);
            link(Some(next), &back[from..])
        });
        Self { newer, older }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_down_is_the_way_back_up() {
        let first = Pager::new("/events", "tenant=acme&type=", Some("c1"));
        assert_eq!((first.newer, first.older.as_deref()), (None, Some("/events?tenant=acme&cursor=c1")));
        let second = Pager::new("/events", "tenant=acme&cursor=c1", Some("c2"));
        assert_eq!(second.newer.as_deref(), Some("/events?tenant=acme"));
        assert_eq!(second.older.as_deref(), Some("/events?tenant=acme&cursor=c2&back=c1"));
        let third = Pager::new("/events", "tenant=acme&cursor=c2&back=c1", None);
        assert_eq!((third.newer.as_deref(), third.older), (Some("/events?tenant=acme&cursor=c1"), None));
    }

    #[test]
    fn the_way_back_has_an_end() {
        let back = (0..REMEMBERED).map(|n| format!("c{n}")).collect::<Vec<_>>().join("*");
        let older = Pager::new("/events", &format!("cursor=c20&back={back}"), Some("c21")).older.unwrap();
        assert!(older.contains("back=c1*") && older.ends_with("*c20"), "{older}");
    }

    #[test]
    fn a_list_of_one_page_has_no_links() {
        assert_eq!(Pager::new("/keys", "", None), Pager::default());
    }
}
