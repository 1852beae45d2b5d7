//! Where an endpoint may lead, looked at when it is saved.

use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::client::Response;
use crate::support::problem::{code, fields};

/// A server with the rules of production: no `--dev`.
fn strict() -> TestApp {
    TestApp::builder().with("POSTRIDER_DEV", "0").start()
}

fn create(app: &TestApp, url: &str) -> Response {
    app.post("/endpoints", &json!({ "url": url }))
}

/// The detail of a denial, which has to be one.
#[track_caller]
fn denied(answer: &Response, url: &str) -> String {
    assert_eq!(answer.status, 422, "{url}: {}", answer.text());
    assert_eq!((code(answer).as_str(), fields(answer)), ("target_denied", vec!["url".to_owned()]), "{url}");
    text(&answer.json(), "detail")
}

#[test]
fn literals_that_lead_inside_are_denied_in_every_spelling() {
    let app = strict();
    for (url, rule) in [
        ("https://127.0.0.1/", "127.0.0.0/8"),
        ("https://127.1/", "127.0.0.0/8"),
        ("https://2130706433/", "127.0.0.0/8"),
        ("https://0x7f000001/", "127.0.0.0/8"),
        ("https://0177.0.0.1/", "127.0.0.0/8"),
        ("https://0x7f.0.0.1:8443/", "127.0.0.0/8"),
        ("https://127.0.0.1./", "127.0.0.0/8"),
        ("https://127\u{3002}0\u{3002}0\u{3002}1/", "127.0.0.0/8"),
        ("https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/", "127.0.0.0/8"),
        ("https://%31%32%37.0.0.1/", "127.0.0.0/8"),
        ("https://0/", "0.0.0.0/8"),
        ("https://10.255.255.255/", "10.0.0.0/8"),
        ("https://100.64.0.1/", "100.64.0.0/10"),
        ("https://169.254.1.1/", "169.254.0.0/16"),
        ("https://172.31.0.1/", "172.16.0.0/12"),
        ("https://192.168.1.1:8443/", "192.168.0.0/16"),
        ("https://198.18.0.1/", "198.18.0.0/15"),
        ("https://224.0.0.1/", "224.0.0.0/4"),
        ("https://255.255.255.255/", "240.0.0.0/4"),
        ("https://[::1]/", "::1"),
        ("https://[0:0:0:0:0:0:0:1]/", "::1"),
        ("https://[fe80::1]/", "fe80::1"),
        ("https://[fd12::1]/", "fd12::1"),
        ("https://[2001:db8::1]/", "2001:db8::/32"),
        ("https://[2002:7f00:1::]/", "2002::/16"),
        ("https://[::ffff:127.0.0.1]/", "127.0.0.1"),
        ("https://[::ffff:7f00:1]/", "127.0.0.1"),
        ("https://[64:ff9b::10.0.0.1]/", "10.0.0.1"),
        ("https://[::ffff:9.9.9.9]/", "::ffff:"),
    ] {
        let detail = denied(&create(&app, url), url);
        assert!(detail.contains(rule) && detail.contains("--allow-net"), "{url}: {detail}");
    }
    assert!(app.list("/endpoints").is_empty());
}

#[test]
fn names_that_are_never_public_are_denied_early() {
    let app = strict();
    for url in [
        "https://localhost/",
        "https://LOCALHOST./",
        "https://a.localhost/",
        "https://printer.local/",
        "https://db.internal/",
        "https://DB.Internal./",
        "https://router.home.arpa/",
        "https://intranet/",
        "https://intranet.:8443/",
    ] {
        let detail = denied(&create(&app, url), url);
        assert!(detail.contains("--allow-net"), "{url}: {detail}");
    }
}

#[test]
fn one_denied_address_denies_the_name() {
    let app = strict();
    for url in ["https://mixed.test/", "https://MIXED.test./in", "https://inside.test/"] {
        let detail = denied(&create(&app, url), url);
        assert!(detail.contains("127.0.0.1") && detail.contains("127.0.0.0/8"), "{detail}");
    }
    let made = app.create_endpoint(&json!({ "url": "https://Public.TEST:443/in?a=b", "events": ["*"] }));
    assert_eq!((text(&made, "url").as_str(), &made["warnings"]), ("https://public.test/in?a=b", &json!([])));
    let path = format!("/endpoints/{}", text(&made, "id"));
    let refused = app.patch(&path, &json!({ "url": "https://mixed.test/", "description": "moved" }));
    denied(&refused, "a change");
    let kept = app.get(&path);
    assert_eq!((&kept["url"], &kept["description"]), (&made["url"], &json!("")));
}

