//! Who calls, and what for: a use case wants a [`TenantScope`] or an [`AdminScope`], and only a [`Caller`] who
//! may have one gets it. So a call without a check does not compile.

use crate::domain::names::TenantName;
use crate::domain::scope::{Scope, Scopes};
use crate::store::audit::Actor;
use crate::store::keys::Key;

use super::error::{Code, Error};

/// Whoever makes a request.
#[derive(Debug, Clone)]
pub struct Caller {
    actor: Actor,
    scopes: Scopes,
    bound: Option<TenantName>,
}

impl Caller {
    /// The bearer of a key.
    pub fn key(key: &Key, address: Option<std::net::IpAddr>) -> Self {
        Self {
            actor: Actor { name: format!("key:{}", key.id), address },
            scopes: key.scopes,
            bound: key.tenant.as_ref().map(|(_, name)| name.clone()),
        }
    }

    /// A user of this machine who can reach the data directory.
    pub fn local(uid: u32) -> Self {
        Self { actor: Actor::cli(uid), scopes: Scopes::every(), bound: None }
    }

    fn needs(&self, scope: Scope) -> Result<(), Error> {
        if self.scopes.allows(scope) {
            return Ok(());
        }
        Err(Error::new(
            Code::InsufficientScope,
            format!("this key lacks the scope {}; make one that has it", scope.as_str()),
        ))
    }

    /// Whether the caller may see one tenant alone.
    pub fn is_bound(&self) -> bool {
        self.bound.is_some()
    }

    /// Leave to do what `scope` says, for one tenant or for all.
    pub fn tenant_scope(&self, scope: Scope) -> Result<TenantScope, Error> {
        self.needs(scope)?;
        Ok(TenantScope { actor: self.actor.clone(), bound: self.bound.clone() })
    }

    /// Leave to do everything.
    pub fn admin(&self) -> Result<AdminScope, Error> {
        self.needs(Scope::Admin)?;
        Ok(AdminScope { actor: self.actor.clone() })
    }
}

/// Whose rows a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    /// Everybody's.
    All,
    /// One tenant's.
    One(TenantName),
}

/// Leave to act for the tenants that the caller may see.
#[derive(Debug, Clone)]
pub struct TenantScope {
    actor: Actor,
    bound: Option<TenantName>,
}

impl TenantScope {
    /// Who acts.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The tenant that a call is about: the one that is named, else the key's own, else `default`.
    /// `None`: the key is bound to another one, for which this tenant does not exist.
    pub fn tenant(&self, named: Option<&TenantName>) -> Option<TenantName> {
        match (&self.bound, named) {
            (Some(own), Some(named)) if own != named => None,
            (Some(own), _) => Some(own.clone()),
            (None, Some(named)) => Some(named.clone()),
            (None, None) => Some(TenantName::default_name()),
        }
    }

    /// Whose rows a list shows. `None`: those of a tenant that the caller may not see.
    pub fn listed(&self, named: Option<&TenantName>) -> Option<Of> {
        match (&self.bound, named) {
            (Some(own), Some(named)) if own != named => None,
            (Some(own), _) => Some(Of::One(own.clone())),
            (None, Some(named)) => Some(Of::One(named.clone())),
            (None, None) => Some(Of::All),
        }
    }

    /// Whether something of this tenant can be seen.
    pub fn sees(&self, tenant: &TenantName) -> bool {
        self.bound.as_ref().is_none_or(|own| own == tenant)
    }
}

/// Leave to do everything.
#[derive(Debug, Clone)]
pub struct AdminScope {
    actor: Actor,
}

impl AdminScope {
    /// Who acts.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The same for calls about tenants.
    pub fn all_tenants(&self) -> TenantScope {
        TenantScope { actor: self.actor.clone(), bound: None }
    }
}
