//! `--format` and `--secret`, as `listen` and `verify` take them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::config::socket_path;
use crate::domain::format::{Format, builtin};
use crate::domain::names::FormatName;
use crate::domain::secret::Secret;
use crate::domain::verifying;

use super::answer::Answer;
use super::command::Request;
use super::socket::{Client, SocketError};
use super::{input, output};

/// What a format says of itself; `GET /formats/{name}` answers more.
const FIELDS: [&str; 5] = ["signature", "headers", "envelope", "fixed", "body"];

/// The format that `--format` names: a built-in one, a file, or one of the server that runs on the data directory.
///
/// # Errors
/// A sentence that says what is allowed.
pub(super) fn find(format: Option<&str>, data: &Path) -> Result<Arc<Format>, String> {
    let name = format.unwrap_or("standard");
    match builtin::find(name) {
        Some(format) => Ok(Arc::clone(format)),
        None if Path::new(name).exists() && !Path::new(name).is_dir() => {
            read(name, &input::read_text("--format", name)?).map(Arc::new)
        }
        None => {
            let text = ask(name, data).map_err(|why| {
                let names: Vec<_> = builtin::all().iter().map(|format| format.name()).collect();
                let names = names.join(", ");
                format!(
                    "--format must be one of {names}, a file with the JSON of a format, or a format of the server that \
                     runs on the data directory, and is {name:?}: {why}"
                )
            })?;
            read(name, &text).map(Arc::new)
        }
    }
}

/// A format of a team's own as the server answers it, or why there is none.
fn ask(name: &str, data: &Path) -> Result<String, String> {
    let name = FormatName::parse(name).map_err(|_| "there is no such file".to_owned())?;
    let request = Request::get(format!("/api/v1/formats/{name}"));
    let shown = data.display();
    match Client::new(&socket_path(data)).request(&request) {
        Ok(Answer { status: 200, body, .. }) => Ok(body.to_string()),
        Ok(Answer { status: 404, .. }) => Err(format!(
            "the server on {shown} has none of that name; `postrider formats list` shows those it has"
        )),
        Ok(Answer { status, body, .. }) => Err(output::problem(status, &body)),
        Err(SocketError::NobodyListens { .. }) => Err(format!(
            "no server runs on {shown}; start it, name another data directory with --data-dir, or save what \
             `postrider formats show {name} --json` prints as a file"
        )),
        Err(error) => Err(error.to_string()),
    }
}

/// A format from its JSON, also as the API answers it.
fn read(name: &str, text: &str) -> Result<Format, String> {
    let answer: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(text).ok();
    let answered = answer.filter(|fields| fields.contains_key("name")).map(|mut fields| {
        fields.retain(|name, _| FIELDS.contains(&name.as_str()));
        serde_json::to_string(&fields)
    });
    let answered = answered.transpose().map_err(|error| error.to_string())?;
    let text = answered.as_deref().unwrap_or(text);
    Format::parse(name, text).map_err(|invalid| format!("--format: {name} is no format: {invalid}"))
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
        let temp = tempfile::tempdir().unwrap();
        let find = |format| find(format, temp.path());
        assert_eq!(
            (find(None).unwrap().name(), find(Some("github")).unwrap().name()),
            ("standard", "github")
        );
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
        assert!(error.contains("no server runs on") && error.contains("--data-dir"), "{error}");
        assert!(find(Some("a/b")).unwrap_err().ends_with("there is no such file"));
    }
}
