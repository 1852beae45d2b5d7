use super::*;
use serde_json::json;

fn compile(schema: &Value) -> Schema {
    Schema::compile(&schema.to_string()).unwrap_or_else(|invalid| panic!("{invalid}"))
}

fn wrong(schema: &Value) -> Vec<String> {
    names(&Schema::compile(&schema.to_string()).unwrap_err())
}

fn names(invalid: &Invalid) -> Vec<String> {
    invalid.0.iter().map(|error| error.field.clone()).collect()
}

fn faults(schema: &Value, data: &Value) -> Vec<String> {
    compile(schema).check("data", &data.to_string()).err().as_ref().map(names).unwrap_or_default()
}

#[test]
fn every_violation_is_told_with_its_path() {
    let schema = json!({
        "type": "object", "required": ["id", "total"], "additionalProperties": false,
        "properties": {
            "id": { "type": "string", "pattern": "^[a-z]+$" },
            "total": { "type": "number", "minimum": 0 },
            "items": { "type": "array", "items": { "type": "object", "properties": { "n": { "enum": [1, 2] } } } },
        },
    });
    let data = json!({ "id": "A1", "items": [{ "n": 1 }, { "n": 3 }, 7], "colour": "secret value" });
    let invalid = compile(&schema).check("data", &data.to_string()).unwrap_err();
    let mut places = names(&invalid);
    places.sort();
    assert_eq!(places, ["data.colour", "data.id", "data.items[1].n", "data.items[2]", "data.total"]);
    let text = invalid.to_string();
    assert!(
        text.contains("must be one of [1,2]") && text.contains("must match the pattern ^[a-z]+$"),
        "{text}"
    );
    assert!(!text.contains("secret value") && !text.contains("A1"), "{text}");
    assert_eq!(faults(&schema, &json!({ "id": "a", "total": 1.5 })), Vec::<String>::new());
}

#[test]
fn so_many_violations_are_told_and_no_more() {
    let schema = compile(&json!({ "items": { "type": "string" } }));
    let invalid = schema.check("data", &json!((0..500).collect::<Vec<_>>()).to_string()).unwrap_err();
    assert_eq!(invalid.0.len(), MOST_ERRORS + 1);
    assert!(invalid.0[MOST_ERRORS].message.contains("the first 50"), "{invalid}");
}

