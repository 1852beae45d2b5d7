//! With systemd, or what stands for it: started, upgraded while it runs, and brought back.

use std::fs;
use std::path::Path;

use super::interrupted::systemctl;
use super::place::Place;
use crate::support::client::Client;
use crate::support::server::Server;

/// A client on the socket of the running service.
fn local(place: &Place) -> Client {
    Client::unix(place.data().join("postrider.sock"))
}

/// How many events the running service knows.
#[track_caller]
pub(super) fn events(place: &Place) -> usize {
    local(place).get("/api/v1/events").expect(200).json()["data"].as_array().expect("a list").len()
}

#[track_caller]
fn publish(place: &Place) {
    local(place).post("/api/v1/events", &serde_json::json!({ "type": "order.paid", "data": 1 })).expect(202);
}

fn run(place: &Place, version: &Path) -> super::place::Ran {
    place.run(&["--binary", version.to_str().expect("a path")])
}

#[test]
fn a_first_install_starts_the_service_and_prints_the_setup_link_and_three_steps() {
    let place = Place::with_systemd();
    let out = place.install(&place.version("0.0.1"));
    assert!(out.contains("Postrider runs"), "{out}");
    let link = out.lines().find_map(|line| line.trim().strip_prefix("1. ")).expect("a first step");
    let path =
        link.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.split_once('/')).expect("a link").1;
    let page = local(&place).get(&format!("/{path}")).expect(200);
    let page = page.text();
    assert!(page.contains("<form"), "{page}");
    assert!(out.contains("ssh -L 8383:127.0.0.1:8383 "), "{out}");
    assert!(out.contains("2. Make a key") && out.contains("3. Put it behind"), "{out}");
    assert!(place.at("run/fake-systemd/enabled").exists(), "also after the next start of the machine");
    place.done(&["--uninstall"]);
    assert!(!place.data().join("postrider.sock").exists(), "it is stopped");
    assert!(!place.at("run/fake-systemd/enabled").exists() && place.data().join("postrider.db").exists());
}

#[test]
fn an_upgrade_loses_no_event_whether_the_new_version_is_good_or_not() {
    let place = Place::with_systemd();
    place.install(&place.version("0.0.1"));
    publish(&place);
    let ran = run(&place, &place.version("0.0.2"));
    assert!(ran.code == Some(0) && ran.out.contains("postrider 0.0.2 is ready"), "{ran:?}");
    assert_eq!((place.installed().as_str(), events(&place)), ("postrider 0.0.2", 1));
    publish(&place);

    let broken = place.program("9.9.9", "printf ruined >\"$POSTRIDER_DATA/postrider.db\"; exit 1");
    let ran = run(&place, &broken);
    assert!(ran.code == Some(1) && ran.err.contains("postrider 9.9.9 did not become ready"), "{ran:?}");
    assert!(ran.out.contains("Ctrl-C goes back to the old version."), "{ran:?}");
    assert!(ran.out.contains("What the new one said: journalctl -u postrider"), "{ran:?}");
    assert!(ran.out.contains("postrider 0.0.2 is in place.\nIt is ready."), "{ran:?}");
    assert_eq!((place.installed().as_str(), events(&place)), ("postrider 0.0.2", 2));
    place.is_tidy();
    publish(&place);
}

#[test]
fn data_that_another_server_has_open_is_not_purged() {
    let place = Place::with_systemd();
    place.install(&place.version("0.0.1"));
    systemctl(&place, "stop");
    // By hand, or by a unit of another name.
    let server = Server::on(&place.data());
    let (words, typed) = (["--uninstall", "--purge"], format!("delete {}\n", place.data().display()));
    let ran = place.answer(&words, &typed);
    let says = format!("another server than the service's runs on {}", place.data().display());
    assert!(ran.code == Some(1) && ran.err.contains(&says), "{ran:?}");
    assert!(ran.err.contains("the service is stopped, and starts with this machine as before"), "{ran:?}");
    assert!(place.at("run/fake-systemd/enabled").exists(), "it does");
    server.publish(&serde_json::json!(1)).expect(202);
    server.stop();
    assert!(place.bin().exists() && place.data().join("postrider.db").exists());
    let ran = place.answer(&words, &typed);
    assert!(ran.code == Some(0) && !place.data().exists(), "{ran:?}");
}

#[test]
fn a_changed_unit_comes_with_the_upgrade_and_goes_back_with_it() {
    let place = Place::with_systemd();
    place.install(&place.version("0.0.1"));
    let unit = place.at("etc/systemd/system/postrider.service");
    let ours = fs::read_to_string(&unit).expect("a unit");
    let old = ours.replace("WatchdogSec=60", "WatchdogSec=61");
    fs::write(&unit, &old).expect("a unit");
    let ran = run(&place, &place.program("9.9.9", "exit 1"));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(fs::read_to_string(&unit).expect("a unit"), old);
    assert_eq!(fs::read_to_string(place.at("run/fake-systemd/loaded")).expect("a unit"), old);
    let ran = run(&place, &place.version("0.0.1"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(fs::read_to_string(&unit).expect("a unit"), ours);
}
