//! A server in a process of its own whose wall clock is set while it runs: a day ahead, a day back, again and again.

use std::sync::Arc;
use std::time::Duration;

use postrider::clock::Stopwatch;
use serde_json::{Value, json};

use crate::support::app::text;
use crate::support::process::{PATIENCE, until};
use crate::support::receiver::{Received, Receiver, Reply};
use crate::support::server::Server;

use super::DAY_MS;
use super::wall::Wall;

const HOUR_MS: i64 = DAY_MS / 24;
/// The wait before a retry here, without the 0 to 10 % on top.
const WAIT: Duration = Duration::from_secs(2);
/// A moment that a server and this test read one after the other.
const NEAR_MS: i64 = 20_000;

/// A server with an endpoint that retries after [`WAIT`], at the root of the receiver; the endpoint.
fn start(wall: &Wall, receiver: &Receiver) -> (Server, String) {
    start_with(wall, receiver, WAIT)
}

/// The same with another wait.
fn start_with(wall: &Wall, receiver: &Receiver, wait: Duration) -> (Server, String) {
    let server = wall.server().start();
    let endpoint = server.endpoint(&receiver.url("/"), &json!({ "retry_schedule": [wait.as_secs()] }));
    (server, endpoint)
}

fn published(server: &Server, number: usize) -> Value {
    server.publish(&json!({ "n": number })).expect(202).json()
}

/// Fails unless this moment of an answer is near what the wall clock shows.
#[track_caller]
fn assert_near(wall: &Wall, ms: i64) {
    let away = (wall.now().0 - ms).abs();
    assert!(away < NEAR_MS, "{away} ms from what the wall clock shows");
}

fn parsed(answer: &Value, field: &str) -> i64 {
    postrider::domain::time::UnixMs::parse(&text(answer, field)).expect("a time").0
}

/// Waits for the second of two attempts, which comes neither early nor, by hours, late.
#[track_caller]
fn assert_retried_in_time(receiver: &Receiver, first: usize) {
    let requests = receiver.wait_for(first + 2);
    let waited = requests[first + 1].at.saturating_sub(requests[first].at);
    assert!(waited >= WAIT, "early: after {waited:?}");
    assert!(waited < PATIENCE, "late: after {waited:?}");
}

#[test]
fn a_retry_is_neither_early_nor_late_when_the_wall_clock_jumps() {
    let (wall, receiver) = (Wall::new(), Receiver::start());
    let (server, _) = start(&wall, &receiver);
    for (number, jump) in [DAY_MS, -DAY_MS, -DAY_MS, 40 * 365 * DAY_MS].into_iter().enumerate() {
        receiver.reply(Reply::status(500));
        let event = published(&server, number);
        receiver.wait_for(2 * number + 1);
        wall.jump(jump);
        assert_retried_in_time(&receiver, 2 * number);
        let delivered = server.wait_for_status(&event, "delivered");
        assert_near(&wall, parsed(&delivered, "delivered_at"));
    }
    server.stop();
}

#[test]
fn a_retry_is_in_time_while_the_wall_clock_jumps_to_and_fro() {
    let (wall, receiver) = (Wall::new(), Receiver::start());
    let (server, _) = start(&wall, &receiver);
    receiver.reply(Reply::status(500));
    published(&server, 0);
    receiver.wait_for(1);
    let attempts = || -> Vec<Arc<Received>> {
        receiver.received().into_iter().filter(|request| request.json()["data"]["n"] == 0).collect()
    };
    let watch = Stopwatch::start();
    let mut jumps = [DAY_MS, -DAY_MS - 1_500].into_iter().cycle();
    while attempts().len() < 2 {
        assert!(watch.elapsed() < PATIENCE, "late");
        wall.jump(jumps.next().expect("there is always one more"));
        // Each jump is one that a commit has seen.
        published(&server, 1);
    }
    let waited = attempts()[1].at.saturating_sub(attempts()[0].at);
    assert!(waited >= WAIT, "early: after {waited:?}");
    server.stop();
}

