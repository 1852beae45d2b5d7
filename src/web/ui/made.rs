//! What a form has made: who goes back to it and sends it again is led to that, and makes no other. Kept in memory, for as
//! long as the server runs. Events need it not: the store remembers their keys (`events/once.rs`).

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::domain::ids::SessionId;
use crate::domain::names::IdempotencyKey;

/// So many are remembered, of 200 bytes each; the oldest makes room.
const MOST: usize = 256;

struct Entry {
    session: SessionId,
    form: IdempotencyKey,
    id: String,
}

/// All that is remembered.
#[derive(Default)]
pub struct Made {
    entries: Mutex<VecDeque<Entry>>,
    turn: tokio::sync::Mutex<()>,
}

impl Made {
    /// To be held from [`Made::find`] to [`Made::add`], one after the other: of two sends of a form at the same moment the
    /// second finds what the first has made.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Remembers what a form of this session has made. `form`: which one, with what was typed there.
    pub(super) fn add(&self, session: SessionId, form: IdempotencyKey, id: String) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.truncate(MOST - 1);
        entries.push_front(Entry { session, form, id });
    }

    /// The id of what it has made last.
    pub(super) fn find(&self, session: SessionId, form: &IdempotencyKey) -> Option<String> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let found = entries.iter().find(|entry| entry.session == session && entry.form == *form);
        found.map(|entry| entry.id.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_form_of_the_same_session_is_known_until_many_others_have_come() {
        let key = |text: &str| IdempotencyKey::parse(text).unwrap();
        let (made, me) = (Made::default(), SessionId(1));
        made.add(me, key("a"), "ep_1".to_owned());
        assert_eq!(made.find(me, &key("a")).as_deref(), Some("ep_1"));
        assert!(made.find(me, &key("b")).is_none() && made.find(SessionId(2), &key("a")).is_none());
        for n in 0..MOST {
            made.add(me, key(&n.to_string()), String::new());
        }
        assert!(made.find(me, &key("a")).is_none(), "the oldest has made room");
    }
}
