//! Enabling, disabling and deleting an endpoint. All act at once for sending; the rows follow in turns.

use crate::domain::limits;
use crate::domain::names::TenantName;
use crate::service::{Error, Service, TenantScope};
use crate::store::endpoints::DisabledReason;
use crate::store::{Answer, Tx};

use super::create::show;
use super::read::EndpointRef;
use super::view::EndpointView;

/// What becomes of the deliveries that a disabled endpoint, or a restore, has held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Held {
    /// A new round starts for each, in their order.
    #[default]
    Deliver,
    /// They are canceled.
    Discard,
}

impl Held {
    /// Reads the field `held`.
    ///
    /// # Errors
    /// The words that there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "deliver" => Ok(Self::Deliver),
            "discard" => Ok(Self::Discard),
            _ => Err("must be deliver or discard".to_owned()),
        }
    }
}

impl Service {
    /// Enables an endpoint; one that is enabled stays as it is.
    ///
    /// # Errors
    /// In the answer: `not_found`, or `invalid` for `held`.
    pub fn enable_endpoint(
        &self,
        scope: &TenantScope,
        text: &str,
        tenant: Option<&TenantName>,
        held: Option<&str>,
    ) -> Answer<EndpointView, Error> {
        let held = match held.map_or(Ok(Held::default()), Held::parse) {
            Ok(held) => held,
            Err(message) => return Answer::ready(Err(Error::field("held", message))),
        };
        self.with_endpoint(scope, text, tenant, move |tx, scope, row| {
            if !row.enabled {
                tx.enable_endpoint(row.id, held == Held::Deliver, scope.actor())?;
            }
            show(tx, row.id)
        })
    }

    /// Disables an endpoint. One that is disabled stays as it is, but takes a new note.
    ///
    /// # Errors
    /// In the answer: `not_found`, or `invalid` for the note.
    pub fn disable_endpoint(
        &self,
        scope: &TenantScope,
        text: &str,
        tenant: Option<&TenantName>,
        note: Option<&str>,
    ) -> Answer<EndpointView, Error> {
        if let Err(message) = note.map_or(Ok(()), limits::note) {
            return Answer::ready(Err(Error::field("note", message)));
        }
        let note = note.map(str::to_owned);
        self.with_endpoint(scope, text, tenant, move |tx, scope, row| {
            match &note {
                note if row.enabled => {
                    tx.disable_endpoint(row.id, DisabledReason::Manual, note.as_deref(), scope.actor())?;
                }
                Some(note) if row.disabled_note.as_ref() != Some(note) => {
                    tx.note_disabled(row.id, note, scope.actor())?;
                }
                _ => {}
            }
            show(tx, row.id)
        })
    }

    /// Deletes an endpoint. What is pending of it is canceled; its deliveries stay readable until they are pruned.
    ///
    /// # Errors
    /// In the answer: `not_found`.
    pub fn delete_endpoint(
        &self,
        scope: &TenantScope,
        text: &str,
        tenant: Option<&TenantName>,
    ) -> Answer<(), Error> {
        self.with_endpoint(scope, text, tenant, |tx, scope, row| {
            Ok(tx.delete_endpoint(row.id, scope.actor())?)
        })
    }

    /// Runs `work` on the endpoint that is meant, in a transaction.
    fn with_endpoint<T: Send + 'static>(
        &self,
        scope: &TenantScope,
        text: &str,
        tenant: Option<&TenantName>,
        work: impl FnOnce(&mut Tx<'_>, &TenantScope, crate::store::endpoints::EndpointRow) -> Result<T, Error>
        + Send
        + 'static,
    ) -> Answer<T, Error> {
        let (scope, endpoint) = (scope.clone(), EndpointRef::new(text, tenant));
        self.store.write(move |tx| {
            let row = endpoint.find(tx, &scope)?;
            work(tx, &scope, row)
        })
    }
}
