//! Who calls: the bearer of a key, or a user of this machine on the Unix socket.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};

use crate::domain::scope;
use crate::service::{Caller, Code};
use crate::store::StoreError;
use crate::store::keys::{Key, Keys};

use super::client_address;
use super::problem::Problem;
use super::state::AppState;

/// Whoever is at the other end of the Unix socket, noted with the connection. The folder of the socket is open to
/// the user that runs the server alone, so that the file's mode has checked him already.
#[derive(Debug, Clone, Copy)]
pub struct LocalUser(pub u32);

/// A request with a valid key, or from the Unix socket.
///
/// # Errors
/// 401 with `WWW-Authenticate` for anything else.
#[derive(Debug)]
pub struct Authenticated(pub Caller);

impl FromRequest for Authenticated {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let refused =
            |_: &Problem| tracing::debug!(path = request.path(), "refused a request without a valid key");
        ready(authenticate(request).inspect_err(refused).map(Self))
    }
}

fn authenticate(request: &HttpRequest) -> Result<Caller, Problem> {
    if let Some(LocalUser(uid)) = request.conn_data() {
        return Ok(Caller::local(*uid));
    }
    let state = AppState::of(request)?;
    let store = state.service.store();
    let text = bearer(request)?;
    let Some(key) = store.keys().find(&scope::hash(text)) else {
        let detail = if store.keys().is_empty() {
            "there is no API key yet; make one with `postrider keys create`"
        } else {
            "this API key is not valid, or was revoked; make one with `postrider keys create`"
        };
        return Err(Problem::new(Code::Unauthorized, detail));
    };
    note_use(state, &key);
    let address = client_address::of(request.peer_addr(), request.headers(), &state.trusted_proxy);
    Ok(Caller::key(&key, address))
}

/// The token of `Authorization: Bearer …` (RFC 6750, section 2.1).
fn bearer(request: &HttpRequest) -> Result<&str, Problem> {
    let wanted = || Problem::new(Code::Unauthorized, "send an API key as `Authorization: Bearer pr_…`");
    let value = request.headers().get(header::AUTHORIZATION).ok_or_else(wanted)?;
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(wanted)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(wanted()) }
}

/// Writes down, at most once a minute for each key, that it is used. Nobody waits for it, and where the writer has
/// no room for it, the next use is noted instead.
fn note_use(state: &AppState, key: &Key) {
    let store = state.service.store();
    let now = store.times().wall();
    if Keys::touch(key, now) {
        let id = key.id;
        drop(store.write::<(), StoreError>(move |tx| tx.touch_key(id, now)));
    }
}
