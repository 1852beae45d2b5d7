//! A model of what the store keeps, and of what its transactions tell the dispatcher.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::delivery::State;
use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::outcome::{EndpointIs, Fact, Next, Standing, decide};
use crate::domain::retry::RetrySchedule;
use crate::store::handover::{After, Change, Job, Pace, Page, PagePlan};
use crate::store::times::SteadyMs;

use super::{Spec, job, payload};

/// Rows of a page and of a turn of a change to many: few, so that both take several.
const PAGE_ROWS: usize = 5;
const TURN: usize = 2;

#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) endpoint: i64,
    pub(super) state: State,
    pub(super) due: Option<SteadyMs>,
    pub(super) round: u32,
    tries: u32,
    size: usize,
    /// An attempt has failed, or a person asked for it: its turn is not that of its id.
    pub(super) touched: bool,
    /// A person wants it now.
    pub(super) asked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Hold,
    Release,
    Discard,
    Cancel,
}

#[derive(Debug, Clone, Copy)]
struct Bulk {
    kind: Kind,
    up_to: i64,
    done_to: i64,
}

#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) spec: Spec,
    pub(super) deleted: bool,
    pub(super) pace: Pace,
    timeouts: u32,
    bulk: Vec<Bulk>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome {
    pub(super) delivery: i64,
    pub(super) endpoint: i64,
    pub(super) round: u32,
    pub(super) fact: Fact,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    pub(super) rows: BTreeMap<i64, Row>,
    pub(super) ends: BTreeMap<i64, End>,
    last: i64,
}

impl Kind {
    fn of(self, state: State) -> State {
        let open = state.is_pending() || state == State::Held;
        match self {
            Self::Hold if state.is_pending() => State::Held,
            Self::Release if open => State::Ready,
            Self::Discard | Self::Cancel if open => State::Canceled,
            _ => state,
        }
    }
}

impl Disk {
    fn allot(&mut self) -> i64 {
        self.last += 1;
        self.last
    }

    pub(super) fn live(&self) -> Vec<i64> {
        self.ends.iter().filter(|(_, end)| !end.deleted).map(|(id, _)| *id).collect()
    }

    pub(super) fn create(&mut self, spec: Spec, told: &mut Vec<Change>) {
        let spec = Spec { id: self.allot(), ..spec };
        let end = End { spec, deleted: false, pace: Pace::default(), timeouts: 0, bulk: Vec::new() };
        self.ends.insert(spec.id, end);
        told.push(Change::Route(spec.route()));
    }

    pub(super) fn publish(&mut self, endpoints: &[i64], size: usize, told: &mut Vec<Change>) {
        let mut ready = Vec::new();
        for id in endpoints {
            let (delivery, enabled) = (self.allot(), self.ends[id].spec.enabled);
            let state = if enabled { State::Ready } else { State::Held };
            let row = Row {
                endpoint: *id,
                state,
                due: None,
                round: 1,
                tries: 0,
                size,
                touched: false,
                asked: false,
            };
            self.rows.insert(delivery, row);
            if enabled {
                ready.push((DeliveryId(delivery), EndpointId(*id)));
            }
        }
        if !ready.is_empty() {
            told.push(Change::Accepted(payload(size), ready));
        }
    }

    pub(super) fn settings(&mut self, spec: Spec, told: &mut Vec<Change>) {
        if let Some(end) = self.ends.get_mut(&spec.id) {
            end.spec = Spec { enabled: end.spec.enabled, ..spec };
            told.push(Change::Route(end.spec.route()));
        }
    }

    pub(super) fn switch(&mut self, id: i64, kind: Kind, told: &mut Vec<Change>) {
        let up_to = self.allot();
        let enables = matches!(kind, Kind::Release | Kind::Discard);
        let Some(end) = self.ends.get_mut(&id) else { return };
        if end.deleted || (kind != Kind::Cancel && end.spec.enabled == enables) {
            return;
        }
        let all = matches!(kind, Kind::Cancel | Kind::Discard);
        end.bulk.retain(|bulk| !all && bulk.kind == Kind::Discard);
        end.bulk.push(Bulk { kind, up_to, done_to: 0 });
        end.spec.enabled = enables;
        if kind == Kind::Cancel {
            end.deleted = true;
            told.push(Change::Gone(EndpointId(id)));
            return;
        }
        if enables {
            end.pace.paused_until = None;
            told.push(Change::Pace(EndpointId(id), end.pace));
        }
        told.push(Change::Route(end.spec.route()));
    }

