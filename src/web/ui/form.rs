//! Forms: reading what was sent, writing it into the page again with what is wrong beside each field.

use actix_web::web::Payload;
use actix_web::{HttpRequest, http::StatusCode};
use url::form_urlencoded;

use crate::domain::invalid::{FieldError, Invalid};
use crate::service::{Code, Kind, Patch};
use crate::web::body;
use crate::web::problem::{self, Problem};

use super::amounts::grouped;

/// What a form may hold: 500 patterns, or data of the greatest size, each of its bytes written as three.
pub(super) const LIMIT: usize = 4 * 1024 * 1024;
/// The same for a form whose session has ended, which is carried through the page to sign in: few forms are longer.
pub(super) const CARRIED_LIMIT: usize = 32 * 1024;
/// The same for who is not signed in: an address and a password, and what is carried: each of its bytes may be written as
/// three, and three bytes take four once they are sealed.
pub(super) const STRANGERS_LIMIT: usize = 16 * 1024 + 4 * CARRIED_LIMIT;
/// More than any page has, with a box for each type of the catalogue.
const MOST_FIELDS: usize = 1_000;

/// The fields of a form, as typed, and what is wrong with them.
#[derive(Debug, Default)]
pub struct Form {
    given: Vec<(String, String)>,
    wrong: Invalid,
    refused: Option<(StatusCode, String)>,
}

impl Form {
    /// A form with these values.
    pub fn of<const N: usize>(values: [(&str, String); N]) -> Self {
        let given = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { given, ..Self::default() }
    }

    /// The form that a query string holds: filters.
    pub fn of_query(query: &str) -> Self {
        Self::parse(query.as_bytes())
    }

    fn parse(text: &[u8]) -> Self {
        // A browser sends CR LF for the end of a line.
        let given = form_urlencoded::parse(text)
            .into_owned()
            .map(|(name, value)| (name, value.replace("\r\n", "\n")));
        Self { given: given.collect(), ..Self::default() }
    }

    /// Reads a request's body. Whether it comes from one of our pages is checked by whoever calls.
    pub(super) async fn read(request: &HttpRequest, payload: Payload, limit: usize) -> Result<Self, Problem> {
        let text = body::read_form(request, payload, limit).await?;
        if memchr::memchr_iter(b'&', &text).count() >= MOST_FIELDS {
            return Err(Problem::new(
                Code::TooLarge,
                format!("a form may have at most {MOST_FIELDS} fields"),
            ));
        }
        Ok(Self::parse(&text))
    }

    /// Adds a value of a field that may have several.
    pub fn add(&mut self, name: &str, value: impl Into<String>) {
        self.given.push((name.to_owned(), value.into()));
    }

