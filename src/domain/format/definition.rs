//! What a format says, read and checked: pure data, from which [`super::Format`] is compiled.
//!
//! It is written as JSON with every field in one order, whatever was left out of what was read; what it writes can
//! be read again and means the same.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::scheme::Scheme;

/// A format as data.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Definition {
    /// How an attempt is signed.
    pub signature: SignatureRules,
    /// The names under which headers are sent.
    pub headers: HeaderNames,
    /// The body around the data.
    pub envelope: EnvelopeRules,
    /// Constants.
    pub fixed: Fixed,
    /// How the body is written.
    pub body: BodyForm,
}

/// How an attempt is signed.
#[derive(Debug, Clone, serde::Serialize)]
pub struct SignatureRules {
    /// The scheme.
    pub scheme: &'static Scheme,
    /// The header that carries the signatures; `None` for a scheme without.
    pub header: Option<String>,
    /// What stands before them, once.
    pub prefix: String,
    /// What stands between two of them; `None`: the header carries one, the newest.
    pub join: Option<String>,
    /// What is signed; `None` for a scheme without signatures.
    pub over: Option<Over>,
}

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum Over {
    /// The body.
    #[serde(rename = "body")]
    Body,
    /// The attempt's time in unix seconds, a full stop, the body.
    #[serde(rename = "timestamp.body")]
    TimestampBody,
    /// The event's id, a full stop, and the same.
    #[serde(rename = "id.timestamp.body")]
    IdTimestampBody,
}

/// The names of headers; `None`: not sent.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct HeaderNames {
    /// The event's type.
    pub event: Option<String>,
    /// The event's id.
    pub id: Option<String>,
    /// The attempt's time in unix seconds.
    pub timestamp: Option<String>,
    /// The attempt's number in its delivery, from 1.
    pub attempt: Option<String>,
}

/// The body around the data.
#[derive(Debug, Clone)]
pub enum EnvelopeRules {
    /// None: the data alone.
    Data,
    /// An object, whose keys are sent in this order.
    Keys(Vec<Key>),
}

/// A key of an envelope.
#[derive(Debug, Clone)]
pub struct Key {
    /// What it stands for.
    pub what: What,
    /// Where it stands: keys of objects within one another, with full stops between them.
    pub path: String,
}

/// What a key of an envelope stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The event's id.
    Id,
    /// The event's type.
    Type,
    /// The event's time.
    Timestamp(TimeForm),
    /// The tenant's name.
    Tenant(TenantForm),
    /// The data.
    Data,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeForm {
    /// RFC 3339 with milliseconds.
    #[default]
    Rfc3339Ms,
    /// RFC 3339, cut to the second.
    Rfc3339,
    /// A number of seconds since 1970, cut to the second.
    Unix,
    /// A number of milliseconds since 1970.
    UnixMs,
}

/// How a tenant is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TenantForm {
    /// As a string.
    #[default]
    Text,
    /// As a number, where its name is a canonical integer of at most 53 bits; else as a string.
    Number,
    /// As a URI reference (RFC 3986): the name itself, but a colon that follows no scheme is written `%3A`.
    UriReference,
}

/// Constants.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Fixed {
    /// Headers: names and values, in their order.
    #[serde(serialize_with = "object")]
    pub headers: Vec<(String, String)>,
    /// Keys of the envelope, after its own: paths, and JSON texts.
    #[serde(serialize_with = "raw_object")]
    pub envelope: Vec<(String, String)>,
}

/// How the body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyForm {
    /// With the data as the publisher sent it.
    #[default]
    Verbatim,
    /// As `JSON.stringify(JSON.parse(body))` writes it.
    Ecmascript,
}

/// Words of an enumeration, by which it is read and written.
pub type Words<T> = [(&'static str, T)];

/// What may be signed.
pub const OVER: &Words<Over> = &[
    ("body", Over::Body),
    ("timestamp.body", Over::TimestampBody),
    ("id.timestamp.body", Over::IdTimestampBody),
];
/// How a time may be written.
pub const TIME_FORMS: &Words<TimeForm> = &[
    ("rfc3339_ms", TimeForm::Rfc3339Ms),
    ("rfc3339", TimeForm::Rfc3339),
    ("unix", TimeForm::Unix),
    ("unix_ms", TimeForm::UnixMs),
];
/// How a tenant may be written.
pub const TENANT_FORMS: &Words<TenantForm> = &[
    ("string", TenantForm::Text),
    ("number", TenantForm::Number),
    ("uri_reference", TenantForm::UriReference),
];
/// How a body may be written.
pub const BODIES: &Words<BodyForm> =
    &[("verbatim", BodyForm::Verbatim), ("ecmascript", BodyForm::Ecmascript)];

fn word<T: PartialEq>(words: &Words<T>, value: &T) -> Option<&'static str> {
    words.iter().find(|(_, known)| known == value).map(|(word, _)| *word)
}

impl What {
    /// Its name in a format.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Type => "type",
            Self::Timestamp(_) => "timestamp",
            Self::Tenant(_) => "tenant",
            Self::Data => "data",
        }
    }

    /// The form that it is written in, unless that is the default.
    fn form(self) -> Option<&'static str> {
        match self {
            Self::Timestamp(form) if form != TimeForm::default() => word(TIME_FORMS, &form),
            Self::Tenant(form) if form != TenantForm::default() => word(TENANT_FORMS, &form),
            _ => None,
        }
    }
}

impl Serialize for EnvelopeRules {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Data => serializer.serialize_str("data"),
            Self::Keys(keys) => serializer.collect_map(keys.iter().map(|key| (key.what.name(), key))),
        }
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(form) = self.what.form() else { return serializer.serialize_str(&self.path) };
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("key", &self.path)?;
        map.serialize_entry("as", form)?;
        map.end()
    }
}

impl Serialize for Scheme {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

fn object<S: Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

fn raw_object<S: Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(pairs.len()))?;
    for (name, text) in pairs {
        let raw: &RawValue = serde_json::from_str(text).map_err(serde::ser::Error::custom)?;
        map.serialize_entry(name, raw)?;
    }
    map.end()
}
