//! Names with a forbidden address, in every way that a name can have one.

use super::dns::{Says, addresses};
use super::network::{FORBIDDEN, PUBLIC};

/// Names that must be blocked, what is said about them, and the words of the rule.
pub fn bad_names() -> Vec<(String, Says, &'static str)> {
    let mut rows = Vec::new();
    for (n, (address, rule)) in FORBIDDEN.into_iter().enumerate() {
        rows.push((format!("only-{n}.example"), addresses(&[address]), rule));
        rows.push((
            format!("last-{n}.example"),
            addresses(&[PUBLIC[0], PUBLIC[1], PUBLIC[2], address]),
            rule,
        ));
        rows.push((format!("first-{n}.example"), addresses(&[address, PUBLIC[0], PUBLIC[2]]), rule));
        rows.push((format!("alias-{n}.example"), Says::Alias(format!("only-{n}.example")), rule));
    }
    let embedded = [
        ("::ffff:10.1.2.3", "10.0.0.0/8"),
        ("::ffff:169.254.169.254", "cloud metadata"),
        ("::ffff:93.184.215.14", "IPv4-mapped"),
        ("64:ff9b::93.184.215.14", "NAT64"),
        ("64:ff9b::169.254.169.254", "cloud metadata"),
        ("::10.1.2.3", "::/96"),
        ("2002:a01:203::", "2002::/16"),
        ("2001:0:a01:203::", "2001::/23"),
        ("fe80::a01:203", "fe80::/10"),
        ("::", "::/128"),
        ("0.0.0.0", "0.0.0.0/8"),
    ];
    for (n, (address, rule)) in embedded.into_iter().enumerate() {
        rows.push((format!("embedded-{n}.example"), addresses(&[address]), rule));
        rows.push((format!("beside-{n}.example"), addresses(&[PUBLIC[0], PUBLIC[2], address]), rule));
    }
    // More than are ever dialled, the bad one behind them.
    let good: Vec<String> = (1..=19).map(|n| format!("9.9.8.{n}")).collect();
    let crowd: Vec<&str> = good.iter().map(String::as_str).chain(["10.1.2.3"]).collect();
    rows.push(("crowd.example".to_owned(), addresses(&crowd), "10.0.0.0/8"));
    for (n, to) in ["chain-1.example", "chain-2.example", "first-0.example"].into_iter().enumerate() {
        rows.push((format!("chain-{n}.example"), Says::Alias(to.to_owned()), "10.0.0.0/8"));
    }
    rows
}
