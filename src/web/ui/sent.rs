//! A form that has come in.

use actix_web::http::StatusCode;

use crate::web::problem::Problem;

use super::form::Form;

/// Whether a form has the token that pages have now.
pub(super) enum Sent {
    /// It has: it is what somebody means now.
    Now(Form),
    /// It has not, though the browser tells that it comes from a page of ours: one that was made before somebody signed
    /// in or out in another tab, say. Nothing may be done with it before somebody has sent it again; with the refusal, for
    /// where there is nothing worth to be sent again.
    Stale(Form, Problem),
}

impl Sent {
    /// For the pages before there is a session, which are simply shown again with what was typed.
    ///
    /// # Errors
    /// The form, with why it is not taken.
    pub(super) fn now(self) -> Result<Form, Form> {
        match self {
            Self::Now(form) => Ok(form),
            Self::Stale(mut form, _) => {
                let reason = "this page was too old, or your browser keeps no cookies; nothing was done: send it again";
                form.reject(StatusCode::FORBIDDEN, reason);
                Err(form)
            }
        }
    }
}
