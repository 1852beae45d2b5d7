//! Who is told what, and when.

use super::*;

const NOW: UnixMs = UnixMs(1_771_857_000_000);
const FAILS: Key = Key { topic: Topic::EndpointFailing, subject: 7 };
const OFF: Key = Key { topic: Topic::EndpointDisabled, subject: 7 };
const DISK: Key = Key { topic: Topic::Disk, subject: 0 };

fn after(hours: i64) -> UnixMs {
    UnixMs(NOW.0 + hours * 3_600_000)
}

/// Somebody who is told all news at once.
#[derive(Default)]
struct Ear(BTreeMap<Key, Told>);

impl Ear {
    fn hear(&mut self, present: &[Key], now: UnixMs) -> (Vec<Key>, Vec<Key>) {
        self.hear_since(&present.iter().map(|key| (*key, now)).collect::<Vec<_>>(), now)
    }

    fn hear_since(&mut self, present: &[(Key, UnixMs)], now: UnixMs) -> (Vec<Key>, Vec<Key>) {
        let present = present.iter().map(|(key, since)| (*key, Some(*since))).collect();
        let news = News::of(&present, &self.0, true, now);
        news.noted(&mut self.0, true, now);
        (news.began, news.ended)
    }
}

#[test]
fn a_beginning_and_an_end_are_told_once_each() {
    let mut ear = Ear::default();
    assert_eq!(ear.hear(&[FAILS, DISK], NOW), (vec![DISK, FAILS], vec![]));
    assert_eq!(ear.hear(&[FAILS, DISK], after(1)), (vec![], vec![]));
    assert_eq!(ear.hear(&[DISK], after(2)), (vec![], vec![FAILS]));
    assert_eq!(ear.hear(&[DISK], after(3)), (vec![], vec![]));
}

#[test]
fn what_flaps_is_quiet_for_a_day_and_so_is_its_end() {
    let mut ear = Ear::default();
    ear.hear(&[FAILS], NOW);
    ear.hear(&[], after(1));
    assert_eq!(ear.hear(&[FAILS], after(2)), (vec![], vec![]));
    assert_eq!(ear.hear(&[], after(3)), (vec![], vec![]), "its end was told before");
    assert_eq!(ear.hear(&[FAILS], after(23)), (vec![], vec![]));
    assert_eq!(ear.hear(&[FAILS], after(24)), (vec![FAILS], vec![]));
}

#[test]
fn what_begins_again_within_a_day_and_lasts_is_told() {
    let mut ear = Ear::default();
    ear.hear(&[FAILS], NOW);
    ear.hear(&[], after(1));
    assert_eq!(ear.hear_since(&[(FAILS, after(2))], UnixMs(after(3).0 - 1)), (vec![], vec![]));
    assert_eq!(ear.hear_since(&[(FAILS, after(2))], after(3)), (vec![FAILS], vec![]));
    assert_eq!(ear.hear_since(&[(FAILS, after(2))], after(4)), (vec![], vec![]));
    assert_eq!(ear.hear(&[], after(5)), (vec![], vec![FAILS]));
    let unknown = BTreeMap::from([(FAILS, None)]);
    assert!(News::of(&unknown, &ear.0, true, after(20)).is_empty(), "nobody knows whether it lasts");
}

#[test]
fn what_was_over_between_two_looks_and_lasts_is_told() {
    let mut ear = Ear::default();
    ear.hear(&[FAILS], NOW);
    assert_eq!(ear.hear_since(&[(FAILS, after(1))], UnixMs(after(2).0 - 1)), (vec![], vec![]));
    assert_eq!(ear.hear_since(&[(FAILS, after(1))], after(2)), (vec![FAILS], vec![]));
    assert_eq!(ear.hear_since(&[(FAILS, after(1))], after(30)), (vec![], vec![]));
}

#[test]
fn what_begins_again_at_the_server_is_told_an_hour_later_at_the_earliest() {
    let mut ear = Ear::default();
    ear.hear(&[DISK], NOW);
    ear.hear(&[], UnixMs(NOW.0 + 1));
    assert_eq!(ear.hear(&[DISK], UnixMs(after(1).0 - 1)), (vec![], vec![]));
    assert_eq!(ear.hear(&[DISK], after(1)), (vec![DISK], vec![]));
}

#[test]
fn what_lasts_is_told_daily_if_it_is_the_servers_own() {
    let mut ear = Ear::default();
    ear.hear(&[FAILS, DISK], NOW);
    assert_eq!(ear.hear(&[FAILS, DISK], after(24)), (vec![DISK], vec![]));
    assert_eq!(ear.hear(&[FAILS, DISK], after(47)), (vec![], vec![]));
    assert_eq!(ear.hear(&[FAILS, DISK], after(48)), (vec![DISK], vec![]));
}

