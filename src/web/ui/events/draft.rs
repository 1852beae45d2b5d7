//! An event that was typed, checked as the API checks one.

use crate::domain::invalid::Invalid;
use crate::domain::json;
use crate::domain::names::{EventType, IdempotencyKey, OwnId, TenantName};
use crate::service::events::{Publish, Wrong};
use crate::service::{Error, Service, TenantScope};
use crate::store::Answer;
use crate::store::publish::{PublishError, Published};
use crate::web::ui::filters;
use crate::web::ui::form::Form;

use super::once;

/// What was typed, each field checked.
pub(super) struct Draft {
    event_type: EventType,
    tenant: Option<TenantName>,
    id: Option<OwnId>,
    data: String,
    idempotency: Option<(IdempotencyKey, [u8; 16])>,
}

/// What is wrong with it; and type and data if these are not, whatever the others are.
pub(super) type Refused = (Invalid, Option<(EventType, String)>);

impl Draft {
    /// Reads the fields.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub(super) fn read(form: &mut Form) -> Result<Self, Refused> {
        let (event_type, data) = (EventType::parse(form.text("type").trim()), value(form.text("data")));
        let event_type = form.invalid().check("type", event_type);
        let tenant = filters::taken(form, "tenant", TenantName::parse);
        let id = filters::taken(form, "id", OwnId::parse);
        let data = form.invalid().check("data", data);
        // What is refused comes back as a whole, with what the catalogue says.
        let invalid = std::mem::take(form.invalid());
        match event_type.zip(data) {
            Some((event_type, data)) if invalid.is_empty() => {
                let content = [event_type.as_str(), form.text("tenant"), form.text("id"), &data];
                let idempotency = once::key(form, &content);
                Ok(Self { event_type, tenant, id, data, idempotency })
            }
            known => Err((invalid, known)),
        }
    }
}

/// One JSON value, as the API takes it.
fn value(text: &str) -> Result<String, String> {
    json::check(text)?;
    // JSON has no other blanks.
    Ok(text.trim_matches([' ', '\t', '\n', '\r']).to_owned())
}

/// Hands the event over, or says everything that is wrong with it.
pub(super) fn publish(
    service: &Service,
    scope: &TenantScope,
    draft: Result<Draft, Refused>,
) -> Result<Answer<Published, PublishError>, Error> {
    match draft {
        Ok(Draft { event_type, tenant, id, data, idempotency }) => service
            .publish(scope, Publish { tenant, event_type, data: &data, id, timestamp: None, idempotency }),
        Err((invalid, known)) => {
            let known = known.as_ref().map(|(event_type, data)| (event_type.clone(), data.as_str()));
            Err(service.all_wrong(Wrong { error: invalid.into(), known }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_taken_as_it_was_typed_and_every_wrong_field_is_named() {
        let mut form = Form::of_query("type=a.b&data=+%7B%22n%22:+1.0e0%7D%0A&once=x");
        let draft = Draft::read(&mut form).ok().unwrap();
        assert_eq!((draft.data.as_str(), draft.tenant), (r#"{"n": 1.0e0}"#, None));
        let mut form = Form::of_query("type=a..b&tenant=a/b&id=a.b&data=1+2");
        let (invalid, known) = Draft::read(&mut form).err().unwrap();
        let fields: Vec<_> = invalid.0.iter().map(|error| error.field.as_str()).collect();
        assert_eq!((fields, known), (vec!["type", "tenant", "id", "data"], None));
        assert!(value(&format!("{}{}", "[".repeat(65), "]".repeat(65))).is_err_and(|m| m.contains("64")));
        assert_eq!(value("{\"a\": ").unwrap_err(), "must be one JSON value, and ends before it is whole");
        assert_eq!(value(" ").unwrap_err(), "must be one JSON value; nothing is there");
    }
}
