//! `/docs/moving` and the other guides: pages for people, written as Markdown in `templates/docs`. They need no key, no
//! network and no JavaScript.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::web::{self, Bytes, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, guard};
use pulldown_cmark::{Options, Parser, html};

use crate::service::Code;

use super::problem::Problem;
use super::query;

/// A guide as it is written.
struct Guide {
    /// Its path below `/docs`, by which the guides link to one another.
    name: &'static str,
    title: &'static str,
    markdown: &'static str,
}

/// All of them, in the order in which each page lists them.
const GUIDES: [Guide; 3] = [
    Guide {
        name: "moving",
        title: "Moving here from your own webhooks",
        markdown: include_str!("../../templates/docs/moving.md"),
    },
    Guide { name: "formats", title: "Formats", markdown: include_str!("../../templates/docs/formats.md") },
    Guide {
        name: "receiving",
        title: "Receiving webhooks",
        markdown: include_str!("../../templates/docs/receiving.md"),
    },
];

/// A page may bring nothing along, run nothing, and be shown in no frame.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:0 auto;padding:1rem}\
nav a{margin-right:1.5rem}\
table{border-collapse:collapse;width:100%;margin:1rem 0}\
th,td{border:1px solid #8886;padding:.35rem .6rem;text-align:left;vertical-align:top}\
code,pre{font:14px/1.45 ui-monospace,monospace}\
pre{background:#8881;padding:.8rem;overflow-x:auto}\
code{overflow-wrap:anywhere}";

/// The pages as they are sent, made at the first request.
static PAGES: LazyLock<Vec<(&'static str, Bytes)>> =
    LazyLock::new(|| GUIDES.iter().map(|guide| (guide.name, Bytes::from(page(guide)))).collect());

/// The route.
pub fn routes(config: &mut ServiceConfig) {
    let read = web::route().guard(guard::Any(guard::Get()).or(guard::Head()));
    config.service(web::resource("/docs/{guide}").route(read.to(show)));
}

async fn show(request: HttpRequest, name: Path<String>) -> Result<HttpResponse, Problem> {
    query::none(&request)?;
    let Some((_, page)) = PAGES.iter().find(|(known, _)| *known == name.as_str()) else {
        let known = GUIDES.map(|guide| guide.name).join(", ");
        return Err(Problem::new(Code::UnknownPath, format!("there is no such guide; there are {known}")));
    };
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(page.clone()))
}

/// A guide with what is around it on a page.
fn page(guide: &Guide) -> String {
    let links = GUIDES.iter().map(|other| format!("<a href=\"{}\">{}</a>", other.name, other.title));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{} - Postrider</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<nav>{}</nav>\n<main>\n{}</main>\n</body>\n</html>\n",
        guide.title,
        links.collect::<String>(),
        render(guide.markdown),
    )
}

/// Markdown of ours as HTML. HTML in it is passed on, so it is for nothing that comes from outside.
fn render(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES;
    let mut out = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut out, Parser::new_ext(markdown, options));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_headings_and_blocks_of_code_become_html() {
        let html = render("## One {#one}\n\n| a | b |\n|---|---|\n| `x<y` | |\n\n```sh name\nls & a\n```\n");
        let expected = "<h2 id=\"one\">One</h2>\n\
            <table><thead><tr><th>a</th><th>b</th></tr></thead><tbody>\n\
            <tr><td><code>x&lt;y</code></td><td></td></tr>\n</tbody></table>\n\
            <pre><code class=\"language-sh\">ls &amp; a\n</code></pre>\n";
        assert_eq!(html, expected);
    }

    #[test]
    fn every_guide_begins_with_its_title_and_every_link_leads_somewhere() {
        for guide in &GUIDES {
            assert!(guide.markdown.starts_with(&format!("# {}\n", guide.title)), "{}", guide.name);
            let page = page(guide);
            let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
            let links: Vec<&str> = links.collect();
            assert!(links.len() >= GUIDES.len());
            for link in links {
                let found = match link.strip_prefix('#') {
                    Some(id) => page.contains(&format!("id=\"{id}\"")),
                    None => link.starts_with("https://") || GUIDES.iter().any(|guide| guide.name == link),
                };
                assert!(found, "{} links to {link}, which is not there", guide.name);
            }
        }
    }
}
