use super::*;
use proptest::prelude::*;

fn wrong(problem: &Problem) -> Vec<(&str, &str)> {
    problem.0.fields.iter().map(|error| (error.field.as_str(), error.message.as_str())).collect()
}

#[test]
fn every_wrong_field_is_named_at_once() {
    let mut fields = Fields::parse(br#"{"n":"7","flag":true,"extra":1,"ty\u0070e":null}"#).unwrap();
    assert_eq!(fields.required::<i64>("n", "a whole number"), None);
    assert_eq!(fields.required::<String>("type", "a text"), None);
    assert_eq!(fields.optional::<bool>("flag", "true or false"), Some(true));
    assert_eq!(fields.optional::<String>("absent", "a text"), None);
    let problem = fields.finish().unwrap_err();
    assert_eq!(problem.0.code, Code::Invalid);
    assert_eq!(
        wrong(&problem),
        [
            ("n", "must be a whole number"),
            ("type", "is required and must be a text"),
            ("extra", "is unknown; there are n, type, flag, absent"),
        ]
    );
}

#[test]
fn a_patch_tells_absent_null_and_a_value_apart() {
    let mut fields = Fields::parse(br#"{"a":null,"b":3}"#).unwrap();
    assert_eq!(fields.patch::<i64>("a", "a number"), Patch::Reset);
    assert_eq!(fields.patch::<i64>("b", "a number"), Patch::Set(3));
    assert_eq!(fields.patch::<i64>("c", "a number"), Patch::Keep);
    assert!(fields.finish().is_ok());
}

#[test]
fn a_field_that_is_there_twice_is_refused() {
    let mut fields = Fields::parse(br#"{"a":1,"\u0061":2}"#).unwrap();
    fields.optional::<i64>("a", "a number");
    assert_eq!(wrong(&fields.finish().unwrap_err()), [("a", "is there twice")]);
}

#[test]
fn raw_bytes_are_kept_as_they_were_sent() {
    let mut fields = Fields::parse(b"{\"data\" :  { \"n\": 12345678901234567890.50 } }").unwrap();
    assert_eq!(fields.raw("data").map(RawValue::get), Some("{ \"n\": 12345678901234567890.50 }"));
    assert!(fields.finish().is_ok());
}

#[test]
fn what_is_no_object_is_refused_with_a_reason() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64));
    for (body, reason) in [
        (&b"[1]"[..], "expected an object"),
        (b"{\"a\":1", "EOF"),
        (b"{\"a\":1} x", "trailing"),
        (b"", "EOF"),
        (b"{\"a\":\"\xff\"}", "not UTF-8 from byte 6 on"),
        (deep.as_bytes(), "64 deep"),
    ] {
        let problem = Fields::parse(body).unwrap_err();
        assert_eq!(problem.0.code, Code::MalformedJson);
        assert!(problem.0.detail.contains(reason), "{}", problem.0.detail);
    }
    assert!(Fields::parse(deep.replacen('[', "", 1).replacen(']', "", 1).as_bytes()).is_ok());
}

#[test]
fn no_body_is_no_fields_only_where_all_are_optional() {
    assert!(Fields::parse_optional(b"").is_ok_and(|fields| fields.finish().is_ok()));
    assert!(Fields::parse_optional(b" ").is_err());
}

#[test]
fn a_field_of_the_wrong_type_is_not_missed_as_well() {
    let mut fields = Fields::parse(br#"{"name":5}"#).unwrap();
    fields.required::<String>("name", "a text");
    let mut found = Invalid::one("name", "must be 1 to 100 characters");
    found.push("scopes", "must hold one");
    let problem = fields.finish_with(found).unwrap_err();
    let messages: Vec<_> = problem.0.fields.iter().map(|error| error.message.as_str()).collect();
    assert_eq!(messages, ["must be a text", "must hold one"]);
}

#[test]
fn all_fields_are_taken_once_each() {
    let all = Fields::parse(br#"{"a":1,"b":null}"#).unwrap().all(|_| Invalid::new()).unwrap();
    assert_eq!(serde_json::Value::Object(all), serde_json::json!({"a": 1, "b": null}));
    let problem = Fields::parse(br#"{"a":1,"a":2,"b":1e999}"#).unwrap().all(|_| Invalid::new()).unwrap_err();
    let wrong: Vec<_> = problem.0.fields.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(wrong, ["a", "b"]);
}

#[test]
fn a_message_never_repeats_a_value() {
    let mut fields = Fields::parse(br#"{"secret":["hunter2"]}"#).unwrap();
    fields.required::<String>("secret", "a text");
    let problem = fields.finish().unwrap_err();
    assert!(!format!("{problem:?}").contains("hunter2"));
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..60), text in "[{}\\[\\]\":,a\\\\0 ]{0,30}") {
        for body in [body.as_slice(), text.as_bytes()] {
            if let Ok(mut fields) = Fields::parse(body) {
                fields.raw("a");
                let _ = fields.finish();
            }
        }
    }
}
