//! One call of the API as data: what it takes, what it answers, who may make it.

use crate::domain::scope::Scope;
use crate::service::Code;

use super::json::{Json, example};
use super::links::Found;
use super::schema::Schema;

/// Who may make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a key.
    Everybody,
    /// A key with this scope, or with `admin`.
    Scope(Scope),
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// Behind the question mark.
    Query,
    /// In a header.
    Header,
}

impl Place {
    /// Its name in OpenAPI.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

/// A parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Where it stands. Those in the path have to be there, the others never.
    pub place: Place,
    /// What it may be.
    pub schema: Schema,
    /// What it means.
    pub about: &'static str,
    /// How it may look.
    pub example: Json,
}

/// The JSON that a call takes.
#[derive(Debug, Clone)]
pub struct Body {
    /// What it may be.
    pub schema: Schema,
    /// How it may look.
    pub example: Json,
    /// Whether it has to be there.
    pub required: bool,
}

/// A header of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub about: &'static str,
}

/// The call that an answer leads to.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// The call's name.
    pub operation: &'static str,
    /// The parameters that the answer knows, and where it has them.
    pub found: &'static Found,
}

/// An answer that is no failure.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// When it comes.
    pub about: &'static str,
    /// What its body is; `None`: there is none.
    pub content: Option<Content>,
    /// Headers that it may have.
    pub headers: Vec<Header>,
    /// Where it leads.
    pub links: Vec<Link>,
}

/// The body of an answer.
#[derive(Debug, Clone)]
pub struct Content {
    /// Its media type.
    pub media_type: &'static str,
    /// What it may be.
    pub schema: Schema,
    /// How it may look.
    pub example: Json,
}

/// A call.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `GET`, …
    pub method: &'static str,
    /// With parameters in braces.
    pub path: &'static str,
    /// Its name, for generated clients.
    pub id: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What there is to know besides.
    pub about: &'static str,
    /// Who may make it.
    pub access: Access,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// What it takes.
    pub body: Option<Body>,
    /// What it answers when it succeeds.
    pub answers: Vec<Answer>,
    codes: Vec<Code>,
}

impl Operation {
    /// A call that needs `scope`.
    pub fn new(method: &'static str, path: &'static str, id: &'static str, scope: Scope) -> Self {
        let (parameters, answers, codes) = (Vec::new(), Vec::new(), Vec::new());
        let access = Access::Scope(scope);
        Self { method, path, id, summary: "", about: "", access, parameters, body: None, answers, codes }
    }

    /// A call for everybody.
    pub fn open(path: &'static str, id: &'static str) -> Self {
        Self { access: Access::Everybody, ..Self::new("GET", path, id, Scope::Admin) }
    }

    /// What it does, and what there is to know.
    pub fn says(self, summary: &'static str, about: &'static str) -> Self {
        Self { summary, about, ..self }
    }

    /// With these parameters.
    pub fn with(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// It takes this.
    pub fn takes(self, schema: Schema, text: &str) -> Self {
        Self { body: Some(Body { schema, example: example(text), required: true }), ..self }
    }

    /// It takes this, or nothing.
    pub fn may_take(self, schema: Schema, text: &str) -> Self {
        Self { body: Some(Body { schema, example: example(text), required: false }), ..self }
    }

    /// It answers this.
    pub fn answers(self, status: u16, about: &'static str, schema: Schema, text: &str) -> Self {
        let media_type = "application/json";
        self.answers_as(status, about, Content { media_type, schema, example: example(text) })
    }

    /// It answers something of any media type.
    pub fn answers_as(mut self, status: u16, about: &'static str, content: Content) -> Self {
        let (headers, links) = (Vec::new(), Vec::new());
        self.answers.push(Answer { status, about, content: Some(content), headers, links });
        self
    }

    /// It answers 204.
    pub fn answers_nothing(mut self, about: &'static str) -> Self {
        let (headers, links) = (Vec::new(), Vec::new());
        self.answers.push(Answer { status: 204, about, content: None, headers, links });
        self
    }

    /// The answer before may have this header.
    pub fn header(mut self, name: &'static str, about: &'static str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.push(Header { name, about });
        }
        self
    }

    /// The answer before leads to this call.
    pub fn leads_to(mut self, operation: &'static str, found: &'static Found) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.links.push(Link { operation, found });
        }
        self
    }

    /// It may fail with these codes, besides those that follow from what it takes.
    pub fn fails(mut self, codes: impl IntoIterator<Item = Code>) -> Self {
        self.codes.extend(codes);
        self
    }

    /// All codes that it may fail with, in the order of the table of codes.
    pub fn codes(&self) -> Vec<Code> {
        let mut all = self.codes.clone();
        all.push(Code::Internal);
        if matches!(self.access, Access::Scope(_)) {
            all.extend([
                Code::Unauthorized,
                Code::InsufficientScope,
                Code::InvalidQuery,
                Code::MalformedRequest,
            ]);
            all.extend([Code::Overloaded, Code::Unavailable, Code::Stopping]);
        }
        if self.parameters.iter().any(|parameter| parameter.place == Place::Path) {
            all.extend([Code::NotFound, Code::UnknownPath]);
        }
        if self.parameters.iter().any(|parameter| parameter.place == Place::Header) {
            all.push(Code::InvalidHeader);
        }
        if self.body.is_some() {
            all.extend([Code::MalformedJson, Code::RequestTimeout, Code::TooLarge]);
            all.extend([Code::UnsupportedMediaType, Code::Invalid]);
        }
        Code::ALL.iter().copied().filter(|code| all.contains(code)).collect()
    }
}
