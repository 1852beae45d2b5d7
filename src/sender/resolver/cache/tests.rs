//! The lives of answers and failures, stepped by hand.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const IP: [IpAddr; 1] = [IpAddr::V4(std::net::Ipv4Addr::new(8, 8, 8, 8))];

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn trouble() -> LookupError {
    LookupError::Temporary("try again".to_owned())
}

/// A cache in which `name` was looked up at `at`.
fn settled(cache: &mut Cache, name: &str, found: Result<Vec<IpAddr>, LookupError>, at: Duration) {
    let start = cache.ask(name, at).start.expect("it is asked for");
    cache.settle(&start, found, at);
}

fn is_good(known: Option<Known>) -> bool {
    known.is_some_and(|known| known.is_ok_and(|found| *found == IP))
}

#[test]
fn an_answer_lives_thirty_seconds_and_is_renewed_once_before() {
    let mut cache = Cache::default();
    assert!(cache.ask("a.example", s(0)).known.is_none());
    assert!(cache.ask("a.example", s(0)).start.is_none(), "one lookup at a time");
    cache.settle(&"a.example".into(), Ok(IP.to_vec()), s(0));
    let early = cache.ask("a.example", s(22));
    assert!(is_good(early.known) && early.start.is_none());
    let renewed = cache.ask("a.example", s(23));
    assert!(is_good(renewed.known) && renewed.start.is_some());
    let meanwhile = cache.ask("a.example", s(24));
    assert!(is_good(meanwhile.known) && meanwhile.start.is_none());
    assert!(cache.ask("a.example", s(30)).known.is_none(), "too old, and the renewal is not back");
    cache.settle(&"a.example".into(), Ok(IP.to_vec()), s(30));
    assert!(is_good(cache.ask("a.example", s(50)).known));
}

#[test]
fn no_such_name_takes_the_old_answer_away_and_lives_five_seconds() {
    let mut cache = Cache::default();
    settled(&mut cache, "a.example", Ok(IP.to_vec()), s(0));
    settled(&mut cache, "a.example", Err(LookupError::NoSuchName), s(23));
    let gone = cache.ask("a.example", s(24)).known.unwrap().unwrap_err();
    assert_eq!((gone.error, gone.silent), (LookupError::NoSuchName, false));
    let later = cache.ask("a.example", s(28));
    assert!(later.known.is_none() && later.start.is_some());
}

#[test]
fn a_lookup_without_an_answer_leaves_the_old_one_for_five_minutes() {
    let mut cache = Cache::default();
    settled(&mut cache, "a.example", Ok(IP.to_vec()), s(0));
    settled(&mut cache, "a.example", Err(trouble()), s(40));
    let kept = cache.ask("a.example", s(44));
    assert!(is_good(kept.known) && kept.start.is_none(), "failures live five seconds");
    let kept = cache.ask("a.example", s(299));
    assert!(is_good(kept.known) && kept.start.is_some());
    cache.settle(&"a.example".into(), Err(trouble()), s(300));
    assert!(cache.ask("a.example", s(301)).known.unwrap().is_err());
}

#[test]
fn a_lookup_that_hangs_is_given_up_after_five_seconds_and_its_answer_is_still_taken() {
    let mut cache = Cache::default();
    let start = cache.ask("a.example", s(0)).start.unwrap();
    let woken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&woken);
    cache.wait("a.example", Box::new(move || _ = count.fetch_add(1, Ordering::Relaxed)));
    let (wakers, next) = cache.give_up(s(4));
    assert!(wakers.is_empty() && next == Some(s(1)));
    let (wakers, next) = cache.give_up(s(5));
    assert!(next.is_none());
    for wake in wakers {
        wake();
    }
    assert_eq!(woken.load(Ordering::Relaxed), 1);
    let hangs = cache.ask("a.example", s(60));
    assert!(hangs.known.unwrap().is_err() && hangs.start.is_none(), "still one lookup per name");
    cache.settle(&start, Ok(IP.to_vec()), s(61));
    assert!(is_good(cache.ask("a.example", s(62)).known));
}

