//! URL spellings.

use super::*;
use proptest::prelude::*;

fn parse(url: &str) -> Result<Target, TargetError> {
    Target::parse(url, TargetRules { allow_http: true })
}

fn host(url: &str) -> Host {
    parse(url).unwrap_or_else(|e| panic!("{url}: {e}")).host
}

#[test]
fn a_target_is_taken_apart() {
    let target = parse("HTTPS://Example.COM.:8443/a b".replace(' ', "%20").as_str()).unwrap();
    assert_eq!(target.as_str(), "https://example.com:8443/a%20b");
    assert_eq!(target.host(), &Host::Name("example.com".to_owned()));
    assert_eq!((target.port(), target.is_https()), (8443, true));
    assert_eq!((target.path_and_query(), target.host_header()), ("/a%20b", "example.com:8443"));
    let plain = parse("https://example.com:443?x=1").unwrap();
    assert_eq!((plain.path_and_query(), plain.host_header()), ("/?x=1", "example.com"));
    let six = parse("http://[2001:DB8::1]:8080/").unwrap();
    assert_eq!(six.host_header(), "[2001:db8::1]:8080");
}

#[test]
fn every_spelling_of_an_address_is_that_address() {
    let loopback = Host::Ip("127.0.0.1".parse().unwrap());
    let spellings = [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "0x7F.0x0.0x0.0x1",
        "%31%32%37.0.0.1",
        "１２７.０.０.１",
        "127。0。0。1",
        "⑫7.0.0.1",
    ];
    for spelling in spellings {
        assert_eq!(host(&format!("http://{spelling}/")), loopback, "{spelling}");
    }
    assert_eq!(host("http://[::FFFF:127.0.0.1]/"), Host::Ip("::ffff:7f00:1".parse().unwrap()));
    assert_eq!(host("http://[0:0:0:0:0:0:0:1]/"), Host::Ip("::1".parse().unwrap()));
}

#[test]
fn each_rule_refuses_with_its_sentence() {
    use TargetError as E;
    let long = format!("https://example.com/{}", "a".repeat(2029));
    let encoded = format!("https://example.com/{}", "ü".repeat(700));
    let cases: [(&str, E); 24] = [
        (&long, E::TooLong),
        (&encoded, E::TooLong),
        ("https://exam ple.com/", E::Blank),
        ("https://example.com/\n", E::Blank),
        ("\thttps://example.com/", E::Blank),
        ("https://example.com\\@evil.test/", E::Backslash),
        ("https:\\\\example.com/", E::Backslash),
        ("example.com/hook", E::NotFull),
        ("https:example.com", E::NotFull),
        ("https:///example.com", E::NotFull),
        ("ftp://example.com/", E::NotFull),
        ("file:///etc/passwd", E::NotFull),
        ("https://", E::NotFull),
        ("https://user:word@example.com/", E::UserInfo),
        ("https://user@example.com/", E::UserInfo),
        ("https://@example.com/", E::UserInfo),
        ("https://:@example.com/", E::UserInfo),
        ("https://example.com/#top", E::Fragment),
        ("https://example.com/#", E::Fragment),
        ("https://[fe80::1%25eth0]/", E::Zone),
        ("https://a..b/", E::BadHost),
        ("https://a(b.example/", E::BadHost),
        ("https://example.com:22/", E::BadPort(22)),
        ("https://example.com:6667/", E::BadPort(6667)),
    ];
    for (url, error) in cases {
        assert_eq!(parse(url).err(), Some(error), "{url}");
    }
    for url in ["https://256.1.1.1/", "https://1.2.3.4.5/", "https://[::1/", "https://example.com:99999/"] {
        assert!(matches!(parse(url), Err(E::Invalid(_))), "{url}");
    }
    assert_eq!(parse(&format!("https://example.com/{}", "a".repeat(2028))).err(), None);
}

#[test]
fn http_needs_its_option() {
    let error = Target::parse("http://example.com/", TargetRules::default()).unwrap_err();
    assert_eq!(error, TargetError::Http);
    assert!(error.to_string().contains("--allow-http"));
    assert!(Target::parse("https://example.com/", TargetRules::default()).is_ok());
}

#[test]
fn an_at_sign_in_the_path_is_no_user_info() {
    assert!(parse("https://example.com/@user?a=@b").is_ok());
}

#[test]
fn ports_of_other_protocols_are_refused() {
    let refused: Vec<u16> =
        (1..=u16::MAX).filter(|port| parse(&format!("http://example.com:{port}/")).is_err()).collect();
    assert_eq!(refused.len(), 1021 + 19, "1 to 1023 but 80 and 443, and those that browsers block");
    assert!(refused.contains(&10080) && !refused.contains(&8080));
    assert_eq!(parse("http://example.com:0/").err(), Some(TargetError::BadPort(0)));
}

#[test]
fn names_that_are_never_public_are_marked() {
    let cases = [
        ("localhost", Some("localhost")),
        ("LOCALHOST.", Some("localhost")),
        ("app.localhost", Some("*.localhost")),
        ("printer.local.", Some("*.local")),
        ("metadata.google.internal", Some("*.internal")),
        ("nas.home.arpa", Some("*.home.arpa")),
        ("home.arpa", Some("*.home.arpa")),
        ("intranet", Some("single label")),
        ("example.com", None),
        ("localhost.example.com", None),
        ("notlocal.example", None),
        ("myhome.arpa", None),
        ("127.0.0.1", None),
    ];
    for (name, expected) in cases {
        assert_eq!(parse(&format!("http://{name}/")).unwrap().denied_name(), expected, "{name}");
    }
}

proptest! {
    #[test]
    fn no_text_panics_and_what_is_accepted_reads_back_as_itself(url in "(https?://)?[ -~é１。]{0,60}") {
        if let Ok(target) = parse(&url) {
            prop_assert_eq!(parse(target.as_str()), Ok(target.clone()));
            prop_assert!(target.path_and_query().starts_with('/'));
            prop_assert!(target.as_str().is_ascii());
        }
    }

    #[test]
    fn numbers_in_any_base_are_addresses(bits: u32, base in 0..3u8) {
        let text = match base { 0 => format!("{bits}"), 1 => format!("{bits:#x}"), _ => format!("0{bits:o}") };
        let expected = Host::Ip(std::net::Ipv4Addr::from_bits(bits).into());
        prop_assert_eq!(host(&format!("http://{text}/")), expected);
    }

    #[test]
    fn octets_in_any_base_and_full_width_digits_are_addresses(octets: [u8; 4], wide: bool) {
        let text = format!("{}.{:#x}.0{:o}.{}", octets[0], octets[1], octets[2], octets[3]);
        let widen = |c: char| if c.is_ascii_digit() { char::from_u32(c as u32 + 0xfee0).unwrap() } else { c };
        let text: String = if wide { text.chars().map(widen).collect() } else { text };
        let expected = Host::Ip(std::net::Ipv4Addr::from(octets).into());
        prop_assert_eq!(host(&format!("http://{text}/")), expected);
    }
}
