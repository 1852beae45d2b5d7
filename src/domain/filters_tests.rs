use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn hold(filters: &str, data: &str) -> bool {
    Filters::parse(filters).unwrap().hold(data)
}

#[test]
fn every_filter_must_hold() {
    let filters = r#"{"status":"published","post.author.id":7}"#;
    assert!(hold(filters, r#"{"status":"published","post":{"author":{"id":7.0}}}"#));
    assert!(!hold(filters, r#"{"status":"published","post":{"author":{"id":8}}}"#));
    assert!(!hold(filters, r#"{"status":"published"}"#));
    assert!(!hold(filters, "[]"));
    assert!(hold("{}", "[]"), "without filters every event passes");
    assert!(hold("null", "7"));
}

#[test]
fn one_of_several_values_is_enough() {
    assert!(hold(r#"{"n":[1,"2",null]}"#, r#"{"n":null}"#));
    assert!(hold(r#"{"n":[1,"2",null]}"#, r#"{ "n" : "\u0032" }"#));
    assert!(!hold(r#"{"n":[1,"2",null]}"#, r#"{"n":2}"#), "no coercion");
    assert!(!hold(r#"{"n":[1]}"#, r#"{"n":[1]}"#), "an array is not its items");
}

#[test]
fn a_path_leads_through_objects_only() {
    assert!(!hold(r#"{"a.0":1}"#, r#"{"a":[1]}"#));
    assert!(!hold(r#"{"a.b":1}"#, r#"{"a":[{"b":1}]}"#));
    assert!(!hold(r#"{"a.b":1}"#, r#"{"a.b":1}"#), "a full stop in a key is no way");
    assert!(!hold(r#"{"a.b":null}"#, r#"{"a":{}}"#), "missing is not null");
}

#[test]
fn of_duplicate_keys_the_last_counts_with_all_below_it() {
    assert!(hold(r#"{"a":2}"#, r#"{"a":1,"a":2}"#));
    assert!(!hold(r#"{"a":1}"#, r#"{"a":1,"\u0061":2}"#), "however the key is spelt");
    assert!(!hold(r#"{"a.b":1}"#, r#"{"a":{"b":1},"a":{}}"#));
    assert!(!hold(r#"{"a.b":1}"#, r#"{"a":{"b":1},"a":7}"#));
    assert!(hold(r#"{"a.b":1}"#, r#"{"a":7,"a":{"b":1}}"#));
}

#[test]
fn a_filter_above_another_needs_both_and_so_never_holds() {
    assert!(!hold(r#"{"a":1,"a.b":1}"#, r#"{"a":{"b":1}}"#));
    assert!(!hold(r#"{"a":1,"a.b":1}"#, r#"{"a":1}"#));
}

#[test]
fn each_wrong_filter_is_named() {
    let invalid = Filters::parse(r#"{"":1,"a..b":1,"o":{},"e":[],"n":[[1]],"x":1e9999999999,"x":1,"x":2}"#)
        .unwrap_err();
    let fields: Vec<&str> = invalid.0.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(
        fields,
        ["filters.", "filters.a..b", "filters.o", "filters.e", "filters.n", "filters.x", "filters.x"]
    );
    assert!(invalid.to_string().contains("is there twice"));
}

#[test]
fn at_most_twenty_filters_of_bounded_size() {
    let many =
        |count: usize| Value::Object((0..count).map(|n| (format!("k{n}"), json!(n))).collect()).to_string();
    assert!(Filters::parse(&many(20)).is_ok());
    assert!(Filters::parse(&many(21)).is_err_and(|e| e.to_string().contains("at most 20")));
    for text in [json!({"k".repeat(257): 1}), json!({"k": "v".repeat(1024)}), json!({"k": vec![1; 101]})] {
        assert!(Filters::parse(&text.to_string()).is_err(), "{text}");
    }
    for text in ["[]", "7", "\"a\"", "{", ""] {
        assert!(Filters::parse(text).is_err_and(|e| e.0[0].field == "filters"), "{text}");
    }
}

/// The rule as one would write it over a tree: the reference for the walk over text.
fn naive(filters: &Value, data: &Value) -> bool {
    let same = |a: &Value, b: &Value| match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() < f64::EPSILON,
        _ => a == b,
    };
    filters.as_object().unwrap().iter().all(|(path, wanted)| {
        let end = path.split('.').try_fold(data, |value, key| value.as_object()?.get(key));
        end.is_some_and(|found| match wanted {
            Value::Array(any) => any.iter().any(|one| same(one, found)),
            one => same(one, found),
        })
    })
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (0..3_i64).prop_map(Value::from),
        (0..3_i32).prop_map(|n| json!(f64::from(n) / 2.0)),
        "[ab\"\\\\é]{0,2}".prop_map(Value::from),
    ]
}

fn data() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            4 => prop::collection::btree_map("[ab\"é]", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn filters() -> impl Strategy<Value = Value> {
    let wanted = prop_oneof![leaf(), prop::collection::vec(leaf(), 1..4).prop_map(Value::from)];
    prop::collection::btree_map("[ab\"é](\\.[ab\"é]){0,2}", wanted, 1..3)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

/// The same JSON with every key and string spelt in escapes, which changes nothing in what it means.
fn escaped(value: &Value) -> String {
    let text = |text: &str| {
        let units: Vec<String> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        format!("\"{}\"", units.concat())
    };
    match value {
        Value::String(s) => text(s),
        Value::Array(items) => format!("[ {} ]", items.iter().map(escaped).collect::<Vec<_>>().join(" ,")),
        Value::Object(members) => {
            let members: Vec<_> =
                members.iter().map(|(k, v)| format!("{} :\n{}", text(k), escaped(v))).collect();
            format!("{{ {}\t}}", members.join(", "))
        }
        plain => plain.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn the_walk_decides_as_a_parser_would(filters in filters(), data in data()) {
        let expected = naive(&filters, &data);
        let compiled = Filters::parse(&filters.to_string()).unwrap();
        prop_assert_eq!(compiled.hold(&data.to_string()), expected);
        prop_assert_eq!(compiled.hold(&escaped(&data)), expected);
    }

    #[test]
    fn filters_taken_from_the_data_hold(data in data()) {
        for (key, value) in data.as_object().into_iter().flatten() {
            let scalar = !value.is_object() && !value.is_array();
            if scalar {
                let filters = json!({ key: value });
                prop_assert!(hold(&filters.to_string(), &data.to_string()));
            }
        }
    }

    #[test]
    fn duplicate_keys_count_as_a_parser_counts_them(
        members in prop::collection::vec(("[ab]", data()), 0..5),
        filters in filters(),
    ) {
        let text: Vec<String> = members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        let text = format!("{{{}}}", text.join(","));
        let parsed: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(hold(&filters.to_string(), &text), naive(&filters, &parsed));
    }

    #[test]
    fn text_that_may_be_no_json_panics_nowhere_and_counts_if_it_is(
        text in "[{}\\[\\]\":,\\\\a1 ]{0,30}|\\{(\"[ab]\":[01],?){1,2}\\}",
    ) {
        let held = hold(r#"{"a":1}"#, &text);
        if let Ok(data) = serde_json::from_str(&text) {
            prop_assert_eq!(held, naive(&json!({"a": 1}), &data));
        }
    }
}
