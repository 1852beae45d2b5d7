//! Whatever happens in whatever order: nothing is forgotten, sent twice at a time, or sent against an order.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::domain::outcome::Fact;

use super::super::Limits;
use super::Spec;
use super::disk::{Kind, failed};
use super::world::World;

/// Something that happens. Numbers choose among what there is.
#[derive(Debug, Clone, Copy)]
enum Op {
    Create { max_in_flight: u32 },
    Publish { mask: u8, size: usize },
    Settings { end: usize, max_in_flight: u32, rate_limit: Option<u32> },
    Switch { end: usize, kind: Kind },
    BulkTurn { end: usize },
    Cancel { row: usize },
    Retry { row: usize },
    Settle { count: usize },
    Commit,
    Fail,
    Restart,
    Pages { fail: bool },
    Take { count: usize },
    Report { thread: usize, fact: Fact },
    Unresolved { end: usize },
    Resolve,
    Advance { ms: i64 },
}

fn pick<T: Copy>(of: &[T], at: usize) -> Option<T> {
    of.get(at.checked_rem(of.len())?).copied()
}

fn apply(world: &mut World, op: Op) {
    let ends = world.disk.live();
    let rows: Vec<i64> = world.disk.rows.keys().copied().collect();
    match op {
        Op::Create { max_in_flight } => {
            if ends.len() < 8 {
                world.write(|disk, told| disk.create(Spec { max_in_flight, ..Spec::of(0) }, told));
            }
        }
        Op::Publish { mask, size } => {
            let of: Vec<_> =
                ends.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1).map(|(_, id)| *id).collect();
            world.write(|disk, told| disk.publish(&of, size, told));
        }
        Op::Settings { end, max_in_flight, rate_limit } => {
            if let Some(id) = pick(&ends, end) {
                let spec = Spec { max_in_flight, rate_limit, ..Spec::of(id) };
                world.write(|disk, told| disk.settings(spec, told));
            }
        }
        Op::Switch { end, kind } => {
            if let Some(id) = pick(&ends, end) {
                world.switch(id, kind);
            }
        }
        Op::BulkTurn { end } => {
            let changing: Vec<_> =
                world.disk.ends.keys().copied().filter(|id| world.disk.has_bulk(*id)).collect();
            if let Some(id) = pick(&changing, end) {
                world.write(|disk, told| disk.bulk_turn(id, told));
            }
        }
        Op::Cancel { row } => {
            if let Some(id) = pick(&rows, row) {
                world.write(|disk, told| disk.cancel(id, told));
            }
        }
        Op::Retry { row } => {
            if let Some(id) = pick(&rows, row) {
                world.retry(id);
            }
        }
        Op::Settle { count } => world.settle(count),
        Op::Commit => world.commit(),
        Op::Fail => world.fail(),
        Op::Restart => world.restart(),
        Op::Pages { fail } => drop(world.pages(fail)),
        Op::Take { count } => drop((0..count).find(|_| !world.take())),
        Op::Report { thread, fact } => {
            if let Some(at) = thread.checked_rem(world.threads.len()) {
                world.report(at, fact);
            }
        }
        Op::Unresolved { end } => world.unresolved.extend(pick(&ends, end)),
        Op::Resolve => drop(world.resolve()),
        Op::Advance { ms } => world.tick(ms),
    }
    world.book.check(world.now);
}

fn facts() -> impl Strategy<Value = Fact> {
    prop_oneof![
        4 => Just(Fact::Delivered),
        2 => Just(failed(false, false, None)),
        2 => Just(failed(true, false, None)),
        1 => Just(failed(false, true, None)),
        1 => Just(failed(false, false, Some(3))),
        1 => Just(Fact::OurTrouble),
    ]
}

fn caps() -> impl Strategy<Value = u32> {
    prop_oneof![Just(1), Just(2), Just(16)]
}

