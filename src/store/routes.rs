//! Making the parsed form of an endpoint ([`Route`]) from its rows.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::domain::ids::EndpointId;
use crate::domain::limits;
use crate::domain::matching::Subscription;
use crate::domain::names::TenantName;
use crate::domain::retry::RetrySchedule;
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
        let name = &row.revision.format;
        let present =
            self.format(name)?.ok_or_else(|| broken("the format", format!("there is no {name}")))?;
        let (format, secrets) = (present.format, self.secrets(row.id)?);
        let public_key = secrets.first().and_then(|newest| format.scheme().public_key(&newest.secret));
        let mut signers = Vec::new();
        for (index, secret) in secrets.into_iter().enumerate() {
            match format.signer(&secret.secret) {
                Ok(signer) => {
                    signers.extend(signer.map(|signer| LiveSigner { signer, expires_at: secret.expires_at }));
                }
                // An older one of the time before another format cannot sign in this one.
                Err(_) if index > 0 => {}
                Err(message) => return Err(broken("the secret", message)),
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
            format_revision: present.revision,
            signers,
            public_key,
            timeout: Duration::from_secs(u64::from(
                row.revision.timeout_seconds.unwrap_or(limits::DEFAULT_TIMEOUT_SECONDS),
            )),
            max_in_flight: settings.max_in_flight.unwrap_or(limits::DEFAULT_MAX_IN_FLIGHT),
            rate_limit: settings.rate_limit,
            retry_schedule,
        })
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
