//! Definitions: what is refused, by which field, and what is written again.

use super::*;
use crate::domain::format::builtin;
use proptest::prelude::*;

fn wrong(text: &str) -> Vec<String> {
    let invalid = Definition::parse(text).err().unwrap_or_default();
    invalid.0.into_iter().map(|error| error.field).collect()
}

#[track_caller]
fn refused(text: &str, fields: &[&str]) {
    assert_eq!(wrong(text), fields, "{text}");
}

/// A good format but for this signature, these headers, this envelope and these constants.
fn with(signature: &str, headers: &str, envelope: &str, fixed: &str) -> String {
    format!(r#"{{"signature":{signature},"headers":{headers},"envelope":{envelope},"fixed":{fixed}}}"#)
}

const SIGNED: &str = r#"{"scheme":"hmac-sha256-hex","header":"X-Signature"}"#;

#[test]
fn every_wrong_field_is_named_at_once() {
    refused(
        r#"{"signature":{"scheme":"hmac-md5","header":"host","prefix":"{time}","over":"everything","colour":1},
            "headers":{"event":"a b","id":7,"signature":"x"},
            "envelope":{"id":"a..b","timestamp":{"key":"t","as":"iso"},"payload":"x"},
            "fixed":{"headers":{"content-type":"text/plain"},"body":1},
            "body":"pretty","name":"x"}"#,
        &[
            "signature.scheme",
            "signature.header",
            "signature.prefix",
            "signature.over",
            "signature.colour",
            "headers.event",
            "headers.id",
            "headers.signature",
            "envelope.id",
            "envelope.timestamp.as",
            "envelope.payload",
            "fixed.headers.content-type",
            "fixed.body",
            "body",
            "name",
        ],
    );
    refused("{}", &["signature", "envelope"]);
    refused(r#"{"signature":null,"envelope":null,"fixed":null,"body":null}"#, &["signature", "envelope"]);
    refused(r#"{"signature":"none","envelope":"all"}"#, &["signature", "envelope"]);
    for text in ["", "[]", "7", "{", "{}{}", &"[".repeat(100), &" ".repeat(20_000)] {
        refused(text, &["format"]);
    }
}

#[test]
fn headers_must_not_collide_or_be_those_of_the_connection() {
    refused(
        &with(
            SIGNED,
            r#"{"event":"X-A","id":"x-a","timestamp":"x-signature"}"#,
            "\"data\"",
            r#"{"headers":{"X-a":"1","Y":"2","y":"3"}}"#,
        ),
        &["headers.id", "signature.header", "fixed.headers.X-a", "fixed.headers.y"],
    );
    for name in [
        "Host",
        "content-length",
        "content-type",
        "user-agent",
        "Proxy-Authorization",
        "TE",
        "a:b",
        "",
        "é",
        &"x".repeat(65),
    ] {
        refused(
            &with(SIGNED, &format!(r#"{{"attempt":"{name}"}}"#), "\"data\"", "null"),
            &["headers.attempt"],
        );
    }
    refused(
        &with(SIGNED, "{}", "\"data\"", r#"{"headers":{"a":"b\r\nc","b":1,"connection":"close"}}"#),
        &["fixed.headers.a", "fixed.headers.b", "fixed.headers.connection"],
    );
    assert!(wrong(&with(SIGNED, r#"{"id":"webhook-id"}"#, "\"data\"", "null")).is_empty());
}

#[test]
fn only_media_types_of_json_are_sent() {
    let typed = |value: &str| {
        wrong(&with(SIGNED, "{}", "\"data\"", &format!(r#"{{"headers":{{"Content-Type":"{value}"}}}}"#)))
    };
    for good in [
        "application/json",
        "application/cloudevents+json",
        "application/json; charset=utf-8",
        "Application/JSON",
    ] {
        assert!(typed(good).is_empty(), "{good}");
    }
    for bad in [
        "text/json",
        "application/jsonx",
        "application/+json",
        "application/xml",
        "application/json; q=1",
        "application/a b+json",
    ] {
        assert_eq!(typed(bad), ["fixed.headers.Content-Type"], "{bad}");
    }
}

#[test]
fn keys_must_not_stand_in_one_place_or_in_one_another() {
    let keys = |envelope: &str, fixed: &str| {
        wrong(&with(SIGNED, "{}", envelope, &format!("{{\"envelope\":{fixed}}}")))
    };
    assert_eq!(keys(r#"{"id":"a","type":"a"}"#, "{}"), ["envelope.type"]);
    assert_eq!(keys(r#"{"id":"a.b","type":"a"}"#, "{}"), ["envelope.type"]);
    assert_eq!(keys(r#"{"data":"data","type":"data.type"}"#, "{}"), ["envelope.type"]);
    assert_eq!(
        keys(r#"{"id":"a.b"}"#, r#"{"a":1,"a.b":2,"a.b.c":3,"x":4,"x":5}"#),
        ["fixed.envelope.x", "fixed.envelope.a", "fixed.envelope.a.b", "fixed.envelope.a.b.c"]
    );
    assert!(keys(r#"{"id":"a.b","type":"a.c","data":"ab"}"#, r#"{"a.d":{"x":[1.0]}}"#).is_empty());
    assert_eq!(keys("\"data\"", r#"{"a":1}"#), ["fixed.envelope"]);
    for bad in ["", ".", "a.", "a..b", "a.b.c.d.e.f.g.h.i", "a\\u0000", &"x".repeat(257)] {
        assert_eq!(keys(&format!(r#"{{"id":"{bad}"}}"#), "{}"), ["envelope.id"], "{bad}");
    }
    assert_eq!(
        keys(r#"{"id":{"as":"x"},"type":{"key":"t","as":"string"},"id":"x"}"#, "{}"),
        ["envelope.id", "envelope.id.key", "envelope.id.as", "envelope.type.as",]
    );
}

#[test]
fn schemes_say_what_goes_with_them() {
    let signed = |signature: &str, headers: &str| wrong(&with(signature, headers, "\"data\"", "null"));
    let all = r#"{"scheme":"none","header":"x","prefix":"a","join":",","over":"body"}"#;
    assert_eq!(
        signed(all, "{}"),
        ["signature.header", "signature.prefix", "signature.join", "signature.over"]
    );
    assert!(signed(r#"{"scheme":"none","header":null}"#, "{}").is_empty());
    for scheme in ["standard", "ed25519"] {
        let shaped = format!(r#"{{"scheme":"{scheme}","header":"s","prefix":"a","join":",","over":"body"}}"#);
        let both = r#"{"id":"i","timestamp":"t"}"#;
        assert_eq!(signed(&shaped, both), ["signature.prefix", "signature.join", "signature.over"]);
        let bare = format!(r#"{{"scheme":"{scheme}","header":"s"}}"#);
        assert_eq!(signed(&bare, "{}"), ["headers.timestamp", "headers.id"], "what is signed has to be sent");
        assert!(signed(&bare, both).is_empty());
    }
    assert_eq!(signed(r#"{"scheme":"hmac-sha1-hex"}"#, "{}"), ["signature.header"]);
    let timed = |prefix: &str| {
        format!(r#"{{"scheme":"hmac-sha1-hex","header":"s","prefix":"{prefix}","over":"timestamp.body"}}"#)
    };
    assert_eq!(signed(&timed(""), "{}"), ["headers.timestamp"]);
    assert!(signed(&timed("t={timestamp},"), "{}").is_empty());
    for join in ["", "abc", "=", "a\\n", "{id}", &",".repeat(17)] {
        let joined = format!(r#"{{"scheme":"hmac-sha1-hex","header":"s","join":"{join}"}}"#);
        assert_eq!(signed(&joined, "{}"), ["signature.join"], "{join}");
    }
    let long = format!(r#"{{"scheme":"hmac-sha1-hex","header":"s","prefix":" {}"}}"#, "x".repeat(128));
    assert_eq!(signed(&long, "{}"), ["signature.prefix", "signature.prefix"]);
}

#[test]
fn what_is_written_is_read_again_and_means_the_same() {
    let own = r#"{"signature":{"scheme":"hmac-sha256-hex","header":"S"},"body":"ecmascript",
        "envelope":{"data":"d.object","tenant":{"key":"w","as":"number"},"timestamp":{"key":"t","as":"unix_ms"},"id":null},
        "fixed":{"envelope":{"z.y":[1.0,12345678901234567890],"d.a":"é\n"},"headers":{"X-B":"2","X-A":"1"}}}"#;
    let texts = builtin::all().iter().map(|format| serde_json::to_string(format.definition()).unwrap());
    for text in texts.chain([own.to_owned()]) {
        let once = serde_json::to_string(&Definition::parse(&text).unwrap()).unwrap();
        let twice = serde_json::to_string(&Definition::parse(&once).unwrap()).unwrap();
        assert_eq!(once, twice);
    }
    let written = serde_json::to_string(&Definition::parse(own).unwrap()).unwrap();
    let expected = r#"{"signature":{"scheme":"hmac-sha256-hex","header":"S","prefix":"","join":null,"over":"body"},"headers":{"event":null,"id":null,"timestamp":null,"attempt":null},"envelope":{"data":"d.object","tenant":{"key":"w","as":"number"},"timestamp":{"key":"t","as":"unix_ms"}},"fixed":{"headers":{"X-B":"2","X-A":"1"},"envelope":{"z.y":[1.0,12345678901234567890],"d.a":"é\n"}},"body":"ecmascript"}"#;
    assert_eq!(written, expected, "in the order given");
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,80}", name in "[a-z.{}\"\\\\]{0,9}") {
        let nested = with(&format!(r#"{{"scheme":"hmac-sha1-hex","header":"s","prefix":"{name}"}}"#), "{}", &format!(r#"{{"id":"{name}"}}"#), "null");
        for text in [text, nested] {
            if let Ok(definition) = Definition::parse(&text) {
                crate::domain::format::Format::compile("x", definition);
            }
        }
    }
}

#[test]
fn credentials_and_headers_of_the_transport_are_no_constants() {
    for name in [
        "Authorization",
        "cookie",
        "X-Api-Key",
        "api-key",
        "x-auth-token",
        "x-access-token",
        "proxy-authorization",
    ] {
        refused(
            &with(SIGNED, "{}", "\"data\"", &format!(r#"{{"headers":{{"{name}":"x"}}}}"#)),
            &[&format!("fixed.headers.{name}")],
        );
    }
    let text = with(SIGNED, "{}", "\"data\"", r#"{"headers":{"Authorization":"Bearer very-private"}}"#);
    let told = Definition::parse(&text).unwrap_err().to_string();
    assert!(
        told.contains("belong in the headers of an endpoint") && !told.contains("very-private"),
        "{told}"
    );
    for name in ["Content-Encoding", "keep-alive"] {
        refused(
            &with(
                SIGNED,
                &format!(r#"{{"id":"{name}"}}"#),
                "\"data\"",
                &format!(r#"{{"headers":{{"{name}":"x"}}}}"#),
            ),
            &["headers.id", &format!("fixed.headers.{name}")],
        );
    }
}

#[test]
fn a_prefix_of_blanks_and_an_envelope_of_nothing_are_refused() {
    let signed = |prefix: &str| format!(r#"{{"scheme":"hmac-sha256-hex","header":"S","prefix":"{prefix}"}}"#);
    for bad in [" ", "   ", " sha256="] {
        refused(&with(&signed(bad), "{}", "\"data\"", "{}"), &["signature.prefix"]);
    }
    refused(&with(&signed("Signature "), "{}", "\"data\"", "{}"), &[]);
    refused(&with(SIGNED, "{}", "{}", "{}"), &["envelope"]);
    refused(&with(SIGNED, "{}", r#"{"id":null}"#, "{}"), &["envelope"]);
    refused(&with(SIGNED, "{}", "{}", r#"{"envelope":{"ping":true}}"#), &[]);
}
