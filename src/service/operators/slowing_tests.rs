use super::*;

const NOW: Duration = Duration::from_secs(1000);

fn attempt(account: &str, address: &str) -> Attempt {
    Attempt::new(Email::parse(account).ok(), address.parse().ok(), false)
}

fn fail(slowing: &Slowing, attempt: &Attempt, times: usize, now: Duration) {
    for _ in 0..times {
        slowing.failed(attempt, now);
    }
}

#[test]
fn the_fifth_failure_stops_an_account_from_there_alone() {
    let slowing = Slowing::default();
    let ada = attempt("ada@example.com", "192.0.2.1");
    fail(&slowing, &ada, 4, NOW);
    assert_eq!(slowing.stopped(&ada, NOW), None);
    fail(&slowing, &ada, 1, NOW);
    assert_eq!(slowing.stopped(&ada, NOW), Some(1));
    assert_eq!(slowing.stopped(&ada, NOW + Duration::from_millis(999)), Some(1));
    assert_eq!(slowing.stopped(&ada, NOW + Duration::from_secs(1)), None);
    assert_eq!(slowing.stopped(&attempt("ada@example.com", "192.0.2.2"), NOW), None, "from elsewhere");
    assert_eq!(slowing.stopped(&attempt("bob@example.com", "192.0.2.1"), NOW), None, "another account");
}

#[test]
fn each_further_failure_doubles_the_stop_up_to_15_minutes() {
    let slowing = Slowing::default();
    let ada = attempt("ada@example.com", "192.0.2.1");
    let (mut now, mut stops) = (NOW, Vec::new());
    fail(&slowing, &ada, 4, now);
    for _ in 0..12 {
        fail(&slowing, &ada, 1, now);
        let stop = slowing.stopped(&ada, now).unwrap();
        stops.push(stop);
        now += Duration::from_secs(stop.into());
    }
    assert_eq!(stops, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    assert_eq!(slowing.stopped(&ada, now), None);
    fail(&slowing, &ada, 1, now + WINDOW);
    assert_eq!(slowing.stopped(&ada, now + WINDOW), None, "what is old is forgotten");
}

#[test]
fn a_network_is_stopped_at_the_twentieth_failure_whichever_the_accounts() {
    let slowing = Slowing::default();
    for n in 0..20 {
        let other = attempt(&format!("{n}@example.com"), "2001:db8::1");
        assert_eq!(slowing.stopped(&other, NOW), None, "{n}");
        fail(&slowing, &other, 1, NOW);
    }
    assert_eq!(slowing.stopped(&attempt("ada@example.com", "2001:db8::2"), NOW), Some(1), "the same /64");
    assert_eq!(slowing.stopped(&attempt("ada@example.com", "2001:db8:0:1::2"), NOW), None);
}

#[test]
fn nobody_is_kept_out_for_long_from_many_addresses() {
    let slowing = Slowing::default();
    let here = attempt("ada@example.com", "192.0.2.1");
    for n in 0..49 {
        fail(&slowing, &attempt("ada@example.com", &format!("198.51.100.{n}")), 1, NOW);
    }
    assert_eq!(slowing.stopped(&here, NOW), None);
    for n in 0..200 {
        fail(&slowing, &attempt("ada@example.com", &format!("203.0.113.{n}")), 1, NOW);
    }
    assert_eq!(slowing.stopped(&here, NOW), Some(60), "a minute at most");
    let known = Attempt { known: true, ..here };
    assert_eq!(slowing.stopped(&known, NOW), None, "not where the account has a session");
}

#[test]
fn a_success_forgets_the_account_and_not_the_network() {
    let slowing = Slowing::default();
    let ada = attempt("ada@example.com", "192.0.2.1");
    fail(&slowing, &ada, 19, NOW);
    slowing.succeeded(&ada);
    assert_eq!(slowing.stopped(&ada, NOW), None);
    fail(&slowing, &attempt("bob@example.com", "192.0.2.1"), 1, NOW);
    assert_eq!(slowing.stopped(&ada, NOW), Some(1), "the network has failed twenty times");
}

#[test]
fn what_is_remembered_is_bounded() {
    let slowing = Slowing::default();
    for n in 0..u32::try_from(MOST).unwrap() + 50 {
        let other = Attempt::new(
            Email::parse(&format!("{n}@example.com")).ok(),
            Some(IpAddr::from(n.to_be_bytes())),
            false,
        );
        slowing.failed(&other, NOW + Duration::from_millis(n.into()));
        slowing.worth_telling(&other, NOW);
    }
    let tables = slowing.0.lock().unwrap();
    let sizes = [tables.pairs.0.len(), tables.networks.0.len(), tables.accounts.0.len(), tables.told.len()];
    assert_eq!(sizes, [MOST; 4]);
    assert!(!tables.networks.0.contains_key(&IpAddr::from([0, 0, 0, 0])), "the oldest has made room");
}

#[test]
fn refusals_are_told_once_a_minute_for_each_network() {
    let slowing = Slowing::default();
    let ada = attempt("ada@example.com", "192.0.2.1");
    assert!(slowing.worth_telling(&ada, NOW));
    assert!(!slowing.worth_telling(&attempt("bob@example.com", "192.0.2.1"), NOW + Duration::from_secs(59)));
    assert!(slowing.worth_telling(&attempt("ada@example.com", "192.0.2.2"), NOW));
    assert!(slowing.worth_telling(&ada, NOW + Duration::from_mins(1)));
}