#[test]
fn an_endpoint_that_goes_from_failing_to_disabled_has_not_recovered() {
    let mut ear = Ear::default();
    ear.hear(&[FAILS], NOW);
    assert_eq!(ear.hear(&[OFF], after(1)), (vec![OFF], vec![]));
    assert_eq!(ear.hear(&[], after(2)), (vec![], vec![OFF]), "once, and not for both");
}

#[test]
fn who_does_not_want_to_hear_of_recoveries_does_not() {
    let told =
        BTreeMap::from([(FAILS, Told { at: NOW, ended: false }), (DISK, Told { at: NOW, ended: false })]);
    let news = News::of(&PresentKeys::new(), &told, false, after(1));
    assert_eq!((news.ended, news.closed), (vec![DISK], vec![FAILS]));
}

#[test]
fn what_is_over_is_forgotten_after_its_day() {
    let mut ear = Ear::default();
    ear.hear(&[FAILS], NOW);
    ear.hear(&[], after(1));
    ear.hear(&[], after(23));
    assert_eq!(ear.0.len(), 1);
    ear.hear(&[], after(24));
    assert!(ear.0.is_empty());
}

#[test]
fn what_could_not_be_sent_is_news_still() {
    let mut told = BTreeMap::new();
    let news = News::of(&PresentKeys::from([(FAILS, None)]), &told, true, NOW);
    news.noted(&mut told, false, NOW);
    assert!(told.is_empty());
}

#[test]
fn a_clock_that_went_back_keeps_nobody_quiet_for_ever() {
    let mut ear = Ear::default();
    ear.hear(&[DISK], after(1_000));
    assert_eq!(ear.hear(&[DISK], NOW).0, [DISK]);
    let future = Progress { collecting_since: Some(after(9)), failures: 1, next_try_at: Some(after(9)) };
    assert!(future.step(true, NOW, Duration::ZERO).1);
}

#[test]
fn news_is_collected_and_then_sent() {
    let collect = Duration::from_mins(5);
    let at = |minutes: i64| UnixMs(NOW.0 + minutes * 60_000);
    let (begun, send) = Progress::default().step(true, NOW, collect);
    assert_eq!((begun.collecting_since, send), (Some(NOW), false));
    assert!(!begun.step(true, at(4), collect).1);
    assert!(begun.step(true, at(5), collect).1);
    assert_eq!(begun.step(false, at(4), collect), (Progress::default(), false), "over before it was told");
    assert!(Progress::default().step(true, NOW, Duration::ZERO).1);
}

#[test]
fn tries_that_fail_come_less_and_less_often() {
    let mut progress = Progress { collecting_since: Some(NOW), ..Progress::default() };
    let mut waits = Vec::new();
    for _ in 0..6 {
        progress = progress.failed(NOW);
        waits.push((progress.next_try_at.unwrap().0 - NOW.0) / 60_000);
        assert!(!progress.step(true, NOW, Duration::ZERO).1);
        assert!(progress.step(true, progress.next_try_at.unwrap(), Duration::ZERO).1);
    }
    assert_eq!(waits, [1, 5, 15, 30, 60, 60]);
}

#[test]
fn news_of_endpoints_that_keeps_coming_is_collected_for_longer_and_longer() {
    let collect = Duration::from_mins(5);
    let minutes = |messages: usize, began: &[Key]| {
        let told = |n: usize| {
            let key = Key { topic: Topic::EndpointFailing, subject: i64::try_from(n).unwrap() };
            (key, Told { at: UnixMs(NOW.0 - key.subject * 60_000), ended: n.is_multiple_of(2) })
        };
        let news = News { began: began.to_vec(), ..News::default() };
        news.patience(&(0..messages).map(told).collect(), collect, NOW).as_secs() / 60
    };
    assert_eq!(
        [0, 1, 2, 3, 4, 5, 6, 59].map(|messages| minutes(messages, &[FAILS])),
        [5, 5, 5, 10, 20, 40, 60, 60]
    );
    assert_eq!(minutes(59, &[DISK, FAILS]), 5, "the server does not wait");
    let one = Told { at: NOW, ended: false };
    let many = (0..500).map(|subject| (Key { subject, ..FAILS }, one)).collect();
    assert_eq!(News::default().patience(&many, collect, NOW), collect, "that was one message");
    let old =
        (0..9).map(|n| (Key { subject: n, ..FAILS }, Told { at: after(-4 - n), ended: false })).collect();
    assert_eq!(News::default().patience(&old, collect, NOW), collect);
}
