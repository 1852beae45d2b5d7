//! `--domain`: a site for the proxy that is there.

use std::fs;
use std::process::Command;

use super::place::Place;
use crate::support::guide::output;

fn with_folder(folder: &str) -> Place {
    let place = Place::new();
    fs::create_dir_all(place.at(folder)).expect("a folder");
    place
}

#[track_caller]
fn install(place: &Place) -> String {
    let version = place.version("0.0.1");
    place.done(&["--domain", "hooks.example.com", "--binary", version.to_str().expect("a path")])
}

#[test]
fn without_a_proxy_it_says_which_to_install() {
    let place = Place::new();
    let version = place.version("0.0.1");
    let ran = place.run(&["--domain", "hooks.example.com", "--binary", version.to_str().expect("a path")]);
    assert!(ran.code == Some(1) && ran.err.contains("neither Caddy nor nginx"), "{ran:?}");
    assert!(!place.at("etc").exists() && !place.at("usr").exists(), "it is told before anything is written");
}

#[test]
fn nginx_gets_a_site_that_it_accepts_and_the_options_know_of_it() {
    let place = with_folder("etc/nginx/sites-enabled");
    let out = install(&place);
    assert!(
        out.contains("nginx -t && systemctl reload nginx; for TLS: certbot --nginx -d hooks.example.com"),
        "{out}"
    );
    let site = place.at("etc/nginx/sites-enabled/postrider");
    let text = fs::read_to_string(&site).expect("a link that leads somewhere");
    assert!(
        text.contains("server_name hooks.example.com;") && text.contains("proxy_pass http://127.0.0.1:8383;"),
        "{text}"
    );
    let main = place.at("nginx.conf");
    // Nothing of the machine's own, which the user of the tests may not touch.
    let folders =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|name| format!("{name}_temp_path {name};"));
    let events = format!(
        "pid nginx.pid; error_log stderr; events {{}} http {{ access_log off; {} include {}; }}",
        folders.concat(),
        site.display()
    );
    fs::write(&main, events).expect("a file");
    output(
        Command::new("/usr/sbin/nginx").arg("-t").arg("-q").arg("-p").arg(place.at("")).arg("-c").arg(&main),
    );

    let options = fs::read_to_string(place.at("etc/postrider/postrider.env")).expect("options");
    for line in
        ["POSTRIDER_PUBLIC_URL=https://hooks.example.com", "POSTRIDER_TRUSTED_PROXY=127.0.0.1/32,::1/128"]
    {
        assert!(options.lines().any(|there| there == line), "{line} is not in {options}");
    }
    let changed = format!("{text}# certbot was here");
    fs::write(&site, &changed).expect("a file");
    assert!(install(&place).contains("is there already and stays as it is"));
    assert_eq!(fs::read_to_string(&site).expect("a file"), changed);
    let out = place.done(&["--uninstall"]);
    assert!(out.contains("etc/nginx/sites-available/postrider stays: remove it"), "{out}");
}

#[test]
fn caddy_gets_a_site_and_comes_before_nginx() {
    let place = with_folder("etc/nginx/sites-enabled");
    fs::create_dir_all(place.at("etc/caddy")).expect("a folder");
    let out = install(&place);
    let (proxy, key) =
        (out.find("2. To reach it at https://hooks.example.com: add"), out.find("3. Make a key"));
    assert!(proxy.is_some() && key > proxy && out.contains("import postrider.caddyfile"), "{out}");
    let text = fs::read_to_string(place.at("etc/caddy/postrider.caddyfile")).expect("a file");
    assert!(text.contains("hooks.example.com {") && text.contains("reverse_proxy 127.0.0.1:8383"), "{text}");
    assert!(!place.at("etc/nginx/sites-enabled/postrider").exists());
}

#[test]
fn a_site_of_another_name_stays_and_is_not_said_to_be_reached_by_the_new_one() {
    for (folder, site) in [("etc/caddy", "postrider.caddyfile"), ("etc/nginx", "conf.d/postrider.conf")] {
        let place = with_folder(folder);
        install(&place);
        let before = fs::read(place.at(folder).join(site)).expect("a file");
        let version = place.version("0.0.1");
        for other in ["other.example.com", "example.com", "ooks.example.com", "hooks.example"] {
            let ran = place.run(&["--domain", other, "--binary", version.to_str().expect("a path")]);
            assert!(ran.err.contains(&format!("for another name than {other}")), "{ran:?}");
            assert!(!ran.out.contains("To reach it"), "{ran:?}");
        }
        assert!(fs::read(place.at(folder).join(site)).expect("a file") == before, "{site}");
        assert!(install(&place).contains("To reach it at https://hooks.example.com"), "{site}");
    }
}

#[test]
fn with_systemd_the_proxy_comes_before_the_link_that_leads_through_it() {
    let place = Place::with_systemd();
    fs::create_dir_all(place.at("etc/caddy")).expect("a folder");
    let out = install(&place);
    assert!(out.contains("1. To reach it at https://hooks.example.com: add the line"), "{out}");
    assert!(out.contains("2. https://hooks.example.com/setup/") && out.contains("3. Make a key"), "{out}");
    assert!(!out.contains("Put it behind") && !out.contains("ssh -L"), "{out}");
}

#[test]
fn a_server_that_listens_everywhere_is_reached_on_this_machine() {
    let place = with_folder("etc/caddy");
    fs::create_dir_all(place.at("etc/postrider")).expect("a folder");
    for (listen, near) in [("0.0.0.0:8400", "127.0.0.1:8400"), ("[::]:8400", "[::1]:8400")] {
        fs::write(place.at("etc/postrider/postrider.env"), format!("POSTRIDER_LISTEN={listen}\n"))
            .expect("a file");
        assert!(install(&place).contains(&format!("Manual: http://{near}/docs")), "{listen}");
        let site = place.at("etc/caddy/postrider.caddyfile");
        assert!(fs::read_to_string(&site).expect("a site").contains(&format!("reverse_proxy {near}")));
        fs::remove_file(site).expect("a site");
    }
}

#[test]
fn options_that_are_there_already_stay_and_what_to_write_is_said() {
    let place = with_folder("etc/caddy");
    place.install(&place.version("0.0.1"));
    let options = place.at("etc/postrider/postrider.env");
    let before = fs::read(&options).expect("options");
    let out = install(&place);
    assert!(
        out.contains("POSTRIDER_PUBLIC_URL=https://hooks.example.com and POSTRIDER_TRUSTED_PROXY"),
        "{out}"
    );
    assert!(fs::read(&options).expect("options") == before);
}