#[test]
fn a_jump_that_was_seen_is_known_to_the_next_server_after_a_kill() {
    // Before the retry, all that is up to the kill has its time.
    let wait = Duration::from_secs(15);
    for jump in [DAY_MS, -DAY_MS] {
        let (wall, receiver) = (Wall::new(), Receiver::start());
        let (mut server, _) = start_with(&wall, &receiver, wait);
        receiver.reply(Reply::status(500));
        let event = published(&server, 0);
        // What the receiver has answered is lost with the kill until it is written down, and sent again at once.
        until("the outcome", PATIENCE, || {
            let list = server.get(&format!("/events/{}/deliveries", text(&event, "id")));
            (list["data"][0]["attempts"] == 1).then_some(())
        });
        wall.jump(jump);
        // Its commit carries the jump.
        published(&server, 1);
        receiver.wait_for(2);
        server.process.kill();
        let server = wall.server().start();
        let retried = until("the retry", PATIENCE, || {
            let requests = receiver.received();
            requests[2..].iter().find(|request| request.json()["data"]["n"] == 0).cloned()
        });
        let waited = retried.at.saturating_sub(receiver.received()[0].at);
        assert!(waited >= wait, "early: after {waited:?}");
        server.stop();
    }
}

#[test]
fn ids_only_grow_and_lists_stay_in_order_over_jumps_and_a_kill() {
    let (wall, receiver) = (Wall::new(), Receiver::start());
    let (mut server, _) = start(&wall, &receiver);
    let mut published_ids = Vec::new();
    for (number, jump) in [0, -DAY_MS, -DAY_MS, 4 * DAY_MS, -HOUR_MS, -7 * DAY_MS].into_iter().enumerate() {
        wall.jump(jump);
        if number % 2 == 1 {
            server.process.kill();
            server = wall.server().start();
        }
        let event = published(&server, number);
        assert_near(&wall, parsed(&event, "created_at"));
        published_ids.push(text(&event, "id"));
        server.wait_for_status(&event, "delivered");
    }
    assert!(published_ids.is_sorted_by(|one, next| one < next), "{published_ids:?}");
    published_ids.reverse();
    let ids = |list: &Value| -> Vec<String> {
        list["data"].as_array().expect("a list").iter().map(|row| text(row, "id")).collect()
    };
    assert_eq!(ids(&server.get("/events")), published_ids);
    // Page by page it is the same.
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("/events?limit=2{cursor}"));
        paged.extend(ids(&page));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, published_ids);
    let deliveries = ids(&server.get("/deliveries"));
    assert!(deliveries.is_sorted_by(|one, next| one > next), "{deliveries:?}");
    server.stop();
}

#[test]
fn a_pause_lasts_as_long_as_its_endpoint_asked_whatever_the_wall_clock_shows() {
    let (wall, receiver) = (Wall::new(), Receiver::start());
    let (server, _) = start(&wall, &receiver);
    let pause = Duration::from_secs(3);
    for (round, jump) in [DAY_MS, -2 * DAY_MS].into_iter().enumerate() {
        // The second time as a date, which is one of the wall clock and has no fractions of a second.
        let date = (wall.now().plus(2 * pause).0 / 1_000).unsigned_abs();
        let as_date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(date));
        let asked = if round == 0 { pause.as_secs().to_string() } else { as_date };
        receiver.reply(Reply::status(429).header("Retry-After", &asked));
        let before = receiver.count();
        let event = published(&server, round);
        let paused_at = receiver.wait_for(before + 1)[before].at;
        // What is left of it once the request is there, which it may be late.
        let left =
            Duration::from_secs(date).saturating_sub(Duration::from_millis(wall.now().0.unsigned_abs()));
        server.wait_for_status(&event, "pending");
        until("the pause to be known", PATIENCE, || {
            let list = server.get(&format!("/events/{}/deliveries", text(&event, "id")));
            (list["data"][0]["status_code"] == 429).then_some(())
        });
        wall.jump(jump);
        let other = published(&server, 10 + round);
        for event in [&event, &other] {
            server.wait_for_status(event, "delivered");
        }
        let least = if round == 0 { pause } else { left };
        for request in &receiver.received()[before + 1..] {
            let waited = request.at.saturating_sub(paused_at);
            assert!(waited >= least, "{waited:?} after it was asked to wait for {asked}");
        }
    }
    server.stop();
}

