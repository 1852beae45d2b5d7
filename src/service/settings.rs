//! Settings: what an operator changes while the server runs.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::domain::invalid::Invalid;
use crate::domain::settings::Settings;
use crate::store::audit::Audited;
use crate::store::{Answer, StoreError, Tx};

use super::{AdminScope, Error, Service, ViewScope};

impl Service {
    /// The settings in force.
    pub fn settings(&self, _scope: &ViewScope) -> Arc<Settings> {
        self.store.directory().settings()
    }

    /// Every field of a change that is wrong.
    pub fn wrong_settings(&self, scope: &AdminScope, patch: &Map<String, Value>) -> Invalid {
        self.settings(&scope.view()).patched(patch).err().unwrap_or_default()
    }

    /// Changes settings: all that are named, or none. In force with the answer.
    ///
    /// # Errors
    /// In the answer: `invalid` with every wrong field.
    pub fn change_settings(&self, scope: &AdminScope, patch: Map<String, Value>) -> Answer<Settings, Error> {
        let scope = scope.clone();
        self.store.write(move |tx| change(tx, &scope, &patch))
    }
}

fn change(tx: &mut Tx<'_>, scope: &AdminScope, patch: &Map<String, Value>) -> Result<Settings, Error> {
    let before = tx.settings();
    let after = before.patched(patch)?;
    if after == *before {
        return Ok(after);
    }
    let (old, new) = differing(object(&before)?, object(&after)?);
    tx.put_settings(after.clone())?;
    tx.audit(Audited {
        actor: scope.actor(),
        action: "settings.change",
        target: "settings".to_owned(),
        tenant_id: None,
        before: Some(Value::Object(old)),
        after: Some(Value::Object(new)),
    })?;
    Ok(after)
}

fn object(settings: &Settings) -> Result<Map<String, Value>, StoreError> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(object)) => Ok(object),
        other => Err(StoreError::Internal(format!("settings are no object: {other:?}"))),
    }
}

/// Keeps of both what is not in the other.
pub(in crate::service) fn differing(
    mut old: Map<String, Value>,
    mut new: Map<String, Value>,
) -> (Map<String, Value>, Map<String, Value>) {
    let same: Vec<String> = old
        .iter()
        .filter(|(name, value)| new.get(*name) == Some(value))
        .map(|(name, _)| name.clone())
        .collect();
    for name in same {
        old.remove(&name);
        new.remove(&name);
    }
    (old, new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_audit_log_gets_what_differs_alone() {
        let map = |value: Value| value.as_object().cloned().unwrap();
        let (old, new) =
            differing(map(json!({"a": 1, "b": 2, "c": 3})), map(json!({"a": 1, "b": 4, "d": 5})));
        assert_eq!((old, new), (map(json!({"b": 2, "c": 3})), map(json!({"b": 4, "d": 5}))));
    }
}
