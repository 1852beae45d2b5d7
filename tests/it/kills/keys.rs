//! Keys that are made and revoked: what was acknowledged holds on every server from then on.

use serde_json::json;

use super::operators::{Operator, text};

/// A key as it was acknowledged.
pub(super) struct Key {
    id: String,
    text: String,
    revoked: bool,
}

/// Makes, revokes and tries keys until the end; all of them.
pub(super) fn make_and_revoke(operator: &Operator) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    while operator.goes_on() {
        let (answer, _) = operator.post("/keys", &json!({ "name": "brief", "scopes": ["events:read"] }));
        let made = answer.expect(201).json();
        keys.push(Key { id: text(&made, "id"), text: text(&made, "key"), revoked: false });
        if operator.number(2) == 0 {
            let at = operator.number(keys.len());
            let key = &mut keys[at];
            let (answer, _) = operator.line.call("DELETE", &format!("/api/v1/keys/{}", key.id), &[], None);
            // It was revoked before, perhaps by a server that was killed.
            assert!(matches!(answer.status, 204 | 404), "{answer:?}");
            key.revoked = true;
        }
        let at = operator.number(keys.len());
        assert_holds(operator, &keys[at]);
    }
    keys
}

/// Tries every key; how many are revoked.
pub(super) fn assert_all_hold(operator: &Operator, keys: &[Key]) -> usize {
    for key in keys {
        assert_holds(operator, key);
    }
    keys.iter().filter(|key| key.revoked).count()
}

fn assert_holds(operator: &Operator, key: &Key) {
    let bearer = format!("Bearer {}", key.text);
    let (answer, _) =
        operator.line.call("GET", "/api/v1/events?limit=1", &[("Authorization", &bearer)], None);
    let expected = if key.revoked { 401 } else { 200 };
    assert_eq!(
        answer.status,
        expected,
        "the key {} that is {}",
        key.id,
        if key.revoked { "revoked" } else { "live" }
    );
}
