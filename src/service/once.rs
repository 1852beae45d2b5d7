//! What is done once for each idempotency key, and answered the same again.

use serde::Serialize;

use crate::store::Tx;
use crate::store::idempotent::{Answered, Idempotency};
use crate::store::publish::PublishError;

use super::error::{Code, Error};

/// The text of an answer that may be given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// JSON.
    pub text: String,
    /// It was given before, to the same request with the same idempotency key.
    pub replayed: bool,
}

/// Does something once for each idempotency key, and tells the same again.
pub(super) fn once(
    tx: &mut Tx<'_>,
    tenant_id: i64,
    idempotency: Option<&Idempotency>,
    work: impl FnOnce(&mut Tx<'_>) -> Result<String, Error>,
) -> Result<Told, Error> {
    let Some(idempotency) = idempotency else { return Ok(Told { text: work(tx)?, replayed: false }) };
    match tx.answered_before(tenant_id, idempotency)? {
        Answered::Before(text) => Ok(Told { text, replayed: true }),
        Answered::Otherwise => Err(PublishError::KeyReused.into()),
        Answered::Never => {
            let text = work(tx)?;
            tx.remember_answer(tenant_id, idempotency, &text)?;
            Ok(Told { text, replayed: false })
        }
    }
}

/// The text of an answer.
pub(super) fn json(answer: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(answer)
        .map_err(|error| Error { cause: Some(error.to_string().into()), ..Error::new(Code::Internal, "") })
}
