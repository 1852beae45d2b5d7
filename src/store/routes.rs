//! Making the parsed form of an endpoint ([`Route`]) from its rows.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::domain::format::Format;
use crate::domain::ids::EndpointId;
use crate::domain::limits;
use crate::domain::matching::Subscription;
use crate::domain::names::TenantName;
use crate::domain::retry::RetrySchedule;
use crate::domain::signing::Signer;
use crate::domain::target::{Target, TargetRules};

use super::Shared;
use super::directory::{LiveSigner, Route};
use super::endpoints::EndpointRow;
use super::error::StoreError;
use super::reader::Reader;
use super::tx::Tx;

impl Reader<'_> {
    /// The parsed form of an endpoint's rows.
    pub(super) fn parse_route(&self, row: &EndpointRow) -> Result<Route, StoreError> {
        let broken =
            |what: &str, message: String| StoreError::Internal(format!("{what} of {}: {message}", row.id));
        let settings = &row.settings;
        let format = Arc::new(self.format(&row.revision.format)?);
        let mut signers = Vec::new();
        if let Some(form) = format.key_form() {
            for secret in self.secrets(row.id)? {
                let signer =
                    Signer::new(&secret.secret, form).map_err(|message| broken("the secret", message))?;
                signers.push(LiveSigner { signer, expires_at: secret.expires_at });
            }
        }
        let retry_schedule = match &settings.retry_schedule {
            None => None,
            Some(steps) => {
                let steps: Vec<i64> = steps.iter().copied().map(i64::from).collect();
                Some(RetrySchedule::parse(&steps).map_err(|message| broken("the retry schedule", message))?)
            }
        };
        Ok(Route {
            id: row.id,
            tenant_id: row.tenant_id,
            tenant: row.tenant.clone(),
            enabled: row.enabled,
            holds: settings.hold_while_disabled,
            revision: row.revision.number,
            subscription: Subscription::parse(&settings.events, Some(&settings.filters))
                .map_err(|invalid| broken("the subscription", invalid.to_string()))?,
            // Whether http is accepted is the sender's rule, at every attempt.
            target: Target::parse(&row.revision.url, TargetRules { allow_http: true })
                .map_err(|error| error.to_string()),
            headers: row.revision.headers.clone(),
            format,
            format_revision: 0,
            signers,
            timeout: Duration::from_secs(u64::from(
                row.revision.timeout_seconds.unwrap_or(limits::DEFAULT_TIMEOUT_SECONDS),
            )),
            max_in_flight: settings.max_in_flight.unwrap_or(limits::DEFAULT_MAX_IN_FLIGHT),
            rate_limit: settings.rate_limit,
            retry_schedule,
        })
    }

    /// A format by name, in its present revision.
    pub fn format(&self, name: &str) -> Result<Format, StoreError> {
        let standard = Format::standard();
        if name == standard.name() {
            return Ok(standard);
        }
        Err(StoreError::Internal(format!("there is no format {name}")))
    }
}

impl Tx<'_> {
    /// Brings an endpoint's parsed form up to date after its rows were changed.
    pub fn reload_route(&mut self, id: EndpointId) -> Result<(), StoreError> {
        let row = self.endpoint(id)?.ok_or_else(|| StoreError::Internal(format!("{id} is not there")))?;
        let route = self.parse_route(&row)?;
        self.put_route(Arc::new(route));
        Ok(())
    }
}

/// Parses all live endpoints, at the start. One that cannot be parsed stops nothing: it is logged and left out.
pub(super) fn fill(connection: &Connection, shared: &Shared) -> Result<(), StoreError> {
    let reader = Reader::new(connection, shared);
    let mut statement = connection.prepare("SELECT id, name FROM tenants")?;
    let tenants = statement
        .query_map([], |row| Ok((row.get(0)?, super::lists::name(row, 1, TenantName::parse)?)))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut statement =
        connection.prepare("SELECT id FROM endpoints WHERE deleted_at IS NULL ORDER BY id")?;
    let ids =
        statement.query_map([], |row| row.get(0).map(EndpointId))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut routes = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(row) = reader.endpoint(id)? else { continue };
        match reader.parse_route(&row) {
            Ok(route) => routes.push(Arc::new(route)),
            Err(error) => {
                tracing::error!(endpoint = %id, %error, "an endpoint cannot be read; it receives nothing");
            }
        }
    }
    shared.directory.fill(tenants, routes);
    Ok(())
}
