//! Operators as they are shown.

use serde::Serialize;

use crate::domain::ids::OperatorId;
use crate::domain::operator::{Email, Role};
use crate::domain::time::UnixMs;
use crate::store::operators::Operator;

/// An operator as the API and the console show them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperatorView {
    /// The record.
    pub id: OperatorId,
    /// What they sign in with.
    pub email: Email,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in.
    pub active: bool,
    /// Whether they were invited and have not come yet.
    pub pending: bool,
    /// When they were made or invited.
    pub created_at: UnixMs,
    /// When they last did something, to the minute.
    pub last_seen_at: Option<UnixMs>,
}

impl From<Operator> for OperatorView {
    fn from(operator: Operator) -> Self {
        Self {
            id: operator.id,
            email: operator.email,
            role: operator.role,
            active: operator.active,
            pending: operator.password.is_none(),
            created_at: operator.created_at,
            last_seen_at: operator.last_seen_at,
        }
    }
}
