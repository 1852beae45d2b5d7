//! Making, changing and finding endpoints, below HTTP.

use postrider::domain::names::TenantName;
use postrider::domain::scope::Scope;
use postrider::service::endpoints::{EndpointDraft, EndpointQuery, EndpointSaved, HealthStatus};
use postrider::service::tenants::TenantDraft;
use postrider::service::{Code, Error, Patch, TenantScope};
use serde_json::{Value, json};

use crate::support::house::{House, admin, all};

fn set(text: &str) -> Patch<String> {
    Patch::Set(text.to_owned())
}

fn draft(url: &str) -> EndpointDraft {
    EndpointDraft { url: set(url), events: Patch::Set(vec!["*".to_owned()]), ..EndpointDraft::default() }
}

fn create_for(
    house: &House,
    scope: &TenantScope,
    tenant: Option<&str>,
    draft: &EndpointDraft,
) -> Result<EndpointSaved, Error> {
    let checked = house.service.check_endpoint(scope, tenant, draft)?;
    house.service.create_endpoint(checked).wait()
}

fn create(house: &House, draft: &EndpointDraft) -> Result<EndpointSaved, Error> {
    create_for(house, &all(), None, draft)
}

fn patch(house: &House, id: &str, draft: EndpointDraft) -> Result<EndpointSaved, Error> {
    let checked = house.service.check_endpoint_change(&all(), id, None, draft)?;
    house.service.change_endpoint(checked).wait()
}

fn json(saved: &EndpointSaved) -> Value {
    serde_json::to_value(saved).unwrap()
}

fn wrong(result: Result<EndpointSaved, Error>) -> (Code, Vec<String>) {
    let error = result.err().expect("a refusal");
    (error.code, error.fields.into_iter().map(|error| error.field).collect())
}

