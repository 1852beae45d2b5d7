//! Making, changing and deleting a format, as far as the endpoints that use it allow.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::format::builtin;
use crate::domain::format::definition::Definition;
use crate::domain::format::{Format, scheme::Scheme};
use crate::domain::headers::CustomHeaders;
use crate::domain::ids::EndpointId;
use crate::domain::invalid::Invalid;
use crate::domain::limits::MAX_FORMATS;
use crate::domain::names::FormatName;
use crate::domain::secret::Secret;
use crate::service::error::Code;
use crate::service::{AdminScope, Error, Service};
use crate::store::audit::Audited;
use crate::store::{Answer, StoreError, Tx};

use super::{FormatPut, FormatView};

/// Endpoints that a refusal names.
const NAMED: usize = 5;

impl Service {
    /// Makes a format, or changes it for the next attempt of every endpoint that uses it. `definition` is JSON text.
    ///
    /// # Errors
    /// In the answer: `invalid` with every wrong field; `format_built_in`; `format_limit_reached`;
    /// `format_does_not_fit` when headers or secrets of endpoints that use it could not stay.
    pub fn put_format(&self, scope: &AdminScope, name: &str, definition: &str) -> Answer<FormatPut, Error> {
        if let Err(error) = not_built_in(name) {
            return Answer::ready(Err(error));
        }
        let mut invalid = Invalid::new();
        let name = invalid.check("name", FormatName::parse(name));
        let definition = invalid.absorb(Definition::parse(definition));
        let (Some(name), Some(definition)) = (name, definition) else {
            return Answer::ready(Err(invalid.into()));
        };
        let scope = scope.clone();
        self.store.write(move |tx| put(tx, &scope, &name, definition))
    }

    /// Deletes a format that no endpoint uses.
    ///
    /// # Errors
    /// In the answer: `not_found`; `format_built_in`; `format_in_use`, which says by whom.
    pub fn delete_format(&self, scope: &AdminScope, name: &str) -> Answer<(), Error> {
        if let Err(error) = not_built_in(name) {
            return Answer::ready(Err(error));
        }
        let Ok(name) = FormatName::parse(name) else {
            return Answer::ready(Err(Error::not_found("format", name)));
        };
        let scope = scope.clone();
        self.store.write(move |tx| delete(tx, &scope, &name))
    }
}

fn not_built_in(name: &str) -> Result<(), Error> {
    if builtin::find(name).is_none() {
        return Ok(());
    }
    let detail = format!(
        "the format {name} is built in and stays as it is; GET it, and PUT its signature, headers, envelope, fixed and body \
         (and no other field) under another name"
    );
    Err(Error::new(Code::FormatBuiltIn, detail))
}

fn put(
    tx: &mut Tx<'_>,
    scope: &AdminScope,
    name: &FormatName,
    definition: Definition,
) -> Result<FormatPut, Error> {
    let text = text(&definition)?;
    let before = tx.format(name.as_str())?;
    let old = before.as_ref().map(|row| self::text(row.format.definition())).transpose()?;
    if let Some(row) = before.clone().filter(|_| old.as_ref() == Some(&text)) {
        return Ok(FormatPut { format: row.into(), made: false });
    }
    let users = match &before {
        Some(row) => {
            let users = tx.endpoints_of_format(name)?;
            check_users(tx, &users, &row.format, &Format::compile(name.as_str(), definition))?;
            users
        }
        None if tx.has_all_formats()? => {
            let detail = format!(
                "there are {MAX_FORMATS} formats besides those that are built in, and {name} is none of them; delete \
                 one that no endpoint uses, or change one"
            );
            return Err(Error::new(Code::FormatLimitReached, detail));
        }
        None => Vec::new(),
    };
    let row = tx.put_format(name, &text)?;
    tx.use_format(&users, &row)?;
    tx.audit(Audited {
        actor: scope.actor(),
        action: "format.put",
        target: name.to_string(),
        tenant_id: None,
        before: old.map(audited),
        after: Some(audited(text)),
    })?;
    Ok(FormatPut { format: FormatView::from(row), made: before.is_none() })
}