#[test]
fn idempotency_keys_live_for_a_day_of_the_wall_clock() {
    let (wall, receiver) = (Wall::new(), Receiver::start());
    let (server, _) = start(&wall, &receiver);
    let publish = || {
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "once")];
        let body = json!({ "type": "it.happened", "data": { "n": 1 } }).to_string();
        let answer =
            server.client.request("POST", "/api/v1/events", &headers, Some(body.as_bytes())).expect(202);
        let replayed = answer.header("idempotent-replayed") == Some("true");
        (text(&answer.json(), "id"), replayed)
    };
    let (first, replayed) = publish();
    assert!(!replayed);
    // A clock that is set back remembers longer; it forgets nothing.
    for jump in [23 * HOUR_MS, -3 * DAY_MS, 3 * DAY_MS] {
        wall.jump(jump);
        assert_eq!(publish(), (first.clone(), true), "after a jump by {jump}");
    }
    wall.jump(2 * HOUR_MS);
    let (second, replayed) = publish();
    assert!(!replayed && second != first, "a day has passed");
    assert_eq!(publish(), (second, true));
    server.stop();
}

#[test]
fn signatures_carry_the_time_of_the_wall_clock() {
    let (wall, receiver) = (Wall::new(), Receiver::start());
    let server = wall.server().start();
    let fields = json!({ "url": receiver.url("/"), "events": ["*"] });
    let endpoint = server.post("/endpoints", &fields).expect(201).json();
    let secret = text(&endpoint, "secret");
    for (number, jump) in [DAY_MS, -2 * DAY_MS, DAY_MS].into_iter().enumerate() {
        wall.jump(jump);
        published(&server, number);
        let request = Arc::clone(&receiver.wait_for(number + 1)[number]);
        let seconds: i64 = request.header("webhook-timestamp").expect("a time").parse().expect("a number");
        assert_near(&wall, seconds * 1_000);
        let webhook = standardwebhooks::Webhook::new(&secret).expect("a secret");
        let id = request.header("webhook-id").expect("an id");
        let signed = webhook.sign(id, seconds, &request.body).expect("a signature");
        assert_eq!(request.header("webhook-signature"), Some(&*signed), "over the time that it carries");
    }
    server.stop();
}

#[test]
fn the_cleanup_waits_where_the_wall_clock_may_be_wrong() {
    const WAITS: &str = "a cleanup waits";
    let (wall, receiver) = (Wall::new(), Receiver::start());
    let (server, _) = start(&wall, &receiver);
    let settings = json!({ "cleanup_schedule": "* * * * * *", "retention_days": 1 });
    server.client.send_json("PATCH", "/api/v1/settings", &settings).expect(200);
    let is_there =
        |event: &Value| server.client.get(&format!("/api/v1/events/{}", text(event, "id"))).status == 200;
    let cleanups = || {
        let list = server.get("/cleanups?limit=250");
        list["data"].as_array().expect("a list").iter().filter(|row| row["ended_at"].is_string()).count()
    };
    let cleaned_once_more = || {
        let so_far = cleanups();
        until("another cleanup", PATIENCE, || (cleanups() > so_far).then_some(()));
    };
    let delivered = |number| {
        let event = published(&server, number);
        server.wait_for_status(&event, "delivered");
        cleaned_once_more();
        event
    };

    // A day or so ahead is believed.
    let event = delivered(1);
    wall.jump(25 * HOUR_MS);
    until("what is old to go", PATIENCE, || (!is_there(&event)).then_some(()));

    // Back again: nothing is old, and the cleanups go on.
    let event = delivered(2);
    wall.jump(-5 * DAY_MS);
    cleaned_once_more();
    cleaned_once_more();
    assert!(is_there(&event));

    // Days ahead is not believed, until somebody says that it is right.
    wall.jump(8 * DAY_MS);
    server.process.wait_for_log(WAITS, 1);
    let so_far = cleanups();
    for number in 3..6 {
        // The writer has looked at the clock again.
        server.wait_for_status(&published(&server, number), "delivered");
    }
    assert_eq!(cleanups(), so_far);
    assert!(is_there(&event), "it looks old, and yet it may not be");
    let gone = || {
        let list = server.get("/cleanups?limit=250");
        list["data"].as_array().expect("a list").iter().filter_map(|row| row["events"].as_u64()).sum::<u64>()
    };
    let before = gone();
    server.post("/cleanups", &json!({})).expect(200);
    // It may be the one that has waited, and goes first, that finds it.
    assert!(gone() > before && !is_there(&event));
    cleaned_once_more();
    cleaned_once_more();
    server.stop();
}