    pub(super) fn has_bulk(&self, id: i64) -> bool {
        self.ends.get(&id).is_some_and(|end| !end.bulk.is_empty())
    }

    pub(super) fn bulk_turn(&mut self, id: i64, told: &mut Vec<Change>) {
        let Some(end) = self.ends.get_mut(&id) else { return };
        let Some(bulk) = end.bulk.first_mut() else { return };
        let concerned =
            |row: &Row| row.endpoint == id && (row.state.is_pending() || row.state == State::Held);
        let mut turned = 0;
        for (delivery, row) in self.rows.range_mut(bulk.done_to + 1..=bulk.up_to) {
            if turned == TURN || !concerned(row) {
                continue;
            }
            turned += 1;
            bulk.done_to = *delivery;
            let state = bulk.kind.of(row.state);
            if state == State::Ready {
                (row.round, row.tries) = (row.round + 1, 0);
            }
            if state != row.state || state == State::Ready {
                (row.state, row.due) = (state, None);
            }
        }
        if turned < TURN {
            end.bulk.remove(0);
            told.push(Change::Ready(EndpointId(id)));
        } else if bulk.kind == Kind::Release {
            told.push(Change::Ready(EndpointId(id)));
        }
    }

    /// The state that a delivery is about to have.
    pub(super) fn state(&self, delivery: i64) -> Option<State> {
        let row = self.rows.get(&delivery)?;
        let changes = self.ends.get(&row.endpoint).map_or(&[][..], |end| &end.bulk);
        let ahead = changes.iter().filter(|bulk| bulk.done_to < delivery && delivery <= bulk.up_to);
        Some(ahead.fold(row.state, |state, bulk| bulk.kind.of(state)))
    }

    fn is_changing(&self, delivery: i64, endpoint: i64) -> bool {
        let ahead = |bulk: &Bulk| bulk.done_to < delivery && delivery <= bulk.up_to;
        self.ends.get(&endpoint).is_some_and(|end| end.bulk.iter().any(ahead))
    }

    pub(super) fn cancel(&mut self, delivery: i64, told: &mut Vec<Change>) {
        let open = self.state(delivery).is_some_and(|state| state.is_pending() || state == State::Held);
        if let Some(row) = self.rows.get_mut(&delivery).filter(|_| open) {
            (row.state, row.due) = (State::Canceled, None);
            told.push(Change::Withdrawn(DeliveryId(delivery), EndpointId(row.endpoint)));
        }
    }

    pub(super) fn retry(&mut self, delivery: i64, told: &mut Vec<Change>) {
        let Some(mut row) = self.rows.get(&delivery).copied() else { return };
        let gone = self.ends.get(&row.endpoint).is_none_or(|end| end.deleted || !end.spec.enabled);
        if gone || row.state == State::Held {
            return;
        }
        let mut sent = delivery;
        if row.state == State::Delivered {
            sent = self.allot();
            row = Row { round: 1, tries: 0, ..row };
        } else if self.is_changing(delivery, row.endpoint) {
            return;
        } else if !row.state.is_pending() {
            (row.round, row.tries) = (row.round + 1, 0);
        }
        row = Row { state: State::Ready, due: None, touched: true, asked: true, ..row };
        self.rows.insert(sent, row);
        told.push(Change::Urgent(Self::job(sent, &row)));
    }

    fn job(delivery: i64, row: &Row) -> Job {
        Job { round: row.round, attempts: row.tries, ..job(delivery, row.endpoint, &payload(row.size)) }
    }

