//! The one error of the use cases, with a stable code for each case.
//!
//! A [`Code`] belongs to a [`Kind`]; the web floor has one table from kind to status. What the caller is told
//! says what to do; what went wrong inside goes to the log.

use crate::domain::ids::EndpointId;
use crate::domain::invalid::{FieldError, Invalid};
use crate::store::StoreError;
use crate::store::publish::PublishError;

/// What sort of failure it is: decides the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request cannot be read.
    Malformed,
    /// No valid key.
    Unauthorized,
    /// The key lacks the scope.
    Forbidden,
    /// Nothing there, or nothing that this key may see.
    NotFound,
    /// Not with this method.
    MethodNotAllowed,
    /// The body took too long to come.
    Timeout,
    /// It contradicts what is there.
    Conflict,
    /// More bytes than allowed.
    TooLarge,
    /// Not JSON.
    UnsupportedMediaType,
    /// Readable, but not acceptable.
    Invalid,
    /// Too often.
    TooMany,
    /// Our fault.
    Internal,
    /// Not now.
    Unavailable,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal, $kind:ident, $title:literal;)*) => {
        /// A case, stable over versions: callers may branch on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])* $name,)* }

        impl Code {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as callers see it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// When it comes, in a sentence or two for callers.
            pub fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),*).trim_start(),)* }
            }

            /// Its kind.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }

            /// The same words for every occurrence (RFC 9457, `title`).
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// The body is not JSON, or not UTF-8, or cut.
    MalformedJson = "malformed_json", Malformed, "The body is not valid JSON";
    /// The request itself cannot be read.
    MalformedRequest = "malformed_request", Malformed, "The request cannot be read";
    /// A query parameter is unknown or has no valid form.
    InvalidQuery = "invalid_query", Malformed, "A query parameter is not valid";
    /// A header has no valid form.
    InvalidHeader = "invalid_header", Malformed, "A header is not valid";
    /// No key, or none that is valid.
    Unauthorized = "unauthorized", Unauthorized, "A valid API key is needed";
    /// The key lacks the scope.
    InsufficientScope = "insufficient_scope", Forbidden, "The key may not do this";
    /// A form of the console that was not sent by one of its pages.
    ForeignForm = "foreign_form", Forbidden, "The form comes from elsewhere";
    /// Nothing is there.
    NotFound = "not_found", NotFound, "Nothing is there";
    /// There is no such call.
    UnknownPath = "unknown_path", NotFound, "There is no such path";
    /// There is such a path, but not with this method.
    MethodNotAllowed = "method_not_allowed", MethodNotAllowed, "The path does not take this method";
    /// The body did not come in time.
    RequestTimeout = "request_timeout", Timeout, "The request took too long to arrive";
    /// The own id belongs to another event.
    IdTaken = "id_taken", Conflict, "The id belongs to another event";
    /// The idempotency key came with another request.
    IdempotencyKeyReused = "idempotency_key_reused", Conflict, "The idempotency key came with another request";
    /// The handle belongs to another endpoint.
    UidTaken = "uid_taken", Conflict, "The uid belongs to another endpoint";
    /// The tenant has as many endpoints as it may.
    EndpointLimitReached = "endpoint_limit_reached", Conflict, "The tenant has as many endpoints as it may";
    /// The delivery cannot be retried as it is.
    NotRetryable = "not_retryable", Conflict, "The delivery cannot be retried now";
    /// Nothing can be sent again as it is.
    NotReplayable = "not_replayable", Conflict, "Nothing can be sent again now";
    /// A replay of the endpoint is under way.
    ReplayRunning = "replay_running", Conflict, "A replay of the endpoint is under way";
    /// The delivery cannot be canceled as it is.
    NotCancelable = "not_cancelable", Conflict, "The delivery cannot be canceled now";
    /// The format is built in.
    FormatBuiltIn = "format_built_in", Conflict, "The format is built in";
    /// Endpoints use the format.
    FormatInUse = "format_in_use", Conflict, "Endpoints use the format";
    /// Endpoints that use the format do not fit what it would become.
    FormatDoesNotFit = "format_does_not_fit", Conflict, "Endpoints do not fit the format";
    /// Another backup is under way.
    BackupRunning = "backup_running", Conflict, "A backup is under way";
    /// There are 1,000 formats besides those that are built in.
    FormatLimitReached = "format_limit_reached", Conflict, "There are as many formats as there may be";
    /// The catalogue has 10,000 event types.
    EventTypeLimitReached = "event_type_limit_reached", Conflict, "The catalogue is full";
    /// As many secrets of the endpoint sign as can.
    TooManySecrets = "too_many_secrets", Conflict, "As many secrets sign as can";
    /// An operator with this address exists.
    OperatorExists = "operator_exists", Conflict, "An operator with this address exists";
    /// The operator was deactivated.
    OperatorInactive = "operator_inactive", Conflict, "The operator is deactivated";
    /// Nobody else could administrate.
    LastAdmin = "last_admin", Conflict, "The operator is the last active admin";
    /// More bytes than allowed.
    TooLarge = "too_large", TooLarge, "The request is too large";
    /// Not JSON.
    UnsupportedMediaType = "unsupported_media_type", UnsupportedMediaType, "The body must be JSON";
    /// Fields are wrong; `errors` names each.
    Invalid = "invalid", Invalid, "The request is not acceptable";
    /// The URL leads where no endpoint may be.
    TargetDenied = "target_denied", Invalid, "The URL leads to a forbidden address";
    /// There is no such tenant, and tenants are not made by being named.
    UnknownTenant = "unknown_tenant", Invalid, "There is no such tenant";
    /// The event type is reserved.
    ReservedEventType = "reserved_event_type", Invalid, "The event type is reserved";
    /// The event type is not in the catalogue.
    UnknownEventType = "unknown_event_type", Invalid, "The event type is not in the catalogue";
    /// Too many tests at once.
    TooManyTests = "too_many_tests", TooMany, "Too many tests at once";
    /// A defect.
    Internal = "internal", Internal, "Something went wrong inside";
    /// More is waiting than fits.
    Overloaded = "overloaded", Unavailable, "Too much at once";
    /// The server cannot do its work at present: the disk, the database.
    Unavailable = "unavailable", Unavailable, "The server cannot do this at present";
    /// The server accepts, and what it sends fails on its own side: the way to the endpoints.
    NotDelivering = "not_delivering", Unavailable, "Deliveries fail on the server's side";
    /// The server is stopping.
    Stopping = "stopping", Unavailable, "The server is stopping";
}

