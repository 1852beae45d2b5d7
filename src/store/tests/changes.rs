//! The rules of changes to many rows, without a file.

use crate::domain::delivery::{HeldReason, State};
use crate::store::bulk_kind::{BulkChange, BulkKind, about_to_be, sendable};

fn change(kind: BulkKind, done_to: i64, up_to: i64) -> BulkChange {
    BulkChange { id: 1, kind, up_to, done_to }
}

#[test]
fn a_row_shows_what_all_unfinished_changes_will_make_of_it() {
    let changes = [change(BulkKind::Discard, 5, 10), change(BulkKind::Hold, 0, 20)];
    assert_eq!(about_to_be(&changes, 7, State::Ready, None), (State::Canceled, None));
    let held = (State::Held, Some(HeldReason::EndpointDisabled));
    assert_eq!(about_to_be(&changes, 15, State::Waiting, None), held);
    assert_eq!(about_to_be(&changes, 25, State::Ready, None), (State::Ready, None));
    assert_eq!(about_to_be(&changes, 7, State::Delivered, None), (State::Delivered, None));
}

#[test]
fn what_a_restore_holds_is_neither_released_nor_discarded_with_the_endpoint() {
    let restored = Some(HeldReason::Restored);
    for kind in [BulkKind::Release, BulkKind::Discard, BulkKind::Hold] {
        assert_eq!(about_to_be(&[change(kind, 0, 9)], 1, State::Held, restored), (State::Held, restored));
    }
    let gone = about_to_be(&[change(BulkKind::Cancel, 0, 9)], 1, State::Held, restored);
    assert_eq!(gone, (State::Canceled, None));
}

#[test]
fn the_word_about_a_restore_concerns_what_it_holds_and_nothing_else() {
    let restored = Some(HeldReason::Restored);
    for (kind, after) in
        [(BulkKind::ReleaseRestored, State::Ready), (BulkKind::DiscardRestored, State::Canceled)]
    {
        let changes = [change(kind, 0, 9)];
        assert_eq!(about_to_be(&changes, 1, State::Held, restored), (after, None));
        for (state, held) in [
            (State::Held, Some(HeldReason::EndpointDisabled)),
            (State::Ready, None),
            (State::Waiting, None),
            (State::Delivered, None),
            (State::Failed, None),
        ] {
            assert_eq!(about_to_be(&changes, 1, state, held), (state, held));
        }
        assert_eq!(sendable(&changes), Some((0, i64::MAX)), "everything else goes on");
    }
    let disabled = [change(BulkKind::ReleaseRestored, 0, 9), change(BulkKind::Hold, 0, 9)];
    let held = (State::Held, Some(HeldReason::EndpointDisabled));
    assert_eq!(about_to_be(&disabled, 1, State::Held, restored), held);
}

#[test]
fn nothing_overtakes_what_is_about_to_be_released_and_nothing_discarded_is_sent() {
    assert_eq!(sendable(&[]), Some((0, i64::MAX)));
    assert_eq!(sendable(&[change(BulkKind::Release, 5, 10)]), Some((0, 5)));
    assert_eq!(sendable(&[change(BulkKind::Discard, 5, 10)]), Some((10, i64::MAX)));
    assert_eq!(sendable(&[change(BulkKind::Discard, 5, 10), change(BulkKind::Release, 0, 20)]), None);
    assert_eq!(sendable(&[change(BulkKind::Hold, 0, 20)]), None);
}
