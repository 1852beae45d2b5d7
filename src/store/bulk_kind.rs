//! What a change to all waiting deliveries of an endpoint does to each of them: rules without the file.

use crate::domain::delivery::{HeldReason, State};

/// What happens to the deliveries that are not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BulkKind {
    /// Held: the endpoint was disabled.
    Hold,
    /// A new round for each: it was enabled.
    Release,
    /// Canceled: it was enabled, and what was held is not wanted any more.
    Discard,
    /// Canceled: it was deleted.
    Cancel,
    /// What a restore holds back gets a new round.
    ReleaseRestored,
    /// The same at a disabled endpoint: from now on it is held for that.
    HoldRestored,
    /// What a restore holds back is canceled.
    DiscardRestored,
}

impl BulkKind {
    pub(super) const ALL: [Self; 7] = [
        Self::Hold,
        Self::Release,
        Self::Discard,
        Self::Cancel,
        Self::ReleaseRestored,
        Self::HoldRestored,
        Self::DiscardRestored,
    ];

    /// Whether it concerns what a restore holds back, and nothing else.
    pub(super) fn is_of_restored(self) -> bool {
        matches!(self, Self::ReleaseRestored | Self::HoldRestored | Self::DiscardRestored)
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Discard => "discard",
            Self::Cancel => "cancel",
            Self::ReleaseRestored => "release_restored",
            Self::HoldRestored => "hold_restored",
            Self::DiscardRestored => "discard_restored",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// What a row in `state` becomes; `None`: it is left alone.
    pub(super) fn target(self, state: State, held: Option<HeldReason>) -> Option<State> {
        let open = state.is_pending() || state == State::Held;
        let restored = state == State::Held && held == Some(HeldReason::Restored);
        match self {
            Self::ReleaseRestored => restored.then_some(State::Ready),
            Self::HoldRestored => restored.then_some(State::Held),
            Self::DiscardRestored => restored.then_some(State::Canceled),
            Self::Hold => state.is_pending().then_some(State::Held),
            Self::Cancel => open.then_some(State::Canceled),
            // What a restore holds back waits for its own word.
            _ if held == Some(HeldReason::Restored) => None,
            Self::Release => open.then_some(State::Ready),
            Self::Discard => open.then_some(State::Canceled),
        }
    }
}

/// A row of `bulk_changes`.
#[derive(Debug, Clone, Copy)]
pub(super) struct BulkChange {
    pub(super) id: i64,
    pub(super) kind: BulkKind,
    pub(super) up_to: i64,
    pub(super) done_to: i64,
}

/// The state that a delivery is about to have.
pub(super) fn about_to_be(
    changes: &[BulkChange],
    id: i64,
    state: State,
    held: Option<HeldReason>,
) -> (State, Option<HeldReason>) {
    let (state, held, _) = foresee(changes, id, state, held);
    (state, held)
}

/// The same, and how many new rounds are about to start.
pub(super) fn foresee(
    changes: &[BulkChange],
    id: i64,
    state: State,
    held: Option<HeldReason>,
) -> (State, Option<HeldReason>, u32) {
    changes.iter().filter(|change| change.done_to < id && id <= change.up_to).fold(
        (state, held, 0),
        |(state, held, rounds), change| match change.kind.target(state, held) {
            None => (state, held, rounds),
            Some(State::Held) => (State::Held, Some(HeldReason::EndpointDisabled), rounds),
            Some(State::Ready) => (State::Ready, None, rounds + 1),
            Some(other) => (other, None, rounds),
        },
    )
}

/// The ids that may be sent while changes are unfinished: `(above, up to)`; `None`: none for now.
pub(super) fn sendable(changes: &[BulkChange]) -> Option<(i64, i64)> {
    match changes {
        [] => Some((0, i64::MAX)),
        // What was pending all the time does not wait for what a restore has held back.
        [only] if only.kind.is_of_restored() => Some((0, i64::MAX)),
        [only] if only.kind == BulkKind::Discard => Some((only.up_to, i64::MAX)),
        // In order: nothing younger overtakes what is about to be released.
        [only] if only.kind == BulkKind::Release => Some((0, only.done_to)),
        _ => None,
    }
}
