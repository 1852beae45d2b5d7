//! Who calls, and what for: a use case wants a [`TenantScope`], a [`ViewScope`] or an [`AdminScope`], and only a
//! [`Caller`] who may have one gets it. So a call without a check does not compile.

use crate::domain::names::TenantName;
use crate::domain::operator::Role;
use crate::domain::scope::{Scope, Scopes};
use crate::store::audit::Actor;
use crate::store::keys::Key;

use super::error::{Code, Error};
use crate::store::sessions::Session;

/// What an operator may do who changes nothing.
const READING: [Scope; 4] =
    [Scope::EventsRead, Scope::EndpointsRead, Scope::DeliveriesRead, Scope::MetricsRead];

/// Whoever makes a request.
#[derive(Debug, Clone)]
pub struct Caller {
    actor: Actor,
    scopes: Scopes,
    bound: Option<TenantName>,
    /// What an operator is; `None`: not an operator.
    role: Option<Role>,
}

impl Caller {
    /// The bearer of a key.
    pub fn key(key: &Key, address: Option<std::net::IpAddr>) -> Self {
        Self {
            actor: Actor { name: format!("key:{}", key.id), address },
            scopes: key.scopes,
            bound: key.tenant.as_ref().map(|(_, name)| name.clone()),
            role: None,
        }
    }

    /// An operator at the console: an admin may do everything, a viewer may read what an admin may.
    pub fn operator(session: &Session, address: Option<std::net::IpAddr>) -> Self {
        let scopes = match session.role {
            Role::Admin => Scopes::every(),
            Role::Viewer => READING.into_iter().collect(),
        };
        Self { actor: session.actor(address), scopes, bound: None, role: Some(session.role) }
    }

    /// A user of this machine who can reach the data directory.
    pub fn local(uid: u32) -> Self {
        Self { actor: Actor::cli(uid), scopes: Scopes::every(), bound: None, role: None }
    }

    fn needs(&self, scope: Scope) -> Result<(), Error> {
        if self.scopes.allows(scope) {
            return Ok(());
        }
        let detail = match self.role {
            Some(role) => format!("a {role} may not do this; ask an admin"),
            None => format!("this key lacks the scope {}; make one that has it", scope.as_str()),
        };
        Err(Error::new(Code::InsufficientScope, detail))
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

    /// Leave to see what an admin sees: for every operator, and for a key with the scope `admin`.
    pub fn view(&self) -> Result<ViewScope, Error> {
        if self.role.is_none() {
            self.needs(Scope::Admin)?;
        }
        Ok(ViewScope { actor: self.actor.clone() })
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

/// Leave to see what an admin sees, and to change nothing.
#[derive(Debug, Clone)]
pub struct ViewScope {
    actor: Actor,
}

impl ViewScope {
    /// The same for lists about tenants. Only for use cases that read: a [`TenantScope`] does not say what it is for.
    pub(super) fn all_tenants(&self) -> TenantScope {
        TenantScope { actor: self.actor.clone(), bound: None }
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

    /// The same for calls that only read.
    pub fn view(&self) -> ViewScope {
        ViewScope { actor: self.actor.clone() }
    }

    /// The same for calls about tenants.
    pub fn all_tenants(&self) -> TenantScope {
        TenantScope { actor: self.actor.clone(), bound: None }
    }
}