    /// What a field holds; empty where it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.given.iter().find(|(given, _)| given == name).map_or("", |(_, value)| value)
    }

    /// What a field holds, without blanks around it; `None` where that is nothing.
    pub fn filled(&self, name: &str) -> Option<&str> {
        Some(self.text(name).trim()).filter(|text| !text.is_empty())
    }

    /// Whether a field holds this value; of a box that can be ticked: whether it is.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.given.iter().any(|(given, held)| given == name && held == value)
    }

    /// All values of a field.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.given.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// All fields with their values.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.given.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The lines of a field that are not blank.
    pub fn lines(&self, name: &str) -> Vec<String> {
        self.text(name).lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// A field for a use case that tells a value from none: a blank one resets to the default.
    pub fn patch(&self, name: &str) -> Patch<String> {
        self.filled(name).map_or(Patch::Reset, |text| Patch::Set(text.to_owned()))
    }

    /// The same for a whole number. What is none is noted.
    pub fn number(&mut self, name: &str) -> Patch<i64> {
        let Some(text) = self.filled(name).map(str::to_owned) else { return Patch::Reset };
        if let Ok(number) = text.parse() {
            return Patch::Set(number);
        }
        self.wrong.push(name, "must be a whole number");
        Patch::Keep
    }

    /// A field with a name and a value in each line, such as `X-Team: billing`. A line without the sign is noted.
    pub fn pairs(&mut self, name: &str, sign: char) -> Patch<Vec<(String, String)>> {
        let mut pairs = Vec::new();
        for line in self.lines(name) {
            match line.split_once(sign) {
                Some((key, value)) => pairs.push((key.trim().to_owned(), value.trim().to_owned())),
                None => self.wrong.push(name, format!("must have a name, `{sign}` and a value in each line")),
            }
        }
        if pairs.is_empty() { Patch::Reset } else { Patch::Set(pairs) }
    }

    /// What is wrong so far, to be added to.
    pub fn invalid(&mut self) -> &mut Invalid {
        &mut self.wrong
    }

    /// Takes over why a use case refused it, so that the page is shown again with everything that was typed.
    ///
    /// # Errors
    /// The problem itself, where a page of its own says more than the form could: nothing found, a defect.
    pub fn refuse(&mut self, problem: Problem) -> Result<(), Problem> {
        let kind = problem.0.code.kind();
        let told = [
            Kind::Invalid,
            Kind::Conflict,
            Kind::Malformed,
            Kind::TooMany,
            Kind::TooLarge,
            Kind::Unavailable,
        ];
        if !told.contains(&kind) {
            return Err(problem);
        }
        let several = problem.0.fields.len();
        let sentence = match several {
            // What a program would be told, about keys of requests, is not for people.
            _ if kind == Kind::Unavailable => {
                let title = problem.0.code.title();
                format!(
                    "{title}. Nothing was changed as far as is known, and what you typed is still here: send it again in a moment."
                )
            }
            0 => sentence(&problem.0.detail),
            many => to_be_mended(many),
        };
        self.refused = Some((problem::status(kind), sentence));
        self.wrong.merge(Invalid(problem.0.fields));
        Ok(())
    }

    /// Notes why it was refused as a whole.
    pub fn reject(&mut self, status: StatusCode, reason: &str) {
        self.refused = Some((status, sentence(reason)));
    }

    /// Notes what the form itself found wrong.
    ///
    /// # Errors
    /// None; answers whether there is anything.
    pub fn is_refused(&mut self) -> bool {
        if !self.wrong.is_empty() && self.refused.is_none() {
            let sentence = to_be_mended(self.wrong.0.len());
            self.refused = Some((StatusCode::UNPROCESSABLE_ENTITY, sentence));
        }
        self.refused.is_some()
    }

    /// The status of the page that shows it.
    pub fn status(&self) -> StatusCode {
        self.refused.as_ref().map_or(StatusCode::OK, |(status, _)| *status)
    }

    /// What is wrong as a whole.
    pub fn alert(&self) -> Option<&str> {
        self.refused.as_ref().map(|(_, sentence)| sentence.as_str())
    }

    /// What is wrong with a field, or with a part of it.
    pub fn wrong(&self, name: &str) -> Vec<String> {
        let of_field = self.wrong.0.iter().filter(|error| root(&error.field) == name);
        of_field.map(|error| self.told(error, name)).collect()
    }

    fn told(&self, error: &FieldError, name: &str) -> String {
        let part = error.field.get(name.len()..).unwrap_or_default().trim_start_matches('.');
        // What a program leaves out with `null`, a person leaves empty.
        let message = readable(&error.message.replace(", or null for ", ", or empty for "));
        match part {
            "" => sentence(&message),
            part if name == "events" => format!("{}: {message}", self.line(name, part)),
            part => format!("{part}: {message}"),
        }
    }

    /// `[1]` of a field with a value in each line, as a person counts: blank lines too.
    fn line(&self, name: &str, part: &str) -> String {
        let index = part.trim_start_matches('[').trim_end_matches(']').parse().ok();
        let mut filled = self.text(name).lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        match index.and_then(|index| filled.nth(index)) {
            Some((number, _)) => format!("Line {}", number + 1),
            // What was ticked besides stands behind what was typed.
            None => part.to_owned(),
        }
    }

    /// The first field of the page that is wrong: a browser sends fields in the order in which they stand there. It has the
    /// focus when the page is shown again, so that what is wrong is seen wherever it stands.
    pub fn first_wrong(&self) -> Option<&str> {
        self.given.iter().map(|(name, _)| name.as_str()).find(|name| self.is_wrong(name))
    }

    /// Whether this field is that one.
    pub fn has_focus(&self, name: &str) -> bool {
        self.first_wrong() == Some(name)
    }

    /// Notes that the page has this field: boxes of which none is ticked are not sent.
    pub fn has_field(&mut self, name: &str) {
        if self.all(name).next().is_none() {
            self.add(name, "");
        }
    }

    /// Whether anything is.
    pub fn is_wrong(&self, name: &str) -> bool {
        self.wrong.0.iter().any(|error| root(&error.field) == name)
    }

    /// What is wrong with fields that the form does not have.
    pub fn others(&self) -> impl Iterator<Item = (&str, &str)> {
        let has = |error: &&FieldError| !self.given.iter().any(|(name, _)| name == root(&error.field));
        self.wrong.0.iter().filter(has).map(|error| (error.field.as_str(), error.message.as_str()))
    }
}

