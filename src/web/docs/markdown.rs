//! Pages that are written as Markdown.

use pulldown_cmark::html::push_html;
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag};

/// Markdown of ours as HTML. HTML in it is passed on, so it is for nothing that comes from outside.
pub(super) fn html(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES;
    let mut out = String::with_capacity(markdown.len() * 3 / 2);
    push_html(&mut out, Parser::new_ext(markdown, options).map(linked));
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

#[cfg(test)]
mod tests {
    use super::html;

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
        let html = html("## One {#one}\n\n| a | b |\n|---|---|\n| `x<y` | |\n\n```sh name\nls & a\n```\n");
        let expected = "<h2 id=\"one\">One</h2>\n\
            <table><thead><tr><th>a</th><th>b</th></tr></thead><tbody>\n\
            <tr><td><code>x&lt;y</code></td><td></td></tr>\n</tbody></table>\n\
            <pre tabindex=\"0\"><code class=\"language-sh\">ls &amp; a\n</code></pre>\n";
        assert_eq!(html, expected);
    }
}
