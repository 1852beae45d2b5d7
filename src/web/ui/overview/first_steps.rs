//! From an empty server to the first delivery: three steps, with the commands filled in.

use crate::domain::scope::Scope;
use crate::service::endpoints::EndpointQuery;
use crate::service::events::EventQuery;
use crate::service::keys::KeyQuery;
use crate::service::{Caller, Error, Service};

/// The steps, and which of them were made.
#[derive(Debug, Clone, Default)]
pub(super) struct FirstSteps {
    /// There is a key.
    pub(super) key: bool,
    /// There is an endpoint.
    pub(super) endpoint: bool,
    /// There is an event.
    pub(super) event: bool,
    /// Where people reach this server.
    pub(super) url: String,
}

impl FirstSteps {
    /// Looks what there is; `None`: everything. Blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(super) fn look(service: &Service, caller: &Caller) -> Result<Option<Self>, Error> {
        let events = EventQuery { limit: 1, ..EventQuery::default() };
        let event = !service.events(&caller.tenant_scope(Scope::EventsRead)?, events)?.rows.is_empty();
        let scope = caller.tenant_scope(Scope::EndpointsRead)?;
        let endpoint = !service.endpoints(&scope, &EndpointQuery::default(), None, 1)?.rows.is_empty();
        if event && endpoint {
            return Ok(None);
        }
        let key = !service.keys(&caller.view()?, &KeyQuery::default(), None, 1)?.rows.is_empty();
        Ok(Some(Self { key, endpoint, event, url: String::new() }))
    }

    /// With the address of this server in the commands.
    pub(super) fn at(self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self }
    }
}
