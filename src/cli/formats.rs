//! `--format` and `--secret`, as `listen` and `verify` take them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::domain::format::{Format, builtin};
use crate::domain::secret::Secret;
use crate::domain::verifying;

use super::input;

/// What a format says of itself; `GET /formats/{name}` answers more.
const FIELDS: [&str; 5] = ["signature", "headers", "envelope", "fixed", "body"];

/// The format that `--format` names: a built-in one, or a file.
///
/// # Errors
/// A sentence that says what is allowed.
pub(super) fn find(format: Option<&str>) -> Result<Arc<Format>, String> {
    let name = format.unwrap_or("standard");
    match builtin::find(name) {
        Some(format) => Ok(Arc::clone(format)),
        None if Path::new(name).exists() && !Path::new(name).is_dir() => read(name).map(Arc::new),
        None => {
            let names: Vec<_> = builtin::all().iter().map(|format| format.name()).collect();
            let names = names.join(", ");
            Err(format!(
                "--format must be one of {names}, or a file with the JSON of a format, and is {name:?}"
            ))
        }
    }
}

/// A format from its JSON, also as the API answers it.
fn read(name: &str) -> Result<Format, String> {
    let text = input::read_text("--format", name)?;
    let answer: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(&text).ok();
    let answered = answer.filter(|fields| fields.contains_key("name")).map(|mut fields| {
        fields.retain(|name, _| FIELDS.contains(&name.as_str()));
        serde_json::to_string(&fields)
    });
    let text = answered.transpose().map_err(|error| error.to_string())?.unwrap_or(text);
    Format::parse(name, &text).map_err(|invalid| format!("--format: {name} is no format: {invalid}"))
}

/// The secrets, read as the format does.
///
/// # Errors
/// What a secret of this format must be; without the secret.
pub(super) fn secrets(format: &Format, texts: &[String]) -> Result<Vec<Secret>, String> {
    let read = |text: &String| verifying::secret(format, text).map_err(|says| format!("--secret {says}"));
    texts.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_built_in_or_a_file_as_it_is_put_or_answered() {
        assert_eq!(
            (find(None).unwrap().name(), find(Some("github")).unwrap().name()),
            ("standard", "github")
        );
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("f.json");
        let name = path.to_str().unwrap();
        let definition = r#""signature": {"scheme": "hmac-sha256-hex", "header": "X-S"}, "envelope": "data""#;
        for text in
            [format!("{{{definition}}}"), format!("{{\"name\": \"f\", \"built_in\": false, {definition}}}")]
        {
            std::fs::write(&path, text).unwrap();
            assert_eq!(find(Some(name)).unwrap().own_headers(), ["x-s"]);
        }
        std::fs::write(&path, "{\"signature\": {\"scheme\": \"rot13\"}, \"colour\": 1}").unwrap();
        let error = find(Some(name)).unwrap_err();
        assert!(error.contains("signature.scheme") && error.contains("colour"), "{error}");
        let error = find(Some("nonsense")).unwrap_err();
        assert!(
            error.contains("standard, github, stripe, cloudevents") && error.contains("nonsense"),
            "{error}"
        );
    }
}
