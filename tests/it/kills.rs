//! SIGKILL at random moments, under load and while people change things: nothing that was acknowledged is lost, and
//! little is sent twice.
//!
//! Every kill ends one server; the next one starts on what it has left. The seed of the random choices is printed;
//! `POSTRIDER_TEST_SEED` sets it.

mod file;
mod history;
mod judge;
mod keys;
mod line;
mod operators;
mod publishers;
mod switches;
mod tally;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use postrider::clock::Stopwatch;
use postrider::random::{Random, SeededRandom, SystemRandom};
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::length::short_or_long;
use crate::support::process::{self, Process};
use crate::support::receiver::{Receiver, Reply};
use crate::support::server::{Server, Start};

use file::File;
use judge::Story;
use line::Line;
use operators::{Done, Operator};
use publishers::Publishers;
use switches::Switched;
use tally::{Kill, Track};

/// Requests of the receiver, or answers to publishers, until the next kill at most.
const STEPS: usize = 60;
/// Every so many requests on `/flaky` one is answered with 500.
const FLAKY: usize = 3;
/// Outcomes that may wait for their commit.
const OUTCOMES: usize = 256;
/// Requests that may arrive while another is answered.
const OVERTAKEN: usize = 100;
/// Until the next thing that has to come has come, or all that is pending is over.
const PATIENCE: Duration = Duration::from_mins(1);

/// The endpoints: path, what they subscribe to, and their retries.
const ENDPOINTS: &[(&str, &str, &[u32])] = &[
    ("/fast", "*", &[1; 12]),
    ("/flaky", "*", &[1; 12]),
    ("/slow", "number.odd", &[1; 12]),
    ("/even", "number.even", &[1; 12]),
    // Disabled and enabled all the time; what is held is delivered, or discarded, or never made.
    ("/held", "*", &[1; 12]),
    ("/discarded", "*", &[1; 12]),
    ("/skipped", "number.even", &[1; 12]),
    // Disabled for good.
    ("/frozen", "number.even", &[1; 12]),
    // Answers 500 at once, and what has failed is retried by hand.
    ("/failing", "number.rare", &[]),
    // Answers 500 and waits for a day, unless somebody cancels the delivery or sends it now.
    ("/waiting", "number.rare", &[86_400]),
    // What was delivered is sent again.
    ("/again", "number.rare", &[1; 12]),
];

fn receiver() -> Receiver {
    let receiver = Receiver::start();
    for _ in 0..short_or_long(4_000, 100_000) {
        receiver.reply_on("/flaky", Reply::status(500));
        for _ in 1..FLAKY {
            receiver.reply_on("/flaky", Reply::ok());
        }
    }
    receiver.always_on("/slow", Reply::ok().trickle(Duration::from_millis(1)));
    receiver.always_on("/failing", Reply::status(500));
    receiver.always_on("/waiting", Reply::status(500));
    receiver
}

fn make_endpoints(server: &Server, receiver: &Receiver) -> BTreeMap<&'static str, String> {
    server.client.send_json("PATCH", "/api/v1/settings", &json!({ "endpoint_limit": 20 })).expect(200);
    let made = ENDPOINTS.iter().map(|(path, events, retries)| {
        let while_disabled = if *path == "/skipped" { "skip" } else { "hold" };
        let fields = json!({ "events": [events], "retry_schedule": retries, "while_disabled": while_disabled,
                "timeout_seconds": 30,
                "enabled": *path != "/frozen" });
        (*path, server.endpoint(&receiver.url(path), &fields))
    });
    made.collect()
}

/// Lets the server work until something random has happened.
fn work(random: &SeededRandom, receiver: &Receiver, line: &Line) {
    // Some live longer, so that what takes long comes to an end as well.
    let longer = if random.u32().is_multiple_of(8) { short_or_long(3, 10) } else { 1 };
    let steps = random.u32() as usize % STEPS * longer;
    match random.u32() % 4 {
        0 => line.wait_for_more(steps),
        1 => {
            receiver.wait_for_path("/fast", receiver.count_on("/fast") + steps);
        }
        2 => {
            receiver.wait_for(receiver.count() + steps);
        }
        _ => std::thread::park_timeout(Duration::from_millis(u64::from(random.u32() % 100))),
    }
}

/// How many requests the receiver had got when all that the dead server had sent was there, and how many were
/// without an answer.
fn kill(process: &mut Process, receiver: &Receiver, server: usize) -> Kill {
    let in_flight = receiver.in_flight();
    process.kill();
    // Connections are accepted in order: behind this one there is none of the server's.
    Client::tcp(receiver.address()).get("/fence");
    receiver.wait_disconnected();
    Kill { server, received: receiver.count(), in_flight }
}

