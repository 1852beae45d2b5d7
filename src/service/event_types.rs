//! The catalogue of event types: what there is to subscribe to, and what its data looks like.

use std::sync::Arc;

use serde_json::Value;

use crate::domain::invalid::Invalid;
use crate::domain::json;
use crate::domain::limits;
use crate::domain::matching::Pattern;
use crate::domain::names::EventType;
use crate::domain::schema::Schema;
use crate::domain::time::UnixMs;
use crate::store::audit::Audited;
use crate::store::event_types::{EventTypeCursor, EventTypeRow};
use crate::store::{Answer, Listed, StoreError, Tx};

use super::error::Code;
use super::settings::differing;
use super::{AdminScope, Error, Service, TenantScope};

/// Bytes of an example at most.
const MAX_EXAMPLE: usize = 64 * 1024;

/// All that can be said about a type; what is absent gets its default. Nothing in it is checked.
#[derive(Debug, Clone, Default)]
pub struct EventTypeDraft {
    /// What it means, for people: at most 500 characters.
    pub description: Option<String>,
    /// What it is shown under: 1 to 100 characters in one line.
    pub group: Option<String>,
    /// Data as it may look: the text of one JSON value.
    pub example: Option<String>,
    /// The JSON Schema of its data, as text.
    pub schema: Option<String>,
    /// Nobody may publish it.
    pub reserved: bool,
}

/// A type that is ready to be written.
#[derive(Debug)]
pub struct CheckedEventType {
    scope: AdminScope,
    name: EventType,
    draft: EventTypeDraft,
    schema: Option<Arc<Schema>>,
}

/// A type that was put.
#[derive(Debug)]
pub struct EventTypePut {
    /// The type as it is now.
    pub event_type: EventTypeRow,
    /// Whether it was not there before.
    pub made: bool,
}

impl Service {
    /// One type of the catalogue. Blocks.
    ///
    /// # Errors
    /// `not_found`.
    pub fn event_type(&self, _scope: &TenantScope, name: &str) -> Result<EventTypeRow, Error> {
        let known = EventType::parse(name).map_err(|_| absent(name))?;
        self.store.read::<_, StoreError>(|reader| reader.event_type(&known))?.ok_or_else(|| absent(name))
    }

    /// Whether a type is in the catalogue.
    pub fn knows_event_type(&self, _scope: &TenantScope, name: &EventType) -> bool {
        self.store.event_types().contains_key(name)
    }

    /// Types, the newest first, without example and schema, below `before`. With
    /// `search` those whose name, group or description holds this text, in whatever case. Blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn event_types(
        &self,
        _scope: &TenantScope,
        search: Option<&str>,
        before: Option<&EventTypeCursor>,
        limit: usize,
    ) -> Result<Listed<EventTypeRow, EventTypeCursor>, Error> {
        Ok(self.store.read::<_, StoreError>(|reader| reader.event_types(search, before, limit))?)
    }

    /// The names of all types that may be published, in order: what a form offers. From memory.
    pub fn published_types(&self, _scope: &TenantScope) -> Vec<String> {
        let catalogue = self.store.event_types();
        let names = catalogue.iter().filter(|(_, entry)| !entry.reserved).map(|(name, _)| name.to_string());
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names
    }

    /// Checks all that is said about a type and compiles its schema. May take some milliseconds.
    pub fn check_event_type(
        &self,
        scope: &AdminScope,
        name: &str,
        draft: EventTypeDraft,
    ) -> Result<CheckedEventType, Invalid> {
        let mut invalid = Invalid::new();
        let name = invalid.check("name", EventType::parse(name));
        if let Some(text) = &draft.description {
            invalid.check("description", limits::description(text));
        }
        if let Some(text) = &draft.group {
            invalid.check("group", limits::display_name(text));
        }
        let text =
            draft.schema.as_deref().filter(|text| invalid.check("schema", json::check(text)).is_some());
        let schema = text.and_then(|text| invalid.absorb(Schema::compile(text)));
        if let Some(example) = &draft.example {
            check_example(example, schema.as_ref(), &mut invalid);
        }
        match name {
            Some(name) if invalid.is_empty() => {
                Ok(CheckedEventType { scope: scope.clone(), name, draft, schema: schema.map(Arc::new) })
            }
            _ => Err(invalid),
        }
    }

    /// Makes a type or replaces all that is said about it. In force with the answer. Where that is what is said already,
    /// nothing changes, and nothing is audited.
    ///
    /// # Errors
    /// In the answer: `event_type_limit_reached`.
    pub fn put_event_type(&self, checked: CheckedEventType) -> Answer<EventTypePut, Error> {
        self.store.write(move |tx| put(tx, checked))
    }

    /// Takes a type out of the catalogue. Subscriptions and events of it stay.
    ///
    /// # Errors
    /// In the answer: `not_found`.
    pub fn delete_event_type(&self, scope: &AdminScope, name: &str) -> Answer<(), Error> {
        let Ok(known) = EventType::parse(name) else { return Answer::ready(Err(absent(name))) };
        let scope = scope.clone();
        self.store.write(move |tx| {
            let before = tx.event_type(&known)?.ok_or_else(|| absent(known.as_str()))?;
            tx.delete_event_type(&known)?;
            let before = Some(Value::Object(audited(&before)));
            audit(tx, &scope, "event_type.delete", &known, before, None)
        })
    }

    /// Whether the data of such events is checked against a schema, which may take some milliseconds.
    pub fn has_schema(&self, event_type: &EventType) -> bool {
        self.store.event_types().get(event_type).is_some_and(|entry| entry.schema.is_some())
    }

    /// The catalogue's word on publishing this type with this data. It is empty on most servers, and then costs nothing.
    ///
    /// # Errors
    /// `reserved_event_type`, `unknown_event_type`, `invalid` with every place of the data that does not fit.
    pub(super) fn check_type(&self, event_type: &EventType, data: &str, strict: bool) -> Result<(), Error> {
        match self.store.event_types().get(event_type) {
            Some(entry) if entry.reserved => Err(Error::new(
                Code::ReservedEventType,
                format!("{event_type} is reserved: it can be subscribed to, and nobody may publish it"),
            )
            .about("type", "is reserved")),
            Some(entry) => entry.schema.as_ref().map_or(Ok(()), |schema| Ok(schema.check("data", data)?)),
            None if strict => Err(Error::new(
                Code::UnknownEventType,
                format!(
                    "{event_type} is not in the catalogue, and the setting strict_event_types refuses such; \
                     add it with PUT /api/v1/event-types/{event_type}"
                ),
            )
            .about("type", "is not in the catalogue")),
            None => Ok(()),
        }
    }

    /// Which of an endpoint's patterns name a type that is not in the catalogue, where the setting
    /// `strict_event_types` refuses such. Patterns with a star and wrong ones are not this one's concern.
    pub(super) fn unknown_types(&self, patterns: &[String]) -> Invalid {
        let mut invalid = Invalid::new();
        if !self.store.directory().settings().strict_event_types {
            return invalid;
        }
        let catalogue = self.store.event_types();
        for (index, text) in patterns.iter().enumerate() {
            if let Ok(Pattern::Exact(name)) = Pattern::parse(text)
                && !catalogue.contains_key(&name)
            {
                let message =
                    "must be a type of the catalogue or a pattern with *: strict_event_types is set";
                invalid.push(format!("events[{index}]"), message);
            }
        }
        invalid
    }
}

