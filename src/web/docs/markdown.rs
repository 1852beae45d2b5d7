//! Pages that are written as Markdown.

use pulldown_cmark::html::push_html;
use pulldown_cmark::{Alignment, CowStr, Event, Options, Parser, Tag, TagEnd};

/// Markdown of ours as HTML. HTML in it is passed on, so it is for nothing that comes from outside.
pub(super) fn html(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES;
    let mut out = String::with_capacity(markdown.len() * 3 / 2);
    let mut columns = Columns::default();
    push_html(&mut out, Parser::new_ext(markdown, options).map(|event| columns.label(linked(event))));
    // What scrolls can be reached by the keyboard.
    out.replace("<pre>", "<pre tabindex=\"0\">")
}

/// Pages link to one another by their files, so that the links hold in the repository as well; here by their names.
fn linked(event: Event<'_>) -> Event<'_> {
    let Event::Start(Tag::Link { link_type, dest_url, title, id }) = event else { return event };
    let (file, place) = dest_url.split_at(dest_url.find('#').unwrap_or(dest_url.len()));
    let dest_url = match file.strip_suffix(".md") {
        Some(name) => CowStr::from(format!("{name}{place}")),
        None => dest_url,
    };
    Event::Start(Tag::Link { link_type, dest_url, title, id })
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
        let html = html("[a](moving.md#order) [b](https://example.com/x) [c](#here)");
        assert_eq!(
            html,
            "<p><a href=\"moving#order\">a</a> <a href=\"https://example.com/x\">b</a> <a href=\"#here\">c</a></p>\n"
        );
    }

    #[test]
    fn tables_headings_and_blocks_of_code_become_html() {
        let html =
            html("## One {#one}\n\n| a | b & c |\n|---|---|\n| `x<y` | |\n\n```sh name\nls & a\n```\n");
        let expected = "<h2 id=\"one\">One</h2>\n\
            <table><thead><tr><th>a</th><th>b &amp; c</th></tr></thead><tbody>\n\
            <tr><td><code>x&lt;y</code></td><td data-label=\"b &amp; c\"></td></tr>\n</tbody></table>\n\
            <pre tabindex=\"0\"><code class=\"language-sh\">ls &amp; a\n</code></pre>\n";
        assert_eq!(html, expected);
    }
}
