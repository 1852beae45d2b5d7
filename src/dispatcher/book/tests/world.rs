//! The book between a model of the disk, threads that send when they are told to, and a clock that is moved by
//! hand. Every job that is taken is judged by what the dispatcher was told up to then.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::outcome::Fact;
use crate::store::directory::Route;
use crate::store::handover::{Change, Job};
use crate::store::times::SteadyMs;

use super::super::{Book, Limits};
use super::NOW;
use super::disk::{Disk, Kind, Outcome};

pub(super) struct World {
    /// As the open transaction has left it.
    pub(super) disk: Disk,
    /// As it was after the last commit that the dispatcher was told of.
    pub(super) told: Disk,
    /// What the open transaction will tell.
    batch: Vec<Change>,
    batch_outcomes: Vec<Outcome>,
    /// When the open transaction began.
    batch_now: SteadyMs,
    pub(super) book: Book,
    limits: Limits,
    pub(super) now: SteadyMs,
    pub(super) threads: Vec<Job>,
    /// Reported, and not in a transaction yet.
    pub(super) outcomes: Vec<Outcome>,
    /// Endpoints whose names are not known, and those that are looked up.
    pub(super) unresolved: BTreeSet<i64>,
    lookups: BTreeSet<i64>,
    halted: bool,
    starts: BTreeMap<i64, Vec<SteadyMs>>,
}