#[test]
fn a_name_that_nobody_knows_is_saved_with_a_warning() {
    let app = strict();
    let warned = |made: &Value| {
        let warnings = made["warnings"].as_array().expect("warnings").clone();
        assert_eq!(warnings.len(), 1, "{made}");
        assert!(warnings[0].as_str().is_some_and(|text| text.contains("cannot be reached")), "{made}");
    };
    let made = app.create_endpoint(&json!({ "url": "https://nobody.example/", "events": ["*"] }));
    warned(&made);
    let path = format!("/endpoints/{}", text(&made, "id"));
    warned(&app.patch(&path, &json!({ "url": "https://neither.example/" })).expect(200).json());
    let calm = app.patch(&path, &json!({ "description": "x" })).expect(200).json();
    assert_eq!(calm["warnings"], json!([]), "nothing was looked up");
}

#[test]
fn metadata_addresses_are_denied_whatever_is_allowed() {
    let app =
        TestApp::builder().with("POSTRIDER_DEV", "0").with("POSTRIDER_ALLOW_NET", "0.0.0.0/0,::/0").start();
    for url in [
        "https://169.254.169.254/latest/meta-data/",
        "https://0xa9fea9fe/",
        "https://169.254.170.2/",
        "https://168.63.129.16/",
        "https://100.100.100.200/",
        "https://192.0.0.192/",
        "https://[fd00:ec2::254]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
    ] {
        let detail = denied(&create(&app, url), url);
        assert!(detail.contains("metadata") && detail.contains("no option"), "{url}: {detail}");
    }
    create(&app, "https://169.254.169.253/").expect(201);
    create(&app, "https://10.0.0.1/").expect(201);
}

#[test]
fn the_option_that_a_denial_names_allows_the_target() {
    let app = strict();
    for url in
        ["https://10.1.2.3/", "https://[fd12::1]/", "https://[::ffff:10.0.0.1]/", "https://inside.test/"]
    {
        let detail = denied(&create(&app, url), url);
        let (_, option) = detail.split_once("--allow-net ").expect("an option");
        let network = option.split('`').next().expect("a network");
        let open = TestApp::builder().with("POSTRIDER_DEV", "0").with("POSTRIDER_ALLOW_NET", network).start();
        let saved = create(&open, url);
        if url.contains("::ffff") {
            // The address inside comes first; its form is denied on its own.
            assert!(denied(&saved, url).contains("::ffff"));
        } else {
            assert_eq!(saved.status, 201, "{url} with {network}: {}", saved.text());
        }
    }
}

#[test]
fn the_servers_own_address_is_denied_unless_its_port_is_named() {
    let app = TestApp::start();
    let port = app.address().port();
    for host in ["127.0.0.1", "localhost", "own.test", "2130706433"] {
        let url = format!("http://{host}:{port}/api/v1/events");
        let detail = denied(&create(&app, &url), &url);
        assert!(detail.contains("Postrider itself") && detail.contains(&format!(":{port}")), "{detail}");
    }
    create(&app, "http://localhost:3000/hook").expect(201);
}

#[test]
fn urls_that_are_none_are_refused_as_a_field() {
    let app = strict();
    let long = format!("https://public.test/{}", "x".repeat(2048));
    for url in [
        "",
        "public.test",
        "//public.test/",
        "https://",
        "https:///path",
        "ftp://public.test/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://public.test/",
        "https://user@public.test/",
        "https://user:secret@public.test/",
        "https://@public.test/",
        "https://public.test/#part",
        "https://public.test\\@inside.test/",
        "https://public.test/a b",
        " https://public.test/",
        "https://public.test/\n",
        "https://public.test:22/",
        "https://public.test:6000/",
        "https://public.test:0/",
        "https://public.test:99999/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://256.256.256.256/",
        "https://a..test/",
        "https://a*b.test/",
        "https://\u{ad}/",
        long.as_str(),
    ] {
        let answer = create(&app, url);
        assert_eq!(answer.status, 422, "{url}: {}", answer.text());
        assert_eq!((code(&answer).as_str(), fields(&answer)), ("invalid", vec!["url".to_owned()]), "{url}");
        assert!(!answer.text().contains("secret"), "{}", answer.text());
    }
}