#[test]
fn a_schema_that_is_none_is_refused_with_every_place() {
    assert_eq!(wrong(&json!([])), ["schema"]);
    assert_eq!(wrong(&json!("x")), ["schema"]);
    let schema = json!({ "type": "objekt", "properties": { "a": { "minLength": "3" }, "b": 7 } });
    let mut places = wrong(&schema);
    places.sort();
    assert_eq!(places, ["schema.properties.a.minLength", "schema.properties.b", "schema.type"]);
    assert_eq!(wrong(&json!({ "$schema": "https://example.com/mine" })), ["schema.$schema"]);
    let pattern = Schema::compile(r#"{"properties":{"a":{"pattern":"("}}}"#).unwrap_err();
    assert_eq!(names(&pattern), ["schema.properties.a.pattern"]);
    assert!(pattern.to_string().contains("regular expression"), "{pattern}");
}

#[test]
fn alternatives_are_told_one_by_one_where_each_asks_for_one_thing() {
    let says = |invalid: Invalid| invalid.0[0].message.clone();
    let objekt = says(Schema::compile(r#"{"type": "objekt"}"#).unwrap_err());
    assert!(objekt.contains("\"object\"") && objekt.ends_with(", or be of the type array"), "{objekt}");
    let data =
        |schema: Value, data: Value| says(compile(&schema).check("data", &data.to_string()).unwrap_err());
    let one = json!({ "oneOf": [{ "type": "string" }, { "const": 7 }] });
    assert_eq!(data(one, json!(8)), "must be of the type string, or be 7");
    let several = json!({ "anyOf": [{ "required": ["a"] }, { "type": "array" }] });
    assert!(data(several.clone(), json!({})).contains("`anyOf`"), "one is about a member");
    let many: Vec<Value> = (0..9).map(|n| json!({ "const": n })).collect();
    assert!(data(json!({ "anyOf": many }), json!("x")).contains("`anyOf`"));
}

#[test]
fn nothing_outside_the_schema_is_read() {
    for target in
        ["https://example.com/schema.json", "file:///etc/passwd", "other.json", "#/nowhere", "#name"]
    {
        assert_eq!(
            wrong(&json!({ "properties": { "a": { "$ref": target } } })),
            ["schema.properties.a.$ref"],
            "{target}"
        );
    }
    assert_eq!(wrong(&json!({ "$dynamicRef": "#x" })), ["schema.$dynamicRef"]);
    assert_eq!(wrong(&json!({ "$ref": "#" })), ["schema.$ref"]);
    assert_eq!(wrong(&json!({ "items": { "$id": "https://a.example/" } })), ["schema.items.$id"]);
    assert_eq!(
        faults(&json!({ "properties": { "$id": { "type": "string" } } }), &json!({ "$id": 1 })),
        ["data.$id"]
    );
}

#[test]
fn references_and_recursion_work() {
    let tree = json!({
        "$id": "https://a.example/tree", "type": "object", "properties": {
            "value": { "$ref": "#/$defs/number" }, "left": { "$ref": "#" }, "right": { "$ref": "#" },
        },
        "$defs": { "number": { "type": "integer" } },
    });
    let data = json!({ "value": 1, "left": { "right": { "value": "x" } }, "right": { "left": [] } });
    let mut places = faults(&tree, &data);
    places.sort();
    assert_eq!(places, ["data.left.right.value", "data.right.left"]);
    let odd = json!({ "$ref": "#/definitions/List%3CA~1B%3E", "definitions": { "List<A/B>": { "type": "array" } } });
    assert_eq!(faults(&odd, &json!(1)), ["data"]);
    for broken in ["#/%", "#/%4", "#/%+1", "#/%ff", "#/%é"] {
        assert_eq!(wrong(&json!({ "$ref": broken })), ["schema.$ref"], "{broken}");
    }
}

#[test]
fn what_multiplies_is_refused_or_answered_without_places() {
    let twice = |name: &str| json!({ "anyOf": [{ "$ref": name }, { "$ref": name }] });
    let mut definitions = serde_json::Map::new();
    for n in 0..10 {
        definitions.insert(format!("d{n}"), twice(&format!("#/$defs/d{}", n + 1)));
    }
    definitions.insert("d10".to_owned(), json!({ "type": "string" }));
    assert_eq!(wrong(&json!({ "$ref": "#/$defs/d0", "$defs": definitions })).len(), 1);
    // Two to the power of 64 looks, if nothing were remembered.
    let schema = compile(&json!({ "type": ["array", "string"], "items": twice("#") }));
    let deep = |core: &str| format!("{}{core}{}", "[".repeat(63), "]".repeat(63));
    assert!(schema.check("data", &deep("\"x\"")).is_ok());
    let invalid = schema.check("data", &deep("7")).unwrap_err();
    assert_eq!(names(&invalid), ["data"]);
    assert!(invalid.to_string().contains("entangled"), "{invalid}");
}

#[test]
fn numbers_and_texts_that_cannot_be_checked_are_refused() {
    let schema = compile(&json!({}));
    for data in ["1e400", "\"\\ud800\""] {
        assert_eq!(names(&schema.check("data", data).unwrap_err()), ["data"], "{data}");
    }
    assert!(schema.check("data", "123456789012345678901234567890").is_ok());
}

/// Letters in an order in which no two stretches are the same: patterns have to keep in mind where they are.
fn scrambled(length: usize) -> String {
    let mut state = 1_u32;
    let next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if state >> 31 == 0 { 'a' } else { 'b' }
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Patterns that make backtracking engines hang, whose states are more than can be kept, that are large: this test would not
/// end. How long such data takes a server is seen by `tests/it/api_event_types.rs` and `tests/it/api_schema_memory.rs`.
#[test]
fn hostile_patterns_and_hostile_data_end_soon() {
    let million = 1_000_000;
    for (pattern, text) in [
        ("^(a+)+$", "a".repeat(million) + "!"),
        ("^(a|a)*$", "a".repeat(million) + "!"),
        ("(x+x+)+y", "x".repeat(million)),
        ("[ab]*a[ab]{130}c", scrambled(million)),
        ("^(.*)(.*)(.*)(.*)(.*)[0-9]$", "é".repeat(million / 2)),
    ] {
        let schema = compile(&json!({ "pattern": pattern }));
        let invalid = schema.check("data", &json!(text).to_string()).unwrap_err();
        assert!(invalid.to_string().contains("must match"), "{invalid}");
    }
    let all: Vec<Value> = (0..1_900).map(|_| json!({ "type": "integer" })).collect();
    let schema = compile(&json!({ "items": { "allOf": all } }));
    assert!(schema.check("data", &format!("[{}1]", "1,".repeat(50_000))).is_ok());
    let schema = compile(&json!({ "items": { "type": "string" }, "uniqueItems": true }));
    assert!(schema.check("data", &format!("[{}1]", "1,".repeat(million / 2))).is_err());
}

#[test]
fn data_that_is_too_large_for_a_large_schema_is_refused_and_small_data_is_not() {
    let patterns = compile(&json!({ "pattern": "[ab]*a[ab]{300}c" }));
    let all: Vec<Value> = (0..1_900).map(|_| json!({ "type": "integer" })).collect();
    let subschemas = compile(&json!({ "items": { "allOf": all } }));
    for (schema, data) in [(&patterns, json!("a".repeat(1_000_000))), (&subschemas, json!(vec![1; 100_000]))]
    {
        let invalid = schema.check("data", &data.to_string()).unwrap_err();
        assert!(invalid.to_string().contains("too large"), "{invalid}");
    }
    assert!(patterns.check("data", &json!("a".repeat(400) + "c").to_string()).is_ok());
    let invalid = patterns.check("data", &json!("a".repeat(256 * 1024)).to_string()).unwrap_err();
    assert!(invalid.to_string().contains("must match"), "{invalid}");
    assert!(subschemas.check("data", "[1,2]").is_ok());
}

#[test]
fn patterns_that_no_engine_without_backtracking_can_run_or_that_are_large_are_refused() {
    for pattern in ["(a{1000}){1000}", "((((a{50}){50}){50}){50}){50}", "(?=a)b", r"(a)\1", "("] {
        let invalid = Schema::compile(&json!({ "pattern": pattern }).to_string()).unwrap_err();
        assert_eq!(names(&invalid), ["schema.pattern"], "{pattern}");
        assert!(invalid.to_string().contains("64 KB when compiled"), "{invalid}");
    }
}

#[test]
fn the_deepest_schema_and_the_deepest_data_fit_the_stack() {
    let mut definitions = serde_json::Map::new();
    for n in 0..5 {
        definitions.insert(format!("d{n}"), json!({ "allOf": [{ "$ref": format!("#/$defs/d{}", n + 1) }] }));
    }
    definitions.insert("d5".to_owned(), json!({ "type": "array", "items": { "$ref": "#/$defs/d0" } }));
    let schema = compile(&json!({ "$ref": "#/$defs/d0", "$defs": definitions }));
    let deep = format!("{}7{}", "[".repeat(64), "]".repeat(64));
    let check = move || schema.check("data", &deep).err().map(|invalid| names(&invalid));
    let found = std::thread::Builder::new().stack_size(1 << 20).spawn(check).unwrap().join().unwrap();
    assert_eq!(found.map(|places| places.len()), Some(1));
}

/// Memory is bounded by what is gathered; `tests/it/api_event_types.rs` sees what the process takes.
#[test]
fn data_with_very_many_violations_is_answered_with_the_first_alone() {
    let fields: Vec<String> = (0..20).map(|n| format!("field_{n}")).collect();
    let required = compile(&json!({ "type": "array", "items": { "type": "object", "required": fields } }));
    let empty = format!("[{}{{}}]", "{},".repeat(85_000));
    let invalid = required.check("data", &empty).unwrap_err();
    assert_eq!(names(&invalid), ["data[0].field_0", "data"]);
    assert!(invalid.to_string().contains("may have more"), "{invalid}");
    let few = required.check("data", &format!("[{}{{}}]", "{},".repeat(9))).unwrap_err();
    assert_eq!(few.0.len(), MOST_ERRORS + 1, "in ordinary cases all are told");
    let all = compile(&json!({ "items": { "allOf": vec![json!({ "type": "string" }); 12] } }));
    assert_eq!(names(&all.check("data", &format!("[{}1]", "1,".repeat(125_000))).unwrap_err())[0], "data[0]");
    let any = compile(&json!({ "anyOf": [{ "items": { "type": "string" } }, { "type": "null" }] }));
    assert_eq!(names(&any.check("data", &format!("[{}1]", "1,".repeat(125_000))).unwrap_err()), ["data"]);
    let deep = json!({ "x".repeat(100_000): vec![1; 20_000] });
    let below = compile(&json!({ "additionalProperties": { "items": { "type": "string" } } }));
    assert_eq!(below.check("data", &deep.to_string()).unwrap_err().0.len(), 2, "a path counts as well");
}

/// One wrong item among many is told: what is certainly right is not counted.
#[test]
fn one_violation_in_large_data_is_told_alone() {
    let schema = compile(
        &json!({ "items": { "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } } }),
    );
    let mut items = vec![json!({ "n": 1 }); 20_000];
    items[19_000] = json!({ "n": "x" });
    assert_eq!(names(&schema.check("data", &json!(items).to_string()).unwrap_err()), ["data[19000].n"]);
}

#[test]
fn options_count_as_what_each_value_is_compared_with() {
    let numbers = format!("[{}1]", "1,".repeat(85_000));
    let options: Vec<Value> = (0..8_000).map(|n| json!(f64::from(n) + 0.5)).collect();
    for schema in [json!({ "enum": options }), json!({ "const": options })] {
        let schema = compile(&json!({ "items": schema }));
        let invalid = schema.check("data", &numbers).unwrap_err();
        assert!(invalid.to_string().contains("too large"), "{invalid}");
        assert!(schema.check("data", "[]").is_ok());
    }
    let texts: Vec<String> = (0..5_000).map(|n| format!("t{n}")).collect();
    let schema = compile(&json!({ "items": { "enum": texts } }));
    assert!(schema.check("data", &json!(vec!["t7"; 40_000]).to_string()).is_ok(), "texts are looked up");
}
