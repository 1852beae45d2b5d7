//! Bodies written again, against what Node writes (its answers are noted here) and against rules of their own.

use super::*;
use proptest::prelude::*;
use serde_json::Value;

fn again(json: &str) -> String {
    String::from_utf8(rewrite(json.as_bytes()).unwrap_or_else(|| panic!("{json} is JSON"))).unwrap()
}

#[test]
fn numbers_are_those_of_ecmascript() {
    for (json, expected) in [
        ("12.0", "12"),
        ("-0", "0"),
        ("-0.0e5", "0"),
        ("1e21", "1e+21"),
        ("1E20", "100000000000000000000"),
        ("123456789012345680000", "123456789012345680000"),
        ("12345678901234567890", "12345678901234567000"),
        ("0.000001", "0.000001"),
        ("0.0000001", "1e-7"),
        ("1e400", "null"),
        ("-1e400", "null"),
        ("1e-400", "0"),
        ("-1e-400", "0"),
        ("5e-324", "5e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("0.1", "0.1"),
        ("1.10", "1.1"),
        ("9007199254740993", "9007199254740992"),
        ("-1.5E-10", "-1.5e-10"),
    ] {
        assert_eq!(again(json), expected, "{json}");
    }
}

#[test]
fn strings_have_the_fewest_escapes() {
    for (json, expected) in [
        (r#""\/""#, r#""/""#),
        (r#""\u00e9""#, "\"é\""),
        (r#""\u0041\u000A\u001F\u007f\b\f\r\t""#, "\"A\\n\\u001f\u{7f}\\b\\f\\r\\t\""),
        (r#""\"\\""#, r#""\"\\""#),
        (r#""\ud83d\ude00""#, "\"😀\""),
        (r#""\uD83D""#, r#""\ud83d""#),
        (r#""\uDE00\uD83D""#, r#""\ude00\ud83d""#),
        (r#""\uD83D\u0041""#, r#""\ud83dA""#),
        (r#""\uD83D\uD83D\uDE00""#, "\"\\ud83d😀\""),
        (r#""\uD83D\n""#, r#""\ud83d\n""#),
        (r#""\u2028\u2029""#, "\"\u{2028}\u{2029}\""),
        ("\"\u{2028}é😀/\"", "\"\u{2028}é😀/\""),
    ] {
        assert_eq!(again(json), expected, "{json}");
    }
}

#[test]
fn array_indexes_come_first_and_the_last_value_takes_the_first_place() {
    for (json, expected) in [
        (r#"{"b":1,"10":2,"9":3,"a":4}"#, r#"{"9":3,"10":2,"b":1,"a":4}"#),
        (r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#),
        (r#"{"\u0061":1,"b":2,"a":{}}"#, r#"{"a":{},"b":2}"#),
        (r#"{"01":1,"1":2,"-1":3,"1.5":4,"0":5}"#, r#"{"0":5,"1":2,"01":1,"-1":3,"1.5":4}"#),
        (
            r#"{"4294967295":1,"4294967294":2,"4294967296":3,"99999999999":4}"#,
            r#"{"4294967294":2,"4294967295":1,"4294967296":3,"99999999999":4}"#,
        ),
        (r#"{"x":1,"__proto__":{"y":[]},"toJSON":2}"#, r#"{"x":1,"__proto__":{"y":[]},"toJSON":2}"#),
        (r#"{"":1,"2":{"2":1,"1":2},"1":[]}"#, r#"{"1":[],"2":{"1":2,"2":1},"":1}"#),
    ] {
        assert_eq!(again(json), expected, "{json}");
    }
}

#[test]
fn blanks_go_and_every_value_may_stand_alone() {
    assert_eq!(
        again(" { \"a\" : [ 1 , true , null , \"x y\" ] ,\n\"b\":{ } } "),
        r#"{"a":[1,true,null,"x y"],"b":{}}"#
    );
    for plain in ["null", "true", "false", "[]", "{}", "\"\"", "[[],[[]]]"] {
        assert_eq!(again(&format!("\t{plain}\r\n")), plain);
    }
}

#[test]
fn any_depth_is_walked_without_recursion() {
    let deep = format!("{}{}", "[ ".repeat(200_000), "]".repeat(200_000));
    assert_eq!(again(&deep), deep.replace(' ', ""));
    let keys = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    assert_eq!(again(&keys), keys);
}

#[test]
fn what_is_no_json_is_not_rewritten() {
    for text in [
        "",
        "{",
        "[1,",
        "{\"a\"}",
        "{\"a\":}",
        "nul",
        "1 2",
        "[1 2]",
        "\"\\x\"",
        "\"\\u12\"",
        "inf",
        "NaN",
        "]",
    ] {
        assert_eq!(rewrite(text.as_bytes()), None, "{text}");
    }
    assert_eq!(rewrite(b"\"\xff\""), None);
}

/// JSON in which keys come twice and strings have needless escapes.
fn json() -> impl Strategy<Value = String> {
    let string = prop_oneof![
        "[a-c]{0,2}",
        "[0-9]{1,3}",
        Just("\\u0061".to_owned()),
        Just("\\/\\n".to_owned()),
        "\\PC{0,3}"
    ]
    .prop_map(|text| format!("\"{}\"", text.replace('"', "\\\"")))
    .prop_filter("escapes", |text| serde_json::from_str::<String>(text).is_ok());
    // So few digits that serde_json, which reads them again below, finds the nearest double.
    let number = "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,4})?([eE][+-]?[0-9])?";
    let leaf = prop_oneof![string.clone(), number, Just("null".to_owned()), Just("true".to_owned())];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let member = (string.clone(), inner.clone()).prop_map(|(key, value)| format!("{key} : {value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(|items| format!("[{}]", items.join(" ,"))),
            prop::collection::vec(member, 0..6).prop_map(|members| format!("{{ {} }}", members.join(", "))),
        ]
    })
}

/// The same value, with numbers as doubles.
fn doubles(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or(Value::Null, |number| Value::from(number + 0.0)),
        Value::Array(items) => items.iter().map(doubles).collect(),
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), doubles(value))).collect(),
        other => other.clone(),
    }
}

/// What a double is, but for the sign of zero, which ECMAScript does not write.
fn bits(number: f64) -> u64 {
    (number + 0.0).to_bits()
}

proptest! {
    #[test]
    fn the_meaning_stays_and_writing_twice_changes_nothing(json in json()) {
        let once = again(&json);
        prop_assert_eq!(again(&once), once.clone());
        let value = |text: &str| doubles(&serde_json::from_str::<Value>(text).unwrap());
        prop_assert_eq!(value(&once), value(&json));
    }

    #[test]
    fn every_number_becomes_the_nearest_double(text in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?") {
        let (once, number) = (again(&text), text.parse::<f64>().unwrap());
        match once.parse::<f64>() {
            Ok(read) => prop_assert_eq!(bits(read), bits(number)),
            Err(_) => prop_assert!(once == "null" && number.is_infinite()),
        }
    }

    #[test]
    fn every_double_is_written_so_that_it_reads_back(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        prop_assume!(number.is_finite());
        let once = again(&format!("{number:e}"));
        prop_assert_eq!(self::bits(once.parse::<f64>().unwrap()), self::bits(number));
    }

    #[test]
    fn every_string_is_written_so_that_it_reads_back(text in any::<String>()) {
        let escaped: Vec<String> = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
        let escaped = escaped.concat();
        let once = again(&format!("\"{escaped}\""));
        prop_assert_eq!(&once, &serde_json::to_string(&text).unwrap());
        prop_assert_eq!(again(&once), once);
    }

    #[test]
    fn nothing_panics(bytes in any::<Vec<u8>>(), text in "[\\[\\]{},:\"\\\\u0-9a-fen. -]{0,30}") {
        rewrite(&bytes);
        if serde_json::from_str::<Value>(&text).is_ok() {
            prop_assert!(rewrite(text.as_bytes()).is_some());
        }
    }
}