fn delete(tx: &mut Tx<'_>, scope: &AdminScope, name: &FormatName) -> Result<(), Error> {
    let row = tx.format(name.as_str())?.ok_or_else(|| Error::not_found("format", name))?;
    let users = tx.endpoints_of_format(name)?;
    if !users.is_empty() {
        let detail = format!("the format {name} is used by {}; give them another format first", list(&users));
        return Err(Error::new(Code::FormatInUse, detail));
    }
    tx.delete_format(name)?;
    tx.audit(Audited {
        actor: scope.actor(),
        action: "format.delete",
        target: name.to_string(),
        tenant_id: None,
        before: Some(audited(text(row.format.definition())?)),
        after: None,
    })?;
    Ok(())
}

fn text(definition: &Definition) -> Result<String, StoreError> {
    serde_json::to_string(definition).map_err(|error| StoreError::Internal(error.to_string()))
}

/// A definition as the audit log keeps it: its JSON, or its text where a constant holds a number that is out of range.
fn audited(text: String) -> Value {
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

/// Whether headers and secrets of all endpoints that use a format can stay when it becomes another.
fn check_users(tx: &Tx<'_>, users: &[EndpointId], old: &Format, new: &Format) -> Result<(), Error> {
    let (own, mut headers, mut secrets) = (new.own_headers(), BTreeMap::new(), Vec::new());
    let mut overlaps = Vec::new();
    for id in users {
        let Some(route) = tx.route(*id) else { continue };
        let fits = CustomHeaders::stored(route.headers.clone()).fit(&own);
        for wrong in fits.err().unwrap_or_default().0 {
            headers.entry(wrong.field.to_ascii_lowercase()).or_insert_with(Vec::new).push(*id);
        }
        if old.scheme() != new.scheme() && !keeps_secret(tx, *id, new.scheme())? {
            secrets.push(*id);
        } else {
            let live = tx.overlapping_secrets(*id, tx.now)?;
            let ends = live.iter().filter_map(|row| row.expires_at).max();
            let live: Vec<Secret> = live.into_iter().map(|row| row.secret).collect();
            if ends.is_some() && old.carries_overlap(&live) && !new.carries_overlap(&live) {
                overlaps.push((*id, ends));
            }
        }
    }
    let mut invalid = Invalid::new();
    for (field, users) in &headers {
        invalid.push(field, format!("is a header of {}, which the format would set", list(users)));
    }
    if !secrets.is_empty() {
        let message = format!("does not fit the secrets of {}", list(&secrets));
        invalid.push("signature.scheme", message);
    }
    if let Some(until) = overlaps.iter().filter_map(|(_, ends)| *ends).max() {
        let ids: Vec<EndpointId> = overlaps.into_iter().map(|(id, _)| id).collect();
        let message = format!(
            "must let requests carry the secrets before as well, which sign until {until} for {}: a rotation is under way",
            list(&ids)
        );
        invalid.push("signature.join", message);
    }
    if invalid.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "endpoints that use the format do not fit what it would become: {invalid}; change them first, or PUT it under \
         another name"
    );
    Err(Error { fields: invalid.0, ..Error::new(Code::FormatDoesNotFit, detail) })
}

fn keeps_secret(tx: &Tx<'_>, id: EndpointId, scheme: &Scheme) -> Result<bool, StoreError> {
    let newest = tx.secrets(id)?.into_iter().next();
    Ok(match newest {
        _ if !scheme.has_secrets() => true,
        Some(newest) => scheme.fits(&newest.secret).is_ok(),
        None => scheme.take("").is_ok(),
    })
}

/// "2 endpoints (ep_…, ep_…)", a few of them by id.
fn list(ids: &[EndpointId]) -> String {
    let named: Vec<String> = ids.iter().take(NAMED).map(ToString::to_string).collect();
    let more = if ids.len() > NAMED { ", …" } else { "" };
    let noun = if ids.len() == 1 { "endpoint" } else { "endpoints" };
    format!("{} {noun} ({}{more})", ids.len(), named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_a_few_and_counts_all() {
        let ids: Vec<EndpointId> = (1..9).map(EndpointId).collect();
        assert_eq!(list(&ids[..1]), format!("1 endpoint ({})", ids[0]));
        assert!(list(&ids).starts_with("8 endpoints (") && list(&ids).ends_with(&format!("{}, …)", ids[4])));
    }
}