#[test]
fn a_new_endpoint_is_answered_whole_with_its_secret() {
    let house = House::new();
    let draft = EndpointDraft {
        headers: Patch::Set(vec![("Authorization".to_owned(), "Bearer hush".to_owned())]),
        filters: set(r#"{"n": 7.0}"#),
        metadata: Patch::Set(vec![("team".to_owned(), "blue".to_owned())]),
        uid: set("erp"),
        ..draft("https://hooks.example/in?a=1")
    };
    let answer = json(&create(&house, &draft).ok().unwrap());
    let secret = answer["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
    let expected = json!({
        "id": answer["id"], "uid": "erp", "tenant": "default", "url": "https://hooks.example/in?a=1",
        "description": "", "events": ["*"], "filters": {"n": 7.0}, "headers": {"Authorization": "•••"},
        "format": "standard", "metadata": {"team": "blue"}, "enabled": true, "disabled_reason": null,
        "disabled_note": null, "disabled_at": null, "disable_at": null, "health": "ok", "failure_count": 0,
        "first_failure_at": null, "last_failure_at": null, "last_success_at": null, "retry_schedule": null,
        "timeout_seconds": 10, "rate_limit": null, "max_in_flight": 16, "while_disabled": "hold",
        "unsigned": false, "public_key": null, "last_rotation": null, "created_at": "2026-02-23T14:30:00.000Z",
        "updated_at": "2026-02-23T14:30:00.000Z", "secret": secret, "warnings": [],
    });
    assert_eq!(answer, expected);
    let again = house.service.endpoint(&all(), "erp", None).unwrap();
    assert!(!serde_json::to_string(&again).unwrap().contains("whsec_"));
}

#[test]
fn every_wrong_field_is_named_at_once() {
    let house = House::new();
    let draft = EndpointDraft {
        url: set("ftp://a"),
        uid: set("a b"),
        events: Patch::Set(vec!["ok".to_owned(), "not ok".to_owned()]),
        description: set("\u{7}"),
        secret: set("short"),
        filters: set("[1]"),
        headers: Patch::Set(vec![("host".to_owned(), "x".to_owned())]),
        format: set("zyra"),
        retry_schedule: Patch::Set(vec![0]),
        timeout_seconds: Patch::Set(31),
        rate_limit: Patch::Set(0),
        max_in_flight: Patch::Set(257),
        while_disabled: set("drop"),
        ..EndpointDraft::default()
    };
    let (code, mut fields) = wrong(create_for(&house, &all(), Some("a b"), &draft));
    let mut expected = [
        "tenant",
        "url",
        "uid",
        "events[1]",
        "description",
        "secret",
        "filters",
        "headers.host",
        "format",
        "retry_schedule",
        "timeout_seconds",
        "rate_limit",
        "max_in_flight",
        "while_disabled",
    ];
    fields.sort_unstable();
    expected.sort_unstable();
    assert_eq!((code, fields), (Code::Invalid, expected.map(str::to_owned).to_vec()));
}

#[test]
fn a_url_is_required_and_cannot_be_reset() {
    let house = House::new();
    assert_eq!(wrong(create(&house, &EndpointDraft::default())), (Code::Invalid, vec!["url".to_owned()]));
    let id = create(&house, &draft("https://a.example/")).ok().unwrap().endpoint.id.to_string();
    let reset = EndpointDraft { url: Patch::Reset, ..EndpointDraft::default() };
    assert_eq!(wrong(patch(&house, &id, reset)), (Code::Invalid, vec!["url".to_owned()]));
}

#[test]
fn a_url_that_leads_inside_is_denied_and_one_that_nobody_knows_is_saved_with_a_warning() {
    let house = House::new();
    for url in ["https://inside.example/", "https://169.254.169.254/", "https://localhost/"] {
        assert_eq!(wrong(create(&house, &draft(url))), (Code::TargetDenied, vec!["url".to_owned()]), "{url}");
    }
    let saved = create(&house, &draft("https://unknown.example/")).ok().unwrap();
    assert!(
        saved.warnings.len() == 1 && saved.warnings[0].contains("unknown.example"),
        "{:?}",
        saved.warnings
    );
    let id = saved.endpoint.id.to_string();
    assert_eq!(wrong(patch(&house, &id, draft("https://inside.example/"))).0, Code::TargetDenied);
}

#[test]
fn what_is_probably_not_meant_is_warned_of() {
    let house = House::new();
    let weak =
        EndpointDraft { secret: set("hunter2 hunter2"), events: Patch::Keep, ..draft("https://a.example/") };
    let saved = create(&house, &weak).ok().unwrap();
    assert_eq!(saved.secret.as_deref(), Some("whsec_aHVudGVyMiBodW50ZXIy"));
    assert!(saved.warnings[0].contains("`events` is empty") && saved.warnings[1].contains("15 bytes"));
}

#[test]
fn a_uid_is_unique_in_its_tenant_and_free_after_a_delete() {
    let house = House::new();
    let (scope, named) = (all(), EndpointDraft { uid: set("erp"), ..draft("https://a.example/") });
    let first = create(&house, &named).ok().unwrap();
    assert_eq!(wrong(create(&house, &named)), (Code::UidTaken, vec!["uid".to_owned()]));
    let acme = TenantName::parse("acme").unwrap();
    let other = create_for(&house, &scope, Some("acme"), &named).ok().unwrap();
    let found = |tenant| house.service.endpoint(&scope, "erp", tenant).map(|found| found.endpoint.id);
    assert_eq!(found(None), Ok(first.endpoint.id));
    assert_eq!(found(Some(&acme)), Ok(other.endpoint.id));
    house.service.delete_endpoint(&scope, "erp", None).wait().unwrap();
    assert_eq!(found(None).unwrap_err().code, Code::NotFound);
    assert!(create(&house, &named).is_ok());
}

#[test]
fn a_tenant_has_at_most_as_many_endpoints_as_it_may() {
    let house = House::new();
    for _ in 0..10 {
        create(&house, &draft("https://a.example/")).ok().unwrap();
    }
    assert_eq!(wrong(create(&house, &draft("https://a.example/"))).0, Code::EndpointLimitReached);
    let more = TenantDraft { name: None, endpoint_limit: Some(11) };
    let put = house.service.put_tenant(&admin(), "default", &more).wait().unwrap();
    assert!(!put.made);
    assert!(create(&house, &draft("https://a.example/")).is_ok());
    assert_eq!(wrong(create(&house, &draft("https://a.example/"))).0, Code::EndpointLimitReached);
}

#[test]
fn a_change_keeps_what_is_absent_and_resets_what_is_null() {
    let house = House::new();
    let first = EndpointDraft {
        description: set("first"),
        timeout_seconds: Patch::Set(5),
        rate_limit: Patch::Set(7),
        retry_schedule: Patch::Set(vec![60, 300]),
        ..draft("https://a.example/")
    };
    let id = create(&house, &first).ok().unwrap().endpoint.id.to_string();
    let change = EndpointDraft {
        description: set("second"),
        timeout_seconds: Patch::Reset,
        rate_limit: Patch::Reset,
        ..EndpointDraft::default()
    };
    let answer = json(&patch(&house, &id, change).ok().unwrap());
    assert_eq!(answer["description"], "second");
    assert_eq!((&answer["timeout_seconds"], &answer["rate_limit"]), (&json!(10), &Value::Null));
    assert_eq!(
        (&answer["retry_schedule"], &answer["url"]),
        (&json!([60, 300]), &json!("https://a.example/"))
    );
    assert!(answer.get("secret").is_none(), "it was not set by this call");
}

#[test]
fn a_masked_header_keeps_its_value_and_only_what_shapes_requests_makes_a_revision() {
    let house = House::new();
    let header = |value: &str| Patch::Set(vec![("X-Key".to_owned(), value.to_owned())]);
    let first = EndpointDraft { headers: header("hush"), ..draft("https://a.example/") };
    let id = create(&house, &first).ok().unwrap().endpoint.id;
    let route = || house.service.store().directory().route(id).unwrap();
    assert_eq!(route().revision, 1);
    let same =
        EndpointDraft { headers: header("•••"), description: set("x"), ..EndpointDraft::default() };
    patch(&house, &id.to_string(), same).ok().unwrap();
    assert_eq!((route().revision, route().headers[0].1.as_str()), (1, "hush"));
    let other = EndpointDraft { headers: header("other"), ..EndpointDraft::default() };
    patch(&house, &id.to_string(), other).ok().unwrap();
    assert_eq!((route().revision, route().headers[0].1.as_str()), (2, "other"));
    let url = EndpointDraft { url: set("https://b.example"), ..EndpointDraft::default() };
    patch(&house, &id.to_string(), url).ok().unwrap();
    assert_eq!((route().revision, route().target.as_ref().unwrap().as_str()), (3, "https://b.example/"));
}

#[test]
fn a_new_secret_replaces_at_once_and_is_shown_by_the_call_that_set_it() {
    let house = House::new();
    let id = create(&house, &draft("https://a.example/")).ok().unwrap().endpoint.id;
    let given = EndpointDraft { secret: set("a secret of the caller's"), ..EndpointDraft::default() };
    let secret = patch(&house, &id.to_string(), given).ok().unwrap().secret.unwrap();
    assert!(secret.starts_with("whsec_"));
    assert_eq!(house.service.store().directory().route(id).unwrap().signers.len(), 1);
    let made = EndpointDraft { secret: Patch::Reset, ..EndpointDraft::default() };
    let fresh = patch(&house, &id.to_string(), made).ok().unwrap().secret.unwrap();
    assert!(fresh != secret && fresh.len() == 50);
}

#[test]
fn enabling_and_disabling_twice_changes_nothing_but_the_note() {
    let house = House::new();
    let (scope, id) = (all(), create(&house, &draft("https://a.example/")).ok().unwrap().endpoint.id);
    let lines = house.audit().len();
    let disable = |note| house.service.disable_endpoint(&scope, &id.to_string(), None, note).wait().unwrap();
    let first = disable(Some("moving"));
    assert_eq!(
        (first.enabled, first.health, first.disabled_note.as_deref()),
        (false, HealthStatus::Disabled, Some("moving"))
    );
    assert_eq!(disable(None).disabled_note.as_deref(), Some("moving"));
    assert_eq!(disable(Some("moved")).disabled_note.as_deref(), Some("moved"));
    let enable = |held| house.service.enable_endpoint(&scope, &id.to_string(), None, held).wait();
    assert_eq!(enable(Some("perhaps")).unwrap_err().fields[0].field, "held");
    let enabled = enable(None).unwrap();
    assert_eq!((enabled.enabled, enabled.disabled_note, enabled.disabled_at), (true, None, None));
    assert!(enable(Some("discard")).is_ok());
    assert_eq!(house.audited(lines), ["endpoint.disable", "endpoint.disable", "endpoint.enable"]);
}

#[test]
fn a_patch_of_enabled_is_the_same_as_the_calls() {
    let house = House::new();
    let off = EndpointDraft { enabled: Patch::Set(false), ..draft("https://a.example/") };
    let made = create(&house, &off).ok().unwrap().endpoint;
    assert_eq!(serde_json::to_value(made.disabled_reason).unwrap(), "manual");
    let on = EndpointDraft { enabled: Patch::Reset, ..EndpointDraft::default() };
    let now = patch(&house, &made.id.to_string(), on).ok().unwrap().endpoint;
    assert!(now.enabled && now.disabled_reason.is_none());
    assert_eq!(house.audited(1), ["endpoint.enable"]);
}

#[test]
fn a_bound_key_sees_its_own_tenant_alone() {
    let house = House::new();
    let own = create_for(&house, &all(), Some("acme"), &draft("https://a.example/")).ok().unwrap();
    let foreign = create(&house, &draft("https://a.example/")).ok().unwrap().endpoint.id.to_string();
    let scope = house.bound("acme").tenant_scope(Scope::EndpointsWrite).unwrap();
    let list = |query: &EndpointQuery| house.service.endpoints(&scope, query, None, 50);
    let listed = list(&EndpointQuery::default()).unwrap().rows;
    assert_eq!(listed.iter().map(|row| row.id).collect::<Vec<_>>(), [own.endpoint.id]);
    let other = EndpointQuery { tenant: TenantName::parse("default").ok(), ..EndpointQuery::default() };
    assert_eq!(list(&other).unwrap_err().code, Code::NotFound);
    assert_eq!(house.service.endpoint(&scope, &foreign, None).unwrap_err().code, Code::NotFound);
    assert_eq!(
        house.service.delete_endpoint(&scope, &foreign, None).wait().unwrap_err().code,
        Code::NotFound
    );
    let refused = create_for(&house, &scope, Some("default"), &draft("https://a.example/"));
    assert_eq!(wrong(refused).0, Code::NotFound);
    let made = create_for(&house, &scope, None, &draft("https://a.example/")).ok().unwrap();
    assert_eq!(made.endpoint.tenant.as_str(), "acme");
}

#[test]
fn lists_go_on_from_their_cursor_and_filter() {
    let house = House::new();
    for n in 0..5 {
        let draft = EndpointDraft { enabled: Patch::Set(n != 2), ..draft("https://a.example/") };
        create(&house, &draft).ok().unwrap();
    }
    let list =
        |query: &EndpointQuery, before, limit| house.service.endpoints(&all(), query, before, limit).unwrap();
    let first = list(&EndpointQuery::default(), None, 3);
    let next = first.next.map(postrider::domain::ids::EndpointId);
    let second = list(&EndpointQuery::default(), next, 3);
    assert_eq!((first.rows.len(), second.rows.len(), second.next), (3, 2, None));
    assert!(first.rows[2].id > second.rows[0].id);
    let disabled = EndpointQuery { health: Some(HealthStatus::Disabled), ..EndpointQuery::default() };
    assert_eq!(list(&disabled, None, 50).rows.len(), 1);
    let enabled = EndpointQuery { enabled: Some(true), ..EndpointQuery::default() };
    assert_eq!(list(&enabled, None, 50).rows.len(), 4);
}

#[test]
fn the_audit_log_tells_what_changed_and_no_secret() {
    let house = House::new();
    let header = |value: &str| Patch::Set(vec![("X-Key".to_owned(), value.to_owned())]);
    let first = EndpointDraft { headers: header("hush-one"), ..draft("https://a.example/") };
    let id = create(&house, &first).ok().unwrap().endpoint.id.to_string();
    let change = EndpointDraft {
        headers: header("hush-two"),
        secret: set("hush-three hush-three"),
        description: set("new"),
        ..EndpointDraft::default()
    };
    patch(&house, &id, change).ok().unwrap();
    patch(&house, &id, EndpointDraft::default()).ok().unwrap();
    let lines = house.audit();
    assert_eq!(lines.len(), 2, "a change that changes nothing is none");
    let (action, before, after) = &lines[1];
    assert_eq!(action, "endpoint.change");
    assert_eq!(before, r#"{"description":""}"#);
    let after: Value = serde_json::from_str(after).unwrap();
    assert_eq!(after, json!({"description": "new", "headers": {"X-Key": "•••"}, "secret": "replaced"}));
    assert!(!format!("{lines:?}").contains("hush") && !format!("{lines:?}").contains("whsec_"));
}