impl World {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            disk: Disk::default(),
            told: Disk::default(),
            batch: Vec::new(),
            batch_outcomes: Vec::new(),
            batch_now: NOW,
            book: Book::new(limits),
            limits,
            now: NOW,
            threads: Vec::new(),
            outcomes: Vec::new(),
            unresolved: BTreeSet::new(),
            lookups: BTreeSet::new(),
            halted: false,
            starts: BTreeMap::new(),
        }
    }

    /// Does something in the open transaction.
    pub(super) fn write(&mut self, work: impl FnOnce(&mut Disk, &mut Vec<Change>)) {
        if self.is_idle() {
            self.batch_now = self.now;
        }
        work(&mut self.disk, &mut self.batch);
    }

    fn is_idle(&self) -> bool {
        self.batch.is_empty() && self.batch_outcomes.is_empty()
    }

    pub(super) fn switch(&mut self, id: i64, kind: Kind) {
        self.write(|disk, told| disk.switch(id, kind, told));
    }

    pub(super) fn retry(&mut self, delivery: i64) {
        if !self.book.in_flight(DeliveryId(delivery)) {
            self.write(|disk, told| disk.retry(delivery, told));
        }
    }

    /// Takes the first `count` outcomes into the open transaction.
    pub(super) fn settle(&mut self, count: usize) {
        let count = count.min(self.outcomes.len());
        for outcome in self.outcomes.drain(..count).collect::<Vec<_>>() {
            self.write(|_, _| ());
            let now = self.batch_now;
            self.disk.settle(&outcome, now, &mut self.batch);
            self.batch_outcomes.push(outcome);
        }
    }

    /// The open transaction is committed, and the dispatcher told.
    pub(super) fn commit(&mut self) {
        self.batch_outcomes.clear();
        let before = std::mem::replace(&mut self.told, self.disk.clone());
        // A rate is counted from when there is a limit.
        self.starts.retain(|id, _| before.ends[id].spec.rate_limit.is_some());
        let now = self.now;
        for change in std::mem::take(&mut self.batch) {
            let book = &mut self.book;
            match change {
                Change::Accepted(payload, deliveries) => book.accepted(&payload, &deliveries, now),
                Change::Route(route) => book.route(route, now),
                Change::Gone(endpoint) => book.gone(endpoint),
                Change::Settled { delivery, endpoint, after } => book.settled(delivery, endpoint, after, now),
                Change::Pace(endpoint, pace) => book.pace(endpoint, pace, now),
                Change::Withdrawn(delivery, endpoint) => book.withdrawn(delivery, endpoint, now),
                Change::Emptied(event) => book.emptied(event, now),
                Change::Ready(endpoint) => book.ready(endpoint, now),
                Change::Urgent(job) => book.urgent(job, now),
                Change::Express(_) => {}
            }
            self.book.check(now);
        }
        self.halted = false;
        self.book.halt(false);
    }

    /// The open transaction cannot be committed: nothing of it has happened, and its outcomes come again.
    pub(super) fn fail(&mut self) {
        self.disk = self.told.clone();
        self.batch.clear();
        self.outcomes.splice(..0, self.batch_outcomes.drain(..));
        self.halted = true;
        self.book.halt(true);
    }

    /// The server is killed, perhaps between a commit and telling of it, and started again.
    pub(super) fn restart(&mut self) {
        let unresolved = std::mem::take(&mut self.unresolved);
        let (disk, now) = (std::mem::take(&mut self.disk), self.now);
        *self = Self { told: disk.clone(), disk, now, unresolved, ..Self::new(self.limits) };
        for id in self.disk.live() {
            let end = &self.disk.ends[&id];
            self.book.found(end.spec.route(), end.pace, self.now);
        }
    }

    /// Reads the pages that are wanted, `fail`: or cannot. Pages are read between transactions.
    pub(super) fn pages(&mut self, fail: bool) -> bool {
        if !self.is_idle() {
            return false;
        }
        let most = 10 + 3 * self.disk.ends.len() + self.disk.rows.len();
        for count in 0.. {
            let Some((id, plan)) = self.book.wants_page() else { return count > 0 };
            assert!(count < most, "the same pages are read again and again");
            let page = self.disk.page(id.0, plan, self.now, |delivery| self.book.knows(delivery));
            self.book.paged(id, (!fail).then_some(page), self.now);
            self.book.check(self.now);
        }
        true
    }

    /// A free thread asks for a job.
    pub(super) fn take(&mut self) -> bool {
        let (unresolved, lookups) = (&self.unresolved, &mut self.lookups);
        let resolved = |route: &Route| {
            if unresolved.contains(&route.id.0) {
                lookups.insert(route.id.0);
            }
            !unresolved.contains(&route.id.0)
        };
        let had_work = self.book.has_work();
        let before: BTreeMap<_, _> = self
            .book
            .lanes
            .iter()
            .filter(|(id, lane)| lane.listed.is_some() && !unresolved.contains(&id.0))
            .map(|(id, lane)| (*id, lane.in_flight))
            .collect();
        let Some((job, route)) = self.book.take(self.now, resolved) else {
            assert!(!self.book.has_work(), "there is work, and it is not given");
            return false;
        };
        assert!(!self.halted, "{} is sent although it cannot be recorded", job.delivery);
        assert!(had_work, "nobody would have asked for {}", job.delivery);
        let fewest = before.values().min();
        assert!(before.get(&job.endpoint) == fewest, "another endpoint has fewer in flight");
        self.judge(&job, &route);
        self.threads.push(job);
        true
    }

    /// Looks whether a job may be sent, by all that was told.
    fn judge(&mut self, job: &Job, route: &Route) {
        let (delivery, endpoint) = (job.delivery.0, job.endpoint.0);
        let under_way = |id: i64| {
            self.threads.iter().any(|job| job.delivery.0 == id)
                || self.outcomes.iter().chain(&self.batch_outcomes).any(|outcome| outcome.delivery == id)
        };
        assert!(!under_way(delivery), "{delivery} is taken by two threads");
        let end = &self.told.ends[&endpoint];
        assert!(!end.deleted && end.spec.enabled, "{endpoint} is not to be sent to");
        let row = self.told.rows[&delivery];
        assert!(self.told.state(delivery).unwrap().is_pending(), "{delivery} is not to be sent");
        assert!(row.due.is_none_or(|due| due <= self.now), "{delivery} is sent before it is due");
        assert_eq!((job.round, row.endpoint), (row.round, endpoint));

        let in_flight = self.threads.iter().filter(|job| job.endpoint.0 == endpoint).count();
        let cap = if end.pace.one_at_a_time { 1 } else { end.spec.max_in_flight as usize };
        let share = ((self.limits.threads - self.threads.len()) / 16).max(1);
        assert!(in_flight < cap.min(share), "{endpoint} has {in_flight} in flight");
        assert_eq!(route.max_in_flight, end.spec.max_in_flight);
        assert!(row.asked || end.pace.paused_until.is_none_or(|until| until <= self.now), "a pause");
        assert!(self.outcomes.len() + self.batch_outcomes.len() < self.limits.outcomes);

        let starts = self.starts.entry(endpoint).or_default();
        starts.push(self.now);
        let second = starts.iter().filter(|at| at.0 > self.now.0 - 1_000).count();
        assert!(end.spec.rate_limit.is_none_or(|limit| second <= limit as usize), "{second} in a second");

        let overtaken = self.told.rows.range(..delivery).find(|(id, other)| {
            other.endpoint == endpoint
                && !other.touched
                && self.told.state(**id).unwrap().is_pending()
                && !under_way(**id)
        });
        assert!(row.touched || overtaken.is_none(), "{delivery} overtakes {overtaken:?}");
    }

    /// A thread has sent its job.
    pub(super) fn report(&mut self, at: usize, fact: Fact) {
        let job = self.threads.remove(at);
        self.book.reported(job.delivery, job.endpoint, self.now);
        let (delivery, endpoint) = (job.delivery.0, job.endpoint.0);
        self.outcomes.push(Outcome { delivery, endpoint, round: job.round, fact });
    }

    pub(super) fn tick(&mut self, ms: i64) {
        self.now = SteadyMs(self.now.0 + ms);
        self.book.tick(self.now);
    }

    /// All names that are looked up are known, or all names are.
    pub(super) fn resolve(&mut self) -> bool {
        self.unresolved.clear();
        let lookups = std::mem::take(&mut self.lookups);
        for id in &lookups {
            self.book.resolved(EndpointId(*id), self.now);
        }
        !lookups.is_empty()
    }

    /// Does what is to be done until nothing is; threads that send to `hanging` never come back. The clock goes
    /// on only when nothing else can, and only to the next time that the book names.
    pub(super) fn settle_down(&mut self, hanging: &BTreeSet<i64>) {
        self.commit();
        let steps = 100 + 40 * (self.disk.rows.len() + self.disk.ends.len());
        for step in 0.. {
            assert!(step < steps, "it never comes to rest");
            self.tick(0);
            let mut busy = self.resolve();
            for id in self.disk.ends.keys().copied().collect::<Vec<_>>() {
                if self.disk.has_bulk(id) {
                    self.write(|disk, told| disk.bulk_turn(id, told));
                    self.commit();
                    busy = true;
                }
            }
            busy |= self.pages(false);
            busy |= self.take();
            if let Some(at) = self.threads.iter().position(|job| !hanging.contains(&job.endpoint.0)) {
                self.report(at, Fact::Delivered);
            }
            if !self.outcomes.is_empty() {
                self.settle(usize::MAX);
                self.commit();
                busy = true;
            }
            self.book.check(self.now);
            match self.book.next_tick() {
                _ if busy => {}
                Some(at) => {
                    assert!(at > self.now, "a time that has passed");
                    self.tick(at.0 - self.now.0);
                }
                None => break,
            }
        }
    }

    /// The deliveries of these endpoints that are still to be sent, and not under way.
    pub(super) fn forgotten(&self, of: impl Fn(i64) -> bool) -> Vec<i64> {
        let rows = self.disk.rows.iter().filter(|(_, row)| row.state.is_pending() && of(row.endpoint));
        rows.map(|(id, _)| *id).collect()
    }
}
