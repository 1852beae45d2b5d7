//! Addresses of an event's pages.

use url::form_urlencoded;

use crate::domain::ids::EventId;
use crate::domain::names::TenantName;

/// The page of an event. Its publisher's own id says which one it is only together with the tenant.
pub(in crate::web::ui) fn path(id: &str, tenant: &TenantName) -> String {
    at(id, tenant, "")
}

/// The same for what is below the page, such as `/replay`.
pub(super) fn at(id: &str, tenant: &TenantName, below: &str) -> String {
    // Ids are letters, digits, `_` and `-`.
    let path = format!("/events/{id}{below}");
    if EventId::parse(id).is_some() {
        return path;
    }
    with(&path, "tenant", tenant.as_str())
}

/// Addresses around the page.
pub(super) struct Links {
    pub(super) here: String,
    pub(super) raw: String,
    pub(super) file: String,
    pub(super) replay: String,
    pub(super) empty: String,
}

impl Links {
    pub(super) fn of(id: &str, tenant: &TenantName) -> Self {
        let at = |below: &str| at(id, tenant, below);
        let here = at("");
        Self {
            raw: format!("{}#data", with(&here, "data", "raw")),
            file: at("/data"),
            replay: at("/replay"),
            empty: at("/delete-data"),
            here,
        }
    }

    /// The page with a parameter.
    pub(super) fn with(&self, name: &str, value: &str) -> String {
        with(&self.here, name, value)
    }
}

fn with(path: &str, name: &str, value: &str) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    let pair = form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
    format!("{path}{joint}{pair}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_id_needs_its_tenant() {
        let tenant = TenantName::parse("ops@example.com").unwrap();
        let ours = EventId(7).to_string();
        assert_eq!(path(&ours, &tenant), format!("/events/{ours}"));
        assert_eq!(at("order-17", &tenant, "/replay"), "/events/order-17/replay?tenant=ops%40example.com");
        let links = Links::of("order-17", &tenant);
        assert_eq!(links.with("below", "x"), "/events/order-17?tenant=ops%40example.com&below=x");
        assert_eq!(Links::of(&ours, &tenant).raw, format!("/events/{ours}?data=raw#data"));
    }
}
