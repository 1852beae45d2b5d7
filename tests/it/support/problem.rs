//! What every answer of 400 and above must look like.

use serde_json::Value;

use super::client::Response;

/// Checks that an answer is a whole problem document about itself; the document.
#[track_caller]
pub fn problem(response: &Response, what: &str) -> Value {
    headers(response, what);
    let document = response.json();
    let members: Vec<&str> = document.as_object().expect("an object").keys().map(String::as_str).collect();
    let all = ["code", "detail", "errors", "request_id", "status", "title", "type"];
    assert_eq!(members, all, "{what}: {document}");
    assert_eq!(document["status"], response.status, "{what}: {document}");
    assert_eq!(document["request_id"].as_str(), response.header("x-request-id"), "{what}: {document}");
    let code = document["code"].as_str().expect("a text");
    assert_eq!(document["type"], format!("/docs#{code}"), "{what}");
    for member in ["title", "detail"] {
        assert!(document[member].as_str().is_some_and(|text| !text.is_empty()), "{what}: {document}");
    }
    for error in document["errors"].as_array().expect("a list") {
        assert!(error["field"].is_string() && error["message"].is_string(), "{what}: {document}");
    }
    document
}

/// Checks what an answer of 400 and above says in its head: all there is after a HEAD.
#[track_caller]
pub fn headers(response: &Response, what: &str) {
    assert!(response.status >= 400, "{what} was answered with {}", response.status);
    assert_eq!(response.header("content-type"), Some("application/problem+json"), "{what}");
    assert_eq!(response.header("x-request-id").map(str::len), Some(16), "{what}");
    assert_eq!(response.header("cache-control"), Some("no-store"), "{what}");
    let later = matches!(response.status, 429 | 503);
    assert_eq!(response.header("retry-after").is_some(), later, "{what}");
    assert_eq!(response.header("www-authenticate").is_some(), response.status == 401, "{what}");
    assert_eq!(response.header("allow").is_some(), response.status == 405, "{what}");
}

/// The code of a problem, checked.
#[track_caller]
pub fn code(response: &Response) -> String {
    super::app::text(&problem(response, "the answer"), "code")
}

/// The names of the fields that a problem is about, checked.
#[track_caller]
pub fn fields(response: &Response) -> Vec<String> {
    let document = problem(response, "the answer");
    let errors = document["errors"].as_array().expect("a list");
    errors.iter().map(|error| super::app::text(error, "field")).collect()
}