/// Kills one server after the other; the last one that was started.
fn kill_again_and_again(
    mut server: Server,
    data: &Path,
    random: &SeededRandom,
    (receiver, line): (&Receiver, &Line),
) -> (Server, Vec<Kill>) {
    let mut kills = Vec::new();
    for round in 0..short_or_long(24, 200) {
        work(random, receiver, line);
        kills.push(kill(&mut server.process, receiver, round));
        if round % 4 == 0 {
            // Once more while it starts.
            let mut starting = Start::on(data).spawn();
            std::thread::park_timeout(Duration::from_millis(u64::from(random.u32() % 40)));
            kills.push(kill(&mut starting, receiver, round));
        }
        server = Server::on(data);
        line.turn_to(&server.client);
    }
    (server, kills)
}

/// The people who change things meanwhile.
struct Crew {
    switches: Vec<JoinHandle<Switched>>,
    retries: JoinHandle<Vec<(Done, String)>>,
    repeats: JoinHandle<Vec<(Done, String)>>,
    decisions: JoinHandle<(Vec<Done>, Vec<Done>)>,
    tests: JoinHandle<usize>,
    changes: JoinHandle<Vec<Done>>,
    deletions: JoinHandle<Vec<(Done, String)>>,
    keys: JoinHandle<Vec<keys::Key>>,
    cleanups: JoinHandle<history::Cleaned>,
}

impl Crew {
    fn start(
        line: &Arc<Line>,
        receiver: &Arc<Receiver>,
        endpoints: &BTreeMap<&'static str, String>,
        random: &SeededRandom,
    ) -> Self {
        let operator = || Operator::new(line, receiver, u64::from(random.u32()));
        let id = |path: &str| endpoints[path].clone();
        let (failing, tested, again, waiting, fast) =
            (id("/failing"), id("/failing"), id("/again"), id("/waiting"), id("/fast"));
        let switch = |(path, held): (&'static str, &'static str)| {
            switches::start(line, receiver, u64::from(random.u32()), (path, id(path)), held)
        };
        Self {
            switches: [("/held", "deliver"), ("/discarded", "discard"), ("/skipped", "deliver")]
                .map(switch)
                .into(),
            retries: operator().start(move |person| person.retry(&failing, "failed")),
            repeats: operator().start(move |person| person.retry(&again, "delivered")),
            decisions: operator().start(move |person| person.give_up_or_hurry(&waiting)),
            tests: operator().start(move |person| person.test(&tested)),
            changes: operator().start(move |person| person.change(&fast)),
            deletions: operator().start(Operator::make_and_delete),
            keys: operator().start(keys::make_and_revoke),
            cleanups: operator().start(history::clean),
        }
    }
}

fn joined<T>(thread: JoinHandle<T>) -> T {
    thread.join().expect("somebody who has not failed")
}

fn seed() -> u64 {
    let seed =
        std::env::var("POSTRIDER_TEST_SEED").ok().map(|text| text.parse().expect("a number as the seed"));
    let seed = seed.unwrap_or_else(|| u64::from(SystemRandom::new().expect("randomness").u32()));
    println!("POSTRIDER_TEST_SEED={seed}");
    seed
}

#[test]
fn kills_lose_nothing_and_repeat_only_what_was_in_flight() {
    let watch = Stopwatch::start();
    let random = SeededRandom::new(seed());
    let receiver = Arc::new(receiver());
    let past = history::make(&receiver);
    let data = past.data();
    let server = Server::on(&data);
    let endpoints = make_endpoints(&server, &receiver);
    let line = Arc::new(Line::new(&server.client));
    let publishers = Publishers::start(&line);
    let crew = Crew::start(&line, &receiver, &endpoints, &random);
    let (server, kills) = kill_again_and_again(server, &data, &random, (&receiver, &line));
    line.finish();
    let events = publishers.finish();
    let (canceled, hurried) = joined(crew.decisions);
    let story = Story {
        events,
        kills,
        switched: crew.switches.into_iter().map(joined).collect(),
        retried: joined(crew.retries),
        repeated: joined(crew.repeats),
        canceled,
        hurried,
        changes: joined(crew.changes),
        deleted: joined(crew.deletions),
        endpoints,
    };
    let (tests, cleaned) = (joined(crew.tests), joined(crew.cleanups));
    let keys = joined(crew.keys);
    let revoked = keys::assert_all_hold(&Operator::new(&line, &receiver, 0), &keys);

    let mut tracks = wait_until_all_came(&story, &receiver);
    let twice = tally::assert_only_what_was_in_flight_was_repeated(
        tracks
            .iter()
            .filter(|(path, _)| !["/failing", "/waiting", "/again"].contains(path))
            .map(|(_, track)| track),
        &story.kills,
    );
    wait_until_nothing_is_pending(&server, &story.endpoints["/waiting"]);
    publishers::assert_every_key_holds(&line, &story.events);
    for switched in &story.switched {
        switched.assert_held(&receiver, &story.kills);
    }
    story.assert_operators_obeyed(&tracks, &receiver);
    server.stop();

    let file = File::open(&data);
    file.check();
    story.assert_rows_agree(&file, &tracks);
    check_numbers(&file, &story, tests, cleaned);
    drop(file);
    assert_what_was_held_is_delivered(&Server::on(&data), &story, &receiver, &mut tracks);
    println!(
        "{} kills in {:?}: {} events, {} requests, {} in flight at the kills, {twice} sent twice; {} switches, {} \
         retries, {} cancels, {} changes, {} endpoints made and deleted, {tests} tests, {} keys of which {revoked} \
         revoked, {} bands cleaned",
        story.kills.len(),
        watch.elapsed(),
        story.events.len(),
        receiver.count(),
        story.kills.iter().map(|kill| kill.in_flight).sum::<usize>(),
        story.switched.iter().map(|switched| switched.windows.len()).sum::<usize>(),
        story.retried.len() + story.repeated.len() + story.hurried.len(),
        story.canceled.len(),
        story.changes.len(),
        story.deleted.len(),
        keys.len(),
        cleaned.for_certain,
    );
}

