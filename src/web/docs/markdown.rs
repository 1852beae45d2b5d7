//! Pages that are written as Markdown.

use pulldown_cmark::html::push_html;
use pulldown_cmark::{Alignment, CowStr, Event, Options, Parser, Tag, TagEnd};

/// Markdown of ours as HTML. HTML in it is passed on, so it is for nothing that comes from outside.
pub(super) fn html(markdown: &str) -> String {
    let parser = || Parser::new_ext(markdown, Options::ENABLE_TABLES);
    let mut out = String::with_capacity(markdown.len() * 3 / 2);
    let (mut columns, mut names) = (Columns::default(), names(parser()).into_iter());
    push_html(&mut out, parser().map(|event| columns.label(linked(named(event, &mut names)))));
    // What scrolls can be reached by the keyboard.
    out.replace("<pre>", "<pre tabindex=\"0\">")
}

/// The names of all headings, by which links lead to them: those that forges give them, so that the links hold there as well.
fn names<'a>(events: impl Iterator<Item = Event<'a>>) -> Vec<String> {
    let (mut names, mut name) = (Vec::new(), None::<String>);
    for event in events {
        match (&event, &mut name) {
            (Event::Start(Tag::Heading { .. }), _) => name = Some(String::new()),
            (Event::End(TagEnd::Heading(_)), _) => names.extend(name.take()),
            (Event::Text(text) | Event::Code(text), Some(name)) => name.push_str(&in_names(text)),
            _ => {}
        }
    }
    names
}

/// Small letters, digits, hyphens for blanks, and nothing else.
fn in_names(text: &str) -> String {
    let kept = text.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn named<'a>(event: Event<'a>, names: &mut impl Iterator<Item = String>) -> Event<'a> {
    let Event::Start(Tag::Heading { level, classes, attrs, .. }) = event else { return event };
    Event::Start(Tag::Heading { level, id: names.next().map(CowStr::from), classes, attrs })
}

/// Pages link to one another and to other files by their paths, so that the links hold in the repository as well; here by
/// their names. What only a server has, the reference, is named there and a link here.
fn linked(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Code(path) if path.starts_with("/docs") => {
            Event::InlineHtml(format!("<a href=\"{path}\"><code>{path}</code></a>").into())
        }
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let (file, place) = dest_url.split_at(dest_url.find('#').unwrap_or(dest_url.len()));
            let dest_url = match (file, file.strip_suffix(".md"), file.strip_prefix("../monitoring/")) {
                ("../../src/lib.rs", ..) => CowStr::from("architecture"),
                (_, Some(name), _) | (_, _, Some(name)) => CowStr::from(format!("{name}{place}")),
                _ => dest_url,
            };
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        event => event,
    }
}

/// Notes the names of a table's columns, and tells each cell behind the first which one it is in: on a narrow screen
/// cells stand below one another, without their head. Columns that are set to the right hold numbers; that is said by a
/// class, because pages may have no style of their own.
#[derive(Default)]
struct Columns {
    names: Vec<String>,
    numbers: Vec<bool>,
    in_head: bool,
    next: usize,
}

impl Columns {
    fn label<'a>(&mut self, event: Event<'a>) -> Event<'a> {
        match &event {
            Event::Start(Tag::Table(columns)) => {
                self.numbers = columns.iter().map(|column| *column == Alignment::Right).collect();
                return Event::Start(Tag::Table(vec![Alignment::None; columns.len()]));
            }
            Event::Start(Tag::TableHead) => (self.names, self.in_head) = (Vec::new(), true),
            Event::End(TagEnd::TableHead) => self.in_head = false,
            Event::Start(Tag::TableRow) => self.next = 0,
            Event::Start(Tag::TableCell) if self.in_head => self.names.push(String::new()),
            Event::Text(text) | Event::Code(text) if self.in_head => {
                self.names.last_mut().into_iter().for_each(|name| name.push_str(text));
            }
            Event::Start(Tag::TableCell) => return self.cell(),
            Event::End(TagEnd::TableCell) if !self.in_head => return Event::InlineHtml("</td>".into()),
            _ => {}
        }
        event
    }

    fn cell(&mut self) -> Event<'static> {
        let at = self.next;
        self.next += 1;
        let mut cell = "<td".to_owned();
        if self.numbers.get(at) == Some(&true) {
            cell.push_str(" class=\"number\"");
        }
        if let Some(name) = self.names.get(at).filter(|name| at > 0 && !name.is_empty()) {
            let name = name.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
            cell.push_str(" data-label=\"");
            cell.push_str(&name);
            cell.push('"');
        }
        cell.push('>');
        Event::InlineHtml(cell.into())
    }
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn columns_of_numbers_have_a_class_and_no_style() {
        let html = html("| a | b |\n|---|---:|\n| x | 1 |\n");
        assert!(html.contains("<td>x</td><td class=\"number\" data-label=\"b\">1</td>"), "{html}");
        assert!(!html.contains("style="), "{html}");
    }

    #[test]
    fn links_to_files_become_links_to_pages() {
        for (markdown, link) in [
            ("[a](moving.md#order)", "<a href=\"moving#order\">a</a>"),
            ("[a](https://example.com/x)", "<a href=\"https://example.com/x\">a</a>"),
            ("[a](#here)", "<a href=\"#here\">a</a>"),
            ("[a](../../src/lib.rs)", "<a href=\"architecture\">a</a>"),
            ("[a](../monitoring/rules.yml)", "<a href=\"rules.yml\">a</a>"),
            ("`/docs#errors`", "<a href=\"/docs#errors\"><code>/docs#errors</code></a>"),
        ] {
            assert_eq!(html(markdown), format!("<p>{link}</p>\n"));
        }
    }

    #[test]
    fn headings_have_the_names_that_forges_give_them() {
        let html = html("## `count` is above 0, and the *party*'s_end\n");
        assert!(html.starts_with("<h2 id=\"count-is-above-0-and-the-partys_end\">"), "{html}");
    }

    #[test]
    fn tables_headings_and_blocks_of_code_become_html() {
        let html = html("## One\n\n| a | b & c |\n|---|---|\n| `x<y` | |\n\n```sh name\nls & a\n```\n");
        let expected = "<h2 id=\"one\">One</h2>\n\
            <table><thead><tr><th>a</th><th>b &amp; c</th></tr></thead><tbody>\n\
            <tr><td><code>x&lt;y</code></td><td data-label=\"b &amp; c\"></td></tr>\n</tbody></table>\n\
            <pre tabindex=\"0\"><code class=\"language-sh\">ls &amp; a\n</code></pre>\n";
        assert_eq!(html, expected);
    }
}
