//! The pages beside the reference: what they are called, where they stand, and their text.

use std::borrow::Cow;

/// A page beside the reference.
pub struct Page {
    /// Its name in the path: `/docs/NAME`. Pages link to one another by their files, `NAME.md`.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// Where it stands in the navigation.
    pub part: Part,
    /// What it says, as Markdown that begins with the title.
    text: &'static str,
}

/// A part of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// For everybody.
    Start,
    /// For whoever writes the program that webhooks go to.
    Receive,
    /// For whoever keeps the server.
    Run,
    /// For whoever wants to know what this is made of, or to change it.
    About,
}

impl Part {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::Start, Self::Receive, Self::Run, Self::About];

    /// What is above it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Start => "Start",
            Self::Receive => "Receive and sign",
            Self::Run => "Run it",
            Self::About => "About",
        }
    }

    /// What belongs to it.
    pub fn pages(self) -> impl Iterator<Item = &'static Page> {
        PAGES.iter().filter(move |page| page.part == self)
    }
}

/// A page whose text is the file of its name in `templates/docs`, or the one that is named.
macro_rules! page {
    ($part:ident, $name:literal, $title:literal) => {
        page!($part, $name, $title, concat!("../../../templates/docs/", $name, ".md"))
    };
    ($part:ident, $name:literal, $title:literal, $file:expr) => {
        Page { name: $name, title: $title, part: Part::$part, text: include_str!($file) }
    };
}

/// All pages beside the reference, in the order of the navigation.
pub static PAGES: &[Page] = &[
    page!(Start, "quick-start", "Quick start"),
    page!(Start, "concepts", "Concepts"),
    page!(Start, "retries", "Retries and health"),
    page!(Start, "moving", "Moving here from your own webhooks"),
    page!(Receive, "receiving", "Receiving webhooks"),
    page!(Receive, "verifying-python", "Verifying in Python"),
    page!(Receive, "verifying-node", "Verifying in Node"),
    page!(Receive, "verifying-php", "Verifying in PHP"),
    page!(Receive, "verifying-ruby", "Verifying in Ruby"),
    page!(Receive, "verifying-go", "Verifying in Go"),
    page!(Receive, "verifying-rust", "Verifying in Rust"),
    page!(Receive, "testing", "Testing webhooks"),
    page!(Receive, "formats", "Formats"),
    page!(Run, "running", "Running it"),
    page!(Run, "backup", "Backup, restore, moving"),
    page!(Run, "commands", "The command line"),
    page!(Run, "monitoring", "Monitoring and alerts"),
    page!(Run, "messages", "The log: what to do about a message"),
    page!(Run, "capacity", "Capacity"),
    page!(Run, "security", "Security"),
    page!(Run, "troubleshooting", "Troubleshooting"),
    page!(About, "comparison", "Comparison"),
    page!(About, "architecture", "Architecture", "../../lib.rs"),
    page!(About, "contributing", "Contributing"),
    page!(About, "changelog", "Changelog", "../../../CHANGELOG.md"),
    page!(About, "security-policy", "Security policy"),
];

impl Page {
    /// Its Markdown: of a source file the comment that opens it. Where a line is a link to a file of [`EXAMPLES`] and nothing
    /// else, there is that file.
    pub fn markdown(&self) -> Cow<'static, str> {
        let text = if self.text.starts_with("//!") { opening(self.text) } else { Cow::Borrowed(self.text) };
        if !text.contains(&format!("]({EXAMPLES_PATH}")) {
            return text;
        }
        Cow::Owned(text.lines().map(filled).collect())
    }
}

/// Where the files of [`EXAMPLES`] are, from the pages.
const EXAMPLES_PATH: &str = "../../tests/examples/fake/";

/// Files that pages show: a name, the language, the text. Tests run them where they are.
const EXAMPLES: [(&str, &str, &str); 6] = [
    ("webhooks.py", "python", include_str!("../../../tests/examples/fake/python/webhooks.py")),
    ("test_posts.py", "python", include_str!("../../../tests/examples/fake/python/test_posts.py")),
    ("webhooks.mjs", "js", include_str!("../../../tests/examples/fake/node/webhooks.mjs")),
    ("posts.test.mjs", "js", include_str!("../../../tests/examples/fake/node/posts.test.mjs")),
    ("Webhooks.php", "php", include_str!("../../../tests/examples/fake/php/Webhooks.php")),
    ("posts_test.php", "php", include_str!("../../../tests/examples/fake/php/posts_test.php")),
];

/// A line of a page, or what it stands for.
fn filled(line: &str) -> String {
    let example = line.strip_prefix('[').and_then(|rest| {
        let (name, path) = rest.strip_suffix(')')?.split_once("](")?;
        let (name, language, text) = EXAMPLES.iter().find(|(known, _, _)| *known == name)?;
        path.starts_with(EXAMPLES_PATH).then(|| format!("```{language} {name}\n{}\n```\n", text.trim_end()))
    });
    example.unwrap_or_else(|| format!("{line}\n"))
}

/// The comment that opens a source file, as the page about the architecture.
fn opening(source: &str) -> Cow<'static, str> {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let lines: Vec<_> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    let text = format!("{}\n", lines.join("\n"));
    // Links to items lead somewhere in the documentation that rustdoc makes; here the word is enough.
    let text = text.replace("[`", "`").replace("`]", "`");
    // Its headings stand below the page's title.
    let text = text.replace("\n# ", "\n## ");
    Cow::Owned(format!("# Architecture\n\n{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::format::Format;
    use crate::domain::format::code::Language;

    fn text(name: &str) -> Cow<'static, str> {
        PAGES.iter().find(|page| page.name == name).expect("a page").markdown()
    }

    #[test]
    fn each_language_has_its_page_with_its_code() {
        for language in Language::ALL {
            let text = text(&format!("verifying-{}", language.as_str()));
            let code = Format::standard().verify_code(language);
            let fenced = format!("```{} verify\n{}\n```\n", language.as_str(), code.trim_end());
            assert!(text.contains(&fenced), "the page of {language:?} has to say:\n{fenced}");
        }
    }

    #[test]
    fn files_that_a_page_shows_stand_where_it_links_to_them() {
        let text = text("testing");
        assert!(!text.contains(EXAMPLES_PATH), "each is shown: {text}");
        for (name, language, code) in EXAMPLES {
            assert!(text.contains(&format!("```{language} {name}\n{}", code.trim_end())), "{name}");
        }
    }

    #[test]
    fn the_page_about_the_architecture_is_what_the_source_says() {
        let text = text("architecture");
        assert!(
            text.starts_with("# Architecture\n\nPostrider") && text.contains("\n## The house\n"),
            "{text}"
        );
        assert!(!text.contains("pub mod") && !text.contains("[`"), "{text}");
    }
}
