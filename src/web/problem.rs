//! Failures as callers see them: `application/problem+json` (RFC 9457).
//!
//! A handler fails with a [`Problem`]. The document itself is written in one place, [`super::errors`], which knows
//! the request's id; what a [`Problem`] answers by itself is its status alone.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use crate::domain::invalid::{FieldError, Invalid};
use crate::service::{Code, Error, Kind};

/// A use case that failed, on its way to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(pub Error);

impl Problem {
    /// A failure of a case, in a sentence that says what to do.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Error::new(code, detail))
    }

    /// A defect: `cause` is for the log alone.
    pub fn internal(cause: impl Into<String>) -> Self {
        Self(Error { cause: Some(cause.into().into()), ..Error::new(Code::Internal, "") })
    }

    /// What callers do not read takes all the memory that there is for answers.
    pub fn too_many_answers() -> Self {
        let detail = "too many large answers wait for their callers to read them; repeat the request";
        Self::new(Code::Overloaded, detail)
    }

    /// The text of an answer, or why there is none: a defect.
    pub fn or_json(answer: &impl Serialize) -> Result<Vec<u8>, Self> {
        serde_json::to_vec(answer).map_err(|error| Self::internal(error.to_string()))
    }

    /// Wrong inputs under another code than `invalid`: query parameters, headers.
    pub fn fields(code: Code, invalid: Invalid) -> Self {
        Self(Error { code, ..Error::from(invalid) })
    }

    /// The answer, with its document.
    pub fn answer(&self, request_id: &str) -> HttpResponse {
        let error = &self.0;
        let mut answer = HttpResponse::build(status(error.code.kind()));
        if let Some(seconds) = error.retry_after {
            answer.insert_header((header::RETRY_AFTER, seconds));
        }
        if error.code.kind() == Kind::Unauthorized {
            // RFC 6750, section 3.
            answer.insert_header((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        answer.insert_header((header::CONTENT_TYPE, MEDIA_TYPE)).body(document(error, request_id))
    }
}

/// The media type of RFC 9457.
pub const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The one table from kind to status.
pub const fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Malformed => StatusCode::BAD_REQUEST,
        Kind::Unauthorized => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Kind::Timeout => StatusCode::REQUEST_TIMEOUT,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The members of a problem document, in the order of RFC 9457 and then our own.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    errors: &'a [FieldError],
    request_id: &'a str,
}

/// The text of a problem document. Of an internal error it shows the request's id and nothing else.
pub fn document(error: &Error, request_id: &str) -> String {
    let internal = error.code.kind() == Kind::Internal;
    let hidden =
        format!("report it with the request id {request_id}, under which the server's log says more");
    let document = Document {
        // Relative to the server (RFC 9457, section 3.1.1): the reference that it serves explains each code.
        kind: format!("/docs#{}", error.code.as_str()),
        title: error.code.title(),
        status: status(error.code.kind()).as_u16(),
        detail: if internal { &hidden } else { &error.detail },
        code: error.code.as_str(),
        errors: if internal { &[] } else { &error.fields },
        request_id,
    };
    // Texts and numbers under fixed keys: there is nothing in it that could fail to be written.
    serde_json::to_string(&document).unwrap_or_default()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        status(self.0.code.kind())
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

impl<E: Into<Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn every_code_has_a_document_with_its_own_status_and_all_members() {
        for code in Code::ALL {
            let text = document(&Error::new(*code, "do this"), "r1");
            let value: Value = serde_json::from_str(&text).unwrap();
            let status = status(code.kind()).as_u16();
            assert!((400..600).contains(&status));
            assert_eq!(value["status"], status);
            assert_eq!(value["code"], code.as_str());
            assert_eq!(value["type"], format!("/docs#{}", code.as_str()));
            assert!(value["title"].as_str().is_some_and(|title| !title.is_empty()));
            assert_eq!(value["request_id"], "r1");
            assert_eq!(value.as_object().unwrap().len(), 7);
        }
    }

    #[test]
    fn wrong_fields_are_listed() {
        let value: Value =
            serde_json::from_str(&document(&Error::field("type", "is required"), "r1")).unwrap();
        assert_eq!(value["errors"], json!([{"field": "type", "message": "is required"}]));
        assert_eq!(value["detail"], "type is required");
    }

    #[test]
    fn an_internal_error_shows_its_request_id_and_nothing_else() {
        let mut error = Error::new(Code::Internal, "disk table rows");
        error.fields = Invalid::one("table", "is gone").0;
        let text = document(&error, "4711");
        assert!(text.contains("4711") && !text.contains("table") && !text.contains("disk"), "{text}");
    }

    #[test]
    fn who_is_refused_for_now_learns_when_to_come_back() {
        for code in Code::ALL {
            let later = matches!(code.kind(), Kind::TooMany | Kind::Unavailable);
            let answer = Problem::new(*code, "").answer("r1");
            assert_eq!(answer.headers().contains_key(header::RETRY_AFTER), later, "{code:?}");
            let challenge = answer.headers().contains_key(header::WWW_AUTHENTICATE);
            assert_eq!(challenge, code.kind() == Kind::Unauthorized);
        }
    }
}