/// What is added where something is not found: a key is not told of what it may not see.
const OR_NOT_SEEN: &str = ", or this key may not see it";

/// A use case that could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", code.as_str())]
pub struct Error {
    /// The case.
    pub code: Code,
    /// What happened and what to do, for the caller. Empty for a defect.
    pub detail: String,
    /// Each wrong field.
    pub fields: Vec<FieldError>,
    /// When it may be tried again, seconds.
    pub retry_after: Option<u32>,
    /// The endpoint that it is about, if that was deleted: what was sent to it may still be there. Boxed, for it is rare
    /// and errors are handed on by value.
    pub endpoint_deleted: Option<Box<EndpointId>>,
    /// What went wrong inside: for the log of whoever handles it, never for the caller.
    pub cause: Option<Box<str>>,
}

impl Error {
    /// A failure of a case, in a sentence that says what to do.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let retry_after = matches!(code.kind(), Kind::Unavailable | Kind::TooMany).then_some(1);
        Self {
            code,
            detail: detail.into(),
            fields: Vec::new(),
            retry_after,
            endpoint_deleted: None,
            cause: None,
        }
    }

    /// Nothing of this name.
    pub fn not_found(what: &str, name: impl std::fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("there is no {what} {name}{OR_NOT_SEEN}"))
    }

    /// What happened and what to do, for somebody at the console: they have no key, and see everything.
    pub fn detail_for_operators(&self) -> &str {
        self.detail.strip_suffix(OR_NOT_SEEN).unwrap_or(&self.detail)
    }

    /// The same, naming the field that it is about.
    #[must_use]
    pub fn about(mut self, field: &str, message: &str) -> Self {
        self.fields.push(FieldError { field: field.to_owned(), message: message.to_owned() });
        self
    }

    /// An endpoint that was deleted, for who may see what is left of it.
    pub fn endpoint_deleted(id: EndpointId) -> Self {
        let detail = format!(
            "the endpoint {id} was deleted; what was sent to it stays until it is pruned: GET /api/v1/deliveries?endpoint={id}"
        );
        Self { endpoint_deleted: Some(Box::new(id)), ..Self::new(Code::NotFound, detail) }
    }

    /// One wrong field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Invalid::one(field, message).into()
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        let detail = match invalid.0.as_slice() {
            [only] => format!("{} {}", only.field, only.message),
            all => format!("{} fields are wrong; `errors` says what each of them may be", all.len()),
        };
        Self { fields: invalid.0, ..Self::new(Code::Invalid, detail) }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let again = "; make the request again then, with the same Idempotency-Key if it had one";
        match error {
            StoreError::Overloaded => {
                Self::new(Code::Overloaded, format!("more arrives than the disk takes{again}"))
            }
            StoreError::Busy => Self::new(Code::Overloaded, "all database connections are busy; try again"),
            StoreError::Stopping => Self::new(Code::Stopping, format!("the server is stopping{again}")),
            StoreError::Unavailable(reason) => {
                let detail = format!(
                    "the database cannot be used, for example because the disk is full or another program has locked it: \
                     /readyz says which{again}"
                );
                Self { cause: Some(reason.into()), ..Self::new(Code::Unavailable, detail) }
            }
            StoreError::Internal(reason) => {
                Self { cause: Some(reason.into()), ..Self::new(Code::Internal, "") }
            }
        }
    }
}

impl From<PublishError> for Error {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::IdTaken => Self::new(
                Code::IdTaken,
                "an event with this id and other content was accepted before; give another id, or leave it out",
            )
            .about("id", "is that of an event with other content"),
            PublishError::IdDeleted => Self::new(
                Code::IdTaken,
                "the event with this id was accepted before and its data was deleted, so it cannot be told whether this is \
                 the same; give another id, or leave it out",
            )
            .about("id", "is that of an event whose data was deleted"),
            PublishError::KeyReused => Self::new(
                Code::IdempotencyKeyReused,
                "this Idempotency-Key came with another request in the last 24 hours; use a new key for a new event",
            ),
            PublishError::UnknownTenant => Self::new(
                Code::UnknownTenant,
                "there is no such tenant, and the setting strict_tenants refuses to make it; PUT /api/v1/tenants/{tenant} first",
            )
            .about("tenant", "is not there, and strict_tenants refuses to make it"),
            PublishError::Store(error) => error.into(),
        }
    }
}
