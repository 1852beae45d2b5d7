//! What is sent twice is done once: a form's page gives it a text, which becomes an idempotency key.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use crate::domain::names::IdempotencyKey;
use crate::web::state::AppState;
use crate::web::ui::form::Form;

/// The text of a page, which its form sends back as `once`.
pub(in crate::web::ui) fn nonce(state: &AppState) -> String {
    BASE64URL_NOPAD.encode(&crate::random::bytes::<12>(&**state.service.store().random()))
}

/// The idempotency key of what a form asks for, and a hash of it. The same form with other content is another request:
/// somebody went back and changed it.
pub(in crate::web::ui) fn key(form: &Form, content: &[&str]) -> Option<(IdempotencyKey, [u8; 16])> {
    let hash = hash(content);
    let text = format!("console-{}-{}", form.filled("once")?, BASE64URL_NOPAD.encode(&hash));
    Some((IdempotencyKey::parse(&text).ok()?, hash))
}

fn hash(content: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in content {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_content_of_the_same_page_is_the_same_request() {
        let key = |query: &str, content: &[&str]| {
            key(&Form::of_query(query), content).map(|(key, _)| key.to_string())
        };
        let first = key("once=a", &["x", "y"]);
        assert!(first.is_some());
        assert_eq!(first, key("once=a", &["x", "y"]));
        assert!(first != key("once=b", &["x", "y"]) && first != key("once=a", &["xy", ""]));
        assert_eq!(key("", &["x"]), None);
    }
}