fn check_example(example: &str, schema: Option<&Schema>, invalid: &mut Invalid) {
    if example.len() > MAX_EXAMPLE {
        invalid.push("example", format!("must have at most {MAX_EXAMPLE} bytes"));
    } else if invalid.check("example", json::check(example)).is_some()
        && let Some(schema) = schema
    {
        invalid.absorb(schema.check("example", example));
    }
}

fn absent(name: &str) -> Error {
    Error::not_found("event type", name)
}

fn put(tx: &mut Tx<'_>, checked: CheckedEventType) -> Result<EventTypePut, Error> {
    let CheckedEventType { scope, name, draft, schema } = checked;
    let before = tx.event_type(&name)?;
    if before.is_none() && tx.has_all_event_types()? {
        let most = limits::MAX_EVENT_TYPES;
        let detail = format!(
            "the catalogue has {most} event types, and {name} is none of them; delete one, or leave {name} out of it: \
             without the setting strict_event_types it can be published all the same"
        );
        return Err(Error::new(Code::EventTypeLimitReached, detail));
    }
    let EventTypeDraft { description, group, example, schema: text, reserved } = draft;
    let (created_at, updated_at): (UnixMs, UnixMs) =
        (before.as_ref().map_or(tx.now, |row| row.created_at), tx.now);
    let row = EventTypeRow {
        name,
        description,
        group,
        example,
        has_schema: text.is_some(),
        schema: text,
        reserved,
        created_at,
        updated_at,
    };
    if let Some(before) = before.as_ref().filter(|before| audited(before) == audited(&row)) {
        return Ok(EventTypePut { event_type: before.clone(), made: false });
    }
    tx.put_event_type(&row, schema)?;
    let (old, new) = match &before {
        Some(before) => {
            let (old, new) = differing(audited(before), audited(&row));
            (Some(Value::Object(old)), new)
        }
        None => (None, audited(&row)),
    };
    audit(tx, &scope, "event_type.put", &row.name, old, Some(Value::Object(new)))?;
    Ok(EventTypePut { event_type: row, made: before.is_none() })
}

/// A type as the audit log keeps it. Schema and example as text: they may hold numbers that no [`Value`] can.
fn audited(row: &EventTypeRow) -> serde_json::Map<String, Value> {
    let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
    [
        ("description", text(&row.description)),
        ("group", text(&row.group)),
        ("example", text(&row.example)),
        ("schema", text(&row.schema)),
        ("reserved", row.reserved.into()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn audit(
    tx: &mut Tx<'_>,
    scope: &AdminScope,
    action: &'static str,
    name: &EventType,
    before: Option<Value>,
    after: Option<Value>,
) -> Result<(), Error> {
    let (actor, target) = (scope.actor(), name.to_string());
    Ok(tx.audit(Audited { actor, action, target, tenant_id: None, before, after })?)
}