#[test]
fn the_resolver_is_silent_when_no_name_gets_an_answer() {
    let silent = |cache: &mut Cache, name: &str, at| cache.ask(name, at).known.unwrap().unwrap_err().silent;
    let mut cache = Cache::default();
    settled(&mut cache, "a.example", Err(trouble()), s(0));
    assert!(silent(&mut cache, "a.example", s(1)), "the only name");
    settled(&mut cache, "good.example", Ok(IP.to_vec()), s(1));
    settled(&mut cache, "a.example", Err(trouble()), s(6));
    assert!(!silent(&mut cache, "a.example", s(7)), "another name was answered");
    settled(&mut cache, "a.example", Err(trouble()), s(90));
    assert!(
        cache.ask("a.example", s(91)).known.is_none(),
        "one of two names is no proof: the other is asked"
    );
    settled(&mut cache, "b.example", Err(trouble()), s(92));
    assert!(silent(&mut cache, "a.example", s(93)));
}

#[test]
fn a_failure_without_a_recent_answer_asks_for_a_name_that_used_to_work() {
    let mut cache = Cache::default();
    settled(&mut cache, "good.example", Ok(IP.to_vec()), s(0));
    let start = cache.ask("bad.example", s(5)).start.unwrap();
    assert_eq!(cache.settle(&start, Err(trouble()), s(5)).1, None, "the last answer is recent");
    let start = cache.ask("bad.example", s(20)).start.unwrap();
    assert_eq!(cache.settle(&start, Err(trouble()), s(20)).1.as_deref(), Some("good.example"));
}

#[test]
fn a_failure_is_told_when_another_name_has_shown_whose_fault_it_is() {
    for (found, silent) in
        [(Ok(IP.to_vec()), false), (Err(LookupError::NoSuchName), false), (Err(trouble()), true)]
    {
        let mut cache = Cache::default();
        let first = cache.ask("a.example", s(0)).start.unwrap();
        let second = cache.ask("b.example", s(0)).start.unwrap();
        cache.settle(&first, Err(trouble()), s(1));
        let asked = cache.ask("a.example", s(1));
        assert!(asked.known.is_none() && asked.start.is_none(), "it is not clear yet");
        let woken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&woken);
        cache.wait("a.example", Box::new(move || _ = count.fetch_add(1, Ordering::Relaxed)));
        cache.settle(&second, found, s(2)).0.into_iter().for_each(|wake| wake());
        assert_eq!(woken.load(Ordering::Relaxed), 1);
        let known = cache.ask("a.example", s(2)).known.unwrap().unwrap_err();
        assert_eq!((known.error, known.silent), (trouble(), silent));
    }
}

#[test]
fn a_lookup_that_hangs_shows_it_too() {
    let mut cache = Cache::default();
    let first = cache.ask("a.example", s(0)).start.unwrap();
    cache.ask("b.example", s(0)).start.unwrap();
    cache.settle(&first, Err(trouble()), s(1));
    assert!(cache.ask("a.example", s(2)).known.is_none());
    cache.wait("a.example", Box::new(|| ()));
    assert_eq!(cache.give_up(s(5)).0.len(), 1);
    assert!(cache.ask("a.example", s(5)).known.unwrap().unwrap_err().silent);
}

#[test]
fn memory_is_bounded_by_forgetting_what_was_used_longest_ago() {
    let mut cache = Cache::default();
    for number in 0..MAX_NAMES as u64 + 10 {
        settled(&mut cache, &format!("n{number}.example"), Ok(IP.to_vec()), Duration::from_millis(number));
        assert!(cache.names.len() <= MAX_NAMES);
    }
    assert!(!cache.names.contains_key("n0.example") && cache.names.contains_key("n16000.example"));
    let crowd = vec![IP[0]; MAX_ADDRESSES + 1];
    settled(&mut cache, "crowd.example", Ok(crowd), s(20));
    assert!(cache.ask("crowd.example", s(21)).known.unwrap().is_err());
}

#[test]
fn when_every_name_is_being_looked_up_another_one_fails_at_once() {
    let mut cache = Cache::default();
    for number in 0..MAX_NAMES {
        assert!(cache.ask(&format!("n{number}.example"), s(0)).start.is_some());
    }
    assert!(cache.ask("one.more.example", s(0)).known.is_some_and(|known| known.is_err_and(|e| e.silent)));
}
