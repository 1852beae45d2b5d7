//! From an empty server to the first delivery: three steps, with the commands filled in.

use std::path;

use crate::domain::scope::Scope;
use crate::service::endpoints::EndpointQuery;
use crate::service::events::EventQuery;
use crate::service::keys::KeyQuery;
use crate::service::{Caller, Error, Service, curl};
use crate::store::events::StoredEvent;

/// So many of the newest events are looked at.
const EVENTS: usize = 20;

/// The steps, and which of them were made.
#[derive(Debug, Clone, Default)]
pub(in crate::web::ui) struct FirstSteps {
    /// There is a key.
    pub(super) key: bool,
    /// There is an endpoint.
    pub(super) endpoint: bool,
    /// There is an event for an endpoint, other than a test.
    pub(super) event: bool,
    /// The data directory, as a word of a shell: commands find this server by it from everywhere.
    pub(super) data: String,
    /// Where people reach this server.
    pub(super) url: String,
}

impl FirstSteps {
    /// Looks what there is; `None`: everything. Blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(in crate::web::ui) fn look(service: &Service, caller: &Caller) -> Result<Option<Self>, Error> {
        let events = EventQuery { limit: EVENTS, ..EventQuery::default() };
        let events = service.events(&caller.tenant_scope(Scope::EventsRead)?, events)?;
        // A test matches nothing. With more events than these, the beginning is long over.
        let meant = |event: &StoredEvent| event.deliveries > 0 || event.without_endpoints;
        let event = events.next.is_some() || events.rows.iter().any(meant);
        let scope = caller.tenant_scope(Scope::EndpointsRead)?;
        let endpoint = !service.endpoints(&scope, &EndpointQuery::default(), None, 1)?.rows.is_empty();
        if event && endpoint {
            return Ok(None);
        }
        let key = !service.keys(&caller.view()?, &KeyQuery::default(), None, 1)?.rows.is_empty();
        let folder = service.store().data_folder();
        let data = path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let data = curl::word(&data.to_string_lossy());
        Ok(Some(Self { key, endpoint, event, data, url: String::new() }))
    }

    /// With the address of this server in the commands.
    pub(super) fn at(self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self }
    }
}
