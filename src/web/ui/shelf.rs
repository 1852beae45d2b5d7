//! Where things wait in memory until the page that shows them is asked for, each for one session.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::web::Data;
use data_encoding::BASE64URL_NOPAD;

use crate::domain::ids::SessionId;
use crate::web::state::AppState;

use super::kept::Kept;

/// How long something waits to be shown.
const PATIENCE: Duration = Duration::from_mins(5);
/// Things that wait at once, of 32 KB at most; the oldest makes room.
const MOST: usize = 32;

struct Entry {
    id: String,
    session: SessionId,
    /// By the clock that only goes forward.
    ends: Duration,
    what: Kept,
}

/// Everything that waits.
#[derive(Default)]
pub struct Shelf(Mutex<VecDeque<Entry>>);

impl Shelf {
    /// Keeps something for a session; the address of the page that shows it.
    pub(super) fn put(state: &Data<AppState>, session: SessionId, what: Kept) -> String {
        let id = BASE64URL_NOPAD.encode(&crate::random::bytes::<16>(&**state.service.store().random()));
        let path = format!("/shown/{id}");
        state.kept.add(Entry { id, session, ends: now(state) + PATIENCE, what }, now(state));
        let state = state.clone();
        // What nobody comes for is not to stay in memory until somebody comes for something else.
        actix_web::rt::spawn(async move {
            actix_web::rt::time::sleep(PATIENCE + Duration::from_secs(1)).await;
            state.kept.forget(now(&state));
        });
        path
    }

    fn add(&self, entry: Entry, now: Duration) {
        self.forget(now);
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.truncate(MOST - 1);
        entries.push_front(entry);
    }

    /// Forgets what has waited for long enough.
    fn forget(&self, now: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|entry| now < entry.ends);
    }

    /// What waits under this id for this session: a secret is there this once.
    pub(super) fn take(&self, state: &AppState, id: &str, session: SessionId) -> Option<Kept> {
        self.find(id, session, now(state))
    }

    fn find(&self, id: &str, session: SessionId, now: Duration) -> Option<Kept> {
        self.forget(now);
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = entries.iter().position(|entry| entry.id == id && entry.session == session)?;
        match entries.get(at).map(|entry| &entry.what) {
            Some(Kept::Typed(typed)) => Some(Kept::Typed(typed.clone())),
            _ => entries.remove(at).map(|entry| entry.what),
        }
    }
}

fn now(state: &AppState) -> Duration {
    state.service.store().times().clock().monotonic()
}

#[cfg(test)]
mod tests {
    use super::super::kept::Secret;
    use super::super::lost::Of;
    use super::super::typed::Typed;
    use super::*;

    fn entry(id: &str, session: i64, ends: u64, what: Kept) -> Entry {
        Entry { id: id.to_owned(), session: SessionId(session), ends: Duration::from_secs(ends), what }
    }

    fn secret() -> Kept {
        Kept::Secret(Box::new(Secret {
            of: Of::Key,
            section: "",
            done: String::new(),
            about: "",
            text: None,
            command: None,
            until: None,
            warnings: Vec::new(),
            next: Vec::new(),
        }))
    }

    #[test]
    fn a_secret_is_shown_once_to_whoever_made_it() {
        let (shelf, now) = (Shelf::default(), Duration::ZERO);
        shelf.add(entry("a", 1, 10, secret()), now);
        assert!(shelf.find("a", SessionId(2), now).is_none(), "another session");
        assert!(shelf.find("b", SessionId(1), now).is_none(), "another id");
        assert!(shelf.find("a", SessionId(1), now).is_some());
        assert!(shelf.find("a", SessionId(1), now).is_none(), "twice");
    }

    #[test]
    fn what_waits_has_an_end_and_takes_bounded_room() {
        let (shelf, now) = (Shelf::default(), Duration::ZERO);
        shelf.add(entry("old", 1, 10, secret()), now);
        assert!(shelf.find("old", SessionId(1), Duration::from_secs(10)).is_none());
        shelf.add(entry("old", 1, 10, secret()), now);
        shelf.forget(Duration::from_secs(9));
        assert_eq!(shelf.0.lock().unwrap().len(), 1);
        shelf.forget(Duration::from_secs(10));
        assert!(shelf.0.lock().unwrap().is_empty(), "it is gone without anybody asking");
        for n in 0..=MOST {
            shelf.add(entry(&n.to_string(), 1, 10, secret()), now);
        }
        assert!(shelf.find("0", SessionId(1), now).is_none(), "the oldest has made room");
        assert!(shelf.find("1", SessionId(1), now).is_some());
    }

    #[test]
    fn what_was_typed_is_there_for_a_reload() {
        let (shelf, now) = (Shelf::default(), Duration::ZERO);
        shelf.add(entry("a", 1, 10, Kept::Typed(Typed::default())), now);
        for _ in 0..2 {
            assert!(matches!(shelf.find("a", SessionId(1), now), Some(Kept::Typed(_))));
        }
    }
}
