//! Keys, tenants, settings and cleanups, below HTTP.

use postrider::domain::scope::{self, Scope};
use postrider::service::endpoints::EndpointDraft;
use postrider::service::keys::{KeyDraft, KeyQuery};
use postrider::service::tenants::TenantDraft;
use postrider::service::{Code, Patch};
use serde_json::json;

use crate::support::house::{House, admin, all};

const FIRST: &str = "pr_0123456789abcdefghijklmn";

fn key(name: &str) -> KeyDraft {
    KeyDraft { name: name.to_owned(), scopes: vec!["events:write".to_owned()], tenant: None }
}

#[test]
fn a_key_is_shown_once_and_refused_after_it_was_revoked() {
    let house = House::new();
    let made = house.service.create_key(&admin(), &key("ci")).wait().ok().unwrap();
    let keys = house.service.store().keys();
    assert!(keys.find(&scope::hash(&made.key)).is_some());
    let listed = house.service.keys(&admin().view(), &KeyQuery::default(), None, 50).unwrap().rows;
    assert_eq!(listed, std::slice::from_ref(&made.view));
    assert!(
        made.key.ends_with(&made.view.hint) && !serde_json::to_string(&listed).unwrap().contains(&made.key)
    );
    let id = made.view.id.to_string();
    house.service.revoke_key(&admin(), &id).wait().unwrap();
    assert!(keys.find(&scope::hash(&made.key)).is_none());
    assert_eq!(house.service.revoke_key(&admin(), &id).wait().unwrap_err().code, Code::NotFound);
    assert_eq!(house.audited(0), ["key.create", "key.revoke"]);
    assert!(!format!("{:?}", house.audit()).contains("pr_"));
}

#[test]
fn a_key_for_a_tenant_makes_the_tenant() {
    let house = House::new();
    let caller = house.bound("acme");
    assert_eq!(house.service.tenant(&caller, "acme").unwrap().tenant.tenant.as_str(), "acme");
    assert_eq!(house.service.tenant(&caller, "default").unwrap_err().code, Code::NotFound);
    assert_eq!(caller.admin().unwrap_err().code, Code::InsufficientScope);
}

#[test]
fn the_key_of_the_environment_counts_at_the_first_start_alone() {
    let house = House::new();
    let register = || house.service.register_first_key(FIRST).wait();
    let first = register().unwrap().unwrap();
    assert!(house.service.store().keys().find(&scope::hash(FIRST)).unwrap().scopes.allows(Scope::Admin));
    assert_eq!(register().unwrap(), None, "it is there");
    house.service.revoke_key(&admin(), &first.to_string()).wait().unwrap();
    assert_eq!(register().unwrap(), None, "somebody has revoked it");
    assert!(house.service.store().keys().is_empty());
    let refused = house.service.register_first_key("pr_short").wait().unwrap_err();
    assert_eq!(refused.fields[0].field, "POSTRIDER_API_KEY");
}

#[test]
fn a_tenant_is_put_whole() {
    let house = House::new();
    let put = |name: Option<&str>, limit| {
        let draft = TenantDraft { name: name.map(str::to_owned), endpoint_limit: limit };
        house.service.put_tenant(&admin(), "acme", &draft).wait().unwrap()
    };
    let first = put(Some("Acme"), Some(3));
    assert!(first.made);
    let second = put(None, None);
    assert_eq!((second.made, second.tenant.name, second.tenant.endpoint_limit), (false, None, None));
    let listed = house.service.tenants(&admin().view(), None, None, 1).unwrap();
    assert_eq!(listed.rows[0].tenant.as_str(), "acme");
    let rest = house.service.tenants(&admin().view(), None, listed.next, 50).unwrap();
    assert_eq!(rest.rows.iter().map(|row| row.tenant.as_str()).collect::<Vec<_>>(), ["default"]);
}

#[test]
fn strict_tenants_are_made_by_put_alone() {
    let house = House::new();
    let strict = json!({"strict_tenants": true}).as_object().cloned().unwrap();
    house.service.change_settings(&admin(), strict).wait().unwrap();
    let draft =
        EndpointDraft { url: Patch::Set("https://a.example/".to_owned()), ..EndpointDraft::default() };
    let create = || {
        let checked = house.service.check_endpoint(&all(), Some("acme"), &draft).ok().unwrap();
        house.service.create_endpoint(checked).wait().map(|saved| saved.endpoint.tenant)
    };
    assert_eq!(create().unwrap_err().code, Code::UnknownTenant);
    let bound = KeyDraft { tenant: Some("acme".to_owned()), ..key("ci") };
    let refused = house.service.create_key(&admin(), &bound).wait().err().unwrap();
    assert_eq!(refused.code, Code::UnknownTenant);
    house.service.put_tenant(&admin(), "acme", &TenantDraft::default()).wait().unwrap();
    assert_eq!(create().unwrap().as_str(), "acme");
}

#[test]
fn settings_change_all_or_none_and_are_in_force_with_the_answer() {
    let house = House::new();
    let change = |patch: serde_json::Value| {
        house.service.change_settings(&admin(), patch.as_object().cloned().unwrap()).wait()
    };
    let refused = change(json!({"retention_days": 0, "endpoint_limit": 3, "colour": 1})).unwrap_err();
    assert_eq!(refused.fields.len(), 2);
    assert_eq!(house.service.settings(&admin().view()).endpoint_limit, 10);
    change(json!({"endpoint_limit": 3, "retention_days": 30})).unwrap();
    assert_eq!(house.service.settings(&admin().view()).endpoint_limit, 3);
    let expected = (
        "settings.change".to_owned(),
        r#"{"endpoint_limit":10}"#.to_owned(),
        r#"{"endpoint_limit":3}"#.to_owned(),
    );
    assert_eq!(house.audit(), [expected]);
    change(json!({"endpoint_limit": 3})).unwrap();
    assert_eq!(house.audit().len(), 1, "nothing has changed");
}

#[test]
fn a_cleanup_is_reported_and_listed_and_a_dry_run_is_not() {
    let house = House::new();
    let clean = |seconds, dry_run| house.service.cleanup(&admin(), seconds, dry_run);
    assert_eq!(clean(Some(3600), false).err().unwrap().fields[0].field, "older_than_seconds");
    let counted = clean(None, true).unwrap().wait().unwrap();
    assert!(counted.dry_run && counted.ended_at.is_some());
    let done = clean(Some(86_400), false).unwrap().wait().unwrap();
    assert_eq!((done.by.as_str(), done.deliveries, done.events), ("cli:0", 0, 0));
    assert_eq!(house.service.cleanups(&admin().view(), None, 50).unwrap().rows, [done]);
}