fn wait_until_all_came(story: &Story, receiver: &Receiver) -> BTreeMap<&'static str, Track> {
    let tracks = ENDPOINTS.iter().map(|(path, pattern, _)| {
        let mut track = Track::of(path);
        let mut expected = story.expected(path, pattern);
        if *path == "/failing" {
            // Test calls come there as well.
            let ids = receiver.received_on(path);
            expected
                .may
                .extend(ids.iter().map(|request| request.header("webhook-id").expect("an id").to_owned()));
        }
        track.wait_until_complete(receiver, &expected);
        (*path, track)
    });
    tracks.collect()
}

/// One that was sent twice may have had a 500 the second time.
fn wait_until_nothing_is_pending(server: &Server, but_for: &str) {
    process::until("nothing to be pending", PATIENCE, || {
        let pending = server.get("/deliveries?status=pending&limit=250");
        let elsewhere = |row: &Value| row["endpoint_id"] != but_for || row["attempts"] == 0;
        let rows = pending["data"].as_array().expect("a list");
        (!rows.iter().any(elsewhere)).then_some(())
    });
}

fn check_numbers(file: &File, story: &Story, tests: usize, cleaned: history::Cleaned) {
    let count = |sql: &str| usize::try_from(file.number(sql)).expect("a count");
    let published = "FROM events WHERE type LIKE 'number.%'";
    assert_eq!(count(&format!("SELECT count(*) {published}")), story.events.len(), "one event for each key");
    assert_eq!(count(&format!("SELECT count(DISTINCT idempotency_key) {published}")), story.events.len());
    assert!(count("SELECT count(*) FROM deliveries WHERE made = 2") >= tests, "tests that were answered");
    let repeats: std::collections::BTreeSet<_> = story.repeated.iter().map(|(_, sent)| sent).collect();
    assert!(count("SELECT count(*) FROM deliveries WHERE made = 1 AND state = 1") >= repeats.len());
    let (certain, possible) = history::left(cleaned);
    for band in 0..possible.end {
        let left = count(&format!("SELECT count(*) FROM events WHERE type = 'old.band{band}'"));
        assert!(left == 0 || possible.contains(&band), "band {band} was cleaned away, and {left} are left");
        assert!(
            left == history::BAND || !certain.contains(&band),
            "band {band} is young, and {left} are left"
        );
    }
    assert!(cleaned.for_certain > 0, "no cleanup was done");
}

/// What was held over all the kills comes when its endpoint is enabled.
fn assert_what_was_held_is_delivered(
    server: &Server,
    story: &Story,
    receiver: &Receiver,
    tracks: &mut BTreeMap<&'static str, Track>,
) {
    let (path, pattern, _) = ENDPOINTS.iter().find(|(path, ..)| *path == "/frozen").expect("it is there");
    assert_eq!(receiver.count_on(path), 0, "it was disabled all the time");
    server.post(&format!("/endpoints/{}/enable", story.endpoints[path]), &json!({})).expect(200);
    let mut expected = tally::Expected::default();
    let matching = story.events.iter().filter(|event| event.event_type == *pattern);
    expected.must.extend(matching.map(|event| event.id.clone()));
    tracks.get_mut(path).expect("its track").wait_until_complete(receiver, &expected);
}
