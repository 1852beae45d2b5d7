//! How every value gets into a page. `askama.toml` names this for all templates, so that none of them can forget it.

use std::fmt::{self, Write};

use askama::filters::{Escaper, Html};

use crate::domain::inert;

/// Escapes for HTML, and takes the effect of what would hide or reorder the text around it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inert;

impl Escaper for Inert {
    fn write_escaped_str<W: Write>(&self, into: W, text: &str) -> fmt::Result {
        inert::write(&mut Escaped(into), text)
    }
}

/// What is written into it arrives escaped.
struct Escaped<W>(W);

impl<W: Write> Write for Escaped<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        Html.write_escaped_str(&mut self.0, text)
    }
}

#[cfg(test)]
mod tests {
    use askama::Template;

    #[derive(Template)]
    #[template(source = "<p title=\"{{ text }}\">{{ text }}</p>{{ text|e(\"field\") }}", ext = "html")]
    struct Page {
        text: &'static str,
    }

    #[test]
    fn a_value_has_no_effect_and_a_field_holds_what_it_held() {
        let page = Page { text: "<b>\"\u{202e}\u{1b}" }.render().unwrap();
        let shown = "&#60;b&#62;&#34;\\u{202e}␛";
        assert_eq!(page, format!("<p title=\"{shown}\">{shown}</p>&#60;b&#62;&#34;\u{202e}\u{1b}"));
    }
}