/// `events[3].type` is a part of `events`.
fn root(field: &str) -> &str {
    field.split(['[', '.']).next().unwrap_or(field)
}

fn to_be_mended(things: usize) -> String {
    let many = if things == 1 { "One thing has".to_owned() } else { format!("{things} things have") };
    format!("{many} to be mended; nothing was changed.")
}

/// With its bounds as hints have them: `1 to 3,650`. Other numbers may be names.
fn readable(message: &str) -> String {
    let (mut text, mut before) = (String::new(), "");
    for word in message.split_inclusive(' ') {
        let number = word.trim_end_matches([' ', ',', ';', '.']);
        let bound =
            ["from", "to", "most", "least", "than"].contains(&before).then(|| number.parse::<u64>().ok());
        match bound.flatten() {
            Some(bound) => text.extend([grouped(bound).as_str(), &word[number.len()..]]),
            None => text.push_str(word),
        }
        before = word.trim_end();
    }
    text
}

/// Begins with a capital letter and ends with a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?']) || text.is_empty() { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Error;

    #[test]
    fn what_was_typed_is_there_again_with_what_is_wrong_beside_it() {
        let mut form = Form::parse(b"url=ftp%3A%2F%2Fx&events=a.*%0D%0A%0D%0A+b+%0D%0A&box=one&box=two");
        assert_eq!(form.lines("events"), ["a.*", "b"]);
        assert_eq!(form.text("events"), "a.*\n\n b \n");
        assert!(form.has("box", "two") && !form.has("box", "three"));
        let mut wrong = Invalid::one("url", "must begin with https://");
        wrong.push("events[1]", "must be a pattern");
        wrong.push("secret", "is too short");
        form.refuse(Problem::from(Error::from(wrong))).unwrap();
        assert_eq!(form.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(form.wrong("url"), ["Must begin with https://."]);
        assert_eq!(form.wrong("events"), ["Line 3: must be a pattern"]);
        assert_eq!(form.first_wrong(), Some("url"));
        assert_eq!(form.others().collect::<Vec<_>>(), [("secret", "is too short")]);
    }

    #[test]
    fn words_of_programs_are_not_said_and_boxes_that_are_not_ticked_are_fields_as_well() {
        let mut form = Form::parse(b"rate=0");
        let mut wrong = Invalid::one("rate", "must be a whole number from 1 to 10000, or null for no limit");
        wrong.push("scopes", "must hold at least one");
        form.has_field("scopes");
        form.refuse(Problem::from(Error::from(wrong))).unwrap();
        assert_eq!(form.wrong("rate"), ["Must be a whole number from 1 to 10,000, or empty for no limit."]);
        assert_eq!((form.others().count(), form.has("scopes", "admin")), (0, false));
        assert_eq!(
            readable("must be the name, 2026, and have at most 262144 bytes."),
            "must be the name, 2026, and have at most 262,144 bytes."
        );
    }

    #[test]
    fn what_a_form_cannot_mend_is_not_its_business() {
        let mut form = Form::default();
        assert!(form.refuse(Problem::from(Error::not_found("endpoint", "ep_1"))).is_err());
        assert!(form.refuse(Problem::new(Code::EndpointLimitReached, "there are ten; delete one")).is_ok());
        assert_eq!(form.alert(), Some("There are ten; delete one."));
        assert_eq!(form.status(), StatusCode::CONFLICT);
    }

    #[test]
    fn blank_fields_reset_and_numbers_have_to_be_some() {
        let mut form = Form::parse(b"rate=+&timeout=ten&most=16&headers=X-A%3A+1%0D%0Anothing");
        assert_eq!(form.patch("rate"), Patch::Reset);
        assert_eq!((form.number("timeout"), form.number("most")), (Patch::Keep, Patch::Set(16)));
        assert_eq!(form.pairs("headers", ':'), Patch::Set(vec![("X-A".to_owned(), "1".to_owned())]));
        assert!(form.is_wrong("timeout") && form.is_wrong("headers") && form.is_refused());
    }
}
