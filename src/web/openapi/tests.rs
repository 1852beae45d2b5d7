use serde_json::Value;

use super::*;
use crate::domain::settings::Settings;
use crate::service::Code;
use operation::{Operation, Place};

fn document() -> Value {
    serde_json::from_slice(&TEXT).unwrap()
}

fn operations() -> impl Iterator<Item = &'static Operation> {
    RESOURCES.iter().flat_map(|resource| &resource.operations)
}

/// A schema with everything that it refers to.
fn resolved(document: &Value, schema: &str) -> Value {
    let mut schema: Value = serde_json::from_str(schema).unwrap();
    schema["components"] = document["components"].clone();
    schema
}

#[test]
fn every_example_fits_its_schema() {
    let document = document();
    let fits = |schema: &schema::Schema, example: &json::Json, what: &str| {
        let schema = resolved(&document, &schema.0.to_string());
        let example: Value = serde_json::from_str(&example.to_string()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let wrong: Vec<String> = validator.iter_errors(&example).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{what}: {wrong:?} in {example}");
    };
    for operation in operations() {
        for parameter in operation.parameters.iter().filter(|parameter| parameter.example != json::Json::Null)
        {
            fits(&parameter.schema, &parameter.example, &format!("{} {}", operation.id, parameter.name));
        }
        if let Some(body) = &operation.body {
            fits(&body.schema, &body.example, operation.id);
        }
        for answer in &operation.answers {
            if let Some(content) = &answer.content {
                fits(&content.schema, &content.example, &format!("{} {}", operation.id, answer.status));
            }
        }
    }
}

#[test]
fn every_name_is_there_once_and_every_reference_leads_somewhere() {
    let mut names: Vec<&str> = operations().map(|operation| operation.id).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    for operation in operations() {
        for link in operation.answers.iter().flat_map(|answer| &answer.links) {
            let target = operations().find(|other| other.id == link.operation);
            let target = target.unwrap_or_else(|| panic!("{} leads to {}", operation.id, link.operation));
            for (name, from) in link.found {
                let takes = target.parameters.iter().any(|parameter| parameter.name == *name);
                assert!(takes, "{} leads to {} with {name}", operation.id, link.operation);
                let sent = from.strip_prefix("$request.path.");
                let has = |sent: &str| operation.parameters.iter().any(|parameter| parameter.name == sent);
                assert!(sent.is_none_or(has), "{} has no {from}", operation.id);
            }
        }
        let in_path = operation.parameters.iter().filter(|parameter| parameter.place == Place::Path);
        let mut braces = in_path.map(|parameter| format!("{{{}}}", parameter.name));
        assert!(braces.all(|name| operation.path.contains(&name)), "{}", operation.id);
        let count = operation.path.matches('{').count();
        let told = operation.parameters.iter().filter(|parameter| parameter.place == Place::Path).count();
        assert_eq!(count, told, "{}", operation.id);
        assert!(!operation.summary.is_empty() && !operation.answers.is_empty(), "{}", operation.id);
    }
    let (document, text) = (document(), String::from_utf8(TEXT.to_vec()).unwrap());
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer} is not there");
    }
}

#[test]
fn every_code_can_be_found_in_the_document_but_those_of_the_framework_and_the_console() {
    let told: Vec<Code> = operations().flat_map(Operation::codes).collect();
    let elsewhere = [Code::MethodNotAllowed, Code::ForeignForm];
    for code in Code::ALL.iter().filter(|code| !elsewhere.contains(code)) {
        assert!(told.contains(code), "no call fails with {}", code.as_str());
    }
}

#[test]
fn every_setting_is_described() {
    let document = document();
    let described = document.pointer("/components/schemas/SettingsChange/properties").unwrap();
    let mut names: Vec<String> = described.as_object().unwrap().keys().cloned().collect();
    let mut known = Settings::names();
    names.sort();
    known.sort();
    assert_eq!(names, known);
}