fn ops() -> impl Strategy<Value = Op> {
    let rates = prop_oneof![2 => Just(None), 1 => Just(Some(1)), 1 => Just(Some(3))];
    let kinds = prop_oneof![
        3 => Just(Kind::Hold), 3 => Just(Kind::Release), 1 => Just(Kind::Discard), 1 => Just(Kind::Cancel)
    ];
    let sizes = prop_oneof![Just(0usize), Just(100), Just(300)];
    prop_oneof![
        1 => caps().prop_map(|max_in_flight| Op::Create { max_in_flight }),
        10 => (any::<u8>(), sizes).prop_map(|(mask, size)| Op::Publish { mask, size }),
        1 => (any::<usize>(), caps(), rates).prop_map(|(end, max_in_flight, rate_limit)| {
            Op::Settings { end, max_in_flight, rate_limit }
        }),
        2 => (any::<usize>(), kinds).prop_map(|(end, kind)| Op::Switch { end, kind }),
        4 => any::<usize>().prop_map(|end| Op::BulkTurn { end }),
        1 => any::<usize>().prop_map(|row| Op::Cancel { row }),
        2 => any::<usize>().prop_map(|row| Op::Retry { row }),
        6 => (0usize..5).prop_map(|count| Op::Settle { count }),
        12 => Just(Op::Commit),
        1 => Just(Op::Fail),
        1 => Just(Op::Restart),
        7 => prop::bool::weighted(0.1).prop_map(|fail| Op::Pages { fail }),
        7 => (1usize..6).prop_map(|count| Op::Take { count }),
        8 => (any::<usize>(), facts()).prop_map(|(thread, fact)| Op::Report { thread, fact }),
        1 => any::<usize>().prop_map(|end| Op::Unresolved { end }),
        2 => Just(Op::Resolve),
        4 => prop_oneof![Just(1), Just(400), Just(1_000), Just(4_000)].prop_map(|ms| Op::Advance { ms }),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    let threads = prop_oneof![Just(1), Just(3), Just(20), Just(64)];
    (threads, prop_oneof![Just(9_600), Just(30_000)], prop_oneof![Just(2), Just(256)])
        .prop_map(|(threads, bytes, outcomes)| Limits { threads, bytes, page_bytes: bytes / 8, outcomes })
}

/// Lets it all happen; then everything that hangs hangs on, and everything else has to come to its end.
fn run(limits: Limits, caps: &[u32], ops: &[Op], hanging: u8) {
    let mut world = World::new(limits);
    for max_in_flight in caps {
        apply(&mut world, Op::Create { max_in_flight: *max_in_flight });
    }
    world.commit();
    for op in ops {
        apply(&mut world, *op);
    }
    world.commit();
    finish(&mut world, limits, hanging);
}

fn finish(world: &mut World, limits: Limits, hanging: u8) {
    let ends = world.disk.live();
    // Fewer endpoints hang than half of the threads, with what is in flight at those that are deleted.
    let in_flight: BTreeSet<i64> = world.threads.iter().map(|job| job.endpoint.0).collect();
    let hang = |at: usize| hanging >> at & 1 == 1;
    let hanging: BTreeSet<i64> = ends
        .iter()
        .enumerate()
        .filter(|(at, _)| hang(*at))
        .map(|(_, id)| *id)
        .take(limits.threads / 2)
        .collect();
    let hold_threads = world.threads.iter().filter(|job| hanging.contains(&job.endpoint.0)).count();
    if hold_threads < limits.threads && limits.outcomes > 2 && !in_flight.is_empty() {
        world.settle_down(&hanging);
        let enabled = |id: i64| world.disk.ends[&id].spec.enabled && !hanging.contains(&id);
        assert!(world.forgotten(enabled).is_empty(), "while {hanging:?} hang");
    }
    for id in ends {
        if !world.disk.ends[&id].spec.enabled {
            world.switch(id, Kind::Release);
        }
    }
    world.settle_down(&BTreeSet::new());
    assert_eq!(world.forgotten(|_| true), Vec::<i64>::new(), "after all");
    assert!(world.book.is_settled(world.now));
    assert_eq!((world.book.known.len(), world.book.under_way()), (0, (0, 0)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_forgotten_sent_twice_or_sent_against_an_order(
        limits in limits(),
        caps in prop::collection::vec(caps(), 1..8),
        ops in prop::collection::vec(ops(), 1..120),
        hanging in any::<u8>(),
    ) {
        run(limits, &caps, &ops, hanging);
    }
}
