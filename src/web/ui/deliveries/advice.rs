//! What to do about an attempt that failed. Why it failed is told by the attempt itself.

/// What to do, by the status of the answer, or, where none came, by what the sender said.
pub(super) fn advice(status_code: Option<u16>, error: &str) -> &'static str {
    match status_code {
        Some(code) => by_status(code),
        None => by_words(error),
    }
}

fn by_status(code: u16) -> &'static str {
    match code {
        300..=399 => {
            "Change the URL in the endpoint's settings to the one that the answer names in its location header, then retry."
        }
        401 | 403 => {
            "Compare the secret that the receiver verifies with, and what stands in front of it: a firewall, a login. The \
             endpoint's page Verify has code that accepts these requests."
        }
        404 | 405 => {
            "Ask whoever runs the receiver for its address, which has to take POST; change it in the endpoint's settings, \
             then retry."
        }
        410 => "If the receiver is to go on, enable its endpoint again; else delete the endpoint.",
        413 => {
            "The receiver takes no request this long: its limit has to grow, or the data of such events to shrink."
        }
        408 | 425 | 429 => {
            "Let its settings make no more attempts a second than the receiver can bear; what waits is sent by itself."
        }
        400..=499 => {
            "The answer below may say what the receiver did not like. The same is sent again by a retry: have the receiver \
             mended before."
        }
        500.. => {
            "Whoever runs the receiver finds the cause in its log at the time of the attempt. Retry when it is mended."
        }
        _ => "The receiver does not answer as a web server does. Ask whoever runs it.",
    }
}

/// The sender's own words (`sender/failure.rs` and the files beside it), the particular ones first.
const WORDS: &[(&[&str], &str)] = &[
    (
        &["proxy could not connect", "proxy was connecting"],
        "Nothing answers there, or the proxy of this server is not let through. Whoever runs the receiver has to look first.",
    ),
    (
        &["proxy"],
        "The way out of this server is in trouble, not the receiver: look after the proxy that POSTRIDER_EGRESS_PROXY names.",
    ),
    (
        &["this machine", "Postrider is stopping"],
        "The trouble is on this server, not at the receiver. It is tried again by itself.",
    ),
    (
        &["blocked", "not accepted any more", "the URL of the endpoint"],
        "Give the endpoint a URL that this server may reach, or start the server with leave to reach this one.",
    ),
    (
        &["certificate", "TLS"],
        "Whoever runs the receiver has to mend its certificate or its TLS. Retry when a browser opens the URL without a warning.",
    ),
    (
        &["resolve", "no such name"],
        "Look for a mistake in the URL's host name; if it is right, whoever runs the receiver has to mend its DNS.",
    ),
    (
        &["timed out"],
        "The receiver is too slow: it should answer before it does its work. Or give the endpoint a longer timeout in its settings.",
    ),
    (
        &["refused", "unreachable"],
        "Nothing answers there: whoever runs the receiver has to start it, or let this server through its firewall.",
    ),
    (&["cannot be sent"], "Change the endpoint's own headers in its settings, then retry."),
];

fn by_words(error: &str) -> &'static str {
    let said = |words: &&[&str]| words.iter().any(|word| error.contains(word));
    WORDS.iter().find(|(words, _)| said(words)).map_or(
        "Whoever runs the receiver has to see why it does not answer. Retry when it does.",
        |(_, advice)| *advice,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_advice() {
        for (code, word) in [
            (301, "location"),
            (401, "secret"),
            (404, "POST"),
            (410, "enable"),
            (413, "limit"),
            (422, "answer below"),
            (429, "attempts a second"),
            (503, "log"),
            (101, "web server"),
        ] {
            assert!(advice(Some(code), "").contains(word), "{code}");
        }
    }

    #[test]
    fn what_the_sender_says_is_understood() {
        for (error, word) in [
            ("connection refused by 127.0.0.1:9: nothing listens there", "start it"),
            ("timed out after 10 s while waiting for the answer", "longer timeout"),
            ("timed out while connecting to 192.0.2.1:443", "longer timeout"),
            ("the certificate of a.test has expired", "certificate"),
            ("could not resolve a.test: no answer", "DNS"),
            ("blocked: 10.0.0.1 is a private address", "may reach"),
            ("the egress proxy 127.0.0.1:3128 cannot be reached", "POSTRIDER_EGRESS_PROXY"),
            ("the egress proxy could not connect to 192.0.2.1:443: 502 Bad Gateway", "Nothing answers"),
            (
                "this machine's resolver answers for no name at all (a.test: no answer); check its DNS",
                "this server",
            ),
            ("this machine has no route to 192.0.2.1:443", "this server"),
            ("the header x-a cannot be sent; change its value", "headers"),
            ("the connection was closed without an answer", "does not answer"),
        ] {
            assert!(advice(None, error).contains(word), "{error}");
        }
    }
}