    pub(super) fn page(
        &self,
        id: i64,
        plan: PagePlan,
        now: SteadyMs,
        knows: impl Fn(DeliveryId) -> bool,
    ) -> Page {
        let bulk = self.ends.get(&id).map_or(&[][..], |end| &end.bulk);
        let endpoint = EndpointId(id);
        let (above, up_to) = match bulk {
            [] => (0, i64::MAX),
            [only] if only.kind == Kind::Discard => (only.up_to, i64::MAX),
            [only] if only.kind == Kind::Release => (0, only.done_to),
            _ => return Page { endpoint, jobs: Vec::new(), complete: false, next_due: None },
        };
        let releasing = bulk.iter().any(|bulk| bulk.kind == Kind::Release);
        let of = |state| {
            let mine = move |row: &Row| row.endpoint == id && row.state == state;
            self.rows.iter().filter(move |(at, row)| mine(row) && **at > above && **at <= up_to)
        };
        let mut due: Vec<_> = of(State::Waiting).filter(|(_, row)| row.due <= Some(now)).collect();
        due.sort_by_key(|(delivery, row)| (row.due, **delivery));
        let (mut jobs, mut bytes, mut complete) = (Vec::new(), 0, true);
        for (delivery, row) in
            of(State::Ready).chain(due).filter(|(delivery, _)| !knows(DeliveryId(**delivery)))
        {
            if jobs.len() >= plan.rows.min(PAGE_ROWS) || (!jobs.is_empty() && bytes >= plan.bytes) {
                complete = false;
                break;
            }
            bytes += payload(row.size).weight();
            jobs.push(Self::job(*delivery, row));
        }
        let next = self.rows.values().filter(|row| row.endpoint == id && row.state == State::Waiting);
        let next_due = next.filter_map(|row| row.due).filter(|due| complete && *due > now).min();
        Page { endpoint, jobs, complete: complete && !releasing, next_due }
    }

    /// Writes an outcome, as `store/outcome.rs` does.
    pub(super) fn settle(&mut self, outcome: &Outcome, now: SteadyMs, told: &mut Vec<Change>) {
        let (delivery, endpoint) = (DeliveryId(outcome.delivery), EndpointId(outcome.endpoint));
        let endpoint_is = self.judge(outcome, now, told);
        let disabled = self.ends.get(&outcome.endpoint).is_none_or(|end| end.deleted || !end.spec.enabled);
        let Some(row) = self.rows.get_mut(&outcome.delivery) else { return };
        let standing = Standing { state: row.state, round: row.round, round_attempts: row.tries };
        let schedule = RetrySchedule::parse(&[1, 5]).unwrap();
        let next = decide(outcome.fact, outcome.round, standing, endpoint_is, &schedule, 0);
        if row.round == outcome.round && outcome.fact != Fact::OurTrouble {
            row.tries += 1;
        }
        row.touched |= outcome.fact != Fact::Delivered;
        row.asked &= next == Next::Unchanged;
        (row.state, row.due) = match next {
            Next::Unchanged => (row.state, row.due),
            Next::Delivered => (State::Delivered, None),
            Next::Wait(_) if disabled => (State::Held, None),
            Next::Wait(wait) => (State::Waiting, Some(now.plus(wait))),
            Next::Failed => (State::Failed, None),
            Next::Held => (State::Held, None),
            Next::Canceled => (State::Canceled, None),
        };
        let after = match (row.state, next) {
            (State::Waiting, Next::Wait(wait)) => After::Due(now.plus(wait)),
            (State::Ready | State::Waiting, _) => After::Ready,
            _ => After::Over,
        };
        told.push(Change::Settled { delivery, endpoint, after });
    }

    fn judge(&mut self, outcome: &Outcome, now: SteadyMs, told: &mut Vec<Change>) -> EndpointIs {
        let Some(end) = self.ends.get_mut(&outcome.endpoint).filter(|end| !end.deleted) else {
            return EndpointIs::Deleted;
        };
        let enabled = end.spec.enabled;
        let was = if enabled { EndpointIs::Enabled } else { EndpointIs::Disabled };
        match outcome.fact {
            Fact::OurTrouble => return was,
            Fact::Delivered => end.timeouts = 0,
            Fact::Failed { timed_out, retry_after, .. } => {
                end.timeouts += u32::from(timed_out);
                if let Some(asked) = retry_after {
                    end.pace.paused_until = end.pace.paused_until.max(Some(now.plus(asked.endpoint)));
                }
            }
        }
        end.pace.one_at_a_time = end.timeouts >= 3;
        told.push(Change::Pace(EndpointId(outcome.endpoint), end.pace));
        if enabled && matches!(outcome.fact, Fact::Failed { gone: true, .. }) {
            self.switch(outcome.endpoint, Kind::Hold, told);
            return EndpointIs::Disabled;
        }
        was
    }
}

/// A failed attempt; after `pause` seconds the endpoint wants the next.
pub(super) fn failed(timed_out: bool, gone: bool, pause: Option<u64>) -> Fact {
    let after = |seconds: u64| crate::domain::retry_after::RetryAfter {
        delivery: Duration::from_secs(seconds),
        endpoint: Duration::from_secs(seconds),
    };
    Fact::Failed { timed_out, gone, retry_after: pause.map(after) }
}
